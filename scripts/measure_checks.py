#!/usr/bin/env python3
"""Measure how long `lm_check` takes, and how much memory, for metadata of growing size; writes docs/check-speed.md.

Three inputs: OME-XML with a Plane and a TiffData element for each plane; OME-Zarr plates; many OME-TIFF files. Each size is checked in a
process of its own. Time is that of the processor, since others may be at work on the machine; memory is the largest resident set. The last column
is the exponent of growth from the size before: 1 is in proportion, 2 is with the square.

Usage: ``python scripts/measure_checks.py [--quick]``
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

PAGE = ROOT / "docs" / "check-speed.md"
PLANES = (1250, 2500, 5000, 10_000, 20_000)
PLATES = ((6, 8, 2), (8, 12, 4), (16, 24, 3), (16, 24, 9))
TIFFS = (125, 250, 500, 1000)
HEAD = """# How long a check takes

This page is written by `scripts/measure_checks.py`. Each size is checked by a process of its own, all rules of the profile open-format, start of the
program included; seconds are those of the processor, memory is the largest resident set. The last two columns are the exponents of growth from the
row before: 1 is in proportion to the size, 2 with its square.
"""
NS = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def ome_xml(planes: int, *, pages: bool) -> str:
    """OME-XML of one image with so many planes, in 5 slices and 2 channels."""
    times = planes // 10
    data, described = [], []
    for index in range(planes):
        z, c, t = index % 5, index // 5 % 2, index // 10
        data.append(f'<TiffData IFD="{index if pages else 0}" FirstZ="{z}" FirstC="{c}" FirstT="{t}" PlaneCount="1"/>')
        described.append(
            f'<Plane TheZ="{z}" TheC="{c}" TheT="{t}" DeltaT="{t * 2.0 + c * 0.1}" ExposureTime="0.05" PositionX="{index}.5" PositionY="3.25"/>'
        )
    channels = '<Channel ID="Channel:0:0" Name="DAPI" Color="65535"/><Channel ID="Channel:0:1" Name="GFP" Color="16711935"/>'
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="{NS}"><Image ID="Image:0" Name="cells">'
        "<AcquisitionDate>2024-05-06T07:08:09</AcquisitionDate>"
        f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="32" SizeY="24" SizeZ="5" SizeC="2" SizeT="{times}" PhysicalSizeX="0.3" '
        f'PhysicalSizeY="0.3" PhysicalSizeZ="0.5" TimeIncrement="2">{channels}{"".join(data)}{"".join(described)}</Pixels></Image></OME>'
    )


def of_planes(folder: Path, planes: int) -> list[Path]:
    """One OME-XML document."""
    path = folder / "large.ome.xml"
    path.write_text(ome_xml(planes, pages=True), encoding="utf-8")
    return [path]


def of_wrong_planes(folder: Path, planes: int) -> list[Path]:
    """One OME-XML document in which every plane is wrong twice."""
    path = folder / "wrong.ome.xml"
    wrong = ome_xml(planes, pages=True).replace('TheZ="', 'TheZ="9').replace('ExposureTime="0.05"', 'ExposureTime="x"')
    path.write_text(wrong, encoding="utf-8")
    return [path]


def of_plate(folder: Path, size: tuple[int, int, int]) -> list[Path]:
    """One plate of so many rows, columns and fields, each of 2 channels and 64 × 64 pixels at 2 levels."""
    import numpy as np
    import zarr

    rows, columns, fields = size
    store = folder / "plate.ome.zarr"
    names = [chr(ord("A") + row) for row in range(rows)]
    wells = [{"path": f"{name}/{column + 1}", "rowIndex": row, "columnIndex": column} for row, name in enumerate(names) for column in range(columns)]
    plate = {"name": "plate", "version": "0.4", "field_count": fields, "acquisitions": [{"id": 0, "maximumfieldcount": fields}], "wells": wells}
    plate |= {"rows": [{"name": name} for name in names], "columns": [{"name": f"{column + 1}"} for column in range(columns)]}
    write_group(store, {"plate": plate})
    pixels = (np.arange(2 * 64 * 64).reshape(1, 2, 1, 64, 64) % 1000).astype("uint16")
    first = folder / "field"
    write_group(first, {"multiscales": [_multiscale()], "omero": _omero()})
    for level, data in enumerate((pixels, pixels[..., ::2, ::2])):
        array = zarr.create_array(
            first / str(level),
            shape=data.shape,
            chunks=data.shape,
            dtype=data.dtype,
            zarr_format=2,
            chunk_key_encoding={"name": "v2", "separator": "/"},
        )
        array[...] = data
    content = {path.relative_to(first): path.read_bytes() for path in first.rglob("*") if path.is_file()}
    for well in wells:
        write_group(
            store / str(well["path"]), {"well": {"version": "0.4", "images": [{"path": f"{field}", "acquisition": 0} for field in range(fields)]}}
        )
        for field in range(fields):
            for name, data in content.items():
                path = store / str(well["path"]) / str(field) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    return [store]


def write_group(folder: Path, attributes: dict[str, object]) -> None:
    """A group of Zarr v2."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".zgroup").write_text('{"zarr_format": 2}')
    (folder / ".zattrs").write_text(json.dumps(attributes))


