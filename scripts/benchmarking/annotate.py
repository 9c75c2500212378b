"""Measure `lm_annotate` beside `cp` on the same file, in paired runs: what a copy with other metadata costs more than a copy.

The file is an OME-TIFF that another program wrote (tifffile), so that there is no room kept for a longer description. Every round copies it once
with each; the disk is told to finish in both. Start of Python and reading of the sheet are part of the suite's time.

Usage: ``python3 scripts/benchmark.py annotate --scratch DIR [--gigabytes 1 4] [--repeats 3]``
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .downloads import ROOT

SIDE = 2048
SHEET = "image:\n- image: {name}\n  pixel_size_x_um: '0.5'\n  pixel_size_y_um: '0.5'\n  channel_names: DNA\n"


def made(path: Path, gigabytes: float) -> Path:
    """Write an uncompressed OME-TIFF of so many gigabytes; one that is there already is kept."""
    import numpy as np
    import tifffile

    planes = max(1, round(gigabytes * 1e9 / (SIDE * SIDE * 2)))
    plane = np.random.default_rng(0).integers(0, 4000, (SIDE, SIDE), dtype="uint16")
    if not path.exists():
        with tifffile.TiffWriter(path, bigtiff=True, ome=True) as tiff:
            shape = (planes, SIDE, SIDE)
            tiff.write((np.roll(plane, number, 0) for number in range(planes)), shape=shape, dtype="uint16", metadata={"axes": "ZYX"})
    return path


def seconds(command: list[str], copy: Path) -> tuple[float, int]:
    """Run a command to its end on the disk; gives seconds and the peak of memory (MB) of what has been run so far."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with copy.open("rb") as stream:
        os.fsync(stream.fileno())
    return time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


def main(arguments: list[str] | None = None) -> int:
    """Measure annotated copies; prints a table."""
    parser = argparse.ArgumentParser(prog="benchmark.py annotate", description="Measure annotated copies.")
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "lightmicroscopy-annotate", help="folder for files and copies")
    parser.add_argument("--gigabytes", type=float, nargs="+", default=[1, 4], help="sizes of the file (default 1 4)")
    parser.add_argument("--repeats", type=int, default=3, help="rounds, in which both are run (default 3)")
    options = parser.parse_args(arguments)
    options.scratch.mkdir(parents=True, exist_ok=True)
    print("| GB | cp, s (median) | lm_annotate, s (median) | lm_annotate ÷ cp, of each round | MB |\n|---|---|---|---|---|")
    for gigabytes in options.gigabytes:
        path = made(options.scratch / f"{gigabytes:g}.ome.tiff", gigabytes)
        sheet = options.scratch / f"{gigabytes:g}.yaml"
        sheet.write_text(SHEET.format(name=path.name), encoding="utf-8")
        copied, output = options.scratch / "copied.ome.tiff", options.scratch / "annotated"
        annotate = [sys.executable, str(ROOT / "tools" / "lm_annotate.py"), str(path), "--sheet", str(sheet), "--output", str(output), "--quiet"]
        rounds, memory = [], 0
        for number in range(options.repeats + 1):
            # Which of them finds the disk at rest changes from round to round; each finds the other's copy gone.
            took: dict[str, float] = {}
            for name in ("cp", "lm_annotate") if number % 2 else ("lm_annotate", "cp"):
                copied.unlink(missing_ok=True)
                shutil.rmtree(output, ignore_errors=True)
                os.sync()
                if name == "cp":
                    took[name], _ = seconds(["cp", "--reflink=never", str(path), str(copied)], copied)
                else:
                    took[name], memory = seconds(annotate, output / path.name)
            if number:
                rounds.append((took["cp"], took["lm_annotate"]))
        ratios = ", ".join(f"{own / plain:.2f}" for plain, own in rounds)
        plain, own = (statistics.median(pair[index] for pair in rounds) for index in (0, 1))
        print(f"| {gigabytes:g} | {plain:.2f} | {own:.2f} | {ratios} | {memory} |", flush=True)
        copied.unlink(missing_ok=True)
        shutil.rmtree(output, ignore_errors=True)
        path.unlink()
    return 0
