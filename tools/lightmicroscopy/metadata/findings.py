"""Findings and the rules that make them.

A rule is a function that looks at one `Subject` (an input, opened where it can be) and yields a `Problem` for each thing
that is wrong. What the rule is called, how grave it is, why it matters and how to mend it stand in the decorator, so that
the catalogue can be listed without running anything. `run_rule` turns problems into findings; a rule that raises becomes a
``not-run`` finding and never a silent pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..errors import SuiteError, why_unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from ..image import Dataset
    from .documents import Document, DocumentKind
    from .input_facts import InputFacts
    from .ome_read import OmeDocument

Severity = Literal["error", "warning", "info", "not-run"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info", "not-run")
"""From the gravest down; the order of every report."""
Needs = Literal["dataset", "ome-xml", "path", "input", "sheet", "pagetab", "file-list", "idr-study", "idr-table", "together"]
OF_DOCUMENTS: frozenset[Needs] = frozenset({"sheet", "pagetab", "file-list", "idr-study", "idr-table"})
Status = Literal["found", "passed", "not-run", "not-applicable"]
OPEN_FORMAT = "open-format"
REMBI = "rembi"
BIA = "bia"
IDR = "idr"
ALL_INPUTS = "All inputs together"
"""The input of findings that are about no single one."""
PROBLEMS_SHOWN = 20
"""Problems listed of one rule in one input; the rest are counted. A file with 100,000 planes has one report, not a book."""
PROBLEMS_COUNTED = 1000
"""Where counting stops too: a hostile file could have millions."""
BETWEEN_PROFILES = "; "
"""What stands between the names in `Finding.profile`, as between all values that share a cell of a table."""
PROBLEMS_TOGETHER = 100_000
"""Where looking stops, in a rule over all inputs."""
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
    """The chosen profiles whose verdict it counts for, joined by `BETWEEN_PROFILES`."""
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

    @property
    def profiles(self) -> tuple[str, ...]:
        """The chosen profiles whose verdict it counts for."""
        return tuple(self.profile.split(BETWEEN_PROFILES))


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
    input: str | None = None
    """Name of the input, where a rule looks at all of them together."""


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
    document: Document | None = None
    """What it says of images, where it is no image itself but a document of a known kind."""
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

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
        if self.document is not None:
            return self.document.format
        return "OME-XML" if self.ome_xml is not None and self.unreadable is None else ""

    @property
    def is_zarr(self) -> bool:
        """Whether this is an OME-Zarr, opened or (a folder or zip) not."""
        return self.format.startswith("OME-Zarr") or (self.dataset is None and self.document is None and self.path.is_dir())

    @property
    def ome(self) -> OmeDocument:
        """The OME-XML as parsed; raises what the parser raises."""
        from .ome_read import read_ome

        if self.ome_xml is None:
            raise CannotRun(f"{self.name} has no OME-XML.")
        document = self.ome_xml
        return self.shared.get("ome", lambda: read_ome(document, self.name))


@dataclass(frozen=True, slots=True)
class Together:
    """All inputs of a check, as far as a rule over all of them may know them."""

    inputs: tuple[InputFacts, ...]
    today: date

    def of_kind(self, *kinds: DocumentKind) -> tuple[InputFacts, ...]:
        """Inputs that are documents of these kinds."""
        return tuple(item for item in self.inputs if item.kind in kinds)

    @property
    def images(self) -> tuple[InputFacts, ...]:
        """Inputs that are images, files of multi-file sets among them."""
        return tuple(item for item in self.inputs if item.kind == "image")


RuleFunction = Callable[[Any], Iterable[Problem]]
"""Takes a `Subject`, or `Together` where the rule needs that."""


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
    needs: tuple[Needs, ...]
    applies: Callable[[Any], bool]
    function: RuleFunction

    @property
    def is_together(self) -> bool:
        """Whether it looks at all inputs together."""
        return self.needs == ("together",)

    def counts_for(self, chosen: Iterable[str]) -> str:
        """Name those of the chosen profiles that have this rule, as `Finding.profile` does."""
        return BETWEEN_PROFILES.join(profile for profile in chosen if profile in self.profiles)


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
    needs: Needs | tuple[Needs, ...] = "dataset",
    applies: Callable[[Any], bool] = lambda _: True,
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
        ``dataset``: an opened input. ``ome-xml``: stored OME-XML, opened or not. ``path``: any image, opened or not. ``input``: anything.
        ``sheet``, ``pagetab``, ``file-list``, ``idr-study``, ``idr-table``: a document of that kind; several are alternatives.
        ``together``: all inputs at once, after each has been looked at by itself; see `Together`.
    applies
        Whether there is something to check in this subject; where not, the rule counts as not applicable.
    """

    def register(function: RuleFunction) -> RuleFunction:
        if rule_id in RULES and RULES[rule_id].function.__qualname__ != function.__qualname__:
            raise ValueError(f"two rules are called {rule_id}")
        needed: tuple[Needs, ...] = needs if isinstance(needs, tuple) else (needs,)
        RULES[rule_id] = Rule(rule_id, severity, title, why, fix, source, profiles, needed, applies, function)
        return function

    return register


