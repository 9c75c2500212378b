"""Finding terms by identifier, and the terms somebody may have meant.

Places are asked in this order: full ontologies that an administrator has installed, the lists that come with the suite, and,
only where that is wished, a lookup service on the web.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from .identifiers import Identifier, canonical
from .registry import named
from .sources import Name, Source, bundled_source
from .spelling import key, likeness, shorter
from .terms import Term

if TYPE_CHECKING:
    from .ols import Service

Reason = Literal["identifier", "replacement", "label", "synonym", "words", "spelling", "service"]
LEAST: Final = 0.6
"""Likeness below which a term is no suggestion."""
_LEAST_REPLACEMENT: Final = 0.28
"""The same for what might take the place of an obsolete term, where its ontology does not say."""
_LEAST_WHOLE: Final = 0.75
_SAME: Final = 0.93
SEARCHED: Final = ("NCBITaxon", "EFO", "FBbi", "UO", "OME", "EDAM-BIOIMAGING")
"""Ontologies looked through where none is named; where two know a name equally well, the first counts more."""
MOST_WORDS: Final = 12
MOST_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A term that may be meant.

    Parameters
    ----------
    term
        The term, never an obsolete one.
    reason
        How it was found: by its ``identifier``, as ``replacement`` of an obsolete term, by its ``label``, by a ``synonym``,
        because it has all or most ``words`` that were typed, by close ``spelling``, or by a ``service`` on the web.
    likeness
        From 0 to 1; 1 is the same name.
    matched
        The name by which it was found.
    """

    term: Term
    reason: Reason
    likeness: float
    matched: str


class Lookup:
    """Looks up terms; safe to keep for thousands of questions.

    Parameters
    ----------
    installed
        Full ontologies, as `install.install` makes them; each takes the place of the bundled list.
    service
        A lookup service on the web, asked only about what no list knows. None is asked by default.
    """

    def __init__(self, installed: Sequence[Path] = (), service: Service | None = None) -> None:
        self._paths = tuple(installed)
        self._service = service
        self._known: dict[tuple[str, str | None, int], tuple[Suggestion, ...]] = {}

    @cached_property
    def _installed(self) -> dict[str, Source]:
        if not self._paths:
            return {}
        from .installed import Installed

        opened = [Installed(path) for path in self._paths]
        return {source.about.ontology: source for source in opened}

    def source(self, ontology: str) -> Source | None:
        """Give the list of an ontology: the installed one, else the bundled one."""
        return self._installed.get(ontology) or bundled_source(ontology)

    def find(self, identifier: str, ontology_hint: str | None = None) -> Term | None:
        """Give the term of an identifier in any spelling, obsolete ones too; ``None`` if no list has it.

        No list may have it because it is none, or because the list is not complete: `Source.about` says so.
        """
        found = canonical(identifier, ontology_hint)
        return None if found is None else self.term(found)

    def term(self, identifier: Identifier) -> Term | None:
        """Give the term of an identifier that was read; see `find`."""
        # EDAM-bioimaging uses some of EDAM's own identifiers.
        names = ("EDAM", "EDAM-BIOIMAGING") if identifier.ontology.startswith("EDAM") else (identifier.ontology,)
        for name in names:
            source = self.source(name)
            if source is not None and (term := source.find(identifier.curie)) is not None:
                return term
        return self._service.find(identifier) if self._service else None

    def is_below(self, identifier: str, ancestor: str) -> bool:
        """Whether an ontology states that a term is a kind of another, directly or by way of others.

        That it is not stated does not mean that it is not so: FBbi places many methods by definitions that only a reasoner follows.
        """
        wanted, start = canonical(ancestor), canonical(identifier)
        if wanted is None or start is None:
            return False
        seen, waiting = {start.curie}, [start.curie]
        while waiting:
            curie = waiting.pop()
            if curie == wanted.curie:
                return True
            term = self.find(curie)
            above = [parent for parent in (term.parents if term else ()) if parent not in seen]
            seen.update(above)
            waiting.extend(above)
        return False

    def suggest(self, text: str, ontology: str | None = None, limit: int = 5) -> tuple[Suggestion, ...]:
        """Give the terms that may be meant by a text, best first.

        Parameters
        ----------
        text
            A name in any spelling, or an identifier in any spelling: of an obsolete term, what takes its place is given.
        ontology
            Only terms of this one, in any spelling of its name; else of all in `SEARCHED`.
        limit
            How many to give at most.

        Returns
        -------
        tuple
            Empty if nothing is like it.
        """
        asked = (text, ontology, limit)
        if len(self._known) > MOST_REMEMBERED:
            self._known.clear()
        if asked not in self._known:
            self._known[asked] = tuple(self._suggest(text, ontology, limit))
        return self._known[asked]

    def _suggest(self, text: str, ontology: str | None, limit: int) -> list[Suggestion]:
        wanted = named(ontology)
        if ontology is not None and wanted is None:
            return []
        searched = (wanted.name,) if wanted else SEARCHED
        found = canonical(text, ontology)
        if found is not None and (term := self.term(found)) is not None:
            return [Suggestion(term, "identifier", 1.0, term.curie)] if not term.obsolete else self.replacements(term, limit)
        best = list(self._by_name(text, searched, limit))
        if not best and self._service and key(text):
            best = [Suggestion(term, "service", likeness(key(text), key(term.label)), term.label) for term in self._service.search(text, searched)]
        return best[:limit]

    def replacements(self, term: Term, limit: int = 5) -> list[Suggestion]:
        """Give what takes the place of an obsolete term: the successors its ontology names, else live terms with names like its own."""
        live = [Suggestion(found, "replacement", 1.0, found.label) for found in self._successors(term)]
        if live:
            return live[:limit]
        like = [one for name in (term.label, *term.synonyms) for one in self._by_name(name, (term.ontology,), limit, _LEAST_REPLACEMENT)]
        best = {one.term.curie: one for one in sorted(like, key=lambda one: one.likeness)}
        return sorted(best.values(), key=lambda one: (-one.likeness, one.term.curie))[:limit]

    def _successors(self, term: Term) -> list[Term]:
        identifiers = [found for curie in term.replaced_by if (found := canonical(curie)) is not None]
        # A successor in an ontology of which there is no list is one all the same.
        terms = [self.term(found) or Term(found.curie, found.iri, "", found.ontology, (), False, (), "") for found in identifiers]
        return [found for found in terms if not found.obsolete]

    def _by_name(self, text: str, searched: Iterable[str], limit: int, least: float = LEAST) -> Iterator[Suggestion]:
        typed = key(text)
        if not typed:
            return
        best: dict[str, tuple[float, int, Suggestion]] = {}
        for place, ontology in enumerate(searched):
            source = self.source(ontology)
            for name, weight, reason in _candidates(source, text, typed) if source else ():
                if name.term.obsolete and weight >= _SAME:
                    for successor in self._successors(name.term):
                        best[successor.curie] = weight, place, Suggestion(successor, "replacement", round(weight, 3), name.text)
                if name.term.obsolete or weight < least:
                    continue
                if name.term.curie not in best or weight > best[name.term.curie][0]:
                    best[name.term.curie] = weight, place, Suggestion(name.term, reason, round(weight, 3), name.text)
        found = sorted(best.values(), key=_rank)
        # Beside the very name, what is only spelled like it is not meant.
        if found and found[0][0] >= _SAME:
            found = [one for one in found if one[2].reason != "spelling"]
        for _, _, suggestion in found[:limit]:
            yield suggestion


