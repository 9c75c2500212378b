"""Write metadata into images: what a sheet says of them, into copies whose pixels are not touched."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lightmicroscopy import cli
from lightmicroscopy.words import path_or_address

if TYPE_CHECKING:
    from lightmicroscopy.annotate import Outcome
    from lightmicroscopy.annotate_ome import Record
    from lightmicroscopy.image import Image
    from lightmicroscopy.inputs import Given
    from lightmicroscopy.metadata.changes import SeriesChanges
    from lightmicroscopy.metadata.rembi.match import Matching
    from lightmicroscopy.metadata.rembi.sheet import Sheet
    from lightmicroscopy.report_paths import ReportPaths

PROGRAM = "lm_annotate"
FORM_ONLY = ("input", "images", "sheet")
TOLD = 20
"""Mistakes of a sheet that are told one by one."""
GRAVE = ("sheet.image-twice", "sheet.two-images-of-one-name")
"""Mistakes after which it is not known which row is about which image."""


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    result = cli.build_parser(
        PROGRAM,
        "Write what a sheet says of images into copies of them: OME-TIFF and OME-Zarr, pixels untouched.",
        examples=(
            "lm_annotate cells.ome.tiff --sheet sheet.xlsx --output annotated",
            "lm_annotate folder/ --sheet sheet.tsv --output annotated --table annotated.tsv",
        ),
    )
    result.add_argument(
        "input",
        nargs="+",
        type=path_or_address,
        metavar="INPUT",
        help="OME-TIFF files (of a set all of them), OME-Zarr folders and zips, or folders of them",
    )
    result.add_argument("--sheet", type=Path, required=True, metavar="FILE", help="the sheet, as lm_describe makes it: XLSX, TSV, YAML")
    result.add_argument("--sheet-name", metavar="TEXT", help="what the copies call the sheet they were written from (default: the name of its file)")
    result.add_argument("--table", type=Path, metavar="FILE", help="table (TSV) of what was written, a row for each series")
    result.add_argument(
        "--no-links",
        action="store_true",
        help="copy the chunks of an OME-Zarr also where they could be hard links to those of the input, which costs no space; "
        "for a copy that will be edited where it is",
    )
    result.add_argument(
        "--galaxy-collection", metavar="NAME", help="for the Galaxy tool: describe the copies in galaxy.json as the elements of this output"
    )
    result.add_argument(
        "--galaxy-zip",
        choices=("ome_zarr.zip", "zip"),
        default="ome_zarr.zip",
        help="for the Galaxy tool: format of an OME-Zarr in a zip (default: ome_zarr.zip)",
    )
    return result


def work(arguments: argparse.Namespace) -> int:
    """Annotate, then say what came of it."""
    from lightmicroscopy.annotate import annotate
    from lightmicroscopy.annotate_ome import Record
    from lightmicroscopy.errors import UsageError
    from lightmicroscopy.folders import expand
    from lightmicroscopy.inputs import bytes_of
    from lightmicroscopy.metadata.rembi.sheet import read_sheet
    from lightmicroscopy.progress import Progress
    from lightmicroscopy.provenance import files_below, now, sha256_of

    if far := next((word for word in arguments.input if isinstance(word, str)), None):
        raise UsageError(f"{far[:200]} is on the web. Fetch it first; copies are made of files that are here.")
    paths = cli.refuse_overwriting(arguments, [*arguments.input, arguments.sheet], (arguments.table,))
    log = logging.getLogger("lightmicroscopy")
    expanded = expand(arguments.input)
    for note in expanded.notes:
        log.info(cli.one_line(note))
    given: list[Given] = [word for word in expanded.words if isinstance(word, Path)]
    sheet = read_sheet(arguments.sheet, name=arguments.sheet_name)
    matching = _matched(sheet, given, arguments, paths)
    record = Record(sheet.name, sha256_of(files_below(arguments.sheet)), now())
    done, total = 0, sum(bytes_of(item) or 0 for item in given)
    progress = Progress("Annotating", quiet=arguments.quiet, log_json=arguments.log_json)

    def copied(count: int) -> None:
        nonlocal done
        done = min(total, done + count)
        progress(done, total)

    def wanted(name: str, image: Image) -> SeriesChanges | None:
        from lightmicroscopy.metadata.sheet_changes import changes_of, less_what_is

        row = matching.rows.get((name, image.series))
        if row is None:
            return None
        known = [channel.name or "" for channel in image.metadata.channels]
        names = [*known, *[""] * image.shape.c][: image.shape.c]
        return less_what_is(changes_of(sheet, row, f"{name}, series {image.series}", names), image)

    try:
        outcomes = list(annotate(given, wanted, arguments.output, record, link=not arguments.no_links, progress=copied))
    finally:
        progress.close()
    return _reported(outcomes, matching, record, arguments)


def _matched(sheet: Sheet, given: list[Given], arguments: argparse.Namespace, paths: ReportPaths) -> Matching:
    """Find the row of each image, and say what is wrong with the sheet; refuse a table in the place of a file that is read or made."""
    from lightmicroscopy.errors import UsageError
    from lightmicroscopy.inspection import inspect, other_names
    from lightmicroscopy.metadata.rembi.match import match_images

    images, members = [], []
    unreadable: set[str] = set()
    for item in inspect(given):
        if item.unreadable:
            unreadable.add(item.name)
        if item.dataset is not None:
            files = (item.dataset.location.path, *item.dataset.files)
            paths.refuse(files)
            _refuse_over_copies(arguments.table, [arguments.output / file.name for file in files])
            images += [(item.name, image.series) for image in item.dataset.images]
            members += [(member, item.name) for member in other_names(item.dataset)]
    matching = match_images(sheet, images, unreadable, members)
    grave = next((problem for problem in matching.problems if problem.rule in GRAVE), None)
    if grave is not None:
        raise UsageError(f"{sheet.name}, {grave.location}: {grave.message} {grave.fix}")
    log = logging.getLogger("lightmicroscopy")
    # A table that is not there is none that a row refers to, which would have been an error before.
    errors = [
        problem for problem in sheet.problems if problem.severity == "error" and (problem.rule != "sheet.sheet-missing" or problem.sheet == "image")
    ]
    for problem in errors[:TOLD]:
        log.warning(cli.one_line(f"{sheet.name}, {problem.location}: {problem.message} {problem.fix}"))
    if len(errors) > TOLD:
        log.warning("%s has %d more mistakes; lm_describe --read-sheet lists them all.", sheet.name, len(errors) - TOLD)
    return matching


def _refuse_over_copies(table: Path | None, copies: list[Path]) -> None:
    from lightmicroscopy.errors import UsageError

    if table is None:
        return
    target = table.resolve()
    if any(copy.resolve() in (target, *target.parents) for copy in copies):
        raise UsageError(f"{table.name} is to be the table, and is in the place of an annotated copy. Give it another name.")


def _reported(outcomes: list[Outcome], matching: Matching, record: Record, arguments: argparse.Namespace) -> int:
    from lightmicroscopy.galaxy import describe_images
    from lightmicroscopy.reports.tables import ANNOTATED, write_table
    from lightmicroscopy.reports.words import plural

    log = logging.getLogger("lightmicroscopy")
    unreadable = {outcome.input for outcome in outcomes if outcome.series is None}
    unused = [problem for problem in matching.problems if problem.rule == "sheet.row-without-image" and problem.image not in unreadable]
    rows = [outcome.row() for outcome in outcomes]
    for problem in unused:
        log.warning(cli.one_line(f"{record.sheet}, {problem.location}: {problem.message} {problem.fix}"))
        rows.append({"status": "failed", "reason": f"{record.sheet}, {problem.location}: {problem.message} {problem.fix}"})
    for sentence in dict.fromkeys(text for outcome in outcomes for text in (outcome.reason, *outcome.warnings) if text):
        log.warning(cli.one_line(sentence))
    if arguments.table:
        write_table(arguments.table, ANNOTATED, rows)
    made = list(dict.fromkeys(path for outcome in outcomes for path in outcome.outputs))
    if arguments.galaxy_collection:
        describe_images(made, arguments.galaxy_collection, zipped=arguments.galaxy_zip)
    written = sum(outcome.status == "done" for outcome in outcomes)
    failed = sum(outcome.status == "failed" for outcome in outcomes) + len(unused)
    log.info("%s annotated, %d as they were, %d failed", plural(written, "series"), len(outcomes) + len(unused) - written - failed, failed)
    if not made:
        return cli.NOTHING_USABLE
    return cli.SOME_FAILED if failed and arguments.strict else cli.DONE


def main(arguments: list[str] | None = None) -> int:
    """Run the script."""
    return cli.run(PROGRAM, work, cli.parse(parser(), arguments, form_only=FORM_ONLY))


if __name__ == "__main__":
    sys.exit(main())
