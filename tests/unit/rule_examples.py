"""An input for every rule that makes it speak, and no rule besides that is not meant to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image as Pillow

from lightmicroscopy.image import Channel, ImageMetadata
from lightmicroscopy.metadata import ngff
from lightmicroscopy.provenance import NAMESPACE as OURS

from .check_examples import GOOD_CHANNELS, GOOD_PIXELS, INSTRUMENT, ome_xml, two_channels
from .zarr_stores import OME_XML, Files, array_store, edited, folder, group, halved, image_of, image_store, plate_store, several, waves

SHAPE = (2, 2, 3, 37, 50)
FOUR = image_store(waves(SHAPE), "0.4") | {"OME/METADATA.ome.xml": OME_XML}
FIVE = image_store(waves(SHAPE), "0.5") | {"OME/METADATA.ome.xml": OME_XML}
UUIDS = tuple(f"urn:uuid:00000000-0000-4000-8000-00000000000{number}" for number in range(3))
PAGE = np.zeros((24, 32), np.uint16)
Make = Callable[[Path], list[Path]]


@dataclass(frozen=True)
class Example:
    """An input of one rule, what it is told, and the other rules that must speak of it too, each for its own reason."""

    rule: str
    situation: str
    make: Make
    words: str
    also: tuple[str, ...] = ()
    stops_others: bool = False
    """Whether other rules cannot run for it, and say so."""


def tiff(pages: int = 1, *, name: str = "cells.ome.tif", pixels: Any = None, options: dict[str, Any] | None = None, **xml: Any) -> Make:
    """An OME-TIFF of good metadata but for what is given."""

    def make(path: Path) -> list[Path]:
        text = xml.pop("text", None) or ome_xml(**xml)
        data = np.zeros((pages, 24, 32), np.uint16) if pixels is None else pixels
        description = text.encode("ascii", "xmlcharrefreplace")
        tifffile.imwrite(path / name, data, description=description, metadata=None, photometric="minisblack", **(options or {}))
        return [path / name]

    return make


def pyramid(page: Any, *levels: Any, subfiletype: int = 1, uneven: bool = False, inside: str = "", after: str = "", dtype: str = "uint16") -> Make:
    """An OME-TIFF whose planes have smaller versions."""
    height, width = page.shape
    planes = 2 if uneven else 1
    text = ome_xml(sizes=(planes, 1, 1), size_x=width, type_=dtype, after=after).replace('SizeY="24"', f'SizeY="{height}"')
    text = text.replace("</Pixels></Image>", f"</Pixels>{inside}</Image>")

    def make(path: Path) -> list[Path]:
        with tifffile.TiffWriter(path / "pyramid.ome.tif") as file:
            for plane in range(planes):
                own = levels if not (uneven and plane) else ()
                file.write(page, subifds=len(own), description=text.encode() if not plane else None, metadata=None, photometric="minisblack")
                for level in own:
                    file.write(level, subfiletype=subfiletype, metadata=None, photometric="minisblack")
        return [path / "pyramid.ome.tif"]

    return make


def bare(name: str = "cells.ome.xml", **xml: Any) -> Make:
    """OME-XML without pixels."""

    def make(path: Path) -> list[Path]:
        (path / name).write_text(ome_xml(**{"data": "<MetadataOnly/>", **xml}), encoding="utf-8")
        return [path / name]

    return make


def zarr(files: Files) -> Make:
    """A store of those files."""
    return lambda path: [folder(files, path / "cells.ome.zarr")]


def changed(change: Callable[[Any], object], files: Files = FOUR, key: str = ".zattrs") -> Make:
    """A store of which one file was changed."""
    return zarr(edited(files, key, change))


def first(change: Callable[[dict[str, Any]], object]) -> Make:
    """The sound store with its first multiscale changed."""
    return changed(lambda value: change(value["multiscales"][0]))


def channel(**change: Any) -> Make:
    """The sound store with its first channel changed."""
    return changed(lambda value: value["omero"]["channels"][0].update(change))


def plate(change: Callable[[dict[str, Any]], object]) -> Make:
    """A plate with its list of wells changed."""
    return changed(lambda value: change(value["plate"]), PLATE)


def well(change: Callable[[dict[str, Any]], object]) -> Make:
    """A plate with one well's list of fields changed."""
    return changed(lambda value: change(value["well"]), PLATE, "B/7/.zattrs")


