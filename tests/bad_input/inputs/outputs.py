"""Places that cannot be written to, and jobs that are stopped."""

from pathlib import Path

import numpy as np
import tifffile

from .makers import TO_TIFF, TO_ZARR, of_cells, row


@row("output that is there already")
def _(folder: Path) -> list[str]:
    return of_cells(folder)


@row("output folder that is a file")
def _(folder: Path) -> list[str]:
    return of_cells(folder)


@row("no permission to write")
def _(folder: Path) -> list[str]:
    return of_cells(folder)


@row("no permission to read")
def _(folder: Path) -> list[str]:
    arguments = of_cells(folder)
    Path(arguments[0]).chmod(0)
    return arguments


def noise(folder: Path) -> str:
    """Write 3 MB that cannot be compressed."""
    pixels = np.random.default_rng(1).integers(0, 65536, (6, 512, 512), np.uint16)
    tifffile.imwrite(folder / "noise.tif", pixels, photometric="minisblack")
    return str(folder / "noise.tif")


@row("full disk, OME-TIFF")
def _(folder: Path) -> list[str]:
    return [noise(folder), *TO_TIFF]


@row("full disk, OME-Zarr folder")
def _(folder: Path) -> list[str]:
    return [noise(folder), *TO_ZARR]


@row("full disk, OME-Zarr zip")
def _(folder: Path) -> list[str]:
    return [noise(folder), *TO_ZARR, "--zip"]


def long_job(folder: Path) -> str:
    """Write 0.5 GB of pixels that take no space: enough to be caught at it."""
    path = folder / "long.tif"
    tifffile.imwrite(path, shape=(64, 2048, 2048), dtype=np.uint16, photometric="minisblack", bigtiff=True)
    return str(path)


@row("killed half-way (SIGKILL), OME-TIFF")
def _(folder: Path) -> list[str]:
    return [long_job(folder), *TO_TIFF]


@row("killed half-way (SIGKILL), OME-Zarr folder")
def _(folder: Path) -> list[str]:
    return [long_job(folder), *TO_ZARR]


@row("cancelled half-way (SIGTERM), OME-TIFF")
def _(folder: Path) -> list[str]:
    return [long_job(folder), *TO_TIFF]


@row("cancelled half-way (SIGTERM), OME-Zarr folder")
def _(folder: Path) -> list[str]:
    return [long_job(folder), *TO_ZARR]


@row("cancelled half-way (SIGTERM), OME-Zarr zip")
def _(folder: Path) -> list[str]:
    return [long_job(folder), *TO_ZARR, "--zip"]
