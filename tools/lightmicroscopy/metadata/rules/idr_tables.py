"""Rules on the tables of an IDR study, each by itself: columns, cells, terms."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ...archives.bia_pagetab import folded
from ..documents.content import shorten
from ..findings import IDR, Problem, Severity, Subject, rule
from ..idr_template import CONTROL_TYPES, METADATA, REPEATABLE, REQUIRED_COLUMNS, SUBMISSION, TABLE_NAME, TEMPLATES
from ..vocabulary import doubt_of
from ._documents import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..documents.idr_table import Table

_COUNTED = "https://github.com/IDR/idr-utils"
_KEYS = ("Plate", "Well", "Well Number", "Dataset Name", "Image File", "Image Name", "Assay Name", "Source Name")
"""Columns by which rows are found: a blank in them breaks the link."""


@rule(
    "idr.table-name",
    severity="warning",
    title="A table is called idrNNNN-screenA-library.txt, or the like, after its study and component.",
    why="The IDR's programs find the tables of a component by their names.",
    fix="Rename it once the IDR has given the accession: -library.txt, -assays.txt or -processed.txt.",
    source=METADATA,
    profiles=(IDR,),
    needs="idr-table",
)
def _table_name(subject: Subject) -> Iterator[Problem]:
    name, kind = subject.path.name, table(subject).kind
    match = TABLE_NAME.fullmatch(name)
    if match is None:
        yield Problem(f"The file is called {name}, which does not say its study, component and kind.")
    elif match[3].lower() != kind:
        yield Problem(f"The file is called {name}, but has the columns of {_kind(kind)}.", severity="error")
    elif kind != "annotation" and match[4].lower() != "txt":
        yield Problem(f"The file is called {name}; the IDR's tables end with .txt.")


@rule(
    "idr.table-separator",
    severity="error",
    title="Cells of library, assays and processed tables are separated by tabs.",
    why="The IDR's programs read these tables with tabs between the cells; with commas there is one column only.",
    fix="Save the table as text with tabs between the cells.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: table(subject).kind != "annotation",
)
def _table_separator(subject: Subject) -> Iterator[Problem]:
    if table(subject).delimiter != "\t":
        yield Problem("The cells are separated by commas.", "line 1")


@rule(
    "idr.table-header",
    severity="error",
    title="Every column has a name of its own.",
    why="The IDR's check refuses a table with two columns of one name, or with one that has none.",
    fix="Name each column in the first line, each differently.",
    source=METADATA,
    profiles=(IDR,),
    needs="idr-table",
)
def _table_header(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    if found.header and found.header[0].lstrip().startswith("#"):
        yield Problem("The first line is a hint of the template and names no columns.", "line 1")
        return
    repeatable = set(map(folded, REPEATABLE))
    counts = Counter(folded(name) for name in found.header)
    for number, name in enumerate(found.header):
        where = f"line 1, column {number + 1}"
        if not name.strip():
            yield Problem(f"Column {number + 1} has no name.", where)
        elif folded(name).startswith("unnamed"):
            yield Problem(f"Column {number + 1} is called “{shorten(name)}”: a program gave that name to a column without one.", where)
        elif "#" in name:
            yield Problem(f"The name of column {number + 1} still has a hint of the template: “{shorten(name)}”.", where)
        elif (number_of := counts.pop(folded(name), 0)) > 1 and folded(name) not in repeatable:
            yield Problem(f"{number_of} columns are called “{shorten(name)}”.", where)


@rule(
    "idr.table-columns",
    severity="error",
    title="The columns that the template cannot do without are there.",
    why="Without them the IDR cannot tell which images a row is about, or what was done to the sample.",
    fix="Add the column, called as in the template.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: bool(REQUIRED_COLUMNS[table(subject).kind]),
)
def _table_columns(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    for group in REQUIRED_COLUMNS[found.kind]:
        if found.column(*group) is None:
            more = " or ".join(f"“{name}”" for name in group[:4]) + (" or the like" if len(group) > 4 else "")
            yield Problem(f"The table has no column {more}.", "line 1")


@rule(
    "idr.table-rows",
    severity="error",
    title="There are rows, and every row has as many cells as the first line has names.",
    why="The IDR's check refuses a table whose rows are not equally long: one cell too few, and all behind it are in the wrong column.",
    fix="Fill the row up with empty cells, or take out the tab that is too much.",
    source=_COUNTED,
    profiles=(IDR,),
    needs="idr-table",
)
def _table_rows(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    if not any(any(cell.strip() for cell in cells) for _, cells in found.rows):
        yield Problem("The table has no row below the names of its columns.", fix="Fill the table in.")
    for line, cells in found.rows:
        if not any(cell.strip() for cell in cells):
            yield Problem(f"Line {line} is empty.", f"line {line}", fix="Take the line out.")
        elif len(cells) != len(found.header):
            yield Problem(f"Line {line} has {len(cells)} cells, but there are {len(found.header)} columns.", f"line {line}")


@rule(
    "idr.table-blanks",
    severity="error",
    title="No cell begins or ends with a blank.",
    why="The IDR compares names letter for letter; “A1 ” is another well than “A1”. Its check refuses such cells.",
    fix="Take the blank out.",
    source=_COUNTED,
    profiles=(IDR,),
    needs="idr-table",
)
def _table_blanks(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    keys = set(found.columns(*_KEYS))
    for number, name in enumerate(found.header):
        if name != name.strip() and name.strip():
            yield Problem(f"The name of column {number + 1}, “{shorten(name)}”, has a blank before or behind it.", f"line 1, column {number + 1}")
    for line, cells in found.rows:
        for number, cell in enumerate(cells):
            if cell != cell.strip():
                # Curators put up with it in text that nothing is found by.
                severity: Severity | None = None if number in keys or found.kind != "annotation" else "warning"
                message = f"“{shorten(cell, 40)}” has a blank before or behind it." if cell.strip() else "The cell has blanks in it and nothing else."
                yield Problem(message, found.place(line, number), severity=severity)


@rule(
    "idr.table-hint",
    severity="error",
    title="The template's line of hints is gone.",
    why="The second line of the templates explains the columns; left there, it is a row of the table.",
    fix="Take the line out.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: bool(table(subject).rows),
)
def _table_hint(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    for line, cells in found.rows:
        hints = [number for number, cell in enumerate(cells) if cell.lstrip().startswith("#")]
        if len(hints) > 1 or hints == [0]:
            yield Problem(f"Line {line} is the line of hints of the template.", f"line {line}")
        elif hints:
            message = f"“{shorten(cells[hints[0]], 60)}” is a hint of the template, or a comment."
            yield Problem(message, found.place(line, hints[0]), severity="warning", fix="Replace it by the value, or leave the cell empty.")


@rule(
    "idr.table-term",
    severity="warning",
    title="Organisms and cell lines have the identifiers of their terms in the columns beside them.",
    why="By the identifier of its organism an image is found across archives.",
    fix="Write the ontology into “Term Source 1 REF” and the identifier into “Term Source 1 Accession”.",
    source=SUBMISSION,
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: any(True for _ in _triples(table(subject))),
)
def _table_term(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    for column, source, accession in _triples(found):
        seen: dict[tuple[str, str, str], tuple[int, int]] = {}
        for line, cells in found.rows:
            key = (_cell(cells, column), _cell(cells, source), _cell(cells, accession))
            if key[0] and not key[0].startswith("#"):
                first, count = seen.get(key, (line, 0))
                seen[key] = (first, count + 1)
        for (label, named, given), (line, count) in seen.items():
            rows = f", in {count} rows" if count > 1 else ""
            if not given:
                doubt = doubt_of(label, "", named)
                message = f"“{shorten(label)}” has no identifier{rows}."
                yield Problem(message, found.place(line, column), severity="info", fix=doubt.fix if doubt else None)
            elif doubt := doubt_of(label, given, named):
                message = f"{doubt.message.rstrip('.')}{rows}."
                yield Problem(message, found.place(line, column), severity=doubt.gravity, fix=doubt.fix)


@rule(
    "idr.organism-missing",
    severity="error",
    title="Every row of a library or assays table names its organism.",
    why="Images without an organism are not found by it.",
    fix="Fill the column “Characteristics [Organism]” in; an empty well has none.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: table(subject).kind in ("library", "assays") and table(subject).column("Characteristics [Organism]") is not None,
)
def _organism_missing(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    column, control = found.column("Characteristics [Organism]"), found.column("Control Type")
    for line, cells in found.rows:
        empty_well = control is not None and control < len(cells) and folded(cells[control]) == "empty well"
        if column is not None and any(cell.strip() for cell in cells) and not empty_well and (column >= len(cells) or not cells[column].strip()):
            yield Problem(f"Line {line} names no organism.", found.place(line, column))


@rule(
    "idr.control-type",
    severity="warning",
    title="Controls are of the kinds that the IDR knows.",
    why="Others find controls by these words.",
    fix=f"Choose one of: {', '.join(CONTROL_TYPES)}; leave the cell empty where the well is no control.",
    source="https://github.com/IDR/idr.openmicroscopy.org",
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: table(subject).column("Control Type") is not None,
)
def _control_type(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    column = found.column("Control Type")
    seen: dict[str, int] = {}
    for line, value in found.cells(column):
        if value not in CONTROL_TYPES and not value.startswith("#"):
            seen.setdefault(value, line)
    for value, line in seen.items():
        yield Problem(f"“{shorten(value)}” is no kind of control that the IDR knows.", found.place(line, column or 0))


@rule(
    "idr.channels",
    severity="info",
    title="Channels are written as channel:target, with semicolons between.",
    why="So written, programs can tell which stain is in which channel.",
    fix="Write for instance Hoechst:DNA;Alexa 488:tubulin.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: table(subject).column("Channels") is not None,
)
def _channels(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    column = found.column("Channels")
    seen: dict[str, int] = {}
    for line, value in found.cells(column):
        if not value.startswith("#") and not all(":" in part.strip(": ") for part in value.split(";") if part.strip()):
            seen.setdefault(value, line)
    for value, line in seen.items():
        yield Problem(f"“{shorten(value)}” does not say for each channel what it shows.", found.place(line, column or 0))


def _triples(found: Table) -> Iterator[tuple[int, int | None, int | None]]:
    """Columns of a term, its ontology and its identifier: the latter two stand behind the first."""
    for number, name in enumerate(found.header):
        if folded(name).startswith("characteristics"):
            after = [folded(each) for each in found.header[number + 1 : number + 3]]
            source = number + 1 if after and after[0].endswith(" ref") else None
            accession = next((number + 1 + place for place, each in enumerate(after) if each.endswith("accession")), None)
            if source is not None or accession is not None:
                yield number, source, accession


def _cell(cells: list[str], column: int | None) -> str:
    return cells[column].strip() if column is not None and column < len(cells) else ""


def _kind(kind: str) -> str:
    return {"library": "a library", "assays": "assays", "processed": "processed data", "annotation": "annotations"}[kind]
