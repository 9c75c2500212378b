"""Leica's objectives: from attributes, and from the words engraved on them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..image import Objective
from .lif_facts import LEICA
from .lif_xml import positive, text

if TYPE_CHECKING:
    from lxml import etree

_ENGRAVED: Final = re.compile(r"(\d+(?:[.,]\d+)?)\s*[xX]\s*/?\s*(\d+(?:[.,]\d+)?)?")
_IMMERSIONS: Final = {
    "dry": "Air",
    "air": "Air",
    "oil": "Oil",
    "water": "Water",
    "w": "Water",
    "glyc": "Glycerol",
    "glycerol": "Glycerol",
    "glycerin": "Glycerol",
    "imm": "Multi",
    "multi": "Multi",
}
_CORRECTIONS: Final = (
    ("PL APO", "PlanApo"),
    ("PLAN APO", "PlanApo"),
    ("PL FLUOTAR", "PlanFluor"),
    ("PL FL", "PlanFluor"),
    ("FLUOTAR", "Fluotar"),
    ("APO", "Apo"),
    ("ACHRO", "Achro"),
)
"""Words of the engraving → OME's corrections, the first that is found."""


def read_objective(definition: etree._Element) -> Objective | None:
    """The objective of a setting; None if it names none."""
    model = text(definition.get("ObjectiveName"))
    magnification, aperture = positive(definition.get("Magnification")), positive(definition.get("NumericalAperture"))
    if model is None and magnification is None and aperture is None:
        return None
    return objective(model, magnification, aperture, text(definition.get("Immersion")))


def objective(model: str | None, magnification: float | None = None, aperture: float | None = None, immersion: str | None = None) -> Objective:
    """An objective from what is said of it; what is not is taken from its engraving, such as ``HC PL APO CS2 63x/1.30 GLYC``."""
    engraved = _ENGRAVED.search(model or "")
    if engraved is not None:
        magnification = magnification or positive(engraved[1])
        aperture = aperture or positive(engraved[2])
    if immersion is None and engraved is not None and model is not None:
        words = re.split(r"[^a-z]+", model[engraved.end() :].lower())
        immersion = next((word for word in words if word in _IMMERSIONS), None)
    upper = (model or "").upper()
    return Objective(
        "Objective:0",
        model=model,
        manufacturer=LEICA,
        magnification=magnification,
        numerical_aperture=aperture,
        immersion=_IMMERSIONS.get(immersion.lower(), immersion) if immersion else None,
        correction=next((correction for words, correction in _CORRECTIONS if words in upper), None),
    )
