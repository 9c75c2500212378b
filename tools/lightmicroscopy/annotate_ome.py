"""Annotating the OME-XML of a dataset, wherever it is kept."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from . import __version__
from .errors import UnwritableError
from .image import MapAnnotation
from .metadata.ome_edit import Meant, OmeEditor
from .metadata.ome_repair import repair
from .metadata.ome_schema import raw_errors
from .metadata.ome_xml import NAMESPACE, SCHEMA_LOCATION, children, copy_as_2016
from .metadata.safe_xml import parse_xml

if TYPE_CHECKING:
    from lxml import etree

    from .image import Dataset
    from .metadata.changes import SeriesChanges

ANNOTATED: Final = "lightmicroscopy/annotated"
"""Namespace of the map annotation that says what was annotated and where the values came from."""
CONVERT: Final = "Convert it with Convert microscopy images, and annotate that."
"""What is left to a user whose file cannot be annotated as it is."""
_LOCATION: Final = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
_UUIDS: Final = uuid.UUID("b0f58c64-2c9e-4f7f-8f57-0d3a5d6c7e21")
"""Namespace of the UUIDs of annotated files."""


@dataclass(frozen=True, slots=True)
class Record:
    """Where values come from: a sheet, its checksum, and when they were written."""

    sheet: str
    checksum: str
    date: str

    def annotation(self, source: str, changed: list[str]) -> MapAnnotation:
        """Make the annotation of one series."""
        pairs = [
            ("Source", source),
            ("Sheet", self.sheet),
            *([("Sheet SHA-256", self.checksum)] if self.checksum else []),
            *(("Changed", name) for name in changed),
            ("Software", f"Galaxy light microscopy suite {__version__}"),
            ("Date", self.date),
        ]
        return MapAnnotation(ANNOTATED, tuple(pairs))


@dataclass(frozen=True)
class Edited:
    """A document whose values were set.

    Attributes
    ----------
    changed
        By series, what was not so already.
    losses
        What could not be kept of a document of an older or invalid kind.
    """

    root: etree._Element
    changed: Mapping[int, list[str]]
    losses: tuple[str, ...] = ()

    @property
    def is_changed(self) -> bool:
        """Whether anything was set."""
        return any(self.changed.values())


def edit_ome(xml: bytes, dataset: Dataset, wanted: Mapping[int, SeriesChanges], name: str, places: Mapping[int, int]) -> Edited:
    """Set values in an OME-XML document.

    Parameters
    ----------
    xml
        The document, as stored.
    dataset
        What it describes.
    wanted
        What is to be set, by series.
    name
        What errors call the file.
    places
        Which image of the document each series is.

    Raises
    ------
    UnwritableError
        If the document is none that could be changed.
    """
    root = parse_xml(xml, name)
    losses: tuple[str, ...] = ()
    if not str(root.tag).startswith(f"{{{NAMESPACE}}}"):
        root = copy_as_2016(root)
        root.set(_LOCATION, SCHEMA_LOCATION)
    elements = list(children(root, "Image"))
    if any(places[series] >= len(elements) for series in wanted):
        raise UnwritableError(f"The OME-XML of {name} describes fewer images than there are. {CONVERT}")
    images = {image.series: image for image in dataset.images}
    order = sorted(wanted)
    meant = [Meant(elements[places[series]], wanted[series], images[series].shape.c, images[series].shape.s) for series in order]
    changed = dict(zip(order, OmeEditor(root).edit(meant), strict=True))
    if raw_errors(root):
        valid, losses = repair(root)
        if not valid:
            raise UnwritableError(f"The OME-XML of {name} does not keep to its schema and cannot be made to ({raw_errors(root)[0][1]}). {CONVERT}")
    return Edited(root, changed, losses)


def add_record(edited: Edited, record: Record, source: str, changed: Mapping[int, list[str]], places: Mapping[int, int]) -> None:
    """Attach to every image that was changed where its values come from."""
    editor, elements = OmeEditor(edited.root), list(children(edited.root, "Image"))
    for series in sorted(changed):
        if changed[series]:
            editor.attach([elements[places[series]]], record.annotation(source, changed[series]))


def places_of(dataset: Dataset) -> dict[int, int]:
    """Which image of its OME-XML each series of a dataset is.

    Raises
    ------
    UnwritableError
        If one is described by none.
    """
    # Held, since the identity of an element is its own only as long as somebody has it.
    elements = list(children(dataset.ome, "Image"))
    numbers = {id(element): number for number, element in enumerate(elements)}
    places = {}
    for image in dataset.images:
        number = numbers.get(id(image.metadata.element))
        if number is None:
            raise UnwritableError(f"The OME-XML of {dataset.location.name} does not describe its series {image.series}. {CONVERT}")
        places[image.series] = number
    return places


def serialise(root: etree._Element) -> bytes:
    """Write a document as it is stored."""
    from lxml import etree

    # UTF-8 as it is: Bio-Formats (7.3.1) takes a character reference for text and loses the whole metadata.
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(root.getroottree(), encoding="utf-8", xml_declaration=False)


def new_uuid(old: str, content: bytes) -> str:
    """UUID of a file that was made of another one: it follows from that and from the new description, so that runs can be repeated."""
    return uuid.uuid5(_UUIDS, f"{old}\n{hashlib.sha256(content).hexdigest()}").urn
