"""Which OME-Zarr stores lie where in the public object store."""

from __future__ import annotations

import functools

from .idr0062 import PIXEL
from .seeds import Labels, Nuclei
from .zarr import Packing, Pyramid, Tree, Version, image_tree

CELLS = 61  # of 6001240, as its label map's colours say
MICROMETER = dict.fromkeys("zyx", "micrometer")
BLASTOCYST = (("LaminB1", "0000FF"), ("Dapi", "FFFF00"))
ACINI = (("Oct6", "FF0000"), ("LaminB1", "00FF00"), ("Dapi", "0000FF"), ("gamma-tubulin", "FFFF00"))
ZSTD = Packing("blosc", "zstd")


def blastocyst(version: Version, seed: int, x: int, y: int, z: int, count: int) -> Tree:
    """Return an image of idr0062 with its label map, stored as the real ones are."""
    scale = (1.0, PIXEL[2].value, PIXEL[1].value, PIXEL[0].value)
    sizes = {"c": 2, "z": z, "y": y, "x": x}
    shard, chunk, packing = ((1, 10, 512, 512), (1, 1, 256, 256), ZSTD) if version == "0.5" else (None, (1, 1, 0, 0), Packing())
    image = Pyramid(Nuclei(seed, z, y, x, count), "czyx", sizes, scale, 3, MICROMETER, chunk, shard, packing, explicit=version == "0.4")
    label_packing = Packing("zstd", level=0) if version == "0.5" else Packing()
    labels = Pyramid(Labels(seed, z, y, x, count), "czyx", {**sizes, "c": 1}, scale, 3, MICROMETER, (1, 59, 69, 136), None, label_packing)
    return image_tree(version, image, BLASTOCYST, labels)


def first_version(seed: int, x: int, y: int, z: int, count: int, channels: tuple[tuple[str, str], ...] = BLASTOCYST, levels: int = 2) -> Tree:
    """Return an image of idr0062 as OME-Zarr 0.1: five axes without names or scales, and points in the keys of chunks."""
    sizes = {"t": 1, "c": len(channels), "z": z, "y": y, "x": x}
    return image_tree("0.1", Pyramid(Nuclei(seed, z, y, x, count), "tczyx", sizes, (1.0,) * 5, levels, dotted=True), channels)


@functools.cache
def stores() -> dict[str, Tree]:
    """Return every store by bucket and key."""
    from . import more_stores

    return {
        "idr/zarr/v0.4/idr0062A/6001240.zarr": blastocyst("0.4", 6001240, 271, 275, 236, CELLS),
        "idr/zarr/v0.5/idr0062A/6001240_labels.zarr": blastocyst("0.5", 6001240, 271, 275, 236, CELLS),
        "idr/zarr/v0.4/idr0062A/6001247.zarr": blastocyst("0.4", 6001247, 253, 210, 257, 40),
        "idr/zarr/v0.1/6001240.zarr": first_version(6001240, 271, 275, 236, CELLS),
        "idr/zarr/v0.1/6001238.zarr": first_version(6001238, 1024, 1024, 27, 30, ACINI, 4),
        "idr/zarr/v0.1/6001239.zarr": first_version(6001239, 1024, 1024, 36, 30, ACINI, 4),
        "idr/zarr/v0.1/6001251.zarr": first_version(6001251, 170, 163, 140, 6),
        **more_stores.stores(),
    }
