"""Flags that several scripts share: which part of an image is wanted, and how it is written."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cli import Resources
    from .selection import Selection
    from .writers.options import WriteOptions

WRITING = ("ngff_version", "zip", "levels", "downsample_z", "compression", "chunk", "original_metadata")
"""Writing flags that change the outputs, and so are recorded in them."""
_READING = {"mosaic": "as-stored", "axes": "", "pixel_size": None}
"""Reading flags and what they are if nobody says anything."""


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add how a file is to be understood where it leaves a choice, or does not say."""
    group = parser.add_argument_group("reading (what the file says itself is never replaced)")
    group.add_argument(
        "--mosaic",
        choices=("as-stored", "fuse", "tiles"),
        default="as-stored",
        help="tiles of a mosaic (CZI, LIF): as-stored, as Bio-Formats shows them: a CZI as one image, later tiles of the file over earlier ones, "
        "a LIF as an image per tile; fuse, one image by the positions in the file, where tiles overlap that of the higher number on top "
        "(nothing is blended or registered, what no tile covers is 0); tiles, each an image of its own (default: as-stored)",
    )
    group.add_argument(
        "--axes", default="", metavar="ZYX", help="a letter of TCZYXS for each dimension of HDF5 datasets that do not say it; S is colours (3 or 4)"
    )
    group.add_argument("--pixel-size", type=_pixel_size, default=None, metavar="X[,Y[,Z]]", help="in µm, for images that do not say it")


def reading_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what a `Location` is told of how to read it."""
    from .image import PixelSize, Quantity

    if arguments.axes:
        from .metadata.hdf5_mapping import check_axes

        check_axes(arguments.axes)
    size = None
    if arguments.pixel_size is not None:
        x, *others = (Quantity(length, "µm") for length in arguments.pixel_size)
        size = PixelSize(z=others[1] if len(others) > 1 else None, y=others[0] if others else x, x=x)
    return {"mosaic": arguments.mosaic, "axes": arguments.axes or None, "pixel_size": size}


def recorded_reading(arguments: argparse.Namespace) -> tuple[tuple[str, str], ...]:
    """Return the reading flags that were given, as outputs record them."""
    return recorded(arguments, tuple(name for name, default in _READING.items() if getattr(arguments, name) != default))


def add_url(parser: argparse.ArgumentParser, *, repeatable: bool) -> None:
    """Add the address of a store on the web, as a flag for forms; on the command line it may stand for a path, too."""
    text = "address of an OME-Zarr on the web, read where it is: https://…, or s3://… of a public bucket"
    if repeatable:
        parser.add_argument("--url", action="append", default=[], metavar="URL", help=f"{text}; repeat for several, or put spaces between")
    else:
        parser.add_argument("--url", default="", metavar="URL", help=text)


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the selection grammar."""
    chosen = parser.add_argument_group("selection (what lies outside the image is an error; counted from 0, ends not included)")
    chosen.add_argument("--series", default="all", metavar="all|0,2|name:NAME", help="series, scenes or positions (default: all)")
    chosen.add_argument("--channel", action="append", default=[], metavar="NAME|index:0", help="a channel; repeat for several (default: all)")
    chosen.add_argument("--z", default="", metavar="A:B", help="planes in depth, or one number")
    chosen.add_argument("--t", default="", metavar="A:B", help="time points, or one number")
    area = chosen.add_mutually_exclusive_group()
    area.add_argument("--region", default="", metavar="X,Y,W,H", help="part of the plane, from its top left, in full-resolution pixels")
    area.add_argument("--center", default="", metavar="X,Y,W,H", help="part of the plane, by its centre")
    chosen.add_argument("--level", type=int, default=0, metavar="N", help="resolution level to start from (default: 0, the full one)")
    chosen.add_argument("--project", choices=("max",), default="", help="maximum projection over z")


def selection_of(arguments: argparse.Namespace) -> Selection:
    """Return the selection that was asked for."""
    from .selection import Selection

    return Selection(
        arguments.series, tuple(arguments.channel), arguments.z, arguments.t, arguments.region, arguments.center, arguments.level, arguments.project
    )


