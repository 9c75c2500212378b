"""Documents that describe images, beside the images themselves: recognised by what is in them, whatever they are called.

A new kind of document is one more branch in `read_document`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from ...errors import SuiteError, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DocumentKind = Literal["sheet", "pagetab", "file-list", "idr-study", "idr-table"]
PROFILE_OF: Final[dict[DocumentKind, str]] = {"sheet": "rembi", "pagetab": "bia", "file-list": "bia", "idr-study": "idr", "idr-table": "idr"}
"""The profile whose rules a kind of document is checked by."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was recognised.

    Attributes
    ----------
    format
        What the reports call it.
    content
        What was read: a REMBI sheet, `PageTab`, `FileList`, `StudyFile` or `Table`.
    facts
        The part of it that rules over all inputs together get, and that is kept until the last input is read.
    """

    kind: DocumentKind
    format: str
    content: Any
    facts: Any = None


def read_document(path: Path) -> Document | None:
    """Read a document of a kind known here.

    Returns
    -------
    The document, or None for a file that is none: an image, or anything else.

    Raises
    ------
    SuiteError
        If it is one, and cannot be read.
    """
    from . import sheet
    from .content import head_of

    head = head_of(path)
    if sheet.is_workbook(path) and (listed := _workbook_list(path)) is not None:
        return listed
    found = sheet.read(path, head)
    if found is not None:
        return Document("sheet", "REMBI sheet", found, found)
    if not head:
        return None
    if head.lstrip()[:1] in ("{", "["):
        return _json(path, head)
    return _text(path, head)


def _workbook_list(path: Path) -> Document | None:
    from . import file_list

    listed = file_list.from_workbook(path)
    return None if listed is None else Document("file-list", "File list (XLSX)", listed, file_list.facts(listed))


def _json(path: Path, head: str) -> Document | None:
    from ...untrusted_json import parse_json
    from . import file_list, pagetab
    from .content import bytes_of, shorten
    from .json_lines import lines_of

    data = bytes_of(path)
    if b"\0" in data[:4]:
        raise UnreadableError(f"{path.name} is JSON in UTF-16 or UTF-32; programs exchange it in UTF-8 (RFC 8259). Save it as UTF-8.")
    try:
        value = parse_json(data)
    except ValueError as error:
        if path.suffix.lower() != ".json" and not any(f'"{key}"' in head for key in ("attributes", "section", "path")):
            return None
        raise UnreadableError(f"{path.name} is not valid JSON ({shorten(str(error), 200)}). Save it again from what made it.") from error
    if pagetab.looks_like_json(value):
        found = pagetab.from_value(value, path.name, lines_of(data.decode("utf-8", "replace")))
        return Document("pagetab", "PageTab (JSON)", found, _named(found))
    if file_list.looks_like_json(value):
        listed = file_list.from_value(value, lines_of(data.decode("utf-8", "replace")))
        return Document("file-list", "File list (JSON)", listed, file_list.facts(listed))
    return None


def _text(path: Path, head: str) -> Document | None:
    from . import file_list, idr_study, idr_table, pagetab

    if pagetab.looks_like_table(head):
        found = pagetab.from_table(path)
        return Document("pagetab", "PageTab (TSV)", found, _named(found))
    if idr_study.looks_like_study(head, path.name):
        study = idr_study.read_study(path)
        return Document("idr-study", "IDR study file", study, idr_study.facts(study))
    if kind := idr_table.kind_of(head, path.name):
        table = idr_table.read_table(path, kind)
        return Document("idr-table", f"IDR {kind} table", table, idr_table.facts(table))
    if file_list.looks_like_table(head):
        listed = file_list.from_table(path)
        return Document("file-list", "File list (TSV)", listed, file_list.facts(listed))
    return None


@dataclass(frozen=True, slots=True)
class PageTabFacts:
    """What rules over all inputs need of a submission: (name of the list, whether of annotations, section, place) of each file list."""

    lists: tuple[tuple[str, bool, str, str], ...]


def _named(submission: Any) -> PageTabFacts:
    lists = []
    for is_annotation, parts in ((False, submission.components()), (True, submission.annotations())):
        lists += [(said.value.strip(), is_annotation, part.label, said.where) for part in parts for said in part.said("File List")]
    return PageTabFacts(tuple(lists))


def wanted_by(profiles: tuple[str, ...]) -> Callable[[Path], bool]:
    """Return what says of a file whether it is a document that one of these profiles checks; faulty ones count."""
    kinds = set(profiles) & set(PROFILE_OF.values())

    def wanted(path: Path) -> bool:
        if not kinds:
            return False
        try:
            found = read_document(path)
        except SuiteError:
            return True
        return found is not None and PROFILE_OF[found.kind] in kinds

    return wanted
