"""Convert microscopy images to OME-TIFF or OME-Zarr, without losing a pixel or a number."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightmicroscopy import cli, flags
from lightmicroscopy.words import path_or_address

if TYPE_CHECKING:
    import argparse

    from lightmicroscopy.inputs import Web

PROGRAM = "lm_convert"
FORM_ONLY = ("source_by", "image", "store", "members", "packaging", "area_by", "make_preview", "make_checksums")
EXAMPLES = (
    "lm_convert cells.czi --format ome-tiff --output copies",
    "lm_convert cells.lif --format ome-zarr --output copies --series 0,2 --report report.tsv --checksums sums.txt",
    "lm_convert cells.nd2 --format ome-tiff --output copies --channel DAPI --z 3:8 --region 0,0,512,512",
    "lm_convert stack.h5 --format ome-zarr --output copies --axes ZYX --pixel-size 0.325,0.325,1.5",
    "lm_convert plate.companion.ome *.ome.tif --format ome-zarr --zip --output copies",
)
# What changes the outputs, and so is recorded in them.
RECORDED = ("format", "label", *flags.WRITING)


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    summary = "Convert microscopy images to OME-TIFF (one file per series) or OME-Zarr (one store)."
    result = cli.build_parser(PROGRAM, summary, examples=EXAMPLES)
    result.add_argument(
        "input",
        nargs="*",
        type=path_or_address,
        metavar="INPUT",
        help="a file, folder or zip; or all files of one set, the first is opened; or the address of an OME-Zarr on the web",
    )
    flags.add_url(result, repeatable=False)
    result.add_argument("--format", choices=("ome-tiff", "ome-zarr"), required=True, help="what to write")
    flags.add_reading(result)
    flags.add_selection(result)
    written = result.add_argument_group("output")
    written.add_argument("--label", action="store_true", help="the pixels are label maps: pyramids take the nearest pixel instead of the mean")
    flags.add_writing(written)
    tables = result.add_argument_group("reports")
    tables.add_argument("--report", type=Path, metavar="FILE", help="table (TSV) of what was written, a row per series")
    tables.add_argument(
        "--checksums", type=Path, metavar="FILE", help="SHA-256 of every file written, as sha256sum -c reads them in the --output folder"
    )
    tables.add_argument("--preview", type=Path, metavar="PNG", help="picture of what was written")
    return result


def work(arguments: argparse.Namespace) -> int:
    """Convert, with one client for what is on the web."""
    from lightmicroscopy.inputs import Web

    with Web(cli.resources(arguments).memory) as web:
        return _converted(arguments, web)


def _converted(arguments: argparse.Namespace, web: Web) -> int:
    """Convert, then write the reports."""
    from lightmicroscopy.convert import Request, convert
    from lightmicroscopy.inputs import only_given
    from lightmicroscopy.progress import Progress
    from lightmicroscopy.selection import series_numbers

    reports = cli.refuse_overwriting(arguments, arguments.input, (arguments.report, arguments.checksums, arguments.preview))
    granted = cli.resources(arguments)
    parameters = (*flags.recorded_reading(arguments), *flags.recorded(arguments, RECORDED))
    selection = flags.selection_of(arguments)
    location = only_given(web.all_given(arguments.input, [arguments.url]), series_numbers(arguments.series), **flags.reading_of(arguments))
    request = Request(arguments.format, selection, arguments.label, flags.write_options(arguments, granted), parameters)
    progress = Progress("Converting", quiet=arguments.quiet, log_json=arguments.log_json)
    try:
        conversion = convert(location, arguments.output, request, progress=progress, reports=reports)
    finally:
        progress.close()
    with conversion.dataset:
        reports.refuse_made(conversion.paths)
        return _report(conversion, arguments)


def _report(conversion: Any, arguments: argparse.Namespace) -> int:
    from lightmicroscopy.progress import size
    from lightmicroscopy.reports.tables import CONVERSION, write_checksums, write_table

    log = logging.getLogger("lightmicroscopy")
    for warning in conversion.dataset.warnings:
        log.warning(warning)
    for outcome in conversion.outcomes:
        for sentence in (*outcome.losses, *outcome.warnings):
            log.warning("%s: %s", outcome.image.name, sentence)
        if outcome.reason:
            log.warning("%s was not converted: %s", outcome.image.name, outcome.reason)
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
    return cli.run(PROGRAM, work, cli.parse_with_input(parser(), arguments, form_only=FORM_ONLY))


if __name__ == "__main__":
    sys.exit(main())
