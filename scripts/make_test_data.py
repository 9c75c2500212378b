#!/usr/bin/env python3
"""Make every file in ``test-data/``: the same bytes on every run and every machine.

Usage: ``python scripts/make_test_data.py [--output test-data]``
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from test_data import documents, hdf5_file, lsm_file, pictures, rembi_sheets, sheet, tiff_files, vendor_files, zarr_stores
from test_data.drawing import colours, stack


def every_file() -> dict[str, bytes]:
    """All files by their path below the output folder."""
    image, _ = stack()
    files = {
        "cells.ome.tiff": tiff_files.cells_ome_tiff(),
        "two_series.ome.tiff": tiff_files.two_series(),
        "pyramid.ome.tiff": tiff_files.pyramid(),
        "big_endian.ome.tiff": tiff_files.big_endian(),
        "rgb.ome.tiff": tiff_files.colour_ome_tiff(),
        "float.ome.tiff": tiff_files.float_ome_tiff(),
        "imagej_stack.tif": tiff_files.imagej_stack(),
        "confocal.lsm": lsm_file.lsm(),
        "plain.h5": hdf5_file.hdf5(),
        **vendor_files.every_file(),
        "stack_copy.ome.tiff": tiff_files.copy_of_the_czi(),
        **tiff_files.companion_set(),
        "plain.tif": tiff_files.plain_tiff(),
        "white_is_zero.tif": tiff_files.white_is_zero(),
        "rgb.png": pictures.png(colours(60, 80, 18)),
        "grey16.png": pictures.png(image[0, 1]),
        "photo.jpg": pictures.photo(),
        "plate_04.ome.zarr.zip": zarr_stores.zipped(zarr_stores.plate_store()),
        "truncated.tif": tiff_files.truncated(),
        "wrong_metadata.ome.tiff": tiff_files.wrong_metadata(),
        "rembi_sheet.xlsx": rembi_sheets.filled(),
        "rembi_mistakes.tsv": rembi_sheets.mistaken(),
        "annotation_sheet.yaml": sheet.sheet(),
        "not_an_image.txt": b"These are words, not pixels.\n",
        **documents.every_file(),
    }
    for version in ("0.1", "0.2", "0.3", "0.4", "0.5"):
        files[f"cells_{version.replace('.', '')}.ome.zarr.zip"] = zarr_stores.zipped(zarr_stores.cells_store(version))
    files |= {f"cells_04.ome.zarr/{name}": content for name, content in zarr_stores.cells_store("0.4")}
    return files


def main(arguments: list[str] | None = None) -> int:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path(__file__).resolve().parents[1] / "test-data", help="folder to write into")
    output: Path = parser.parse_args(arguments).output
    if output.exists() and not output.is_dir():
        parser.error(f"{output} is there and is no folder. Give a folder to write into.")
    try:
        files = every_file()
    except ModuleNotFoundError as error:
        parser.error(f"{error.name} is needed to make these files; requirements/test.txt names what to install.")
    for name, content in files.items():
        path = output / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            parser.error(f"{path} cannot be written: {error.strerror}. Give a folder that you may write into.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
