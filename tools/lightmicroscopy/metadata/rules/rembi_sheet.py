"""Rules on REMBI sheets as they were read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..findings import REMBI, Problem, Subject, Together, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

_REMBI = "https://doi.org/10.1038/s41592-021-01166-8"


@rule(
    "rembi.sheet-mistake",
    severity="error",
    title="Every cell of the sheet says what its field asks for.",
    why="What cannot be understood in the sheet does not get into the images, nor into a submission.",
    fix="Correct the cell in the sheet, and check again.",
    source=_REMBI,
    profiles=(REMBI,),
    needs="sheet",
)
def _sheet_mistake(subject: Subject) -> Iterator[Problem]:
    sheet = subject.document.content if subject.document else None
    for problem in getattr(sheet, "problems", ()):
        yield Problem(problem.message, f"sheet {problem.sheet}, row {problem.row}, column {problem.column}", fix=problem.fix or None)


@rule(
    "rembi.sheet-given",
    severity="not-run",
    title="A REMBI sheet describes the study.",
    why="Images alone do not know the study, the sample and how it was prepared: six of the eight modules of REMBI are about that.",
    fix="Make a sheet with Describe a dataset (lm_describe), fill it in, and give it together with the images.",
    source=_REMBI,
    profiles=(REMBI,),
    needs="together",
)
def _sheet_given(together: Together) -> Iterator[Problem]:
    if not together.of_kind("sheet"):
        yield Problem("No REMBI sheet was given, so that the description of the study could not be checked.")
