"""The rules, one module per area. A new check is one function in one of these modules; a new area is one more name here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ..findings import BIA, IDR, OPEN_FORMAT, REMBI, RULES, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

MODULES = (
    "source",
    "ome_xml",
    "ome_links",
    "ome_modulo",
    "tiff",
    "tiff_sets",
    "tiff_pyramid",
    "series",
    "acquisition",
    "plausible",
    "personal",
    "ngff",
    "rembi_sheet",
    "rembi_identifiers",
    "rembi_images",
    "rembi_alone",
    "rembi_terms",
    "bia_submission",
    "bia_fields",
    "bia_people",
    "bia_references",
    "bia_sections",
    "bia_file_lists",
    "bia_together",
    "idr_study",
    "idr_components",
    "idr_values",
    "idr_rows",
    "idr_tables",
    "idr_wells",
    "idr_together",
)
PROFILES: dict[str, str] = {
    OPEN_FORMAT: "Open formats: is the file a sound OME-TIFF or OME-Zarr, and does it say what its pixels mean?",
    REMBI: "REMBI: is the study described, from the sample to the analysis, as the recommendations and the BioImage Archive's model of them ask?",
    BIA: "BioImage Archive: would the submission, its file lists and its files be accepted there?",
    IDR: "IDR: would the study file, the tables and the images be accepted there?",
}


def catalogue(profiles: Iterable[str] = PROFILES) -> tuple[Rule, ...]:
    """Every rule of these profiles, in the order of their modules."""
    for module in MODULES:
        import_module(f".{module}", __name__)
    wanted = set(profiles)
    return tuple(rule for rule in RULES.values() if wanted & set(rule.profiles))
