"""Findings and the rules that make them.

A rule is a function that looks at one `Subject` (an input, opened where it can be) and yields a `Problem` for each thing
that is wrong. What the rule is called, how grave it is, why it matters and how to mend it stand in the decorator, so that
the catalogue can be listed without running anything. `run_rule` turns problems into findings; a rule that raises becomes a
``not-run`` finding and never a silent pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..errors import SuiteError

if TYPE_CHECKING:
    from ..image import Dataset
    from .ome_read import OmeDocument

Severity = Literal["error", "warning", "info", "not-run"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info", "not-run")
"""From the gravest down; the order of every report."""
Needs = Literal["dataset", "ome-xml", "path"]
Status = Literal["found", "passed", "not-run", "not-applicable"]
OPEN_FORMAT = "open-format"
PROBLEMS_SHOWN = 20
"""Problems listed of one rule in one input; the rest are counted. A file with 100,000 planes has one report, not a book."""
PROBLEMS_COUNTED = 1000
"""Where counting stops too: a hostile file could have millions."""
T = TypeVar("T")


class CannotRun(Exception):
    """Raised by a rule that lacks what it needs; its text is a sentence saying what."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one input, in words a microscopist understands."""

    input: str
    series: str
    """Index of the series, or empty where it concerns the whole input."""
    profile: str
    rule: str
    severity: Severity
    location: str
    """Where in the input: an element, an IFD, a group path, a JSON key."""
    message: str
    fix: str
    source: str
    """Address of the specification, or of its section, that the rule comes from."""
    why: str = ""
    about: tuple[str, ...] = ()
    """Keys of what it is about, where rules of different areas can find the same; see `told_once`."""
    precision: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule yields. `severity` and `fix` replace the rule's own where one case is graver, or mended otherwise.

    `about` and `precision` are those of `Finding`.
    """

    message: str
    location: str = ""
    series: int | None = None
    severity: Severity | None = None
    fix: str | None = None
    about: tuple[str, ...] = ()
    precision: int = 0


def told_once(findings: Iterable[Finding]) -> list[Finding]:
    """Leave out the findings of one input of which every thing they are about is told more precisely by another."""
    kept = list(findings)
    best: dict[str, int] = {}
    for finding in kept:
        for key in finding.about:
            best[key] = max(finding.precision, best.get(key, finding.precision))
    return [finding for finding in kept if not finding.about or any(best[key] == finding.precision for key in finding.about)]


@dataclass(slots=True)
class Shared:
    """Results several rules need (a parsed document, a file's structure), made once per subject."""

    made: dict[str, Any] = field(default_factory=dict)

    def get(self, key: str, make: Callable[[], T]) -> T:
        """What was made under that key, or make it now. A failure is kept too, so that it is not tried again."""
        if key not in self.made:
            try:
                self.made[key] = make()
            except Exception as error:
                self.made[key] = error
                raise
        value: T | Exception = self.made[key]
        if isinstance(value, Exception):
            raise value
        return value


@dataclass(frozen=True)
class Subject:
    """One input under check.

    `dataset` is ``None`` where no reader could open it (`unreadable` says why) and for a bare OME-XML document.
    """

    name: str
    path: Path
    dataset: Dataset | None = None
    ome_xml: bytes | None = None
    """The OME-XML as stored, unparsed."""
    unreadable: str | None = None
    is_preview: bool = False
    """It is a picture this suite made to look at, which `unreadable` says: what is in it is not worth a check."""
    shared: Shared = field(default_factory=Shared)

    @property
    def opened(self) -> Dataset:
        """The dataset, for rules that need one."""
        if self.dataset is None:
            raise CannotRun(f"{self.name} could not be opened.")
        return self.dataset

    @cached_property
    def format(self) -> str:
        """Name of the format, or empty where unknown."""
        if self.dataset is not None:
            return self.dataset.format
        return "OME-XML" if self.ome_xml is not None and self.unreadable is None else ""

    @property
    def is_zarr(self) -> bool:
        """Whether this is an OME-Zarr, opened or (a folder or zip) not."""
        return self.format.startswith("OME-Zarr") or (self.dataset is None and self.path.is_dir())

    @property
    def ome(self) -> OmeDocument:
        """The OME-XML as parsed; raises what the parser raises."""
        from .ome_read import read_ome

        if self.ome_xml is None:
            raise CannotRun(f"{self.name} has no OME-XML.")
        document = self.ome_xml
        return self.shared.get("ome", lambda: read_ome(document, self.name))


RuleFunction = Callable[[Subject], Iterable[Problem]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the catalogue. `title` says what holds where nothing is found."""

    id: str
    severity: Severity
    title: str
    why: str
    fix: str
    source: str
    profiles: tuple[str, ...]
    needs: Needs
    applies: Callable[[Subject], bool]
    function: RuleFunction


RULES: dict[str, Rule] = {}


def rule(
    rule_id: str,
    *,
    severity: Severity,
    title: str,
    why: str,
    fix: str,
    source: str,
    profiles: tuple[str, ...] = (OPEN_FORMAT,),
    needs: Needs = "dataset",
    applies: Callable[[Subject], bool] = lambda _: True,
) -> Callable[[RuleFunction], RuleFunction]:
    """Register a rule in the catalogue.

    Parameters
    ----------
    rule_id
        Stable, ``<area>.<words-with-hyphens>``: part of the public tables.
    severity
        Of its problems, unless a problem says otherwise.
    title
        A sentence that is true where nothing is found (``Every series has a pixel size.``).
    why, fix
        Sentences: why it matters, and how to mend it.
    source
        Address of the specification's section.
    profiles
        The profiles it belongs to.
    needs
        ``dataset``: an opened input. ``ome-xml``: stored OME-XML, opened or not. ``path``: runs on anything.
    applies
        Whether there is something to check in this subject; where not, the rule counts as not applicable.
    """

    def register(function: RuleFunction) -> RuleFunction:
        if rule_id in RULES and RULES[rule_id].function.__qualname__ != function.__qualname__:
            raise ValueError(f"two rules are called {rule_id}")
        RULES[rule_id] = Rule(rule_id, severity, title, why, fix, source, profiles, needs, applies, function)
        return function

    return register


def run_rule(checked: Rule, subject: Subject, profile: str) -> tuple[list[Finding], Status]:
    """Run one rule on one input.

    Returns
    -------
    The findings, and how it went: ``found``, ``passed``, ``not-run`` or ``not-applicable``. A rule whose needs are not
    met because the input could not be opened is ``not-run``, without a finding of its own: the input has one.
    """
    if checked.needs == "dataset" and subject.dataset is None:
        return [], "not-run" if subject.unreadable else "not-applicable"
    if checked.needs == "ome-xml" and subject.ome_xml is None:
        return [], "not-run" if subject.unreadable else "not-applicable"
    try:
        if not checked.applies(subject):
            return [], "not-run" if subject.unreadable else "not-applicable"
        problems = iter(checked.function(subject))
        findings = [_finding(checked, subject, profile, problem) for problem in islice(problems, PROBLEMS_SHOWN)]
        findings.extend(_rest(checked, subject, profile, problems))
    except (CannotRun, SuiteError) as error:
        return [_not_run(checked, subject, profile, str(error))], "not-run"
    except Exception as error:  # whatever a rule does with a damaged file, the others still run
        reason = f"It stopped with an error of its own ({type(error).__name__}: {error}). Please report this to the makers of the suite."
        return [_not_run(checked, subject, profile, reason)], "not-run"
    return findings, "found" if findings else "passed"


def _finding(checked: Rule, subject: Subject, profile: str, problem: Problem) -> Finding:
    return Finding(
        input=subject.name,
        series="" if problem.series is None else str(problem.series),
        profile=profile,
        rule=checked.id,
        severity=problem.severity or checked.severity,
        location=problem.location,
        message=problem.message,
        fix=checked.fix if problem.fix is None else problem.fix,
        source=checked.source,
        why=checked.why,
        about=problem.about,
        precision=problem.precision,
    )


def _rest(checked: Rule, subject: Subject, profile: str, problems: Iterator[Problem]) -> list[Finding]:
    more = list(islice(problems, PROBLEMS_COUNTED))
    if not more:
        return []
    number = f"more than {len(more)}" if len(more) == PROBLEMS_COUNTED else f"{len(more)}"
    gravest = min((problem.severity or checked.severity for problem in more), key=SEVERITIES.index)
    message = f"The same was found in {number} more place{'s' if len(more) > 1 else ''}, not listed here."
    about = tuple(dict.fromkeys(key for problem in more for key in problem.about)) if all(problem.about for problem in more) else ()
    precision = max(problem.precision for problem in more)
    return [_finding(checked, subject, profile, Problem(message, severity=gravest, about=about, precision=precision))]


def _not_run(checked: Rule, subject: Subject, profile: str, reason: str) -> Finding:
    problem = Problem(
        f"“{checked.title}” could not be checked. {reason}", severity="not-run", fix="Mend what is reported as an error first, then check again."
    )
    return _finding(checked, subject, profile, problem)
