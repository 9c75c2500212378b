"""Where terms are looked up: the bundled lists, kept in memory; and what each such place can be asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Literal, NamedTuple, Protocol

from .spelling import binomial, close_words, key, keys, squashed
from .terms import BUNDLED, About, Term, bundled

Kind = Literal["label", "synonym"]
MOST_NAMES = 400
"""Names of one place that are weighed for one suggestion."""


class Name(NamedTuple):
    """A name of a term: the term, the name as its source has it, its key, and what kind of name it is."""

    term: Term
    text: str
    key: str
    kind: Kind


class Source(Protocol):
    """A list of terms of one ontology."""

    @property
    def about(self) -> About:
        """What the list says of itself."""

    def find(self, curie: str) -> Term | None:
        """Give a term by its identifier in canonical form."""

    def named(self, name: str) -> Iterable[Name]:
        """Give the names that have this key, blanks aside; of obsolete terms too."""

    def close(self, word: str) -> Mapping[str, float]:
        """Give words of live terms' names that this one may be meant for, with their likeness (1 for itself)."""

    def with_words(self, words: Iterable[Iterable[str]]) -> Iterable[Name]:
        """Give names of live terms that have words of the most groups, or of one group less; no more than `MOST_NAMES`."""


class Bundled:
    """A list that comes with the suite."""

    def __init__(self, ontology: str) -> None:
        self.about, self._terms = bundled(ontology)

    @cached_property
    def _by_curie(self) -> dict[str, Term]:
        return {term.curie: term for term in self._terms}

    @cached_property
    def _names(self) -> list[Name]:
        return [name for term in self._terms for name in names_of(term)]

    @cached_property
    def _by_key(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(self._names):
            found[squashed(name.key)].append(number)
        return found

    @cached_property
    def _by_word(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(self._names):
            for word in () if name.term.obsolete else set(name.key.split()):
                found[word].append(number)
        return found

    def find(self, curie: str) -> Term | None:
        """Give a term by its identifier in canonical form."""
        return self._by_curie.get(curie)

    def named(self, name: str) -> Iterable[Name]:
        """Give the names that have this key, blanks aside; of obsolete terms too."""
        return [self._names[number] for number in self._by_key.get(squashed(name), ())]

    def close(self, word: str) -> Mapping[str, float]:
        """Give words of live terms' names that this one may be meant for, with their likeness (1 for itself)."""
        found = close_words(word, self._by_word)
        if word in self._by_word:
            found[word] = 1.0
        return found

    def with_words(self, words: Iterable[Iterable[str]]) -> Iterable[Name]:
        """Give names of live terms that have words of the most groups, or of one group less; no more than `MOST_NAMES`."""
        counts: dict[int, int] = defaultdict(int)
        groups = list(words)
        for group in groups:
            for number in {number for word in group for number in self._by_word.get(word, ())}:
                counts[number] += 1
        needed = max(1, max(counts.values(), default=0) - 1)
        fitting = (number for number, count in counts.items() if count >= needed)
        chosen = sorted(fitting, key=lambda number: (-counts[number], len(self._names[number].key)))
        return [self._names[number] for number in chosen[:MOST_NAMES]]


def names_of(term: Term) -> Iterator[Name]:
    """Give every name of a term, with each of its keys."""
    seen = set()
    synonyms = list(term.synonyms)
    if term.ontology == "NCBITaxon" and (short := binomial(term.label)):
        synonyms.append(short)
    for text, kind in [(term.label, "label"), *((synonym, "synonym") for synonym in synonyms)]:
        for made in keys(text):
            if made and made not in seen:
                seen.add(made)
                yield Name(term, text, made, "label" if kind == "label" and made == key(text) else "synonym")


@cache
def bundled_source(ontology: str) -> Bundled | None:
    """Give the bundled list of an ontology, if there is one."""
    return Bundled(ontology) if ontology in BUNDLED else None
