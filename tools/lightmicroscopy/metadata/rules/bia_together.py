"""Rules on how a submission to the BioImage Archive, its file lists and the images given with them agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bia_template import BACK_END, FILE_LIST_HELP
from ..documents.content import shorten
from ..findings import BIA, Problem, Severity, Together, rule
from ._matching import Inputs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..input_facts import InputFacts


@rule(
    "bia.list-given",
    severity="not-run",
    title="Every file list that the submission names is among the inputs.",
    why="What a list says of its files cannot be checked without it, and the archive refuses a submission whose list it does not find.",
    fix="Give the file list together with the submission, under the name that it has there.",
    source=FILE_LIST_HELP,
    profiles=(BIA,),
    needs="together",
    applies=lambda together: any(item.document.lists for item in together.of_kind("pagetab")),
)
def _list_given(together: Together) -> Iterator[Problem]:
    lists, others = Inputs(together.of_kind("file-list")), Inputs(together.inputs)
    for item in together.of_kind("pagetab"):
        for name, _, label, where in item.document.lists:
            if lists.find(name) is not None:
                continue
            other = others.find(name)
            if other is not None:
                message = f"The file list “{shorten(name)}” of {label} is there, but is no file list: its first cell must be Files."
                yield Problem(message, where, severity="error", input=item.name, fix="Let the first cell of the first line be exactly Files.")
            elif close := lists.by_case(name):
                message = f"The file list “{shorten(name)}” of {label} was not given; {close.name} differs in upper and lower case."
                yield Problem(message, where, severity="error", input=item.name, fix="Write the name as the file has it.")
            else:
                yield Problem(
                    f"The file list “{shorten(name)}” of {label} was not given, so that its files could not be checked.", where, input=item.name
                )


@rule(
    "bia.list-unnamed",
    severity="warning",
    title="Every file list belongs to a study component or an annotation.",
    why="The archive does not read a list that no section names: its files would not be part of the study.",
    fix="Name the list in the field File List of the component it belongs to, or leave it out.",
    source=FILE_LIST_HELP,
    profiles=(BIA,),
    needs="together",
    applies=lambda together: bool(together.of_kind("pagetab") and together.of_kind("file-list")),
)
def _list_unnamed(together: Together) -> Iterator[Problem]:
    lists = Inputs(together.of_kind("file-list"))
    named = {found.name for item in together.of_kind("pagetab") for name, *_ in item.document.lists if (found := lists.find(name))}
    for item in lists.all:
        if item.name not in named:
            yield Problem(f"No section of the submission names the file list {item.name}.", input=item.name)


@rule(
    "bia.files-missing",
    severity="error",
    title="Every file of a list is among the inputs.",
    why="The archive refuses a submission with a listed file that is not in the upload area, to the letter: case, blanks and folders.",
    fix="Upload the missing file, or take its line out of the list. If only a part of the files was given on purpose, nothing is wrong.",
    source=BACK_END,
    profiles=(BIA,),
    needs="together",
    applies=lambda together: bool(together.of_kind("file-list")),
)
def _files_missing(together: Together) -> Iterator[Problem]:
    files = _files(together)
    given = Inputs(files)
    for item in together.of_kind("file-list"):
        if item.document.paths and not files:
            message = f"No image was given, so that it could not be checked whether the files of the list exist: {len(item.document.paths)}."
            fix = "Give the images together with the list, or a folder of them."
            yield Problem(message, severity="not-run", input=item.name, fix=fix)
            continue
        missing = [(path, where) for path, where in item.document.paths if given.find(path) is None]
        # Where none of a list's files was given, it is likely that they were left out on purpose.
        severity: Severity | None = None if len(missing) < len(item.document.paths) else "warning"
        for path, where in missing:
            close = given.by_case(path)
            if close is not None:
                message = f"“{shorten(path)}” is listed, but the file is called {close.name}: they differ in upper and lower case."
                yield Problem(message, where, severity="error", input=item.name, fix="Write the name in the list as the file has it.")
            else:
                yield Problem(f"“{shorten(path)}” is listed, but was not given.", where, severity=severity, input=item.name)


@rule(
    "bia.files-unlisted",
    severity="warning",
    title="Every image is in a file list.",
    why="A file that no list names is not part of the study, even if it is uploaded.",
    fix="Add the file to the list of the study component it belongs to.",
    source=FILE_LIST_HELP,
    profiles=(BIA,),
    needs="together",
    applies=lambda together: bool(together.of_kind("file-list") and together.images),
)
def _files_unlisted(together: Together) -> Iterator[Problem]:
    given = Inputs(_files(together))
    known = {found.name for item in together.of_kind("file-list") for path, _ in item.document.paths if (found := given.find(path))}
    for item in together.images:
        if item.name not in known:
            yield Problem(f"{item.name} is in no file list.", input=item.name)


@rule(
    "bia.source-image",
    severity="error",
    title="Each annotation says which listed image it belongs to.",
    why="By the column Source Image of an annotation's list the archive puts annotations and images together.",
    fix="Add the column Source Image to the list, with the path of the image as its own list has it.",
    source=FILE_LIST_HELP,
    profiles=(BIA,),
    needs="together",
    applies=lambda together: any(is_annotation for _, is_annotation in _lists(together)),
)
def _source_image(together: Together) -> Iterator[Problem]:
    lists = list(_lists(together))
    images = {path for item, is_annotation in lists if not is_annotation for path, _ in item.document.paths}
    for item, is_annotation in lists:
        if not is_annotation:
            continue
        if not item.document.has_sources:
            yield Problem(f"{item.name} is a list of annotations, but has no column Source Image.", "line 1", input=item.name)
        for source, where in item.document.sources:
            if not source.strip():
                yield Problem("The source image is not named.", where, input=item.name)
            elif images and source not in images:
                message = f"The source image “{shorten(source)}” is in no list of a study component."
                yield Problem(message, f"{where}, Source Image", input=item.name, fix="Write the path as the list of the images has it.")


def _files(together: Together) -> list[InputFacts]:
    """Inputs that a list can mean: images, and what could not be read."""
    return [item for item in together.inputs if item.kind in ("image", "unknown")]


def _lists(together: Together) -> Iterator[tuple[InputFacts, bool]]:
    """File lists, each with whether it is one of annotations: as the submission says, or by its own column."""
    lists = Inputs(together.of_kind("file-list"))
    named = {
        found.name: is_annotation
        for item in together.of_kind("pagetab")
        for name, is_annotation, *_ in item.document.lists
        if (found := lists.find(name))
    }
    for item in lists.all:
        yield item, named.get(item.name, bool(item.document.sources) and all(source.strip() for source, _ in item.document.sources))
