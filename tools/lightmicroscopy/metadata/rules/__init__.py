"""The rules, one module per area. A new check is one function in one of these modules; a new area is one more name here."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from ..findings import OPEN_FORMAT, RULES, Rule

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
)
PROFILES: dict[str, str] = {
    OPEN_FORMAT: "Open formats: is the file a sound OME-TIFF or OME-Zarr, and does it say what its pixels mean?",
}


def catalogue(profiles: Iterable[str] = PROFILES) -> tuple[Rule, ...]:
    """Every rule of these profiles, in the order of their modules."""
    for module in MODULES:
        import_module(f".{module}", __name__)
    wanted = set(profiles)
    return tuple(rule for rule in RULES.values() if wanted & set(rule.profiles))
