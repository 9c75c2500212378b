"""Terms, and the tables of them that come with the suite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from .registry import ONTOLOGIES

FOLDER: Final = Path(__file__).resolve().parents[2] / "data" / "ontologies"
COLUMNS: Final = ("id", "label", "synonyms", "parents", "obsolete", "replaced_by")
BUNDLED: Final = {
    "FBbi": "fbbi.tsv",
    "EFO": "efo.tsv",
    "NCBITaxon": "ncbitaxon.tsv",
    "UO": "uo.tsv",
    "OME": "ome.tsv",
    "EDAM-BIOIMAGING": "share_alike/edam_bioimaging.tsv",
}
"""Where the list of each ontology lies; that under terms which go on to whatever is made from it has a folder of its own."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term of an ontology.

    Parameters
    ----------
    curie, iri
        Its identifier, as `identifiers.Identifier` has it.
    label
        Its name.
    ontology
        The list it is from: an ontology's name.
    synonyms
        Other names.
    obsolete
        Whether the ontology no longer wants it to be used.
    replaced_by
        Identifiers of the terms to use instead, where the ontology says so.
    source
        Name and version of what it was taken from.
    parents
        Identifiers of the more general terms that the ontology states; an ontology's reasoner finds more.
    """

    curie: str
    iri: str
    label: str
    ontology: str
    synonyms: tuple[str, ...]
    obsolete: bool
    replaced_by: tuple[str, ...]
    source: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """What a list of terms says of itself.

    Parameters
    ----------
    ontology
        Its name.
    version, licence
        Of the ontology.
    source
        The file it was made from.
    complete
        Whether it has every term of the ontology, so that an identifier not in it is none.
    """

    ontology: str
    title: str
    version: str
    licence: str
    source: str
    complete: bool

    @property
    def name(self) -> str:
        """Name and version, for people."""
        return f"{self.ontology} {self.version}"


def read_terms(path: Path) -> tuple[About, list[Term]]:
    """Read a table of terms.

    Raises
    ------
    ValueError
        If it is not in the form that ``data/README.md`` describes; it comes with the suite, so that nothing but a fault explains it.
    """
    facts: dict[str, str] = {}
    with path.open(encoding="utf-8") as stream:
        lines = (line.rstrip("\n") for line in stream)
        header = next(_without_comments(lines, facts), "")
        if tuple(header.split("\t")) != COLUMNS:
            raise ValueError(f"{path.name} has other columns than {', '.join(COLUMNS)}")
        about = About(facts["ontology"], facts["title"], facts["version"], facts["licence"], facts["source"], facts["complete"] == "yes")
        return about, [_term(line.split("\t"), about) for line in lines]


@cache
def bundled(ontology: str) -> tuple[About, list[Term]]:
    """Give the terms of an ontology that come with the suite, read when first asked for.

    Raises
    ------
    KeyError
        If none of this ontology do; `BUNDLED` has those that do.
    """
    return read_terms(FOLDER / BUNDLED[ontology])


def _without_comments(lines: Iterator[str], facts: dict[str, str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("#"):
            yield line
            return
        name, _, value = line[1:].strip().partition(": ")
        facts[name] = value


def _term(cells: list[str], about: About) -> Term:
    curie, label, synonyms, parents, obsolete, replaced_by = cells
    # Identifiers in our own tables are canonical, which a test sees to; reading thousands of them anew would take longer than all the rest.
    name, _, local = curie.partition(":")
    begins = ONTOLOGIES[name].iri
    return Term(
        curie,
        f"{begins}{local}" if begins else "",
        label,
        about.ontology,
        tuple(synonyms.split("|")) if synonyms else (),
        obsolete == "yes",
        tuple(replaced_by.split("|")) if replaced_by else (),
        about.name,
        tuple(parents.split("|")) if parents else (),
    )
