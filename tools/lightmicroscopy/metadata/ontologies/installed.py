"""Full ontologies that an administrator has installed: one file of SQLite each, read only where a question leads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ...errors import UnreadableError
from .identifiers import canonical
from .sources import MOST_NAMES, Name, names_of
from .spelling import close_words, squashed
from .terms import About, Term

FORMAT: Final = "lightmicroscopy ontology 1"
SCHEMA: Final = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE terms (
    id INTEGER PRIMARY KEY, curie TEXT NOT NULL UNIQUE, label TEXT NOT NULL, synonyms TEXT, parents TEXT, obsolete INTEGER NOT NULL, replaced_by TEXT
);
CREATE TABLE names (id INTEGER PRIMARY KEY, key TEXT NOT NULL, term INTEGER NOT NULL);
CREATE VIRTUAL TABLE words USING fts5(name, content='', columnsize=0, detail=none, tokenize="unicode61 remove_diacritics 0 tokenchars '+'");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, row);
"""
INDEX: Final = "CREATE INDEX names_by_key ON names (key)"
SEPARATOR: Final = "\n"
"""Between several values in one column; no name has a line end."""
_BY_CURIE: Final = "SELECT curie, label, synonyms, parents, obsolete, replaced_by FROM terms WHERE curie = ?"
_BY_KEY: Final = (
    "SELECT DISTINCT curie, label, synonyms, parents, obsolete, replaced_by FROM names JOIN terms ON terms.id = names.term WHERE key = ? LIMIT ?"
)
_BY_WORDS: Final = (
    "SELECT DISTINCT curie, label, synonyms, parents, obsolete, replaced_by FROM (SELECT rowid AS name FROM words WHERE words MATCH ? LIMIT ?) "
    "JOIN names ON names.id = name JOIN terms ON terms.id = names.term ORDER BY length(names.key) LIMIT ?"
)
_WORDS: Final = "SELECT term FROM vocabulary WHERE term >= ? AND term < ? AND length(term) BETWEEN ? AND ? LIMIT ?"
_MOST_MATCHES: Final = 4000
_MOST_WORDS: Final = 60_000


class Installed:
    """An installed ontology. Opening reads nothing but what it says of itself; each thread asks with a connection of its own.

    Parameters
    ----------
    path
        A file that `install.install` made.

    Raises
    ------
    UnreadableError
        If it is no such file, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        facts: dict[str, str] = dict(self._ask("SELECT name, value FROM about"))
        if facts.get("format") != FORMAT:
            raise self._damaged("it was made by another version of the suite")
        said = [facts.get(name, "") for name in ("ontology", "title", "version", "licence", "source")]
        self.about = About(said[0], said[1], said[2], said[3], said[4], complete=True)

    @cached_property
    def _is_large(self) -> bool:
        return self._path.stat().st_size > 1 << 26

    def find(self, curie: str) -> Term | None:
        """Give a term by its identifier in canonical form."""
        rows = self._ask(_BY_CURIE, curie)
        return self._term(rows[0]) if rows else None

    def named(self, name: str) -> Iterable[Name]:
        """Give the names that have this key, blanks aside; of obsolete terms too."""
        key = squashed(name)
        rows = self._ask(_BY_KEY, key, MOST_NAMES)
        return [known for row in rows for known in names_of(self._term(row)) if squashed(known.key) == key]

    def close(self, word: str) -> Mapping[str, float]:
        """Give words of live terms' names that this one may be meant for, with their likeness (1 for itself)."""
        # A whole classification has more words than can be compared one by one: the beginning of the word is taken to be right there.
        start = word[: 2 if self._is_large else 1]
        rows = self._ask(_WORDS, start, start + "\U0010ffff", max(1, len(word) - 2), len(word) + 12, _MOST_WORDS)
        known = {text for (text,) in rows}
        found = close_words(word, sorted(known))
        if word in known:
            found[word] = 1.0
        return found

    def with_words(self, words: Iterable[Iterable[str]]) -> Iterable[Name]:
        """Give names of live terms that have a word of every group, else of all groups but one, else of any."""
        groups = [" OR ".join(f'"{word}"' for word in group if '"' not in word) for group in words]
        groups = [f"({group})" for group in groups if group]
        for query in _queries(groups):
            rows = self._ask(_BY_WORDS, query, _MOST_MATCHES, MOST_NAMES)
            if rows:
                return [known for row in rows for known in names_of(self._term(row))]
        return []

    def _term(self, row: tuple[Any, ...]) -> Term:
        curie, label, synonyms, parents, obsolete, replaced_by = row
        found = canonical(curie)
        several = (tuple(text.split(SEPARATOR)) if text else () for text in (synonyms, replaced_by, parents))
        synonyms, replaced_by, parents = several
        return Term(curie, found.iri if found else "", label, self.about.ontology, synonyms, bool(obsolete), replaced_by, self.about.name, parents)

    def _ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            # Nobody writes it any more; "immutable" does without locks, which network disks often lack.
            with closing(sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
                return connection.execute(question, values).fetchall()
        except (sqlite3.Error, OSError) as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, reason: str) -> UnreadableError:
        return UnreadableError(f"{self._path.name} is no ontology that this suite can read ({reason}). Ask the administrator to install it again.")


def _queries(groups: list[str]) -> Iterator[str]:
    if groups:
        yield " AND ".join(groups)
    if len(groups) > 2:
        yield " OR ".join(f"({' AND '.join(groups[:left] + groups[left + 1 :])})" for left in range(len(groups)))
    if len(groups) > 1:
        yield " OR ".join(groups)
