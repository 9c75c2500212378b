"""An Imaris file, written with h5py: stacks padded to whole chunks, and a smaller level."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from .compression import deflated
from .drawing import cells
from .drawn import Drawn
from .ims_parts import write_ims

COLOURS = {"DAPI": "0.000 0.000 1.000", "GFP": "0.000 1.000 0.000"}


def draw() -> tuple[Drawn, ...]:
    """Two channels of three planes whose sizes are no whole chunks."""
    pixels = np.stack(cells(3, 60, 90, seed=61, spacing=24)[:2])[np.newaxis]
    return (Drawn("Drawn cells", pixels, (0.25, 0.25, 1.5), tuple(COLOURS), (pixels[..., ::2, ::2],)),)


def pyramid(drawn: tuple[Drawn, ...]) -> bytes:
    """Both levels, in a file of the oldest version of HDF5, as Imaris writes it and every program reads it."""
    (image,) = drawn
    described = {"Name": image.name or "", "Unit": "um", "RecordingDate": "2026-03-02 10:15:00.000"}
    described |= {f"ExtMin{number}": "0" for number in range(3)}
    for number, size in enumerate(image.pixel_size):
        described[f"ExtMax{number}"] = f"{image.pixels.shape[-1 - number] * (size or 0):.6f}"
    info = {"Image": described} | {f"Channel {number}": {"Name": name, "Color": color} for number, (name, color) in enumerate(COLOURS.items())}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "made.ims")
        write_ims(path, image.pixels, info, chunk=(4, 32, 32), times=["2026-03-02 10:15:00.000"], libver="earliest", deflate=deflated)
        return path.read_bytes()
