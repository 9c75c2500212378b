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


def _problem(finding: Finding) -> SheetProblem:
    place = _PLACE.match(finding.location)
    sheet, row, column = (place["sheet"], int(place["row"] or 0), place["column"] or "") if place else ("", 0, "")
    return SheetProblem(sheet, row, column, finding.message, finding.fix, finding.rule, finding.severity)
