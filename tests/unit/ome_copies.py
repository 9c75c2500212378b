"""OME-XML written and read again in tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from lxml import etree

from lightmicroscopy.image import (
    Dataset,
    Image,
    ImageMetadata,
    Location,
)
from lightmicroscopy.metadata.ome_read import OmeDocument, read_ome
from lightmicroscopy.metadata.ome_schema import schema_errors
from lightmicroscopy.metadata.ome_write import build_ome

from .ome_examples import NS, images_of

O = f"{{{NS}}}"  # noqa: E741 - stands for OME in paths


def build(*images: Image, storage: Any = "ome-tiff", **options: Any) -> etree._Element:
    """Build, check that the result is valid and free of character references, and parse it."""
    options.setdefault("source", None)
    data = build_ome(images, storage=storage, **options)
    assert schema_errors(data) == []
    assert dangling(etree.fromstring(data)) == []
    assert b"&#" not in data
    assert data.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert data.endswith(b"</OME>")
    return etree.fromstring(data)


def dangling(root: etree._Element) -> list[str]:
    """Ids that are referred to and not there; the schema does not see those of ROIs."""
    references = {element for element in root.iter() if etree.QName(element).localname.endswith(("Ref", "Settings", "Pump"))}
    there = {element.get("ID") for element in root.iter() if element not in references}
    return [str(element.get("ID")) for element in references if element.get("ID") is not None and element.get("ID") not in there]


def again(*images: Image, **options: Any) -> OmeDocument:
    return read_ome(etree.tostring(build(*images, **options)), "again")


def metadata_again(made: Image, **options: Any) -> ImageMetadata:
    return replace(again(made, **options).images[0].metadata, element=None)


def source_of(read: OmeDocument) -> Dataset:
    return Dataset(Location(Path("x.ome.tiff")), "OME-TIFF", tuple(images_of(read)), plates=read.plates, ome=read.root)
