"""Inputs that make each rule on OME-Zarr speak."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from lightmicroscopy.provenance import NAMESPACE as OURS

from .rule_examples import (
    FIVE,
    FOUR,
    PLATE,
    Example,
    array_store,
    changed,
    channel,
    dotted,
    first,
    halved,
    label,
    labelled,
    plate,
    several_with,
    well,
    without_pixel_size,
    zarr,
)
from .zarr_stores import OME_XML, image_of, image_store, waves


def _collected(path: Path) -> list[Path]:
    """A store with a collected copy of its metadata, made before the last change."""
    (store,) = zarr(FOUR)(path)
    stale = json.loads(FOUR[".zattrs"])
    stale["omero"]["channels"][0]["label"] = "an old name"
    (store / ".zmetadata").write_text(json.dumps({"zarr_consolidated_format": 1, "metadata": {".zattrs": stale}}))
    return [store]


def _nothing_but(files: dict[str, bytes], *kept: str) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if not name.startswith("0/") or name in kept}


def _labels(change: Any) -> Any:
    return changed(change, labelled(), "labels/.zattrs")


def _rdefs(**change: Any) -> Any:
    return changed(lambda value: value["omero"]["rdefs"].update(change))


def _beyond_bits() -> Any:
    """A copy of a source that states 12 bits, with values beyond them."""
    kept = b"""</Pixels><AnnotationRef ID="Annotation:0"/></Image><StructuredAnnotations><MapAnnotation ID="Annotation:0" Namespace="%s"><Value>
