"""What the rules of REMBI say of a sheet by itself: its identifiers, dates, licence, terms and compounds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..findings import REMBI, RULES
from .sheet import SheetProblem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ..findings import Finding
    from .compare import Told
    from .sheet import Row, Sheet

_NOT_A_FAULT: Final = "rembi.recommended-empty"
_PLACE: Final = re.compile(r"sheet (?P<sheet>\w+)(?:, (?:row|line)s? (?P<row>\d+)[^,]*)?(?:, (?:column|field) (?P<column>\w+))?")


def judge(path: Path, problems: Iterable[SheetProblem]) -> list[SheetProblem]:
    """Hold a sheet against the rules of REMBI that need nothing beside it, terms looked up as `ontologies.lookup.using` says.

    Which recommended fields are empty is left out.

    Parameters
    ----------
    path
        The sheet.
    problems
        What reading it has found.

    Returns
    -------
    list of SheetProblem
        Those, less the choices of which a rule says more, and what the rules have found.
    """
    from ..check import check

    judged = [
        _problem(finding)
        for finding in check([path], (REMBI,)).findings
        if finding.rule.startswith("rembi.") and finding.rule != _NOT_A_FAULT and "sheet" in RULES[finding.rule].needs
    ]
    said = {problem.location for problem in judged if problem.severity == "error"}
    return [*(problem for problem in problems if problem.rule != "sheet.not-a-choice" or problem.location not in said), *judged]


def judge_beside_images(name: str, sheet: Sheet, rows: tuple[tuple[str, Told, Row], ...]) -> list[SheetProblem]:
    """Hold a sheet against its images.

    Parameters
    ----------
    name
        What the sheet is called.
    rows
        Name of each image, what one of its series tells, and the row about it.
    """
    from ..rules.rembi_images import compared

    found = []
    for rule_id, problem in compared(name, sheet, rows):
        sheet_name, row, column = _placed(problem.location)
        own = RULES[rule_id]
        found.append(SheetProblem(sheet_name, row, column, problem.message, problem.fix or own.fix, rule_id, problem.severity or own.severity))
    return found


def _problem(finding: Finding) -> SheetProblem:
    return SheetProblem(*_placed(finding.location), finding.message, finding.fix, finding.rule, finding.severity)


def _placed(location: str) -> tuple[str, int, str]:
    """Sheet, first row and column of a place in words."""
    place = _PLACE.match(location)
    return (place["sheet"], int(place["row"] or 0), place["column"] or "") if place else ("", 0, "")
