"""Rules on a REMBI sheet by itself: what in its cells cannot be understood, and what is still missing in it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from ..findings import PROBLEMS_SHOWN, REMBI, CannotRun, Problem, Severity, Subject, Together, rule
from ..rembi.gaps import recommended
from ..rembi.sheet import Sheet, SheetProblem
from ..rembi.validate import missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SOURCE: Final = "https://doi.org/10.1038/s41592-021-01166-8"
MODEL_SOURCE: Final = "https://github.com/BioImage-Archive/BIA-astro"
_CORRECT: Final = "Correct the cell in the sheet, and check again."
_MISTAKES: Final = (
    ("sheet.sheet-missing", "Every sheet is there.", "What a missing sheet would say is unknown, and other sheets refer to it."),
    (
        "sheet.unknown-sheet",
        "Every sheet is one that is read.",
        "What stands in another is not seen by anybody who only gets the metadata.",
    ),
    (
        "sheet.column-missing",
        "Every column that holds the sheet together is there.",
        "Without it rows cannot be told apart, or do not belong to anything.",
    ),
    ("sheet.column-twice", "Every column is there once.", "Of two columns only one is read, and it may be the wrong one."),
    ("sheet.unknown-column", "Every value stands under a heading that is known.", "What stands elsewhere is not read."),
    ("sheet.too-many-values", "What a study says once has one value.", "Of two values only one is read, and it may be the wrong one."),
    ("sheet.unreadable-cell", "Every cell holds a value.", "An error of a spreadsheet is no value, and what should be there is lost."),
    (
        "sheet.formula",
        "No cell holds a formula.",
        "What a formula gives changes with other cells and files, and with the program that opens it.",
    ),
    ("sheet.name-missing", "Every row has a name.", "Other rows refer to it by its name."),
    ("sheet.name-twice", "Every name is there once.", "Of two rows with one name nobody knows which is meant."),
    ("sheet.unknown-reference", "Every reference leads to a row.", "An image whose specimen is not described might as well have none."),
    ("sheet.image-missing", "Every row of the sheet image says which image it is about.", "What it says would be about no image."),
    ("sheet.not-a-choice", "Where there are choices, one of them is taken.", "Archives take no other."),
    (
        "sheet.not-a-date",
        "Every date can be read in one way only.",
        "03/04/2027 is a day in March or in April, depending on where one lives.",
    ),
    (
        "sheet.not-a-number",
        "Where a number belongs there is one.",
        "A number with a unit, or with a comma that can be two things, is no number for a program.",
    ),
    (
        "sheet.number-out-of-range",
        "Every number can be true.",
        "No pixel has a size of nought, and no series the number one and a half.",
    ),
)
"""Rules on single cells, each with what holds where nothing is found, and why it matters."""


def sheet_of(subject: Subject) -> Sheet:
    """Return the sheet of a subject."""
    content = subject.document.content if subject.document is not None else None
    if not isinstance(content, Sheet):
        raise CannotRun(f"{subject.name} is no sheet.")
    return content


def grouped(problems: Iterable[SheetProblem]) -> Iterator[Problem]:
    """Tell what is the same in many rows once, with the rows it is in."""
    alike: dict[tuple[str, str, str, str, Severity], list[SheetProblem]] = defaultdict(list)
    for problem in problems:
        alike[problem.sheet, problem.column, problem.message, problem.fix, problem.severity].append(problem)
    for (_, _, message, fix, severity), same in alike.items():
        if len(same) == 1:
            where = same[0].location
            yield Problem(message, where, severity=severity, fix=fix or None, about=(where,) if where else ())
            continue
        first = same[0]
        more = f" The same is in {len(same) - 1} more row{'s' if len(same) > 2 else ''}."
        yield Problem(message + more, place(first.sheet, [one.row for one in same], first.column), severity=severity, fix=fix or None)


def place(sheet: str, rows: Iterable[int], column: str = "") -> str:
    """Say where in a sheet something is: ``sheet image, rows 2-11 and 15, column C``."""
    spread = column.isupper() or not column
    numbers = sorted({row for row in rows if row})
    parts = [f"sheet {sheet}"]
    if numbers:
        parts.append(f"{'row' if spread else 'line'}{'s' if len(numbers) > 1 else ''} {spans(numbers)}")
    if column:
        parts.append(f"{'column' if spread else 'field'} {column}")
    return ", ".join(parts)


def spans(numbers: list[int], most: int = 6) -> str:
    """Write sorted numbers for people: ``2-11, 15``."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    told = [f"{first}-{last}" if last > first else str(first) for first, last in found[:most]]
    return ", ".join(told) + (" …" if len(found) > most else "")