def labelled(**options: Any) -> Files:
    """The sound store with a label map."""
    labels = (waves((2, 1, 3, 37, 50)) // 200).astype(options.pop("dtype", "uint16"))
    made = image_of(labels, kind="label", label_of=0, name="nuclei")
    nuclei = image_store(labels, "0.4", path="labels/nuclei", image=made, **options)
    return FOUR | group("labels", ngff.labels_attributes(["nuclei"], "0.4"), "0.4") | nuclei


def label(change: Callable[[dict[str, Any]], object]) -> Make:
    """A label map whose attributes are changed."""
    return changed(change, labelled(), "labels/nuclei/.zattrs")


PLATE = plate_store("0.4")
SEVERAL = several("0.4", ["0", "1"])
INDEXED = np.random.default_rng(3).integers(0, 65535, (3, 256), np.uint16)
BASES: dict[str, Make] = {
    "OME-TIFF": tiff(),
    "OME-XML": bare(),
    "OME-Zarr": zarr(FOUR),
    "label map": zarr(labelled()),
    "plate": zarr(PLATE),
    "several": zarr(SEVERAL),
}
"""Sound inputs; what they are told (that a store has no objective, say) is no news of an example either."""


def picture(name: str, **options: Any) -> Make:
    """A picture as a camera or a screen would save it."""

    def make(path: Path) -> list[Path]:
        data = np.random.default_rng(1).integers(0, 255, (32, 40, 3), np.uint8)
        Pillow.fromarray(data.astype(np.uint8)).save(path / name, **options)
        return [path / name]

    return make


def plain(name: str = "plain.tif", data: Any = PAGE, **options: Any) -> Make:
    """A TIFF that is no OME-TIFF."""

    def make(path: Path) -> list[Path]:
        tifffile.imwrite(path / name, data, metadata=None, **options)
        return [path / name]

    return make


def tiff_set(*, uuids: tuple[str, str] = (UUIDS[0], UUIDS[1]), second_x: int = 32, second: str | None = None) -> Make:
    """Two files of one set, each with the description of both."""
    data = "".join(
        f'<TiffData IFD="0" FirstZ="{z}" PlaneCount="1"><UUID FileName="z{z}.ome.tif">{uuid}</UUID></TiffData>'
        for z, uuid in enumerate((UUIDS[0], UUIDS[1]))
    )

    def make(path: Path) -> list[Path]:
        for z, uuid in enumerate(uuids):
            text = ome_xml(sizes=(2, 1, 1), data=data, size_x=second_x if z else 32).replace("<OME ", f'<OME UUID="{uuid}" ')
            text = second if second is not None and z else text
            tifffile.imwrite(path / f"z{z}.ome.tif", PAGE, description=text.encode(), metadata=None, photometric="minisblack")
        return [path / "z0.ome.tif", path / "z1.ome.tif"]

    return make


def modulo(inside: str = '<ModuloAlongT Type="lifetime" Start="0" Step="100" End="100"/>', *, times: int = 2, namespace: str = "") -> Make:
    """An OME-TIFF in which lifetimes are folded into T."""
    found = namespace or "openmicroscopy.org/omero/dimension/modulo"
    content = f'<Modulo namespace="http://www.openmicroscopy.org/Schemas/Additions/2011-09" xmlns="x">{inside}</Modulo>'
    annotation = f'<XMLAnnotation ID="Annotation:0" Namespace="{found}"><Value>{content}</Value></XMLAnnotation>'
    after = f"<StructuredAnnotations>{annotation}</StructuredAnnotations>"
    text = ome_xml(sizes=(1, 1, times), after=after).replace("</Pixels></Image>", '</Pixels><AnnotationRef ID="Annotation:0"/></Image>')
    return tiff(times, text=text)


def on_plate(wells: str) -> Make:
    """OME-XML of one image in a plate of two rows and three columns."""
    return bare(before=f'<Plate ID="Plate:0" Rows="2" Columns="3">{wells}</Plate>{INSTRUMENT}')


def one_well(position: str = 'Row="0" Column="0"', *, number: int = 0, image: str = '<ImageRef ID="Image:0"/>') -> str:
    """A Well element with one field."""
    return f'<Well ID="Well:{number}" {position}><WellSample ID="WellSample:{number}" Index="{number}">{image}</WellSample></Well>'


def planes(*deltas: float, increment: str = "", **more: Any) -> Make:
    """A movie whose planes were taken at those seconds."""
    listed = "".join(f'<Plane TheZ="0" TheC="0" TheT="{t}" DeltaT="{delta}"/>' for t, delta in enumerate(deltas))
    sizes = f'PhysicalSizeX="0.325" PhysicalSizeY="0.325" {increment}'
    return tiff(
        len(deltas), sizes=(1, 1, len(deltas)), pixels=None, text=ome_xml(sizes=(1, 1, len(deltas)), pixels=sizes, data=f"<TiffData/>{listed}")
    )


def several_with(change: Callable[[dict[str, Any]], object], key: str = "OME/.zattrs") -> Make:
    """A store of several series with one file changed."""
    return changed(change, SEVERAL, key)


def converted(kept: str, more: str = "") -> str:
    """OME-XML with what this suite records of the source."""
    pairs = f'<M K="Source">{kept}</M>{more}'
    after = (
        f'<StructuredAnnotations><MapAnnotation ID="Annotation:0" Namespace="{OURS}"><Value>{pairs}</Value></MapAnnotation></StructuredAnnotations>'
    )
    return ome_xml(after=after).replace("</Pixels></Image>", '</Pixels><AnnotationRef ID="Annotation:0"/></Image>')


def without_pixel_size(files: Files = FOUR) -> Files:
    """A store of which nobody knows how large a pixel is."""
    named = tuple(Channel(name=name, color=(number + 1) << 16 | 0xFF) for number, name in enumerate(("DAPI", "GFP")))
    made = image_store(waves(SHAPE), "0.4", image=image_of(waves(SHAPE), metadata=ImageMetadata(channels=named)))
    return files | {name: data for name, data in made.items() if name == ".zattrs"}


def dotted() -> Files:
    """The sound store with all chunks of a level in one folder."""
    files = {
        (f"{name[0]}/{name[2:].replace('/', '.')}" if name[:2] in {"0/", "1/"} and ".z" not in name else name): data for name, data in FOUR.items()
    }
    for level in "01":
        files = edited(files, f"{level}/.zarray", lambda value: value.update(dimension_separator="."))
    return files


__all__ = ["GOOD_CHANNELS", "GOOD_PIXELS", "INDEXED", "array_store", "halved", "two_channels"]
