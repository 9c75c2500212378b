"""Documents as the rules look at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ..findings import CannotRun, Subject

if TYPE_CHECKING:
    from ..documents.file_list import FileList
    from ..documents.idr_study import StudyFile
    from ..documents.idr_table import Table
    from ..documents.pagetab import PageTab

T = TypeVar("T")


def submission(subject: Subject) -> PageTab:
    """Return the PageTab of a subject."""
    from ..documents.pagetab import PageTab

    return _content(subject, PageTab)


def file_list(subject: Subject) -> FileList:
    """Return the file list of a subject."""
    from ..documents.file_list import FileList

    return _content(subject, FileList)


def study(subject: Subject) -> StudyFile:
    """Return the IDR study file of a subject."""
    from ..documents.idr_study import StudyFile

    return _content(subject, StudyFile)


def table(subject: Subject) -> Table:
    """Return the IDR table of a subject."""
    from ..documents.idr_table import Table

    return _content(subject, Table)


def _content(subject: Subject, kind: type[T]) -> T:
    content = subject.document.content if subject.document is not None else None
    if not isinstance(content, kind):
        raise CannotRun(f"{subject.name} is no document of that kind.")
    return content


def listed(names: list[str], most: int = 8) -> str:
    """Return names for a sentence: ``“A”, “B” and 3 more``."""
    shown = ", ".join(f"“{name}”" for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
