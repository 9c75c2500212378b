"""A Nikon ND2 built byte by byte: positions of a stage, at each of which a stack was taken."""

from __future__ import annotations

import numpy as np

from .drawing import cells
from .drawn import Drawn
from .nd2_parts import Nd2, plane, points, stack, tree

PLACES = [(100.0, -200.0, "left"), (350.0, -200.0, "right")]
COLOURS = {"DAPI": 0xFF0000, "GFP": 0x00FF00}
"""As blue, green, red."""


def draw() -> tuple[Drawn, ...]:
    """Two positions of three planes and two channels each."""
    fields = [np.stack(cells(3, 48, 64, seed=seed, spacing=20)[:2])[np.newaxis] for seed in (51, 52)]
    return tuple(Drawn(name, field, (0.25, 0.25, 0.5), tuple(COLOURS)) for (_, _, name), field in zip(PLACES, fields, strict=True))


def positions(drawn: tuple[Drawn, ...]) -> bytes:
    """Frames of all positions, one after the other, their channels side by side in each pixel."""
    frames = np.concatenate([image.pixels[0].transpose(1, 2, 3, 0) for image in drawn])
    planes = [plane(name, color=color, index=index) for index, (name, color) in enumerate(COLOURS.items())]
    size, _, step = drawn[0].pixel_size
    # Bio-Formats looks for the pixel size in a chunk of its own, other programs beside the channels.
    calibration = (b"ImageCalibrationLV|0!", tree({"SLxCalibration": {"dCalibration": size, "dAspect": 1.0, "bValid": True}}))
    made = Nd2(
        frames,
        points(PLACES, inner=stack(3, step=step or 0)),
        planes=planes,
        picture={"dCalibration": size},
        significant=12,
        more=[calibration],
    )
    return made.bytes()