def _mistakes(rule_id: str) -> Callable[[Subject], Iterator[Problem]]:
    def mistakes(subject: Subject) -> Iterator[Problem]:
        yield from grouped(problem for problem in sheet_of(subject).problems if problem.rule == rule_id)

    return mistakes


for _id, _title, _why in _MISTAKES:
    rule(_id, severity="error", title=_title, why=_why, fix=_CORRECT, source=SOURCE, profiles=(REMBI,), needs="sheet")(_mistakes(_id))


@rule(
    "sheet.required-empty",
    severity="error",
    title="Everything that is asked for is filled in.",
    why="The archive refuses a submission without it, and readers miss it. REMBI itself requires nothing: who does is said of each field.",
    fix="Fill in the cells of that column; lm_describe fills in what the images know.",
    source=MODEL_SOURCE,
    profiles=(REMBI,),
    needs="sheet",
)
def _required_empty(subject: Subject) -> Iterator[Problem]:
    lacking = list(missing(sheet_of(subject), finished=True))
    if len(lacking) <= PROBLEMS_SHOWN:
        yield from grouped(lacking)
        return
    # So much is missing that a report would only count the rest: then each sheet has one finding that names all of it.
    of_sheet: dict[tuple[str, Severity], list[str]] = defaultdict(list)
    for problem in lacking:
        of_sheet[problem.sheet, problem.severity].append(problem.message)
    for (sheet, severity), messages in of_sheet.items():
        yield Problem(" ".join(messages), place(sheet, ()), severity=severity)


@rule(
    "rembi.recommended-empty",
    severity="info",
    title="What REMBI recommends, and nobody requires, is filled in too.",
    why="Readers can understand and reuse images without asking only where that is said; no archive refuses a study that lacks it.",
    fix="Fill it in where it applies, or leave it out.",
    source=SOURCE,
    profiles=(REMBI,),
    needs="sheet",
)
def _recommended_empty(subject: Subject) -> Iterator[Problem]:
    for one in recommended(sheet_of(subject)):
        message = f"Of the module {one.module}, {one.count} not filled in: {', '.join(one.fields)}."
        yield Problem(message, place(one.sheet, one.rows))


@rule(
    "rembi.unused-row",
    severity="warning",
    title="Every study component, specimen, biosample and acquisition is referred to.",
    why="A row that nothing refers to describes nothing: often an image was meant to refer to it, and refers to another.",
    fix="Refer to it by its name from the rows it is about, or take it out.",
    source=SOURCE,
    profiles=(REMBI,),
    needs="sheet",
)
def _unused_row(subject: Subject) -> Iterator[Problem]:
    sheet = sheet_of(subject)
    for table, by in (("study_component", "image"), ("specimen", "image"), ("acquisition", "image"), ("biosample", "specimen")):
        used = {row.text(table) for row in sheet.rows(by)} | {value for row in sheet.rows(by) for value in row.values(table)}
        unused = [(name, row.number) for name, row in sheet.named(table).items() if name not in used]
        # Where nothing refers to anything, the references are what is missing, and that is told.
        if not unused or not used - {""}:
            continue
        names = ", ".join(f"“{name[:80]}”" for name, _ in unused[:6]) + (f" and {len(unused) - 6} more" if len(unused) > 6 else "")
        yield Problem(f"No row of the sheet {by} refers to {names}.", place(table, [number for _, number in unused]))


@rule(
    "rembi.sheet-given",
    severity="not-run",
    title="A REMBI sheet describes the study.",
    why="Images alone do not know the study, the sample and how it was prepared: six of the eight modules of REMBI are about that.",
    fix="Make a sheet with Describe a dataset (lm_describe), fill it in, and give it together with the images.",
    source=SOURCE,
    profiles=(REMBI,),
    needs="together",
)
def _sheet_given(together: Together) -> Iterator[Problem]:
    if not together.of_kind("sheet"):
        yield Problem("No REMBI sheet was given, so that the description of the study could not be checked.")
