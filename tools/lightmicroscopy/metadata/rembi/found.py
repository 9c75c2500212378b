"""What was found in a sheet, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ... import __version__
from ..findings import SEVERITIES, Finding
from .fields import TABLES
from .rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .sheet import Sheet, SheetProblem

PROFILE: Final = "rembi"
SOURCE: Final = "https://doi.org/10.1038/s41592-021-01166-8"
MODEL_SOURCE: Final = "https://github.com/BioImage-Archive/BIA-astro"


def findings_of(sheet: Sheet, problems: Iterable[SheetProblem]) -> list[Finding]:
    """Turn problems into findings, errors first, in the order of sheets, rows and columns."""
    found = [
        Finding(
            input=sheet.name,
            series="",
            profile=PROFILE,
            rule=problem.rule,
            severity=problem.severity,
            location=problem.location,
            message=problem.message,
            fix=problem.fix,
            source=MODEL_SOURCE if problem.rule == "sheet.required-empty" else SOURCE,
            why=RULES[problem.rule][1],
        )
        for problem in sorted(dict.fromkeys(problems), key=_order)
    ]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _order(problem: SheetProblem) -> tuple[int, int, int, str]:
    place = TABLES.index(problem.sheet) if problem.sheet in TABLES else len(TABLES)
    return place, problem.row, len(problem.column), problem.column


def document_of(sheet: Sheet, problems: Iterable[SheetProblem]) -> dict[str, Any]:
    """Return what a sheet says as JSON-able data: the texts of each row, with the number of the row, and what is wrong in it."""
    return {
        "suite": "Galaxy light microscopy suite",
        "version": __version__,
        "sheet": sheet.name,
        "tables": {table: list(_rows(sheet, table)) for table in TABLES},
        "problems": [
            {
                "sheet": problem.sheet,
                "row": problem.row,
                "column": problem.column,
                "severity": problem.severity,
                "rule": problem.rule,
                "message": problem.message,
                "fix": problem.fix,
            }
            for problem in sorted(dict.fromkeys(problems), key=_order)
        ],
    }


def _rows(sheet: Sheet, table: str) -> Iterator[dict[str, Any]]:
    for row in sheet.rows(table):
        yield {"row": row.number, "values": {name: cell.text for name, cell in row.cells.items()}}
