"""Writing OME-XML of 2016-06.

The dataclasses decide; the source's own tree, where there is one, supplies what they do not say, together with all it
refers to. The result is validated before it is returned: what the schema does not allow of the carried parts is taken
out, and told.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal
from uuid import UUID

from lxml import etree

from .. import __version__
from ..errors import UnwritableError
from .ome_annotations import (
    MODULO,
    PYRAMID,
    Annotations,
    Pairs,
    build_map,
    build_modulo,
    build_original,
    is_modulo,
    is_original,
    is_ours,
    read_map,
    read_modulo,
    tiles_annotation,
)
from .ome_carry import Carrier
from .ome_image import ImageBuilder, Storage
from .ome_instrument import build_instrument
from .ome_notes import Notes
from .ome_plates import PlateBuilder
from .ome_private import scrub_element, scrub_map, scrub_pairs, scrub_text
from .ome_repair import repair
from .ome_rois import build_roi, read_roi
from .ome_schema import raw_errors
from .ome_types import OME_TYPES, ome_pixel_type
from .ome_xml import NSMAP, SCHEMA_LOCATION, Values, children, copy_as_2016, first_child, local_name, new, ome, put

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from ..image import Dataset, Image, Instrument, MapAnnotation, Plate, Roi

__all__ = ["OME_TYPES", "build_ome", "build_ome_with_losses", "ome_pixel_type"]

Original = Literal["keep", "scrub", "drop"]

_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_NSMAP: Final = {**NSMAP, "xsi": _XSI}
_ORDER: Final = (
    "Project",
    "Dataset",
    "Folder",
    "Experiment",
    "Plate",
    "Screen",
    "Experimenter",
    "ExperimenterGroup",
    "Instrument",
    "Image",
    "Annotation",
    "ROI",
)


def build_ome(
    images: Sequence[Image],
    *,
    storage: Storage,
    source: Dataset | None,
    original: Original = "keep",
    provenance: Sequence[MapAnnotation] = (),
    file_name: str | None = None,
    uuid: str | None = None,
    plates: Sequence[Plate] = (),
) -> bytes:
    """Write OME-XML for images.

    Parameters
    ----------
    images
        What is written, in the order of the output. Selections are already in their shapes and metadata.
    storage
        ``ome-tiff``: the planes are IFDs 0, 1, 2 … with z fastest, then c, then t. ``ome-zarr``: the pixels are
        elsewhere, and samples are channels.
    source
        Where the images come from, for its plates.
    original
        What becomes of original metadata: kept, kept without personal data, or left out. With ``scrub``, people, e-mail
        addresses and folders are also taken out of everything carried along.
    provenance
        Attached to every image.
    file_name, uuid
        Of the OME-TIFF. Without a UUID none is written.
    plates
        Plates the images belong to, by `Image.series`; those of `source` if empty.

    Returns
    -------
    bytes
        Valid against the schema; UTF-8 without character references.

    Raises
    ------
    UnwritableError
        If OME has no such pixel type.
    """
    return build_ome_with_losses(
        images, storage=storage, source=source, original=original, provenance=provenance, file_name=file_name, uuid=uuid, plates=plates
    )[0]


def build_ome_with_losses(
    images: Sequence[Image],
    *,
    storage: Storage,
    source: Dataset | None,
    original: Original = "keep",
    provenance: Sequence[MapAnnotation] = (),
    file_name: str | None = None,
    uuid: str | None = None,
    plates: Sequence[Plate] = (),
) -> tuple[bytes, tuple[str, ...]]:
    """Write OME-XML as `build_ome` does, and say what of the source's metadata could not be written.

    Returns
    -------
    bytes
        The document.
    tuple of str
        One sentence for each loss.
    """
    plates = tuple(plates) or (source.plates if source is not None else ())
    tree = _source_root(images, source)
    of_one_tree = tuple(image if _root(image) is tree else _without_element(image) for image in images)
    document = _Document(of_one_tree, storage, tree, original, tuple(provenance), file_name, _urn(uuid), plates)
    root = document.build()
    valid, repaired = repair(root)
    losses = [*document.losses, *repaired]
    if not valid:
        # Whatever the source's tree holds, the output must be valid: its own parts are left behind.
        document = _Document(
            tuple(_without_element(image) for image in images), storage, None, original, tuple(provenance), file_name, _urn(uuid), plates
        )
        root = document.build()
        losses = [*document.losses, "What the source's OME-XML says beyond the fields of this suite could not be made valid and was left out."]
        errors = raw_errors(root)
        if errors:
            raise UnwritableError(
                f"The metadata of {images[0].name!r} cannot be written as valid OME-XML: {errors[0][1]}. Please report this with the file."
            )
    document.add_planes()
    return _serialise(root), tuple(dict.fromkeys(losses))


def _source_root(images: Sequence[Image], source: Dataset | None) -> etree._Element | None:
    found = next((root for image in images if (root := _root(image)) is not None), None)
    return source.ome if found is None and source is not None else found


def _root(image: Image) -> etree._Element | None:
    return None if image.metadata.element is None else image.metadata.element.getroottree().getroot()


def _without_element(image: Image) -> Image:
    return replace(image, metadata=replace(image.metadata, element=None))


def _without_personal_texts(image: Image) -> Image:
    metadata = image.metadata
    description = None if metadata.description is None else scrub_text(metadata.description)
    return replace(image, name=scrub_text(image.name), metadata=replace(metadata, description=description))


def _urn(uuid: str | None) -> str | None:
    """Write a UUID as the schema wants it."""
    return None if uuid is None else f"urn:uuid:{UUID(uuid.removeprefix('urn:uuid:'))}"


def _serialise(root: etree._Element) -> bytes:
    etree.cleanup_namespaces(root, top_nsmap=_NSMAP)
    # UTF-8 as it is and no character references: Bio-Formats (7.3.1) takes "&#181;" for text and loses the whole metadata.
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(root, encoding="utf-8", xml_declaration=False)


@dataclass
class _Document:
    """One output document while it is built."""

    images: tuple[Image, ...]
    storage: Storage
    source: etree._Element | None
    original: Original
    provenance: tuple[MapAnnotation, ...]
    file_name: str | None
    uuid: str | None
    plates: tuple[Plate, ...]
    losses: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scrub = self.original == "scrub"
        if self.scrub:
            self.images = tuple(_without_personal_texts(image) for image in self.images)
        self.carrier = Carrier(self.source, scrub=self.scrub)
        self.annotations = None if self.source is None else Annotations(self.source)
        self.alone = len(list(children(self.source, "Image"))) == 1
        self.builders: list[tuple[ImageBuilder, etree._Element]] = []
        self._instruments: dict[Instrument, tuple[str, dict[tuple[str, str], str], Notes]] = {}
        self._made: dict[Hashable, str] = {}

    def build(self) -> etree._Element:
        """Build everything but the planes."""
        for number, image in enumerate(self.images):
            if image.metadata.element is not None:
                self.carrier.ids.setdefault(("Image", image.metadata.element.get("ID", "")), f"Image:{number}")
        ifd = 0
        elements = []
        for number, image in enumerate(self.images):
            elements.append(self._image(number, image, ifd))
            ifd += image.shape.planes
        plates = PlateBuilder(self.plates, self.images, self.source, self.carrier).build()
        self.carrier.carry_containers()
        self._document_annotations()
        self.carrier.settle()
        root = etree.Element(ome("OME"), nsmap=_NSMAP)
        root.set(f"{{{_XSI}}}schemaLocation", SCHEMA_LOCATION)
        put(root, "UUID", self.uuid)
        put(root, "Creator", f"Galaxy light microscopy suite {__version__}")
        self._rights(root)
        placed = self.carrier.placed | {"Image": elements, "Plate": plates}
        for kind in _ORDER:
            group = placed.get(kind, [])
            if kind == "Annotation" and group:
                holder = new("StructuredAnnotations")
                holder.extend(group)
                group = [holder]
            root.extend(group)
        return root

    def add_planes(self) -> None:
        """Add the planes, which are valid by construction and many."""
        for builder, element in self.builders:
            pixels = first_child(element, "Pixels")
            if pixels is not None:
                pixels.extend(builder.plane_elements())

    def _image(self, number: int, image: Image, ifd: int) -> etree._Element:
        metadata = image.metadata
        identifier, parts, instrument_notes = self._instrument(metadata.instrument)
        notes = Notes()
        notes.pairs += instrument_notes.pairs
        builder = ImageBuilder(image, number, self.storage, self.carrier, identifier, parts, notes, self.losses)
        rois = self._rois(image)
        element = builder.build(rois, self._tiff_data(image, ifd))
        # The notes are complete only now.
        for annotation in self._image_annotations(image, notes):
            element.append(new("AnnotationRef", [("ID", annotation)]))
        self.builders.append((builder, element))
        return element

    def _tiff_data(self, image: Image, ifd: int) -> etree._Element | None:
        if self.storage != "ome-tiff":
            return None
        block = new("TiffData")
        for name, value in (("IFD", ifd), ("FirstZ", 0), ("FirstC", 0), ("FirstT", 0), ("PlaneCount", image.shape.planes)):
            put(block, name, value)
        if self.uuid is not None:
            block.append(new("UUID", [("FileName", self.file_name)], self.uuid))
        return block

    def _instrument(self, instrument: Instrument | None) -> tuple[str | None, dict[tuple[str, str], str], Notes]:
        if instrument is None:
            return None, {}, Notes()
        if instrument in self._instruments:
            return self._instruments[instrument]
        notes = Notes()
        like = self.carrier.source_of("Instrument", instrument.id)
        copied = None if like is None else copy_as_2016(like)
        element = build_instrument(instrument, copied, notes)
        parts = self.carrier.number_instrument(element)
        result = (element.get("ID", ""), parts, notes)
        self._instruments[instrument] = result
        return result

    def _rois(self, image: Image) -> list[str]:
        metadata = image.metadata
        refs = [ref.get("ID", "") for ref in children(metadata.element, "ROIRef")]
        if not refs and metadata.element is not None and self.alone:
            refs = [roi.get("ID", "") for roi in children(self.source, "ROI")]
        owners = [owner for ref in refs if (owner := self.carrier.source_of("ROI", ref)) is not None]
        sources = [(found, owner) for owner in owners if (found := read_roi(owner, Values())) is not None]
        in_place = len(sources) == len(metadata.rois)
        identifiers = []
        for index, roi in enumerate(metadata.rois):
            like = sources[index] if in_place else next((pair for pair in sources if pair[0] == roi), None)
            carried = self.carrier.carry("ROI", like[1].get("ID", "")) if like is not None and like[0] == roi else None
            identifiers.append(carried or self._new_roi(roi, None if like is None else like[1]))
        return identifiers

    def _new_roi(self, roi: Roi, like: etree._Element | None) -> str:
        element = build_roi(roi, None if like is None else copy_as_2016(like))
        identifier = self.carrier.place(element)
        for shape in children(first_child(element, "Union")):
            shape.set("ID", self.carrier.new_id("Shape"))
        if self.scrub:
            scrub_element(element)
        self.carrier.fix(element)
        return identifier

    def _image_annotations(self, image: Image, notes: Notes) -> list[str]:
        metadata = image.metadata
        wanted = list(metadata.annotations)
        found: list[str | None] = []
        own = self.annotations.of(metadata.element) if self.annotations is not None and metadata.element is not None else []
        modulo = [annotation for annotation in own if is_modulo(annotation)]
        kept_modulo = tuple(item for annotation in modulo for item in read_modulo(annotation, Values())) == metadata.modulo
        for annotation in own:
            if is_original(annotation) or is_ours(annotation) or (annotation.get("Namespace") or "") == PYRAMID:
                continue
            pairs = read_map(annotation)
            if pairs is not None:
                if pairs not in wanted:
                    continue
                wanted.remove(pairs)
            if annotation not in modulo or kept_modulo:
                # tifffile looks for folded dimensions in the first annotation of an image only.
                found.insert(0 if annotation in modulo else len(found), self.carrier.carry("Annotation", annotation.get("ID", "")))
        found += [self._map(scrub_map(annotation) if self.scrub else annotation) for annotation in wanted]
        if metadata.modulo and not (modulo and kept_modulo):
            found.insert(0, self._once((MODULO, metadata.modulo), lambda: build_modulo(metadata.modulo)))
        if metadata.tiles:
            found.append(self._map(tiles_annotation(metadata.tiles)))
        note = notes.annotation()
        found += [self._map(annotation) for annotation in (*self.provenance, *([note] if note else []))]
        pairs_kept = self._original_pairs(metadata.original)
        if pairs_kept:
            found.append(self._once(("original", pairs_kept), lambda: build_original(pairs_kept)))
        return [identifier for identifier in dict.fromkeys(found) if identifier is not None]

    def _original_pairs(self, pairs: Pairs) -> Pairs:
        if self.original == "drop":
            return ()
        return scrub_pairs(pairs) if self.scrub else pairs

    def _map(self, annotation: MapAnnotation) -> str | None:
        return self._once(annotation, lambda: build_map(annotation))

    def _once(self, key: Hashable, make: Callable[[], etree._Element]) -> str:
        """Make an annotation unless an equal one was made for another image."""
        if key not in self._made:
            self._made[key] = self.carrier.place(make())
        return self._made[key]

    def _document_annotations(self) -> None:
        """Carry annotations that nothing refers to: they are about the whole document."""
        if self.annotations is None or self.source is None:
            return
        for annotation in self.annotations.unreferenced:
            is_about_image = self.alone and (is_modulo(annotation) or local_name(annotation) == "MapAnnotation")
            if not (is_original(annotation) or is_ours(annotation) or is_about_image or (annotation.get("Namespace") or "") == PYRAMID):
                self.carrier.carry("Annotation", annotation.get("ID", ""))

    def _rights(self, root: etree._Element) -> None:
        rights = first_child(self.source, "Rights")
        if rights is not None:
            root.append(copy_as_2016(rights))