def run_rule(checked: Rule, subject: Subject, profile: str) -> tuple[list[Finding], Status]:
    """Run one rule on one input.

    Returns
    -------
    The findings, and how it went: ``found``, ``passed``, ``not-run`` or ``not-applicable``. A rule whose needs are not
    met because the input could not be opened is ``not-run``, without a finding of its own: the input has one.
    """
    lacking = _lacking(checked, subject)
    if lacking is not None:
        return [], lacking
    return _run(checked, subject, subject.name, profile, "not-run" if subject.unreadable else "not-applicable")


def run_together(checked: Rule, together: Together, profile: str) -> tuple[list[Finding], Status]:
    """Run one rule over all inputs; see `run_rule`. What concerns no single input is told of `ALL_INPUTS`."""
    return _run(checked, together, ALL_INPUTS, profile, "not-applicable")


def _lacking(checked: Rule, subject: Subject) -> Status | None:
    """How the rule goes where the subject is nothing for it; ``None`` where it is."""
    if subject.document is not None:
        return None if {"input", subject.document.kind} & set(checked.needs) else "not-applicable"
    if {"input", "path"} & set(checked.needs):
        return None
    there = {"dataset": subject.dataset is not None, "ome-xml": subject.ome_xml is not None}
    if any(there.get(needed, False) for needed in checked.needs):
        return None
    return "not-run" if subject.unreadable and not OF_DOCUMENTS & set(checked.needs) and not checked.is_together else "not-applicable"


def _run(checked: Rule, subject: Subject | Together, name: str, profile: str, otherwise: Status) -> tuple[list[Finding], Status]:
    try:
        if not checked.applies(subject):
            return [], otherwise
        findings = list(_told(checked, name, profile, checked.function(subject)))
    except (CannotRun, SuiteError) as error:
        return [_not_run(checked, name, profile, str(error))], "not-run"
    except OSError as error:
        if otherwise == "not-run":
            return [], "not-run"
        return [_not_run(checked, name, profile, why_unreadable(name, error))], "not-run"
    except Exception as error:  # whatever a rule does with a damaged file, the others still run
        reason = f"It stopped with an error of its own ({type(error).__name__}: {str(error)[:200]}). Please report this to the makers of the suite."
        return [_not_run(checked, name, profile, reason)], "not-run"
    return findings, "found" if findings else "passed"


def _told(checked: Rule, name: str, profile: str, problems: Iterable[Problem]) -> Iterator[Finding]:
    """Give the first problems of each input, then one finding for the rest of them."""
    if not checked.is_together:
        each = iter(problems)
        yield from (_finding(checked, name, profile, problem) for problem in islice(each, PROBLEMS_SHOWN))
        yield from _rest(checked, name, profile, each)
        return
    rest: dict[str | None, list[Problem]] = {}
    shown: Counter[str | None] = Counter()
    for problem in islice(problems, PROBLEMS_TOGETHER):
        shown[problem.input] += 1
        if shown[problem.input] <= PROBLEMS_SHOWN:
            yield _finding(checked, name, profile, problem)
        elif shown[problem.input] <= PROBLEMS_SHOWN + PROBLEMS_COUNTED:
            rest.setdefault(problem.input, []).append(problem)
    for more in rest.values():
        yield from _rest(checked, name, profile, iter(more))


def _finding(checked: Rule, name: str, profile: str, problem: Problem) -> Finding:
    return Finding(
        input=problem.input or name,
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


def _rest(checked: Rule, name: str, profile: str, problems: Iterator[Problem]) -> list[Finding]:
    more = list(islice(problems, PROBLEMS_COUNTED))
    if not more:
        return []
    number = f"more than {len(more)}" if len(more) == PROBLEMS_COUNTED else f"{len(more)}"
    gravest = min((problem.severity or checked.severity for problem in more), key=SEVERITIES.index)
    message = f"The same was found in {number} more place{'s' if len(more) > 1 else ''}, not listed here."
    about = tuple(dict.fromkeys(key for problem in more for key in problem.about)) if all(problem.about for problem in more) else ()
    precision = max(problem.precision for problem in more)
    only = more[0].input
    return [_finding(checked, name, profile, Problem(message, severity=gravest, about=about, precision=precision, input=only))]


def _not_run(checked: Rule, name: str, profile: str, reason: str) -> Finding:
    problem = Problem(
        f"“{checked.title}” could not be checked. {reason}", severity="not-run", fix="Mend what is reported as an error first, then check again."
    )
    return _finding(checked, name, profile, problem)
