"""The files of the microscopes' vendors, each with what it was drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import czi_files, ims_file, lif_file, nd2_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from .drawn import Drawn

FILES: dict[str, tuple[Callable[[], tuple[Drawn, ...]], Callable[[tuple[Drawn, ...]], bytes]]] = {
    "stack.czi": (czi_files.draw_stack, czi_files.stack),
    "mosaic.czi": (czi_files.draw_mosaic, czi_files.mosaic),
    "project.lif": (lif_file.draw, lif_file.project),
    "dataset_1.dat": (lif_file.draw_single, lif_file.single),
    "positions.nd2": (nd2_file.draw, nd2_file.positions),
    "padded.ims": (ims_file.draw, ims_file.pyramid),
}
"""By its name, how the series of a file are drawn, and how they are written."""


def every_file() -> dict[str, bytes]:
    """All of them."""
    return {name: write(draw()) for name, (draw, write) in FILES.items()}


def drawings() -> dict[str, tuple[Drawn, ...]]:
    """What they must show to whoever reads them."""
    return {name: draw() for name, (draw, _) in FILES.items()}
