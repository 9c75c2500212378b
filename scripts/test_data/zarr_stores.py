"""OME-Zarr stores of versions 0.1 to 0.5, and their zips."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np

from .drawing import Array, cells, half, stack
from .ome_documents import PIXEL_SIZE, STEP, cells_xml
from .zarr_arrays import Encoded, array_v2, array_v3, dumps

AXES = [
    {"name": "t", "type": "time"},
    {"name": "c", "type": "channel"},
    {"name": "z", "type": "space", "unit": "micrometer"},
    {"name": "y", "type": "space", "unit": "micrometer"},
    {"name": "x", "type": "space", "unit": "micrometer"},
]


def multiscales(name: str, levels: int, version: str) -> list[dict[str, Any]]:
    """The ``multiscales`` block in the words of that version."""
    datasets: list[dict[str, Any]] = []
    for level in range(levels):
        factor = 2**level
        transform = [
            {"type": "scale", "scale": [1.0, 1.0, STEP, PIXEL_SIZE * factor, PIXEL_SIZE * factor]},
            {"type": "translation", "translation": [0.0, 0.0, 0.0, PIXEL_SIZE * (factor - 1) / 2, PIXEL_SIZE * (factor - 1) / 2]},
        ]
        datasets.append({"path": str(level), "coordinateTransformations": transform if level else transform[:1]})
    if version in {"0.1", "0.2", "0.3"}:
        datasets = [{"path": dataset["path"]} for dataset in datasets]
    block: dict[str, Any] = {"name": name, "datasets": datasets, "type": "mean"}
    if version == "0.3":
        block["axes"] = list("tczyx")
    if version in {"0.4", "0.5"}:
        block["axes"] = AXES
    return [block if version == "0.5" else {"version": version, **block}]


OMERO = {
    "channels": [
        {"label": "DAPI", "color": "0000FF", "active": True, "window": {"min": 0, "max": 65535, "start": 100, "end": 3000}},
        {"label": "GFP", "color": "00FF00", "active": True, "window": {"min": 0, "max": 65535, "start": 100, "end": 2500}},
    ],
    "rdefs": {"defaultT": 0, "defaultZ": 1, "model": "color"},
}


def group(path: str, attributes: dict[str, Any], version: str) -> list[Encoded]:
    """A group with its attributes, wrapped as that version wants them."""
    prefix = f"{path}/" if path else ""
    if version == "0.5":
        wrapped = {"ome": {"version": "0.5", **attributes}} if attributes else {}
        return [(f"{prefix}zarr.json", dumps({"zarr_format": 3, "node_type": "group", "attributes": wrapped}))]
    stored = [(f"{prefix}.zgroup", dumps({"zarr_format": 2}))]
    return [*stored, (f"{prefix}.zattrs", dumps(attributes))] if attributes else stored


def image_group(
    path: str, image: Array, name: str, version: str, *, extra: dict[str, Any] | None = None, label: bool = False, levels: int = 2
) -> list[Encoded]:
    """A multiscale image (T, C, Z, Y, X) at a path of the store."""
    stored = group(path, {"multiscales": multiscales(name, levels, version), **(extra or {})}, version)
    prefix = f"{path}/" if path else ""
    for level in range(levels):
        where = f"{prefix}{level}"
        stored += array_v3(where, image, sharded=not label) if version == "0.5" else array_v2(where, image, version)
        image = half(image, label)
    return stored


def cells_store(version: str) -> list[Encoded]:
    """The image of `cells.ome.tiff` as an OME-Zarr of that version; 0.4 carries a label map, 0.4 and 0.5 their OME-XML."""
    image, labels = stack()
    stored = image_group("", image[None], "cells", version, extra={"omero": OMERO})
    if version in {"0.4", "0.5"}:
        metadata = cells_xml("<MetadataOnly/>")
        stored += [*group("OME", {}, version), ("OME/METADATA.ome.xml", metadata)]
    if version == "0.4":
        values = [int(value) for value in np.unique(labels)[1:]]
        colours_of = [{"label-value": value, "rgba": [37 * value % 256, 91 * value % 256, 200, 255]} for value in values]
        description = {"image-label": {"version": version, "colors": colours_of, "source": {"image": "../../"}}}
        stored += group("labels", {"labels": ["nuclei"]}, version)
        stored += image_group("labels/nuclei", labels[None, None], "nuclei", version, extra=description, label=True)
    return stored


def plate_store() -> list[Encoded]:
    """A plate of two rows and two columns, two fields in each well."""
    names = ("A/1", "A/2", "B/1", "B/2")
    plate = {
        "version": "0.4",
        "name": "plate",
        "rows": [{"name": "A"}, {"name": "B"}],
        "columns": [{"name": "1"}, {"name": "2"}],
        "wells": [{"path": path, "rowIndex": number // 2, "columnIndex": number % 2} for number, path in enumerate(names)],
        "acquisitions": [{"id": 0, "name": "run 1", "maximumfieldcount": 2}],
        "field_count": 2,
    }
    stored = group("", {"plate": plate}, "0.4")
    for row in "AB":
        stored += group(row, {}, "0.4")
    for number, path in enumerate(names):
        fields = [{"path": str(field), "acquisition": 0} for field in range(2)]
        stored += group(path, {"well": {"version": "0.4", "images": fields}}, "0.4")
        for field in range(2):
            nuclei, bodies, _ = cells(1, 32, 40, seed=100 + 2 * number + field, spacing=16)
            image = np.stack([nuclei, bodies])[None]
            stored += image_group(f"{path}/{field}", image, f"{path} field {field}", "0.4", extra={"omero": OMERO}, levels=1)
    return stored


def zipped(stored: list[Encoded]) -> bytes:
    """A zip whose root is the root of the store; stored, since chunks are compressed already."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in stored:
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, content)
    return buffer.getvalue()
