"""The ontologies that descriptions of images name: how their identifiers look, and what one must know of them.

Source: patterns and IRIs as Bioregistry 0.15.6 has them (<https://bioregistry.io>), and each ontology's own pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OBO: Final = "http://purl.obolibrary.org/obo/"
UNSTABLE_EDAM: Final = (
    "EDAM-bioimaging has no stable identifiers yet: its addresses are made of labels or random characters and may change with any release. "
    "Write the label and the release (alpha06) beside the address, and expect to correct it."
)
NO_IDENTIFIERS_OME: Final = (
    "The OME model has no identifiers for its terms: what is written into a file is the value itself, in the attribute it belongs to."
)


@dataclass(frozen=True, slots=True)
class Ontology:
    """An ontology, or a database whose identifiers stand where terms do.

    Parameters
    ----------
    name
        As it stands before the colon of an identifier.
    title
        In full.
    local
        Pattern of what stands behind the colon.
    iri
        What its addresses begin with; empty if there are none.
    digits
        How many digits its numbers have; 0 if that varies. Spreadsheets drop leading zeros.
    aliases
        Other names by which it is called, without spaces and signs, in lower case.
    joint
        What stands between name and number where the two are written together.
    stable
        Whether an identifier means the same for ever.
    note
        What a user must know.
    """

    name: str
    title: str
    local: str
    iri: str
    digits: int = 0
    aliases: tuple[str, ...] = ()
    joint: str = ":"
    stable: bool = True
    note: str = ""


def _obo(name: str, title: str, digits: int = 7, local: str | None = None, aliases: tuple[str, ...] = ()) -> Ontology:
    return Ontology(name, title, local or rf"[0-9]{{{digits}}}", f"{OBO}{name}_", digits, aliases)


_ALL: Final = (
    _obo("FBbi", "Biological Imaging Methods Ontology", 8, r"(?:[0-9]{8}|root_[0-9]{8})"),
    Ontology("EFO", "Experimental Factor Ontology", r"[0-9]{7}", "http://www.ebi.ac.uk/efo/EFO_", 7),
    Ontology(
        "NCBITaxon",
        "NCBI organismal classification",
        r"[1-9][0-9]{0,8}",
        f"{OBO}NCBITaxon_",
        aliases=("ncbitaxonid", "ncbitaxonomy", "ncbitaxid", "ncbitxid", "taxonomy", "taxonomyid", "taxon", "taxid", "txid"),
    ),
    _obo("UO", "Units of measurement ontology"),
    Ontology("EDAM", "EDAM", r"(?:data|topic|operation|format)_[0-9]{4}", "http://edamontology.org/"),
    Ontology(
        "EDAM-BIOIMAGING",
        "EDAM Bioimaging",
        r"(?:data|topic|operation|format)_[\w.~-]{1,200}",
        "http://edamontology.org/",
        aliases=("edambioimaging", "edambio"),
        stable=False,
        note=UNSTABLE_EDAM,
    ),
    Ontology("OME", "OME data model", r"[A-Z][A-Za-z]{1,60}(?:[.]\S{1,80}){0,2}", "", stable=False, note=NO_IDENTIFIERS_OME),
    Ontology("CMPO", "Cellular Microscopy Phenotype Ontology", r"[0-9]{7}", "http://www.ebi.ac.uk/cmpo/CMPO_", 7),
    _obo("CHEBI", "Chemical Entities of Biological Interest", 0, r"[1-9][0-9]{0,8}"),
    _obo("CL", "Cell Ontology"),
    _obo("UBERON", "Uber-anatomy ontology"),
    _obo("GO", "Gene Ontology"),
    _obo("OBI", "Ontology for Biomedical Investigations"),
    _obo("PATO", "Phenotype And Trait Ontology"),
    _obo("MONDO", "Mondo Disease Ontology"),
    _obo("CLO", "Cell Line Ontology"),
    Ontology("CVCL", "Cellosaurus", r"[A-Z0-9]{4}", "https://www.cellosaurus.org/CVCL_", aliases=("cellosaurus",), joint="_"),
)

ONTOLOGIES: Final[dict[str, Ontology]] = {ontology.name: ontology for ontology in _ALL}
"""By name."""

_BY_ANY_NAME: Final[dict[str, Ontology]] = {
    **{alias: ontology for ontology in _ALL for alias in ontology.aliases},
    **{"".join(filter(str.isalnum, ontology.name.casefold())): ontology for ontology in _ALL},
}


def named(name: str | None) -> Ontology | None:
    """Find an ontology by what people call it: ``Fbbi``, ``NCBI Taxonomy``, ``taxid``; ``None`` if it is none of these."""
    return _BY_ANY_NAME.get("".join(filter(str.isalnum, (name or "")[:100].casefold())))
