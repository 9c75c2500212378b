"""Structured annotations of OME-XML: key-value pairs, Modulo, original metadata, and the notes this suite leaves.

Original metadata are written in the way Bio-Formats reads them: an ``XMLAnnotation`` in its namespace whose one
``OriginalMetadata`` holds ``Key`` and ``Value`` in turn. (Bio-Formats itself writes one annotation for each pair, which
takes five times the space; several ``OriginalMetadata`` side by side it fails to parse.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast

from lxml import etree

from ..image import MapAnnotation, Modulo, TilePosition
from .ome_xml import MODULO_NAMESPACE, Values, all_text, children, first_child, local_name, new, number_text, put, xml_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Pairs = tuple[tuple[str, str], ...]

ORIGINAL: Final = "openmicroscopy.org/OriginalMetadata"
MODULO: Final = "openmicroscopy.org/omero/dimension/modulo"
PYRAMID: Final = "openmicroscopy.org/PyramidResolution"
"""Describes the pyramid of the file it was written in, and no copy of it."""
NOTES: Final = "lightmicroscopy/notes"
"""What the OME schema has no place for: values its enumerations do not know, colours nobody chose, a falling z."""
TILES: Final = "lightmicroscopy/mosaic-tiles"

_FIELDS_OF_A_TILE = 4


class Annotations:
    """The annotations of one document, by their ids."""

    def __init__(self, root: etree._Element) -> None:
        found = [child for group in children(root, "StructuredAnnotations") for child in children(group) if child.get("ID") is not None]
        # Of several with one id the first counts.
        self.by_id = {child.get("ID", ""): child for child in reversed(found)}
        self._in_order = [child for child in found if self.by_id[child.get("ID", "")] is child]
        self.referenced = {ref.get("ID") for ref in root.iter("{*}AnnotationRef", "AnnotationRef")}

    def of(self, element: etree._Element) -> list[etree._Element]:
        """Return the annotations an element refers to, in its order."""
        return [self.by_id[ref.get("ID", "")] for ref in children(element, "AnnotationRef") if ref.get("ID") in self.by_id]

    @property
    def unreferenced(self) -> list[etree._Element]:
        """Annotations nothing refers to: they belong to the document."""
        return [annotation for annotation in self._in_order if annotation.get("ID") not in self.referenced]


def is_original(annotation: etree._Element) -> bool:
    """Whether an annotation holds original metadata as Bio-Formats writes them."""
    return local_name(annotation) == "XMLAnnotation" and (annotation.get("Namespace") or "").strip() == ORIGINAL


def is_modulo(annotation: etree._Element) -> bool:
    """Whether an annotation describes dimensions folded into C, Z or T."""
    if local_name(annotation) != "XMLAnnotation":
        return False
    return (annotation.get("Namespace") or "").strip().lower().endswith("modulo") or first_child(
        first_child(annotation, "Value"), "Modulo"
    ) is not None


def is_ours(annotation: etree._Element) -> bool:
    """Whether an annotation is one this suite makes anew whenever it writes."""
    return local_name(annotation) == "MapAnnotation" and (annotation.get("Namespace") or "") in (NOTES, TILES)


def read_map(annotation: etree._Element) -> MapAnnotation | None:
    """Read key-value pairs; None if the annotation is of another kind."""
    if local_name(annotation) != "MapAnnotation":
        return None
    value = first_child(annotation, "Value")
    pairs = tuple((item.get("K", ""), "".join(str(part) for part in item.itertext())) for item in children(value, "M"))
    return MapAnnotation(annotation.get("Namespace") or "", pairs)


def read_original(annotations: Iterable[etree._Element]) -> Pairs:
    """Read the (key, value) pairs of original metadata, in the order of the document."""
    pairs = []
    for annotation in annotations:
        if not is_original(annotation):
            continue
        for original in annotation.iter("{*}OriginalMetadata", "OriginalMetadata"):
            keys = [all_text(key) or "" for key in children(original, "Key")]
            values = [all_text(value) or "" for value in children(original, "Value")]
            pairs += list(zip(keys, values, strict=False))
    return tuple(pairs)


def read_modulo(annotation: etree._Element, values: Values) -> tuple[Modulo, ...]:
    """Read folded dimensions."""
    found = []
    for name in ("ModuloAlongZ", "ModuloAlongC", "ModuloAlongT"):
        for element in annotation.iter("{*}" + name, name):
            found.append(
                Modulo(
                    along=cast("Literal['C', 'Z', 'T']", name[-1]),
                    type=values.text(element, "Type") or "other",
                    start=values.number(element, "Start"),
                    end=values.number(element, "End"),
                    step=values.number(element, "Step"),
                    unit=values.text(element, "Unit"),
                    labels=tuple(all_text(label) or "" for label in children(element, "Label")),
                    description=values.text(element, "TypeDescription"),
                )
            )
    return tuple(found)


def read_tiles(annotation: MapAnnotation) -> tuple[TilePosition, ...]:
    """Read the tile positions this suite noted; unreadable ones are left out."""
    tiles = []
    for order, place in annotation.pairs:
        numbers = place.split(",")
        if len(numbers) == _FIELDS_OF_A_TILE and all(text.strip().lstrip("-").isdigit() for text in (order, *numbers)):
            x, y, width, height = (int(number) for number in numbers)
            tiles.append(TilePosition(x, y, width, height, int(order)))
    return tuple(tiles)


def tiles_annotation(tiles: Sequence[TilePosition]) -> MapAnnotation:
    """Note tile positions as painting order → ``x,y,width,height`` in pixels."""
    return MapAnnotation(TILES, tuple((str(tile.order), f"{tile.x},{tile.y},{tile.width},{tile.height}") for tile in tiles))


def build_map(annotation: MapAnnotation) -> etree._Element:
    """Make a ``MapAnnotation`` element, its id still to be set."""
    element = new("MapAnnotation", [("Namespace", annotation.namespace or None)])
    value = etree.SubElement(element, new("Value").tag)
    for key, text in annotation.pairs:
        value.append(new("M", [("K", key)], text))
    return element


def build_modulo(modulo: Sequence[Modulo]) -> etree._Element:
    """Make the ``XMLAnnotation`` that describes folded dimensions, its id still to be set."""
    element = new("XMLAnnotation", [("Namespace", MODULO)])
    # In a namespace of its own: among OME's elements its labels would pass for ROIs.
    body = etree.Element(f"{{{MODULO_NAMESPACE}}}Modulo", nsmap=cast("dict[str, str]", {None: MODULO_NAMESPACE}))
    body.set("namespace", MODULO_NAMESPACE)
    value = new("Value")
    value.append(body)
    element.append(value)
    for dimension in sorted(modulo, key=lambda item: "ZCT".index(item.along)):
        along = etree.SubElement(body, f"{{{MODULO_NAMESPACE}}}ModuloAlong{dimension.along}")
        put(along, "Type", dimension.type)
        put(along, "TypeDescription", dimension.description)
        for name, number in (("Start", dimension.start), ("End", dimension.end), ("Step", dimension.step)):
            put(along, name, None if number is None else _plain(number))
        put(along, "Unit", dimension.unit)
        for label in dimension.labels:
            etree.SubElement(along, f"{{{MODULO_NAMESPACE}}}Label").text = xml_text(label)
    return element


def build_original(pairs: Pairs) -> etree._Element:
    """Make one ``XMLAnnotation`` of original metadata, its id still to be set."""
    element = new("XMLAnnotation", [("Namespace", ORIGINAL)])
    value, original = new("Value"), new("OriginalMetadata")
    element.append(value)
    value.append(original)
    for key, text in pairs:
        original.append(new("Key", text=key))
        original.append(new("Value", text=text))
    return element


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else number_text(number)
