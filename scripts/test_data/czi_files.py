"""Zeiss CZI, written by libCZI, which is Zeiss' own, through its Python package pylibCZIrw."""

from __future__ import annotations

import re
import tempfile
import uuid
from itertools import count, product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .drawing import cells
from .drawn import Drawn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .drawing import Array

    Tile = tuple[Array, dict[str, int], tuple[int, int], int]

HEADER = 32
"""Bytes of a segment's head: its name, and two sizes."""
TILE, STEP = 48, 40
"""Side of a tile, and distance to the next, in pixels: neighbours overlap by a sixth, as on a slide scanner."""
SCENES = {0: (2, 2), 1: (1, 2)}
"""Rows and columns of tiles."""
CHANNELS = {"DAPI": (0, 0, 255), "EGFP": (0, 255, 0)}
"""Names, and the red, green and blue they are shown with."""


def draw_stack() -> tuple[Drawn, ...]:
    """Two channels of three planes at two times."""
    times = [np.stack(cells(3, 48, 64, seed=seed, spacing=20)[:2]) for seed in (31, 32)]
    return (Drawn(None, np.stack(times), (0.11, 0.11, 0.4), tuple(CHANNELS)),)


def stack(drawn: tuple[Drawn, ...]) -> bytes:
    """Each plane compressed with Zstandard after its low and high bytes were put apart."""
    (image,) = drawn
    places = product(*(range(size) for size in image.pixels.shape[:3]))
    tiles: list[Tile] = [(image.pixels[t, c, z], {"T": t, "C": c, "Z": z}, (0, 0), 0) for t, c, z in places]
    return _write(tiles, image, "zstd1:ExplicitLevel=3;PreProcess=HiLoByteUnpack")


def draw_mosaic() -> tuple[Drawn, ...]:
    """Two pieces of tissue on one slide."""
    images = []
    for scene, (rows, columns) in SCENES.items():
        nuclei, _, _ = cells(1, TILE + (rows - 1) * STEP, TILE + (columns - 1) * STEP, seed=33 + scene, spacing=20)
        images.append(Drawn(f"Scene #{scene + 1}", (nuclei // 16).astype(np.uint8)[np.newaxis, np.newaxis], (0.5, 0.5, None), ("DAPI",)))
    return tuple(images)


def mosaic(drawn: tuple[Drawn, ...]) -> bytes:
    """A scene for each piece, in tiles that overlap."""
    tiles: list[Tile] = []
    for (scene, (rows, columns)), image in zip(SCENES.items(), drawn, strict=True):
        for row, column in product(range(rows), range(columns)):
            y, x = row * STEP, column * STEP
            tile = image.pixels[0, 0, 0, y : y + TILE, x : x + TILE]
            tiles.append((tile, {}, (1000 * scene + x, 200 * scene + y), scene))
    return _write(tiles, drawn[0], "uncompressed:")


def _write(tiles: list[Tile], image: Drawn, compression: str) -> bytes:
    from pylibCZIrw import czi

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "made.czi")
        with czi.create_czi(str(path), compression_options=compression) as document:
            for pixels, plane, location, scene in tiles:
                whole = np.ascontiguousarray(pixels[..., np.newaxis])
                if not document.write(whole, location=location, plane=plane, scene=scene):
                    raise RuntimeError(f"libCZI did not write the tile at {plane} {location} of scene {scene}.")
            x, y, z = ((size or 0.0) * 1e-6 for size in image.pixel_size)
            named = dict(enumerate(image.channels))
            brightest = float(image.pixels.max() / np.iinfo(image.pixels.dtype).max)
            shown = {
                number: czi.ChannelDisplaySettingsDataClass(
                    True, czi.TintingMode.Color, czi.Rgb8Color(*map(np.uint8, CHANNELS[name])), 0.0, brightest
                )
                for number, name in named.items()
            }
            # In metres, whatever the docstring of pylibCZIrw says.
            document.write_metadata("Drawn cells", channel_names=named, scale_x=x, scale_y=y, scale_z=z, display_settings=shown)
        return _settled(path.read_bytes())


def _settled(data: bytes) -> bytes:
    """The file with numbers in place of libCZI's random identifiers: of the file and of each tile. Nothing refers to them."""
    out = bytearray(data)
    out[HEADER + 16 : HEADER + 48] = uuid.UUID(int=1).bytes_le * 2
    numbers: Iterator[int] = count(2)
    return re.sub(rb"(?<=<RetilingId>)[0-9a-f-]{36}(?=</RetilingId>)", lambda _: str(uuid.UUID(int=next(numbers))).encode(), bytes(out))
