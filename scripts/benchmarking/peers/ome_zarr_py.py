"""Convert an OME-TIFF with ome-zarr-py, which is a library and has no converter: read by tifffile, lazily, and written with dask.

Usage: ``python ome_zarr_py.py IN.ome.tiff OUT.ome.zarr LEVELS``
"""

from __future__ import annotations

import sys

import dask.array
import tifffile
from ome_zarr.scale import Methods
from ome_zarr.writer import write_image

CHUNK = 512


def main(source: str, target: str, levels: str) -> None:
    """Write every level in chunks of one plane, each level means of 2 × 2, as the other programs are asked to."""
    with tifffile.TiffFile(source) as tiff:
        pixels = tifffile.xml2dict(tiff.ome_metadata or "")["OME"]["Image"]["Pixels"]
        scale = {axis: float(pixels[f"PhysicalSize{axis.upper()}"]) for axis in "zyx"}
        image = dask.array.from_zarr(tifffile.imread(source, aszarr=True, chunkmode="page"))
        write_image(
            image.rechunk((1, 1, 1, CHUNK, CHUNK)),
            target,
            axes="tczyx",
            scale={"t": 1.0, "c": 1.0, **scale},
            axes_units=dict.fromkeys("zyx", "micrometer"),
            scale_factors=[2**level for level in range(1, int(levels))],
            method=Methods.LOCAL_MEAN,
            storage_options={"chunks": (1, 1, 1, CHUNK, CHUNK)},
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
