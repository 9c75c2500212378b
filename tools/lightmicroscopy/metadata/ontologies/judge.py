"""What is wrong with a term as somebody wrote it, and which one may be meant; in words for a report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from .identifiers import Identifier, find_in
from .lookup import Lookup, Suggestion, current
from .registry import ONTOLOGIES, named
from .sources import names_of
from .spelling import key, shorter, squashed

if TYPE_CHECKING:
    from .terms import Term

Status = Literal["right", "spelled", "unstable", "no-identifier", "unreadable", "other-ontology", "unlisted", "unknown", "obsolete", "misnamed"]
_SHOWN: Final = 80
_OTHER: Final = re.compile(r"(?:https?://[^\s?]{1,200}[/#])?(?P<name>[A-Za-z][A-Za-z0-9]{1,15})[:_][A-Za-z]{0,3}[0-9]{2,12}")
"""What the identifiers of most ontologies look like."""
_EXAMPLES: Final = {"NCBITaxon": "NCBITaxon:10090", "EFO": "EFO:0001185", "FBbi": "FBbi:00000246", "UO": "UO:0000017"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came out.

    Parameters
    ----------
    status
        ``right``. ``spelled``: right, but the identifier is not written as it should be. ``unstable``: right, but the ontology does
        not promise that its identifiers stay. ``no-identifier``: only a name. ``unreadable``: no identifier of a known ontology.
        ``other-ontology``: of another ontology than is wanted. ``unlisted``: not in the list here, which has not all terms, or of an
        ontology that is not known here.
        ``unknown``: not in the ontology. ``obsolete``. ``misnamed``: the name beside it is another term's.
    message
        A sentence saying so; empty where it is right.
    fix
        A sentence on what to do; empty where there is nothing to do.
    identifier, term
        What was found.
    suggestions
        Terms that may be meant instead, best first.
    """

    status: Status
    message: str = ""
    fix: str = ""
    identifier: Identifier | None = None
    term: Term | None = None
    suggestions: tuple[Suggestion, ...] = ()


def judge(stated: str, label: str = "", *, ontology: str | None = None, allowed: Sequence[str] = (), lookup: Lookup | None = None) -> Verdict:
    """Judge a term.

    Parameters
    ----------
    stated
        The identifier, a name, or both in one text.
    label
        The name beside it, if there is a place of its own for it.
    ontology
        What a place beside it calls the ontology, in any spelling; needed for bare numbers.
    allowed
        Ontologies that may be used here; all where empty. Suggestions are from these.
    lookup
        What is looked up in; by default what `lookup.using` says.
    """
    lookup = lookup or current()
    identifier, rest = find_in(stated, ontology)
    label = label.strip() or rest
    hint = named(ontology)
    wanted = tuple(allowed) or ((hint.name,) if hint else ())
    if identifier is None:
        return _without_identifier(stated.strip(), label, wanted, lookup, looks_like_one=_looks_like_one(stated))
    if allowed and identifier.ontology not in allowed and not (identifier.ontology == "EDAM" and "EDAM-BIOIMAGING" in allowed):
        suggestions = _suggest(label or _label(lookup.term(identifier)), wanted, lookup)
        message = f"{identifier.curie} is a term of {ONTOLOGIES[identifier.ontology].title}; here {_or(allowed)} is wanted."
        return Verdict("other-ontology", message, _choose(suggestions, f"Look for the term in {_or(allowed)}."), identifier, None, suggestions)
    term = lookup.term(identifier)
    if term is None:
        return _not_found(identifier, label, lookup)
    return _obsolete(identifier, term, label, lookup) if term.obsolete else _in_use(identifier, term, label, lookup)


def _in_use(identifier: Identifier, term: Term, label: str, lookup: Lookup) -> Verdict:
    if label and not is_called(term, label):
        suggestions = tuple(one for one in _suggest(label, (term.ontology,), lookup) if one.term.curie != term.curie)
        message = f"{term.curie} is “{term.label}”, and the name beside it is “{label[:_SHOWN]}”."
        fix = f"If the identifier is right, write “{term.label}”. If the name is, {_lower(_choose(suggestions, 'look for its identifier.'))}"
        return Verdict("misnamed", message, fix, identifier, term, suggestions)
    if not identifier.as_it_should_be:
        message = f"“{identifier.stated[:_SHOWN]}” is understood as {identifier.curie} ({term.label})."
        return Verdict("spelled", message, f"Write {identifier.curie}{f' or {identifier.iri}' if identifier.iri else ''}.", identifier, term)
    known = ONTOLOGIES[identifier.ontology]
    if not known.stable and known.name != "OME":
        return Verdict("unstable", f"{term.curie} ({term.label}): {known.note}", f"Keep “{term.label}” beside it.", identifier, term)
    return Verdict("right", identifier=identifier, term=term)


