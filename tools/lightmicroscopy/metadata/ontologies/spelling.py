"""Comparing names that people typed with names of terms."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Final

LONGEST: Final = 200
"""Characters of a name that are compared; the longest label of the bundled lists has about half of that."""
_NO_WORD: Final = re.compile(r"[^0-9a-z+]+")
_IN_PARENTHESES: Final = re.compile(r"\(([^()]*)\)")
_GENERIC: Final = re.compile(r"(?: (?:cells?|cell lines?|lines?|strains?|organisms?|methods?|techniques?))+$")
_MICRO: Final = str.maketrans({"µ": "u", "μ": "u"})
CLOSE: Final = 0.8
"""Two words whose likeness is below this are two words and no misspelling; in short ones, a letter counts for more."""
_CLOSE_SHORT: Final = 0.75


def key(name: str) -> str:
    """Give what two spellings of one name share: no case, accents, signs or double blanks; ``µ`` is ``u``."""
    plain = name[:LONGEST]
    if not plain.isascii():
        apart = unicodedata.normalize("NFKD", plain.translate(_MICRO)).casefold()
        plain = "".join(char for char in apart if not unicodedata.combining(char))
    return _NO_WORD.sub(" ", plain.lower()).strip()


def squashed(made: str) -> str:
    """Give a key without its blanks: ``HEK 293``, ``HEK-293`` and ``HEK293`` are one name."""
    return made.replace(" ", "")


def keys(name: str) -> Iterator[str]:
    """Give the keys under which a term's name is found: itself, and the two parts of ``long name (ABBREVIATION)``."""
    yield key(name)
    if "(" in name:
        yield key(_IN_PARENTHESES.sub(" ", name))
        for inside in _IN_PARENTHESES.findall(name):
            yield key(inside)


def shorter(typed: str) -> Iterator[str]:
    """Give other keys for what somebody typed, best first: without ``cell line`` and the like, in the singular."""
    plain = _GENERIC.sub("", typed)
    if plain != typed and plain:
        yield plain
    if len(plain) > 3 and plain.endswith("s"):
        yield plain[:-1]
    if plain == "mice":
        yield "mouse"


def binomial(label: str) -> str | None:
    """Abbreviate the genus of a species: ``Mus musculus`` is written ``M. musculus`` too."""
    words = label.split()
    if len(words) < 2 or not words[0][:1].isupper() or not words[1].islower():
        return None
    return f"{words[0][0]}. {' '.join(words[1:])}"


def pairs(word: str) -> frozenset[str]:
    """Give the pairs of letters in a word, its ends marked; misspelled words share most of them with the right one."""
    framed = f"^{word}$"
    return frozenset(framed[at : at + 2] for at in range(len(framed) - 1))


def likeness(one: str, other: str) -> float:
    """Say from 0 to 1 how alike two words or names are."""
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def close_words(word: str, known: Iterable[str], most: int = 8) -> dict[str, float]:
    """Find the words that one may be a misspelling or the beginning of, with their likeness.

    Parameters
    ----------
    known
        Words to choose from.
    most
        How many to give.
    """
    wanted, least, found = pairs(word), CLOSE if len(word) > 5 else _CLOSE_SHORT, []
    for other in known:
        if len(word) >= 3 and other.startswith(word):
            found.append((0.9, other))
        elif abs(len(other) - len(word)) <= 2 and len(word) >= 4:
            theirs = pairs(other)
            if 2 * len(wanted & theirs) >= 0.45 * (len(wanted) + len(theirs)) and (alike := likeness(word, other)) >= least:
                found.append((alike * 0.95, other))
    return {other: alike for alike, other in sorted(found, key=lambda pair: (-pair[0], pair[1]))[:most]}