<M K="Source">camera.czi</M></Value></MapAnnotation></StructuredAnnotations></OME>"""
    xml = OME_XML.replace(b"</Pixels></Image></OME>", kept % OURS.encode())
    window = {"min": 0, "max": 5000, "start": 0, "end": 5000}
    return changed(lambda value: value["omero"]["channels"][0].update(window=window), FOUR | {"OME/METADATA.ome.xml": xml})


def _averaged() -> dict[str, bytes]:
    labels = np.random.default_rng(2).integers(0, 2, (2, 1, 3, 37, 50), "uint16") * 1000
    image = image_of(labels, kind="label", label_of=0, name="nuclei")
    return labelled() | image_store(labels, "0.4", path="labels/nuclei", image=image) | array_store(halved(labels), "labels/nuclei/1", "0.4")


STORES = (
    Example(
        "ngff.personal-data", "a folder in the attributes", first(lambda item: item["metadata"].update(source="/home/ada/cells.czi")), "/home/ada/"
    ),
    Example(
        "ngff.channel-count",
        "a channel too few",
        changed(lambda value: value["omero"]["channels"].pop()),
        "describes 1",
        ("source.reader-note", "ome.channel-name-missing"),
    ),
    Example("ngff.channel-color", "a number sign", channel(color="#00FF00"), "not as RRGGBB"),
    Example("ngff.channel-label", "no label", channel(label=""), "has no label"),
    Example("ngff.channel-form", "a word for true", channel(active="yes"), "no true or false"),
    Example("ngff.window", "the range of 8 bits", channel(window={"min": 0, "max": 255, "start": 0, "end": 255}), "range of 8-bit pixels"),
    Example("ngff.significant-bits", "bits stated too low", _beyond_bits(), "need 13"),
    Example(
        "ngff.label-list",
        "a list that is none",
        _labels(lambda value: value.update(labels="nuclei")),
        "no list of names",
        ("ngff.structure", "source.reader-note", "ngff.unlisted"),
    ),
    Example("ngff.label-undeclared", "nothing says that it is one", label(lambda value: value.pop("image-label")), "no 'image-label'"),
    Example(
        "ngff.label-source",
        "its image is not there",
        label(lambda value: value["image-label"]["source"].update(image="../../../x/")),
        "outside of the store",
    ),
    Example(
        "ngff.label-source",
        "its image is another",
        label(lambda value: value["image-label"]["source"].update(image="../../7/")),
        "where there is none",
    ),
    Example(
        "ngff.label-levels",
        "one level too few",
        label(lambda value: value["multiscales"][0]["datasets"].pop()),
        "but its image has 2",
        ("ngff.unlisted",),
    ),
    Example(
        "ngff.label-extent",
        "another pixel size",
        label(lambda value: [item["coordinateTransformations"][0]["scale"].__setitem__(4, 9) for item in value["multiscales"][0]["datasets"]]),
        "long along x",
        ("ngff.pyramid-scales", "source.reader-note"),
    ),
    Example(
        "ngff.label-colors",
        "two colours of one label",
        label(lambda value: value["image-label"].update(colors=[{"label-value": 1, "rgba": [0, 0, 0, 9]}, {"label-value": 1, "rgba": [1, 0, 0, 9]}])),
        "several 'colors'",
        ("ngff.structure", "source.reader-note"),
    ),
    Example("ngff.version-newer", "0.6", first(lambda item: item.update(version="0.6")), "newer than 0.5", ("input.unreadable",)),
    Example("ngff.version-mixed", "omero of another version", changed(lambda value: value["omero"].update(version="0.5")), "by omero.version"),
    Example(
        "ngff.two-zarr-versions",
        "two kinds of Zarr in one folder",
        zarr(FIVE | {".zattrs": b"{}", ".zgroup": b'{"zarr_format": 2}'}),
        "both zarr.json",
    ),
    Example("ngff.json", "a byte order mark", zarr(FOUR | {".zattrs": b"\xef\xbb\xbf" + FOUR[".zattrs"]}), "byte order mark"),
    Example("ngff.json", "UTF-16", zarr(FOUR | {".zattrs": FOUR[".zattrs"].decode().encode("utf-16")}), "not in UTF-8"),
    Example("ngff.json", "NaN", zarr(FOUR | {".zattrs": FOUR[".zattrs"].replace(b"{", b'{"mean": NaN, ', 1)}), "have NaN"),
    Example("ngff.json", "a key twice", zarr(FOUR | {".zattrs": FOUR[".zattrs"].replace(b"{", b'{"omero": {}, ', 1)}), "“omero” twice"),
    Example("ngff.consolidated-stale", "a copy of old metadata", _collected, "other attributes in the collected"),
    Example("ngff.series-list", "a list that is none", several_with(lambda value: value.update(series="0")), "no list of paths"),
    Example(
        "ngff.listed-twice",
        "a field twice",
        well(lambda value: value["images"].append({"path": "0", "acquisition": 5})),
        "lists the field “0” 2 times",
        ("ngff.structure", "ngff.plate-field-count"),
    ),
    Example("ngff.unlisted", "a series in no list", several_with(lambda value: value.update(series=["0"])), "no list leads to it"),
    Example("ngff.multiscale-unsaid", "a number for a name", first(lambda item: item.update(name=5)), "is 5, which is no text"),
    Example("ngff.multiscale-unsaid", "an image without a name", first(lambda item: item.pop("name")), "does not say its name"),
    Example("ngff.rendering", "a plane beyond the last", _rdefs(defaultZ=30), "defaultZ 30"),
    Example("ngff.plate-wells", "another row", plate(lambda value: value["wells"][0].update(rowIndex=3)), "has rowIndex 3"),
    Example("ngff.plate-names", "a and A", plate(lambda value: value["rows"].append({"name": "a"})), "A and a"),
    Example("ngff.plate-row-group", "a plain folder", zarr({name: data for name, data in PLATE.items() if name != "B/.zgroup"}), "The row B has no"),
    Example("ngff.plate-field-count", "more fields than there are", plate(lambda value: value.update(field_count=9)), "the most there are"),
    Example(
        "ngff.plate-times",
        "a time far in the future",
        plate(lambda value: value["acquisitions"][0].update(starttime=1 << 45)),
        "no second since 1970",
    ),
    Example("ngff.well-acquisition", "another run", well(lambda value: value["images"][0].update(acquisition=77)), "of the acquisition 77"),
    Example(
        "ngff.well-empty", "no fields", well(lambda value: value.update(images=[])), "lists no field", ("ngff.unlisted", "ngff.plate-field-count")
    ),
    Example(
        "ngff.pyramid-shapes",
        "a level as large as the first",
        zarr({name: data for name, data in FOUR.items() if name[:2] != "1/"} | array_store(waves((2, 2, 3, 37, 50)), "1", "0.4")),
        "not smaller than",
        ("ngff.pyramid-scales", "source.reader-note"),
    ),
    Example(
        "ngff.pyramid-scales",
        "a scale of four times",
        first(lambda item: item["datasets"][1]["coordinateTransformations"][0]["scale"].__setitem__(4, 2.0)),
        "4 times that of level 0",
        ("source.reader-note",),
    ),
    Example(
        "ngff.pyramid-content", "an empty level", zarr(FOUR | array_store(halved(waves((2, 2, 3, 37, 50))) * 0, "1", "0.4")), "shows something else"
    ),
    Example("ngff.label-averaged", "labels averaged", zarr(_averaged()), "labels at level 1"),
    Example("ngff.chunk-damaged", "rubbish", zarr(FOUR | {"0/0/0/0/0/0": b"x"}), "0/0/0/0/0/0", stops_others=True),
    Example("ngff.chunks-missing", "no chunk at all", zarr(_nothing_but(FOUR, "0/.zarray")), "has none of its", ("ngff.pyramid-content",)),
    Example(
        "ngff.structure", "no path", first(lambda item: item["datasets"][1].pop("path")), "path is missing", ("input.unreadable", "ngff.unlisted")
    ),
    Example("ngff.version", "0.4-dev", first(lambda item: item.update(version="0.4-dev")), "0.4-dev", ("ngff.structure",)),
    Example(
        "ngff.axes",
        "an axis of the wrong type",
        first(lambda item: item["axes"][1].update(type="space")),
        "where channel is meant",
        ("ngff.structure",),
    ),
    Example("ngff.units", "no unit", first(lambda item: item["axes"][4].pop("unit")), "no unit", ("ome.pixel-size-unequal",)),
    Example("ngff.units", "nobody knows the size", zarr(without_pixel_size()), "not known"),
    Example(
        "ngff.scale",
        "no size",
        first(lambda item: item["datasets"][0]["coordinateTransformations"][0]["scale"].__setitem__(4, 0)),
        "scale 0 along x",
        ("source.reader-note", "ome.pixel-size-unequal"),
    ),
    Example("ngff.label-type", "labels that are no whole numbers", zarr(labelled(dtype="float32")), "float32"),
    Example(
        "ngff.listed-missing",
        "a series that is not there",
        several_with(lambda value: value.update(series=["0", "7"])),
        "series 7",
        ("ngff.unlisted",),
    ),
    Example("ngff.chunk-separator", "dots", zarr(dotted()), "by a dot"),
    Example(
        "ngff.ome-xml-missing", "no OME-XML", zarr({name: data for name, data in FOUR.items() if not name.startswith("OME/")}), "METADATA.ome.xml"
    ),
    Example(
        "ngff.ome-xml-disagrees",
        "another size",
        zarr(FOUR | {"OME/METADATA.ome.xml": OME_XML.replace(b'SizeX="50"', b'SizeX="51"')}),
        "the arrays are right",
    ),
)