def add_writing(group: argparse._ArgumentGroup) -> None:
    """Add how OME-TIFF and OME-Zarr are written."""
    group.add_argument("--ngff-version", choices=("0.4", "0.5"), default="0.4", help="version of OME-Zarr (default: 0.4)")
    group.add_argument("--zip", action="store_true", help="one .ome.zarr.zip instead of a folder")
    group.add_argument("--levels", type=_levels, default=None, metavar="auto|N", help="resolution levels (default: auto)")
    group.add_argument("--downsample-z", action="store_true", help="halve z too from level to level (OME-Zarr)")
    group.add_argument(
        "--compression",
        choices=("auto", "none", "zlib", "lzw", "zstd", "lz4"),
        default="auto",
        help="all lossless; auto is zlib in OME-TIFF and Blosc with zstd in OME-Zarr (default: auto)",
    )
    group.add_argument("--chunk", type=_chunk, default=None, metavar="auto|Y,X|Z,Y,X", help="size of a tile or chunk (default: auto)")
    group.add_argument(
        "--original-metadata",
        choices=("keep", "scrub", "drop"),
        default="keep",
        help="all that the source's own metadata say, beside the OME metadata: keep all; scrub, without people, computers, paths and patient or "
        "sample numbers; drop. Each file has all of it, so that one that is passed on alone is complete: with many small files, such as tiles, "
        "drop saves space (default: keep)",
    )
    group.add_argument("--verify", action=argparse.BooleanOptionalAction, default=True, help="decode every chunk again and compare it (default: yes)")


def write_options(arguments: argparse.Namespace, granted: Resources) -> WriteOptions:
    """Return the writer's options that were asked for."""
    from .writers.options import WriteOptions

    return WriteOptions(
        levels=arguments.levels,
        chunk=arguments.chunk,
        compression=arguments.compression,
        ngff_version=arguments.ngff_version,
        zip=arguments.zip,
        verify=arguments.verify,
        threads=granted.threads,
        memory=granted.memory,
        downsample_z=arguments.downsample_z,
        original=arguments.original_metadata,
    )


def recorded(arguments: argparse.Namespace, names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return flags and their values as outputs record them."""

    def text(value: Any) -> str:
        return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)

    pairs = ((name, getattr(arguments, name)) for name in names)
    return tuple((name.replace("_", "-"), "auto" if value is None else text(value)) for name, value in pairs)


def byte_count(text: str) -> int:
    """Read a number of bytes as people write it: ``500M``, ``20 GB``, ``1000``; decimal units.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is no such number, or zero.
    """
    match = re.fullmatch(r"\s*([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*([kmgt]?)b?\s*", text, re.IGNORECASE)
    count = int(float(match[1]) * 1000 ** " kmgt".index(match[2].lower() or " ")) if match else 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write a number of bytes, or one with a unit such as 500M, 20G or 1T")
    return count


def _pixel_size(text: str) -> tuple[float, ...]:
    number = r"(?:[0-9]{1,9}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})(?:[eE]-?[0-9]{1,2})?"
    sizes = tuple(map(float, text.split(","))) if re.fullmatch(rf"{number}(,{number}){{0,2}}", text) else ()
    if not sizes or not all(0 < size < 1e9 for size in sizes):
        raise argparse.ArgumentTypeError(f"{text!r} is no pixel size: write X, or X,Y, or X,Y,Z in micrometres, such as 0.325,0.325,1.5")
    return sizes


def _levels(text: str) -> int | None:
    if text == "auto":
        return None
    if not re.fullmatch(r"[0-9]{1,2}", text) or not 1 <= int(text) <= 32:
        raise argparse.ArgumentTypeError(f"{text!r} is neither auto nor a number of levels from 1 to 32")
    return int(text)


def _chunk(text: str) -> tuple[int, ...] | None:
    if text == "auto":
        return None
    if not re.fullmatch(r"[1-9]\d{0,5}(,[1-9]\d{0,5}){1,2}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is neither auto nor Y,X nor Z,Y,X in pixels")
    return tuple(int(number) for number in text.split(","))


def add_only_missing(group: argparse._ArgumentGroup) -> None:
    """Add the choice between all that a manifest lists and what it lacks."""
    group.add_argument(
        "--only-missing",
        action="store_true",
        help="of the manifest of a finished call, given as --table, leave out what it lists as done even if that is not in the output folder: for a "
        "job that cannot see what the earlier one made, as in Galaxy",
    )


def check_fetch_json(arguments: argparse.Namespace) -> None:
    """Raise `UsageError` where a plan for Galaxy's upload is asked for with flags that give none."""
    from .errors import UsageError

    if arguments.fetch_json and not (arguments.plan_only and arguments.manifest and arguments.format == "original"):
        raise UsageError(
            "--fetch-json needs --plan-only, --manifest and --format original: Galaxy fetches the archive's own files, from the manifest."
        )
