"""Convert microscopy images to OME-TIFF or OME-Zarr, without losing a pixel or a number."""

from __future__ import annotations

import argparse
import logging
import re
import sys
from pathlib import Path
from typing import Any

from lightmicroscopy import cli

PROGRAM = "lm_convert"
FORM_ONLY = ("image", "members", "packaging", "area_by", "make_preview", "make_checksums")
# What changes the outputs, and so is recorded in them.
RECORDED = ("format", "label", "ngff_version", "zip", "levels", "downsample_z", "compression", "chunk", "original_metadata")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    result = cli.build_parser(PROGRAM, "Convert microscopy images to OME-TIFF (one file per series) or OME-Zarr (one store).")
    result.add_argument("input", nargs="+", type=Path, metavar="INPUT", help="a file, folder or zip; or all files of one set, the first is opened")
    result.add_argument("--format", choices=("ome-tiff", "ome-zarr"), required=True, help="what to write")
    chosen = result.add_argument_group("selection (what lies outside the image is an error; counted from 0, ends not included)")
    chosen.add_argument("--series", default="all", metavar="all|0,2|name:NAME", help="series, scenes or positions (default: all)")
    chosen.add_argument("--channel", action="append", default=[], metavar="NAME|index:0", help="a channel; repeat for several (default: all)")
    chosen.add_argument("--z", default="", metavar="A:B", help="planes in depth, or one number")
    chosen.add_argument("--t", default="", metavar="A:B", help="time points, or one number")
    area = chosen.add_mutually_exclusive_group()
    area.add_argument("--region", default="", metavar="X,Y,W,H", help="part of the plane, from its top left, in full-resolution pixels")
    area.add_argument("--center", default="", metavar="X,Y,W,H", help="part of the plane, by its centre")
    chosen.add_argument("--level", type=int, default=0, metavar="N", help="resolution level to start from (default: 0, the full one)")
    chosen.add_argument("--project", choices=("max",), default="", help="maximum projection over z")
    written = result.add_argument_group("output")
    written.add_argument("--label", action="store_true", help="the pixels are label maps: pyramids take the nearest pixel instead of the mean")
    written.add_argument("--ngff-version", choices=("0.4", "0.5"), default="0.4", help="version of OME-Zarr (default: 0.4)")
    written.add_argument("--zip", action="store_true", help="one .ome.zarr.zip instead of a folder")
    written.add_argument("--levels", type=_levels, default=None, metavar="auto|N", help="resolution levels (default: auto)")
    written.add_argument("--downsample-z", action="store_true", help="halve z too from level to level (OME-Zarr)")
    written.add_argument("--compression", choices=("auto", "none", "zlib", "lzw", "zstd", "lz4"), default="auto", help="lossless (default: auto)")
    written.add_argument("--chunk", type=_chunk, default=None, metavar="auto|Y,X|Z,Y,X", help="size of a tile or chunk (default: auto)")
    written.add_argument(
        "--original-metadata", choices=("keep", "scrub", "drop"), default="keep", help="the source's own metadata: keep; scrub (personal data); drop"
    )
    written.add_argument(
        "--verify", action=argparse.BooleanOptionalAction, default=True, help="decode every chunk again and compare it (default: yes)"
    )
    tables = result.add_argument_group("reports")
    tables.add_argument("--report", type=Path, metavar="FILE", help="table (TSV) of what was written, a row per series")
    tables.add_argument("--checksums", type=Path, metavar="FILE", help="SHA-256 of every file written, as sha256sum -c reads them")
    tables.add_argument("--preview", type=Path, metavar="PNG", help="picture of what was written")
    return result


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


def work(arguments: argparse.Namespace) -> int:
    """Convert, then write the reports."""
    from lightmicroscopy.convert import Request, convert
    from lightmicroscopy.image import Location
    from lightmicroscopy.progress import Progress
    from lightmicroscopy.selection import Selection
    from lightmicroscopy.writers.options import WriteOptions

    cli.refuse_overwriting(arguments.input, (arguments.report, arguments.checksums, arguments.preview))
    granted = cli.resources(arguments)
    selection = Selection(
        arguments.series, tuple(arguments.channel), arguments.z, arguments.t, arguments.region, arguments.center, arguments.level, arguments.project
    )
    options = WriteOptions(
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
    request = Request(arguments.format, selection, arguments.label, options, _recorded(arguments))
    progress = Progress("Converting", quiet=arguments.quiet, log_json=arguments.log_json)
    try:
        conversion = convert(Location(arguments.input[0], tuple(arguments.input)), arguments.output, request, progress=progress)
    finally:
        progress.close()
    with conversion.dataset:
        return _report(conversion, arguments)


def _recorded(arguments: argparse.Namespace) -> tuple[tuple[str, str], ...]:
    def text(value: Any) -> str:
        return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)

    pairs = ((name, getattr(arguments, name)) for name in RECORDED)
    return tuple((name.replace("_", "-"), "auto" if value is None else text(value)) for name, value in pairs)


def _report(conversion: Any, arguments: argparse.Namespace) -> int:
    from lightmicroscopy.progress import size
    from lightmicroscopy.reports.tables import CONVERSION, write_checksums, write_table

    log = logging.getLogger("lightmicroscopy")
    for warning in conversion.dataset.warnings:
        log.warning(cli.one_line(warning))
    for outcome in conversion.outcomes:
        for sentence in (*outcome.losses, *outcome.warnings):
            log.warning("%s: %s", outcome.image.name, cli.one_line(sentence))
        if outcome.reason:
            log.warning("%s was not converted: %s", outcome.image.name, cli.one_line(outcome.reason))
    for path in conversion.paths:
        log.info("%s (%s)", path.name, size(next(outcome.bytes for outcome in conversion.outcomes if outcome.path == path)))
    if arguments.report:
        write_table(arguments.report, CONVERSION, conversion.rows())
    if arguments.checksums:
        write_checksums(arguments.checksums, conversion.checksums())
    if arguments.preview:
        from lightmicroscopy.reports.preview import write_preview

        write_preview([(outcome.image.name, outcome.image) for outcome in conversion.outcomes if outcome.written], arguments.preview)
    if len(conversion.failed) == len(conversion.outcomes):
        return cli.NOTHING_USABLE
    return cli.SOME_FAILED if conversion.failed and arguments.strict else cli.DONE


def main(arguments: list[str] | None = None) -> int:
    """Run the script."""
    return cli.run(PROGRAM, work, cli.parse(parser(), arguments, form_only=FORM_ONLY))


if __name__ == "__main__":
    sys.exit(main())