def _multiscale() -> dict[str, object]:
    kinds = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}
    axes = [{"name": name, "type": kind} | ({"unit": "micrometer"} if kind == "space" else {}) for name, kind in kinds.items()]
    levels = [
        {"path": str(level), "coordinateTransformations": [{"type": "scale", "scale": [1, 1, 1, 0.5 * 2**level, 0.5 * 2**level]}]}
        for level in range(2)
    ]
    return {"version": "0.4", "name": "field", "axes": axes, "datasets": levels, "type": "nearest", "metadata": {"method": "first pixel"}}


def _omero() -> dict[str, object]:
    window = {"min": 0, "max": 65535, "start": 0, "end": 1000}
    return {"channels": [{"label": name, "color": color, "window": window} for name, color in (("DAPI", "0000FF"), ("GFP", "00FF00"))]}


def of_tiffs(folder: Path, count: int) -> list[Path]:
    """So many OME-TIFF files of ten planes each."""
    import numpy as np
    import tifffile

    xml = ome_xml(10, pages=True).encode()
    first = folder / "image_0000.ome.tiff"
    tifffile.imwrite(first, np.zeros((10, 24, 32), np.uint16), description=xml, metadata=None, photometric="minisblack")
    data = first.read_bytes()
    paths = [folder / f"image_{number:04d}.ome.tiff" for number in range(count)]
    for path in paths[1:]:
        path.write_bytes(data)
    return paths


def measured(paths: list[Path]) -> tuple[float, float, int]:
    """Seconds of the processor, MiB at most, and findings, of a check in a process of its own."""
    ran = subprocess.run([sys.executable, __file__, "--one", *paths], capture_output=True, text=True, check=True)
    seconds, memory, found = json.loads(ran.stdout)
    return float(seconds), float(memory), int(found)


def one(paths: list[Path]) -> None:
    """Check, and say what it took."""
    from lightmicroscopy.metadata.check import check

    report = check(paths)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, len(report.findings)]))


def rows(title: str, sizes: Iterator[tuple[str, float, Callable[[Path], list[Path]]]]) -> Iterator[str]:
    """Lines of a table, measured one after another."""
    yield f"\n## {title}\n\n| size | seconds | MiB | findings | growth of time | growth of memory |\n|---|--:|--:|--:|--:|--:|\n"
    before: tuple[float, float, float] | None = None
    for name, size, make in sizes:
        with TemporaryDirectory() as folder:
            seconds, memory, found = measured(make(Path(folder)))
        growth = ["", ""]
        if before is not None:
            growth = [f"{math.log(now / last) / math.log(size / before[0]):.2f}" for now, last in ((seconds, before[1]), (memory, before[2]))]
        before = (size, seconds, memory)
        line = f"| {name} | {seconds:.1f} | {memory:.0f} | {found} | {growth[0]} | {growth[1]} |\n"
        print(line, end="", file=sys.stderr)
        yield line


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only the smaller sizes, and nothing is written")
    parser.add_argument("--one", nargs="+", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one)
        return
    planes, plates, tiffs = (sizes[:-1] if options.quick else sizes for sizes in (PLANES, PLATES, TIFFS))
    text = [HEAD]
    text += rows("OME-XML", ((f"{count:,} planes", count, lambda folder, count=count: of_planes(folder, count)) for count in planes))
    wrong = ((f"{count:,} planes", count, lambda folder, count=count: of_wrong_planes(folder, count)) for count in planes)
    text += rows("OME-XML in which every plane is wrong twice", wrong)
    text += rows(
        "OME-Zarr plates",
        ((f"{r * c} wells × {f} fields", r * c * f, lambda folder, size=(r, c, f): of_plate(folder, size)) for r, c, f in plates),
    )
    text += rows("OME-TIFF files", ((f"{count:,} files of 10 planes", count, lambda folder, count=count: of_tiffs(folder, count)) for count in tiffs))
    if not options.quick:
        PAGE.write_text("".join(text), encoding="utf-8")
        print(PAGE)


if __name__ == "__main__":
    main()
