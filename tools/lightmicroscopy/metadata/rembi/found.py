"""What was found in a sheet, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ... import __version__
from ..findings import REMBI, RULES, SEVERITIES, Finding
from .fields import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .sheet import Sheet, SheetProblem


def findings_of(sheet: Sheet, problems: Iterable[SheetProblem]) -> list[Finding]:
    """Turn problems into findings of the rules they belong to, errors first, in the order of sheets, rows and columns."""
    from ..rules import rembi_images, rembi_sheet, rembi_terms  # noqa: F401 - their rules enter the catalogue

    found = [
        Finding(
            input=sheet.name,
            series="",
            profile=REMBI,
            rule=problem.rule,
            severity=problem.severity,
            location=problem.location,
            message=problem.message,
            fix=problem.fix,
            source=RULES[problem.rule].source,
            why=RULES[problem.rule].why,
        )
        for problem in sorted(_once(problems), key=_order)
    ]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def _once(problems: Iterable[SheetProblem]) -> list[SheetProblem]:
    """Leave out what is said a second time; to match images finds again what reading the sheet has found."""
    said: dict[tuple[str, str, str], SheetProblem] = {}
    for problem in problems:
        said.setdefault((problem.rule, problem.location, problem.message), problem)
    return list(said.values())


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
            for problem in sorted(_once(problems), key=_order)
        ],
    }


def _rows(sheet: Sheet, table: str) -> Iterator[dict[str, Any]]:
    for row in sheet.rows(table):
        yield {"row": row.number, "values": {name: cell.text for name, cell in row.cells.items()}}