def _without_identifier(stated: str, label: str, wanted: Sequence[str], lookup: Lookup, *, looks_like_one: bool) -> Verdict:
    if not stated and not label:
        return Verdict("no-identifier", "There is no term here.", f"Look for the term in {_or(wanted) if wanted else 'an ontology'}.")
    suggestions = _suggest(label or stated, wanted, lookup)
    if not looks_like_one:
        return Verdict(
            "no-identifier",
            f"“{(label or stated)[:_SHOWN]}” has no identifier of an ontology.",
            _choose(suggestions, f"Look for the term in {_or(wanted) if wanted else 'an ontology'} and add its identifier."),
            suggestions=suggestions,
        )
    other = _OTHER.fullmatch(stated)
    if other and named(other["name"]) is None:
        message = f"“{stated[:_SHOWN]}” is a term of {other['name']}, an ontology that is not known here, so that it could not be checked."
        return Verdict("unlisted", message, suggestions=suggestions)
    example = next((_EXAMPLES[name] for name in wanted if name in _EXAMPLES), "FBbi:00000246")
    message = f"“{stated[:_SHOWN]}” is no identifier of an ontology that is known here. One looks like {example}."
    return Verdict("unreadable", message, _choose(suggestions, "Copy the identifier again, whole."), suggestions=suggestions)


def _not_found(identifier: Identifier, label: str, lookup: Lookup) -> Verdict:
    name = identifier.ontology
    source = lookup.source("EDAM-BIOIMAGING" if name.startswith("EDAM") else name)
    suggestions = _suggest(label, (name,), lookup) if source is not None else ()
    if source is None or not source.about.complete or name == "EDAM":
        what = f"the list of {name} here, which has not all its terms" if source is not None else f"any list here: there is none of {name}"
        fix = f"If the name and not the identifier is right: {_lower(_choose(suggestions, 'check it.'))}" if suggestions else ""
        return Verdict("unlisted", f"{identifier.curie} is not in {what}, so that it could not be checked.", fix, identifier, None, suggestions)
    message = f"There is no {identifier.curie} in {source.about.title} ({source.about.version})."
    return Verdict("unknown", message, _choose(suggestions, "Copy the identifier again, whole."), identifier, None, suggestions)


def _obsolete(identifier: Identifier, term: Term, label: str, lookup: Lookup) -> Verdict:
    suggestions = tuple(lookup.replacements(term))
    message = f"{term.curie} ({term.label}) is obsolete in {ONTOLOGIES[term.ontology].title}."
    if any(one.reason == "replacement" for one in suggestions):
        return Verdict("obsolete", message, f"Write {_listed(suggestions)}.", identifier, term, suggestions)
    suggestions = suggestions or _suggest(label, (term.ontology,), lookup)
    fix = _choose(suggestions, f"Look for a term in use in {term.ontology}.", "The ontology names no successor. ")
    return Verdict("obsolete", message, fix, identifier, term, suggestions)


def _suggest(text: str, wanted: Iterable[str], lookup: Lookup) -> tuple[Suggestion, ...]:
    if not text:
        return ()
    ontologies = tuple(wanted)
    if not ontologies:
        return lookup.suggest(text)
    found = [one for ontology in ontologies for one in lookup.suggest(text, ontology)]
    return tuple(sorted(found, key=lambda one: -one.likeness)[:5])


def is_called(term: Term, label: str) -> bool:
    """Whether a text is a name of a term, in any spelling."""
    typed = key(label)
    forms = {squashed(typed), *(squashed(form) for form in shorter(typed))}
    return any(squashed(name.key) in forms for name in names_of(term))


def _looks_like_one(stated: str) -> bool:
    """Whether a text was meant as an identifier: it has a number or an address in it, and no blank."""
    text = stated.strip()
    return bool(text) and " " not in text and (text.isdigit() or "://" in text or ((":" in text or "_" in text) and any(map(str.isdigit, text))))


def _label(term: Term | None) -> str:
    return term.label if term else ""


def _choose(suggestions: Sequence[Suggestion], otherwise: str, before: str = "") -> str:
    if not suggestions:
        return before + otherwise
    if len(suggestions) == 1:
        return f"{before}Perhaps {_listed(suggestions)} is meant."
    return f"{before}Choose the one that is meant: {_listed(suggestions)}."


def _listed(suggestions: Sequence[Suggestion]) -> str:
    return ", ".join(f"{one.term.curie} ({one.term.label})" if one.term.label else one.term.curie for one in suggestions)


def _or(names: Sequence[str]) -> str:
    return " or ".join(names)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
