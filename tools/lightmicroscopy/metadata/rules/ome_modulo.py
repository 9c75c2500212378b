"""Rules on Modulo annotations, which say that a dimension OME does not have is folded into Z, C or T."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..findings import Problem, Subject, rule
from ..ome_annotations import MODULO, is_modulo
from ..ome_units import Kind, spell_unit
from ..ome_xml import children, first_child, local_name
from ._views import elements, place, shorten
from .ome_xml import number, whole_number

if TYPE_CHECKING:
    from lxml import etree

_SOURCE = "https://ome-model.readthedocs.io/en/stable/developers/6d-7d-and-8d-storage.html"
_TYPES: Final = frozenset({"angle", "phase", "tile", "lifetime", "lambda", "other"})
_ALONG: Final = ("ModuloAlongZ", "ModuloAlongC", "ModuloAlongT")
_CLOSE = 1e-6
_ANGLES: Final = frozenset({"deg", "degree", "degrees", "°", "rad", "radian", "radians"})
_QUANTITIES: Final[dict[str, Kind]] = {"lambda": "length", "lifetime": "time"}


def _annotations(subject: Subject) -> dict[str, etree._Element]:
    """Modulo annotations by their IDs."""
    found = (annotation for annotation in elements(subject, "XMLAnnotation") if is_modulo(annotation))
    return {annotation.get("ID", ""): annotation for annotation in found}


def _has_modulo(subject: Subject) -> bool:
    return bool(_annotations(subject))


def _dimensions(annotation: etree._Element) -> Iterator[etree._Element]:
    return (element for element in annotation.iter() if local_name(element) in _ALONG)


def _count(element: etree._Element) -> tuple[float | None, str]:
    """How many places there are along a folded dimension, and how it says so; ``None`` where that is no number."""
    labels = sum(1 for _ in children(element, "Label"))
    if labels:
        return labels, f"{labels} labels"
    start, end = (number(element.get(name, "")) for name in ("Start", "End"))
    step = number(element.get("Step", "1"))
    said = f"Start {element.get('Start')}, End {element.get('End')}, Step {element.get('Step', '1')}"
    if start is None or end is None or step is None or step == 0:
        return None, said
    return (end - start) / step + 1, said


@rule(
    "ome.modulo-size",
    severity="error",
    title="Dimensions folded into Z, C or T divide the size of those.",
    why="Software that unfolds wavelengths, lifetimes or angles cannot lay out the planes, or lays them out wrongly.",
    fix="Correct Start, End and Step (or the labels) of ModuloAlong…, or the size: planes may have been removed.",
    source=_SOURCE,
    needs="ome-xml",
    applies=_has_modulo,
)
def _size(subject: Subject) -> Iterator[Problem]:
    annotations = _annotations(subject)
    images = list(elements(subject, "Image"))
    images = [image for image in images if first_child(image, "Pixels") is not None]
    for index, image in enumerate(images):
        refs = [ref.get("ID", "") for ref in children(image, "AnnotationRef")]
        own = [annotations[ref] for ref in refs if ref in annotations] or (list(annotations.values()) if len(images) == 1 else [])
        pixels = first_child(image, "Pixels")
        seen: set[str] = set()
        for element in (element for annotation in own for element in _dimensions(annotation)):
            axis = local_name(element)[-1]
            if axis in seen:
                yield Problem(f"Two dimensions are folded into {axis}, where only one has room.", place(element), index)
            seen.add(axis)
            count, said = _count(element)
            size = whole_number(pixels.get(f"Size{axis}")) if pixels is not None else None
            if count is None:
                yield Problem(f"{local_name(element)} has {said}, which is no range.", place(element), index)
            elif size is not None and not _divides(count, size):
                yield Problem(
                    f"{local_name(element)} has {said}: {count:g} places, of which Size{axis} = {size} is no multiple.", place(element), index
                )


def _divides(count: float, size: int) -> bool:
    nearest = round(count)
    return nearest >= 1 and math.isclose(count, nearest, rel_tol=_CLOSE, abs_tol=_CLOSE) and size % nearest == 0


def _is_unit(unit: str, kind: str) -> bool:
    if kind == "angle":
        return unit.lower() in _ANGLES
    wanted = _QUANTITIES.get(kind)
    return wanted is None or spell_unit(unit, wanted) is not None


@rule(
    "ome.modulo-form",
    severity="warning",
    title="Modulo annotations can be found and understood.",
    why="They are found by their namespace and by the image that refers to them; the type says whether planes are wavelengths, times or angles.",
    fix=f"Give the annotation the namespace {MODULO}, refer to it in its Image, and use one of the types {', '.join(sorted(_TYPES))}.",
    source=_SOURCE,
    needs="ome-xml",
    applies=_has_modulo,
)
def _form(subject: Subject) -> Iterator[Problem]:
    images = list(elements(subject, "Image"))
    referred = {ref.get("ID") for ref in elements(subject, "AnnotationRef")}
    for identifier, annotation in _annotations(subject).items():
        namespace = (annotation.get("Namespace") or "").strip()
        if namespace != MODULO:
            yield Problem(f"A Modulo annotation has the namespace “{shorten(namespace)}”, by which it is not found.", place(annotation))
        if identifier not in referred and len(images) > 1:
            yield Problem("No Image refers to a Modulo annotation, so that nobody can tell of which it is.", place(annotation))
        for element in _dimensions(annotation):
            kind = element.get("Type")
            if kind is None or kind.lower() not in _TYPES:
                yield Problem(f"{local_name(element)} is of the type “{shorten(kind or '')}”, which is none that OME knows.", place(element))
            unit = element.get("Unit")
            if unit and not _is_unit(unit, (kind or "").lower()):
                yield Problem(f"{local_name(element)} is of the type {kind}, but in the unit “{shorten(unit)}”.", place(element))
        if next(_dimensions(annotation), None) is None:
            yield Problem("A Modulo annotation says nothing: it has none of ModuloAlongZ, ModuloAlongC and ModuloAlongT.", place(annotation))
