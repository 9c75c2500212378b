"""Rules on file lists for the BioImage Archive, each by itself, and on the names of files."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ...archives.bia_pagetab import folded
from ..bia_template import BACK_END, FILE_LIST_HELP, LARGEST_FILE
from ..documents.content import shorten
from ..documents.file_list import HEADER
from ..findings import BIA, Problem, Subject, rule
from ._documents import file_list, listed
from ._paths import list_name_problem, path_problem

if TYPE_CHECKING:
    from collections.abc import Iterator


@rule(
    "bia.list-name",
    severity="error",
    title="A file list is a JSON, TSV or XLSX file, by its name too.",
    why="The archive decides by the ending how to read a list, and refuses others.",
    fix="Rename the list, so that its name ends with .tsv or .json.",
    source=BACK_END,
    profiles=(BIA,),
    needs="file-list",
)
def _list_name(subject: Subject) -> Iterator[Problem]:
    wrong = list_name_problem(subject.path.name)
    if wrong:
        yield Problem(f"The file list {subject.path.name} {wrong}.")


@rule(
    "bia.list-header",
    severity="error",
    title="The first line of a list names its columns, the first of them Files.",
    why="The archive refuses a list whose first cell is anything else, or that has a column without a name.",
    fix="Let the first cell of the first line be exactly Files, and name every further column.",
    source=BACK_END,
    profiles=(BIA,),
    needs="file-list",
)
def _list_header(subject: Subject) -> Iterator[Problem]:
    found = file_list(subject)
    if found.header != HEADER:
        yield Problem(f"The first cell is “{shorten(found.header)}” and not “{HEADER}”.", "line 1, column 1")
    for number, name in enumerate(found.columns, 2):
        if not name.strip():
            yield Problem(f"Column {number} has no name.", f"line 1, column {number}")
        elif name != name.strip():
            yield Problem(f"The name of column {number}, “{name}”, has blanks before or behind it.", f"line 1, column {number}", severity="warning")
    for name, count in Counter(folded(name) for name in found.columns if name.strip()).items():
        if count > 1:
            number = [folded(each) for each in found.columns].index(name) + 2
            yield Problem(f"{count} columns are called “{shorten(name)}”.", f"line 1, column {number}", severity="warning")


@rule(
    "bia.list-rows",
    severity="error",
    title="Each line of a list names one file.",
    why="The archive refuses a list without files, and one with a line that names none; empty lines are forbidden by its help.",
    fix="Write one file on each line, its path in the first cell.",
    source=BACK_END,
    profiles=(BIA,),
    needs="file-list",
)
def _list_rows(subject: Subject) -> Iterator[Problem]:
    found = file_list(subject)
    yield from (Problem(fault.message, fault.where, fix=fault.fix or None) for fault in (*found.text_faults, *found.faults))
    yield from (Problem(note.message, note.where, severity="warning", fix=note.fix or None) for note in found.notes)
    if not found.entries:
        yield Problem("The list has no file in it.")


@rule(
    "bia.list-path",
    severity="error",
    title="Paths in a list have only characters that the archive allows.",
    why="The archive refuses a list with any other path: letters A to Z, digits, blanks and ! - _ * ' ( ) . / are allowed.",
    fix="Rename the file, and list it under its new name.",
    source=FILE_LIST_HELP,
    profiles=(BIA,),
    needs="file-list",
    applies=lambda subject: bool(file_list(subject).entries),
)
def _list_path(subject: Subject) -> Iterator[Problem]:
    for entry in file_list(subject).entries:
        wrong, fix = path_problem(entry.path)
        if wrong:
            yield Problem(f"The path “{shorten(entry.path)}” {wrong}.", f"{entry.where}, {HEADER}", fix=fix)


@rule(
    "bia.list-repeated",
    severity="warning",
    title="Each file is listed once.",
    why="A file that is there twice has two sets of attributes, and nobody knows which of them hold.",
    fix="Keep one of the lines.",
    source=FILE_LIST_HELP,
    profiles=(BIA,),
    needs="file-list",
    applies=lambda subject: bool(file_list(subject).entries),
)
def _list_repeated(subject: Subject) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for entry in file_list(subject).entries:
        if entry.path in seen:
            yield Problem(f"“{shorten(entry.path)}” is listed at {seen[entry.path]} already.", entry.where)
        seen.setdefault(entry.path, entry.where)


@rule(
    "bia.list-directory",
    severity="warning",
    title="A list names files, not directories.",
    why="Images in a directory that is listed as a whole are not shown one by one, and have no attributes of their own.",
    fix="List the files. Only for very large sets, or OME-Zarr, agree with the curators on listing a directory.",
    source=FILE_LIST_HELP,
    profiles=(BIA,),
    needs="file-list",
    applies=lambda subject: file_list(subject).form == "JSON",
)
def _list_directory(subject: Subject) -> Iterator[Problem]:
    for entry in file_list(subject).entries:
        if entry.is_directory and not entry.path.rstrip("/").lower().endswith((".zarr", ".zarr.zip")):
            yield Problem(f"“{shorten(entry.path)}” is a directory.", entry.where)


@rule(
    "bia.list-file-size",
    severity="error",
    title="No file is larger than the archive can store.",
    why="A file above two terabytes cannot be stored.",
    fix="Split it into several files.",
    source=BACK_END,
    profiles=(BIA,),
    needs=("file-list", "path"),
)
def _list_file_size(subject: Subject) -> Iterator[Problem]:
    if subject.document is None:
        size = subject.path.stat().st_size if subject.path.is_file() else 0
        if size > LARGEST_FILE:
            yield Problem(f"{subject.name} has {size:,} bytes; the archive stores files of up to {LARGEST_FILE:,}.")
        return
    for entry in file_list(subject).entries:
        if entry.size is not None and entry.size > LARGEST_FILE:
            message = f"“{shorten(entry.path)}” has {entry.size:,} bytes; the archive stores files of up to {LARGEST_FILE:,}."
            yield Problem(message, entry.where)


@rule(
    "bia.file-name",
    severity="error",
    title="The file can be uploaded under its name.",
    why="The archive refuses paths with other characters than A to Z, digits, blanks and ! - _ * ' ( ) . and /.",
    fix="Rename the file before it is uploaded and listed.",
    source=FILE_LIST_HELP,
    profiles=(BIA,),
    needs="path",
)
def _file_name(subject: Subject) -> Iterator[Problem]:
    name = subject.path.name
    wrong, fix = path_problem(name)
    if wrong:
        yield Problem(f"The name {listed([shorten(name)])} {wrong}.", fix=fix)