def _rank(one: tuple[float, int, Suggestion]) -> tuple[int, int, bool, float, int, str]:
    """Order what fits about equally well by ontology; among organisms, those often imaged and then the first to get a number come first."""
    weight, place, suggestion = one
    curie, number, rarely = suggestion.term.curie, 0, False
    if suggestion.term.ontology == "NCBITaxon":
        often = bundled_source("NCBITaxon")
        rarely = often is not None and often.find(curie) is None
        number = int(curie.rpartition(":")[2])
    return -round(weight * 20), place, rarely, 0.0 if number else -weight, number, curie


def _candidates(source: Source, text: str, typed: str) -> Iterator[tuple[Name, float, Reason]]:
    """Give names that may be meant, with a weight from 0 to 1: the very name, the name without such words as "cell line", or like words."""
    exact = False
    for form, most in [(typed, 1.0), *((form, 0.96) for form in shorter(typed))]:
        for name in source.named(form):
            exact = True
            # "nM" and "nm" have one key; so have "HEK 293" and "HEK293".
            less = 0.02 * (name.kind == "synonym") + 0.005 * (name.text != text) + 0.005 * (name.key != form)
            yield name, most - less, name.kind
    if exact and len(typed) < 3:
        return
    words = typed.split()[:MOST_WORDS]
    close = [source.close(word) for word in words]
    for name in source.with_words([group for group in close if group]):
        yield name, *_weigh(typed, words, close, name.key)


def _weigh(typed: str, words: Sequence[str], close: Sequence[Mapping[str, float]], known: str) -> tuple[float, Reason]:
    theirs = known.split()
    got, met, misspelled = 0.0, set(), False
    for word, group in zip(words, close, strict=True):
        alike, other = max(((group[their], their) for their in theirs if their in group), default=(0.0, ""))
        got += alike * len(word)
        met.add(other)
        misspelled |= 0 < alike < 1 and not other.startswith(word)
    covered = got / sum(map(len, words))
    of_name = sum(map(len, met)) / sum(map(len, theirs))
    by_words = 0.93 * covered * (0.7 + 0.3 * min(1.0, of_name))
    whole = 0.94 * likeness(typed, known)
    if whole < _LEAST_WHOLE or whole <= by_words:
        return by_words, "spelling" if misspelled else "words"
    return whole, "spelling"


DEFAULT: Final = Lookup()
"""Looks up in the bundled lists only."""
_CURRENT: ContextVar[Lookup] = ContextVar("lookup", default=DEFAULT)


def current() -> Lookup:
    """Where terms are looked up at present: in the lists of the suite, or as `using` says."""
    return _CURRENT.get()


@contextmanager
def using(lookup: Lookup) -> Iterator[Lookup]:
    """Let every check within the block look terms up there; a rule is given an input and no more."""
    token = _CURRENT.set(lookup)
    try:
        yield lookup
    finally:
        _CURRENT.reset(token)


def find(curie: str, ontology_hint: str | None = None) -> Term | None:
    """Give a term of the bundled lists; see `Lookup.find`."""
    return DEFAULT.find(curie, ontology_hint)


def suggest(text: str, ontology: str | None = None, limit: int = 5) -> tuple[Suggestion, ...]:
    """Give terms of the bundled lists that may be meant; see `Lookup.suggest`."""
    return DEFAULT.suggest(text, ontology, limit)
