"""What the checks of documents say about terms and e-mail addresses.

What a term is, and what is wrong with it, is decided in `ontologies.judge`; here only how grave that is in a document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from .ontologies.registry import named

if TYPE_CHECKING:
    from .ontologies.judge import Status, Verdict


Gravity = Literal["error", "warning", "info"]
_GRAVITY: Final[Mapping[Status, Gravity]] = MappingProxyType(
    {
        "unreadable": "error",
        "other-ontology": "error",
        "unknown": "error",
        "obsolete": "warning",
        "misnamed": "warning",
        "no-identifier": "warning",
        "unlisted": "info",
        "unstable": "info",
    }
)
"""Of what is told; the rest is right."""
_WITH_MORE: Final = "Look it up in the ontology, or check again with the whole of it (--ontology-file, --ontology-lookup)."


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is doubtful about a term, and how to mend it.

    Attributes
    ----------
    gravity
        ``error``: certainly wrong. ``warning``: it may be. ``info``: right, but written so that programs may not find it, or not in any list here.
    """

    message: str
    fix: str
    gravity: Gravity = "error"


def canonical_source(name: str) -> str:
    """How an ontology writes its own name; as it was for one that is not known here."""
    known = named(name)
    return known.name if known else name.strip()


def doubt_of(label: str, accession: str, source: str) -> Doubt | None:
    """Say what is doubtful about a term as a document has it; None where nothing is.

    Parameters
    ----------
    label
        The term in words.
    accession
        Its identifier in any spelling; empty where there is none.
    source
        The ontology that the document names beside it.
    """
    from .ontologies.judge import judge

    known = named(source)
    verdict = judge(accession, label, ontology=source or None, allowed=(known.name,) if known else ())
    found = verdict.identifier
    if found is None and accession and source.strip() and known is None:
        return None
    if verdict.status == "no-identifier" and not accession:
        return Doubt(verdict.message, verdict.fix, "warning") if verdict.suggestions else None
    if accession and found is None and verdict.status in ("no-identifier", "unreadable"):
        return Doubt(f"“{accession[:80]}” is no identifier of {known.name if known else 'an ontology'}.", verdict.fix)
    if verdict.status == "spelled" and found is not None and not found.has_all_digits:
        return Doubt(verdict.message, verdict.fix, "info")
    return _doubtful(verdict, label)


def _doubtful(verdict: Verdict, label: str) -> Doubt | None:
    from .ontologies.judge import is_called

    gravity, message, found = _GRAVITY.get(verdict.status), verdict.message, verdict.identifier
    # That the name is known under another identifier is not chance.
    is_another = any(is_called(one.term, label) for one in verdict.suggestions)
    if verdict.status == "misnamed" and is_another:
        gravity = "error"
    if verdict.status == "unlisted" and found is not None and is_another:
        gravity = "warning"
        message = f"{found.curie} is not in the list of {found.ontology} here, which has “{label[:80]}” under another identifier."
    return Doubt(message, verdict.fix or _WITH_MORE, gravity) if gravity else None


_INVISIBLE: Final = re.compile("[\u00a0\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_MAIL: Final = re.compile(r"[^\s@<>\"(),:;\[\]]+@(?P<domain>[^\s@<>\"(),:;\[\]]+)")


def mail_problem(text: str) -> tuple[str, str]:
    """Say what is wrong with an e-mail address: the end of a sentence, and how to mend it; both empty where nothing is."""
    return next(_mail_cases(text), ("", ""))


def _mail_cases(text: str) -> Iterator[tuple[str, str]]:
    said = text.strip()
    if _INVISIBLE.search(text):
        yield "has an invisible character in it", f"Type it anew: {_INVISIBLE.sub('', said)}."
    inside = re.search(r"<\s*([^<>\s]+@[^<>\s]+)\s*>", said)
    if inside:
        yield "has a name around it", f"Write only {inside[1]}."
    if said.count("@") > 1:
        yield "has more than one @: two addresses, or the domain twice", "Give one address, such as ola@example.org."
    match = _MAIL.fullmatch(said)
    if match is None:
        yield "is no e-mail address", "Give one address, such as ola@example.org."
        return
    domain = match["domain"]
    if not re.fullmatch(r"(?:[^.]+\.)+[^\W\d_]{2,}", domain):
        yield "has no complete domain behind its @", "Write the domain with its ending, such as uio.no."
    labels = domain.casefold().split(".")
    half = len(labels) // 2
    if len(labels) >= 4 and len(labels) % 2 == 0 and labels[:half] == labels[half:]:
        yield "has its domain twice", f"Write {said.split('@')[0]}@{'.'.join(labels[:half])}."


_DAY: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T[\d:.]+Z?)?")


def day_of(text: str) -> date | None:
    """Read a day written as YYYY-MM-DD, maybe with a time behind it; ``None`` for anything else."""
    match = _DAY.fullmatch(text.strip())
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def release_date_problem(text: str, today: date, *, is_released: bool = False) -> tuple[str, bool]:
    """Say what is wrong with the day on which a study becomes public, and whether it is a day at all.

    Parameters
    ----------
    is_released
        Whether the study is there already, so that the day may have passed.

    Returns
    -------
    The end of a sentence, empty where nothing is wrong; and whether the text is a day.
    """
    day = day_of(text)
    if day is None:
        return "is no day written as YYYY-MM-DD", False
    if day < today and not is_released:
        return f"is in the past (today is {today})", True
    try:
        latest = today.replace(year=today.year + 2)
    except ValueError:
        latest = today.replace(year=today.year + 2, day=28)
    return (f"is more than two years ahead (today is {today})", True) if day > latest else ("", True)


def is_year(text: str) -> bool:
    """Whether a text is a year in which something with images can have been published."""
    return re.fullmatch(r"(?:19|20)\d\d", text.strip(), re.ASCII) is not None
