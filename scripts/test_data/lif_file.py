"""A Leica LIF built byte by byte: the project of one session at a confocal microscope."""

from __future__ import annotations

import numpy as np

from .drawing import cells
from .drawn import Drawn
from .lif_parts import START, Made, lif, stamps

X, Y, Z, T = 1, 2, 3, 4
SECOND = 10_000_000
"""Of a FILETIME."""
CHANNELS = ("Leica/DAPI", "Leica/EGFP")
"""Entries of Leica's list of dyes."""
BANDS = {CHANNELS[0]: (420, 470), CHANNELS[1]: (500, 550)}
"""Nanometres that a detector lets through."""


def draw() -> tuple[Drawn, ...]:
    """A stack of two channels with 12 bits, and a time series of one channel with 8."""
    stack = np.stack(cells(3, 48, 64, seed=41, spacing=20)[:2])[np.newaxis]
    times = np.stack([cells(1, 40, 56, seed=seed, spacing=18)[0] for seed in (42, 43, 44, 45)])[:, np.newaxis]
    return (
        Drawn("Embryo stack", stack, (0.2, 0.2, 0.75), CHANNELS),
        Drawn("Embryo time series", (times // 16).astype(np.uint8), (0.4, 0.4, None), CHANNELS[1:]),
    )


def project(drawn: tuple[Drawn, ...]) -> bytes:
    """Both in one file."""
    stack, times = drawn
    return lif(
        [
            _made(stack, [(X, 64), (Y, 48), (Z, 3)], ("Blue", "Green"), bits=12),
            _made(times, [(X, 56), (Y, 40), (T, 4)], ("Green",), extra=stamps([START + 5 * SECOND * number for number in range(4)])),
        ]
    )


def draw_single() -> tuple[Drawn, ...]:
    """One plane of one channel."""
    nuclei = cells(1, 32, 40, seed=46, spacing=16)[0]
    return (Drawn("Overview", (nuclei // 16).astype(np.uint8)[np.newaxis, np.newaxis], (1.5, 1.5, None), ("Leica/DAPI",)),)


def single(drawn: tuple[Drawn, ...]) -> bytes:
    """A project of one image."""
    return lif([_made(drawn[0], [(X, 40), (Y, 32)], ("Blue",))])


def _made(image: Drawn, dims: list[tuple[int, int]], luts: tuple[str, ...], *, bits: int = 0, extra: str = "") -> Made:
    # Length is from the middle of the first pixel to that of the last.
    lengths = {kind: (size - 1) * 1e-6 * (image.pixel_size[kind - 1] or 0) for kind, size in dims if kind != T}
    lengths |= {kind: 5.0 * (size - 1) for kind, size in dims if kind == T}
    return Made(
        image.name or "",
        dims,
        luts=luts,
        dtype=str(image.pixels.dtype),
        bits=bits,
        lengths=lengths,
        extra=extra + _setting(image),
        stored=image.pixels.swapaxes(1, 2).astype(image.pixels.dtype.newbyteorder("<")).tobytes(),
    )


def _setting(image: Drawn) -> str:
    """What the microscope was set to: an objective, and a detector and a band of light for each channel."""
    numbered = list(enumerate(image.channels, 1))
    detectors = "".join(
        f'<Detector Name="PMT {number}" Type="PMT" ScanType="Internal" Channel="{number}" IsActive="1" Gain="600" Offset="0"/>'
        for number, _ in numbered
    )
    bands = "".join(
        f'<MultiBand Channel="{number}" LeftWorld="{BANDS[name][0]}" RightWorld="{BANDS[name][1]}" DyeName="{name}"/>' for number, name in numbered
    )
    return (
        '<Attachment Name="HardwareSetting" SystemTypeName="TCS SP8" DataSourceTypeName="Confocal"><ATLConfocalSettingDefinition '
        'ObjectiveName="HC PL APO 40x/1.30 OIL" Magnification="40" NumericalAperture="1.3" Immersion="OIL" RefractionIndex="1.518">'
        f"<DetectorList>{detectors}</DetectorList><Spectro>{bands}</Spectro></ATLConfocalSettingDefinition></Attachment>"
    )
