"""What is taken out of a published ontology, and how much of it at most."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ...errors import LimitError
from .identifiers import canonical
from .registry import ONTOLOGIES, Ontology

MOST_TERMS: Final = 20_000_000
"""NCBITaxon, the largest there is, has under 3 million."""
MOST_SYNONYMS: Final = 500
"""Of one term; more are left out."""
LONGEST_NAME: Final = 2000
_SPACE: Final = re.compile(r"[\s\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Header:
    """What an ontology says of itself; empty where it does not."""

    version: str = ""
    licence: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A term as it is kept: see `terms.Term`."""

    curie: str
    label: str
    synonyms: tuple[str, ...]
    parents: tuple[str, ...]
    obsolete: bool
    replaced_by: tuple[str, ...]


def name(text: str | None) -> str:
    """Make one line of a name, and cut what is no name any more."""
    return _SPACE.sub(" ", (text or "")[:LONGEST_NAME]).strip()


def own_curie(ontology: Ontology, identifier: str) -> str | None:
    """Give the canonical identifier of a term of this ontology; ``None`` for terms that it takes over from others, and for what is no term."""
    for start in (ontology.iri, f"{ontology.name}:"):
        # The usual spelling, quickly: there are millions.
        if start and identifier.startswith(start) and re.fullmatch(ontology.local, identifier[len(start) :]) and not ontology.name.startswith("EDAM"):
            return f"{ontology.name}{ontology.joint}{identifier[len(start) :]}"
    found = canonical(identifier)
    if found is None or not identifier.endswith(found.local):
        # A number with a digit too few is another term's in people's sheets, and a fault in an ontology.
        return None
    same = found.ontology == ontology.name or (found.ontology == "EDAM" and ontology.name == "EDAM-BIOIMAGING")
    return found.curie if same else None


def any_curies(identifiers: Iterable[str]) -> tuple[str, ...]:
    """Give the canonical identifiers of terms of any known ontology."""
    return tuple(dict.fromkeys(found.curie for text in identifiers if (found := canonical(text)) is not None))


def label_of(text: str) -> str:
    """Take from a label the mark of an obsolete term, which is told apart from it."""
    return re.sub(r"^obsolete[_ ](?=.)", "", text)


def refuse_too_many(count: int, source: str) -> None:
    """Raise `LimitError` if there are more terms than any ontology has."""
    if count > MOST_TERMS:
        raise LimitError(f"{source} has more than {MOST_TERMS:,} terms, more than any known ontology. Check where it comes from.")


def known(ontology_name: str) -> Ontology:
    """Give an ontology by its exact name."""
    return ONTOLOGIES[ontology_name]
