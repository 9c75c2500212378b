"""Rules on what elements of OME-XML refer to: kinds of targets, wells of plates, planes of drawings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from ..findings import Problem, Subject, rule
from ..ome_xml import children, local_name
from ._views import SCHEMA, elements, listed, place, series_of, shorten
from .ome_xml import is_reference, root_is_parsed, whole_number

if TYPE_CHECKING:
    from lxml import etree

_LIGHTS: Final = frozenset({"Laser", "Arc", "Filament", "LightEmittingDiode", "GenericExcitationSource", "LightSource"})
_FILTER: Final = frozenset({"Filter"})
_TARGETS: Final[Mapping[str, frozenset[str]]] = {
    **{f"{name}Ref": frozenset({name}) for name in ("Instrument", "Objective", "Detector", "FilterSet", "Dichroic", "Filter", "Channel", "Image")},
    **{f"{name}Ref": frozenset({name}) for name in ("WellSample", "Experimenter", "ExperimenterGroup", "Experiment", "Project", "Dataset")},
    **{f"{name}Ref": frozenset({name}) for name in ("ROI", "Reagent", "Plate", "Screen", "Folder", "MicrobeamManipulation")},
    "ObjectiveSettings": frozenset({"Objective"}),
    "DetectorSettings": frozenset({"Detector"}),
    "LightSourceSettings": _LIGHTS,
    "LightSourceRef": _LIGHTS,
    "Pump": _LIGHTS,
    "ExcitationFilterRef": _FILTER,
    "EmissionFilterRef": _FILTER,
    "Leader": frozenset({"Experimenter"}),
    "Contact": frozenset({"Experimenter"}),
}
"""Which elements a reference may lead to. Source: the OME schemas 2008-09 to 2016-06."""


@rule(
    "ome.reference-kind",
    severity="error",
    title="Every reference leads to an element of the kind it is for.",
    why="An objective that leads to a detector is no objective: software drops it, or refuses the file.",
    fix="Correct the reference. It often happens where IDs were changed by hand.",
    source="https://ome-model.readthedocs.io/en/stable/developers/id-and-lsid.html",
    needs="ome-xml",
    applies=lambda subject: root_is_parsed(subject) and any(is_reference(local_name(element)) for element in _all(subject)),
)
def _kind(subject: Subject) -> Iterator[Problem]:
    kinds: dict[str, set[str]] = {}
    for element in _all(subject):
        identifier = element.get("ID")
        if identifier is not None and not is_reference(local_name(element)):
            kinds.setdefault(identifier, set()).add(local_name(element))
    for element in _all(subject):
        name, target = local_name(element), element.get("ID")
        found = kinds.get(target or "")
        if target is None or not found or not is_reference(name):
            continue
        wanted = _TARGETS.get(name)
        fits = all(kind.endswith("Annotation") for kind in found) if name == "AnnotationRef" else wanted is None or bool(found & wanted)
        if not fits:
            yield Problem(f"{name} leads to {shorten(target)}, which is of the kind {listed(sorted(found))}.", place(element), series_of(element))


def _all(subject: Subject) -> Iterator[etree._Element]:
    return subject.ome.root.iter("{*}*")


@rule(
    "ome.reference-twice",
    severity="info",
    title="Nothing is referred to twice from the same place.",
    why="What is referred to twice is shown, counted and copied twice by some software.",
    fix="Remove the second reference, or correct it if another element was meant.",
    source="https://ome-model.readthedocs.io/en/stable/developers/id-and-lsid.html",
    needs="ome-xml",
    applies=lambda subject: root_is_parsed(subject) and any(is_reference(local_name(element)) for element in _all(subject)),
)
def _twice(subject: Subject) -> Iterator[Problem]:
    seen: set[tuple[etree._Element, str, str]] = set()
    for element in _all(subject):
        parent, target = element.getparent(), element.get("ID")
        if parent is None or target is None or not is_reference(local_name(element)):
            continue
        key = (parent, local_name(element), target)
        if key in seen:
            yield Problem(f"{local_name(parent)} has two {local_name(element)} to {shorten(target)}.", place(element), series_of(element))
        seen.add(key)


@rule(
    "ome.planes-incomplete",
    severity="info",
    title="Where planes are described, all are.",
    why="Times, exposures and positions of only some planes make gaps in plots, and may be the rest of a larger stack.",
    fix="Nothing must be done if the source knows no more. Else write the metadata again with the software that made the file.",
    source=f"{SCHEMA}#Plane",
    needs="ome-xml",
    applies=lambda subject: any(True for _ in elements(subject, "Plane")),
)
def _planes_incomplete(subject: Subject) -> Iterator[Problem]:
    for pixels in elements(subject, "Pixels"):
        channels = list(children(pixels, "Channel"))
        count = len(channels) or whole_number(pixels.get("SizeC")) or 1
        total = count * (whole_number(pixels.get("SizeZ")) or 1) * (whole_number(pixels.get("SizeT")) or 1)
        described = sum(1 for _ in children(pixels, "Plane"))
        if 0 < described < total:
            yield Problem(f"Of {total:,} planes, {described:,} are described by a Plane element.", place(pixels), series_of(pixels))


@rule(
    "ome.plate-out-of-range",
    severity="error",
    title="Every well lies on its plate, each place once.",
    why="Wells beyond the plate are not shown, and of two wells in one place only one is.",
    fix="Correct Row and Column of the wells (counted from 0), or Rows and Columns of the plate.",
    source=f"{SCHEMA}#Well",
    needs="ome-xml",
    applies=lambda subject: any(True for _ in elements(subject, "Well")),
)
def _out_of_range(subject: Subject) -> Iterator[Problem]:
    for plate in elements(subject, "Plate"):
        sizes = {"Row": whole_number(plate.get("Rows")), "Column": whole_number(plate.get("Columns"))}
        seen: set[tuple[int | None, ...]] = set()
        for well in children(plate, "Well"):
            position = tuple(whole_number(well.get(name)) for name in sizes)
            for (name, size), at in zip(sizes.items(), position, strict=True):
                if at is not None and size is not None and not 0 <= at < size:
                    message = f"A Well stands at {name} = {at}, but its plate has {size} {name.lower()}s (so 0 to {size - 1} are possible)."
                    yield Problem(message, place(well))
            if position in seen and None not in position:
                yield Problem(f"Two wells stand at Row = {position[0]}, Column = {position[1]}.", place(well))
            seen.add(position)


@rule(
    "ome.image-in-two-wells",
    severity="warning",
    title="Every image is of one well.",
    why="An image that two wells show was taken in one of them: what is measured in it is counted for both.",
    fix="Correct ImageRef of the WellSample elements.",
    source=f"{SCHEMA}#WellSample",
    needs="ome-xml",
    applies=lambda subject: any(True for _ in elements(subject, "WellSample")),
)
def _two_wells(subject: Subject) -> Iterator[Problem]:
    first: dict[tuple[etree._Element | None, str], etree._Element] = {}
    for sample in elements(subject, "WellSample"):
        for ref in children(sample, "ImageRef"):
            well = sample.getparent()
            plate = well.getparent() if well is not None else None
            before = first.setdefault((plate, ref.get("ID", "")), sample)
            if before is not sample:
                yield Problem(f"The image {shorten(ref.get('ID', ''))} is a field of two wells, or twice of one.", place(sample))


@rule(
    "ome.roi-out-of-range",
    severity="warning",
    title="Drawings lie on planes that there are.",
    why="A drawing on a plane beyond the last is never seen, and measurements leave it out.",
    fix="Correct TheZ, TheC and TheT of the shape (counted from 0), or remove it. It often happens when a stack was cropped.",
    source=f"{SCHEMA}#Shape",
    needs="ome-xml",
    applies=lambda subject: any(True for _ in elements(subject, "ROIRef")),
)
def _roi_range(subject: Subject) -> Iterator[Problem]:
    drawn = {roi.get("ID"): roi for roi in elements(subject, "ROI")}
    for image in elements(subject, "Image"):
        pixels = next(children(image, "Pixels"), None)
        if pixels is None:
            continue
        sizes = {axis: whole_number(pixels.get(f"Size{axis}")) for axis in "ZCT"}
        for ref in children(image, "ROIRef"):
            roi = drawn.get(ref.get("ID"))
            for shape in roi.iter("{*}*") if roi is not None else ():
                for axis, size in sizes.items():
                    at = whole_number(shape.get(f"The{axis}"))
                    if at is not None and size is not None and not 0 <= at < size:
                        message = f"A {local_name(shape)} lies at The{axis} = {at}, but its image has Size{axis} {size}."
                        yield Problem(message, place(shape), series_of(pixels))


_NEEDED: Final = (
    ("DimensionOrder",),
    ("Type", "PixelType"),
    ("SizeX",),
    ("SizeY",),
    ("SizeZ",),
    ("SizeC",),
    ("SizeT",),
)
_OLD_ORDERS: Final = frozenset({"XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC"})


@rule(
    "ome.pixels-incomplete",
    severity="error",
    title="Every image says its sizes, the type of its pixels and the order of its planes.",
    why="Without them the pixels cannot be told apart, and every program guesses in its own way.",
    fix="Write the file again with the software that made it, or enter what is missing.",
    source=f"{SCHEMA}#Pixels",
    needs="ome-xml",
    applies=root_is_parsed,
)
def _incomplete(subject: Subject) -> Iterator[Problem]:
    """OME-XML of all years demands these; what of them is wrong in OME-XML of 2016-06 its schema says."""
    from ..ome_xml import NAMESPACE

    if subject.ome.root.tag == f"{{{NAMESPACE}}}OME":
        return
    for image in elements(subject, "Image"):
        if image.getparent() is not None and next(children(image, "Pixels"), None) is None:
            yield Problem("An Image has no Pixels.", place(image), series_of(image))
    for pixels in elements(subject, "Pixels"):
        for names in _NEEDED:
            value = next((pixels.get(name) for name in names if pixels.get(name)), None)
            size = whole_number(value)
            if value is None:
                yield Problem(f"Pixels lacks its attribute {names[0]}.", place(pixels), series_of(pixels))
            elif names[0].startswith("Size") and (size is None or size < 1):
                yield Problem(f"{names[0]} of Pixels is “{shorten(value)}”, which is no number above zero.", place(pixels), series_of(pixels))
            elif names[0] == "DimensionOrder" and value not in _OLD_ORDERS:
                yield Problem(f"DimensionOrder of Pixels is “{shorten(value)}”, which is none.", place(pixels), series_of(pixels))
