"""Download images from the Image Data Resource (IDR): raw pixel values, metadata, annotations, licence and citation."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightmicroscopy import cli, flags

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lightmicroscopy.report_paths import ReportPaths

PROGRAM = "lm_idr_download"
EXAMPLES = (
    "lm_idr_download 6001240 --channel Dapi --z 118 --output images --manifest manifest.tsv --citation citation.md",
    "lm_idr_download plate:2551/F06/0 --level 3 --format ome-zarr --arrange plate --output plates",
    "lm_idr_download idr0062 --plan-only --output images --manifest plan.tsv",
    "lm_idr_download --table images.tsv --format metadata --output metadata --checksums SHA256SUMS",
)
FORM_ONLY = ("source_by", "packaging", "area_by", "make_preview", "get_rois", "get_labels", "get_bulk")
RECORDED = ("format", *flags.WRITING)
PREVIEWED = 24
REPORTS = (
    "manifest",
    "image_table",
    "annotations",
    "rois",
    "label_table",
    "bulk_annotations",
    "bulk_columns",
    "citation",
    "checksums",
    "preview",
    "fetch_json",
)
MAX_ITEMS = 1000
LONGEST_WORD = 60
"""Characters of what was asked for, where it is said how to go on."""
ARRANGEMENTS = ("flat", "dataset", "plate", "plate-store")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    result = cli.build_parser(
        PROGRAM, "Download images from the Image Data Resource (IDR), whole or in part, as raw pixel values.", examples=EXAMPLES
    )
    asked = result.add_argument_group("images")
    asked.add_argument(
        "spec",
        nargs="*",
        default=[],
        metavar="SPEC",
        help="ids, image-1, project:1, dataset:2, screen:3, plate:4, plate:4/B07, plate:4/B07/0, well:5, idr0062, idr0062/Blastocysts, or links "
        "copied from the IDR; several in one are fine",
    )
    asked.add_argument("--images", action="append", default=[], metavar="TEXT", help="the same as SPEC, as a flag; repeatable")
    asked.add_argument(
        "--table",
        type=Path,
        metavar="FILE",
        help="the images table of lm_idr_search, edited or not; or the manifest of an earlier call, to fetch only what is not there yet",
    )
    flags.add_only_missing(asked)
    asked.add_argument("--max-items", type=int, default=MAX_ITEMS, metavar="N", help=f"most images in one go (default: {MAX_ITEMS})")
    asked.add_argument("--max-size", type=flags.byte_count, default="100G", metavar="SIZE", help="most bytes to fetch, such as 20G (default: 100G)")
    asked.add_argument("--plan-only", action="store_true", help="say in the manifest what would be fetched, and fetch no pixels")
    flags.add_selection(result)
    written = result.add_argument_group("output")
    written.add_argument(
        "--format", choices=("ome-tiff", "ome-zarr", "original", "metadata"), default="ome-tiff", help="what to write (default: ome-tiff)"
    )
    written.add_argument(
        "--arrange",
        choices=ARRANGEMENTS,
        default="flat",
        help="how results lie: all in one folder; dataset/image; plate/well/field; or each plate as one OME-Zarr (default: flat; original files "
        "always lie as in the archive)",
    )
    written.add_argument(
        "--originals-from",
        choices=("images", "folder"),
        default="images",
        help="with --format original: the files the IDR names for each image, or all in the study's folder as its server lists it (default: images)",
    )
    written.add_argument("--labels", type=Path, metavar="DIR", help="write label maps into this folder, as files or stores of their own")
    flags.add_writing(written)
    written.add_argument(
        "--galaxy-collection",
        metavar="NAME",
        help="for a job in Galaxy, not for a terminal: make its folders or original files elements of that collection output (galaxy.json)",
    )
    tables = result.add_argument_group("reports")
    tables.add_argument("--manifest", type=Path, metavar="FILE", help="table (TSV), a row per result: what was fetched from where, or why not")
    tables.add_argument("--image-table", type=Path, metavar="FILE", help="table (TSV), a row per image: sizes, calibration, channels, licence")
    tables.add_argument("--annotations", type=Path, metavar="FILE", help="table (TSV), a row for everything the IDR says about the images")
    tables.add_argument("--rois", type=Path, metavar="FILE", help="table (TSV), a row per region of interest; they are written into the images, too")
    tables.add_argument("--label-table", type=Path, metavar="FILE", help="table (TSV), a row per label map that --labels writes")
    tables.add_argument(
        "--bulk-annotations", type=Path, metavar="FILE", help="the study's own table (TSV), as far as it is about these images and wells"
    )
    tables.add_argument("--bulk-columns", type=Path, metavar="FILE", help="table (TSV), a row per column of that table, with its type")
    tables.add_argument(
        "--citation", type=Path, metavar="FILE", help="study, authors, licence and how to cite: a page if the name ends in .html, else Markdown"
    )
    tables.add_argument("--checksums", type=Path, metavar="FILE", help="SHA-256 of every file written; sha256sum -c reads it in the output folder")
    tables.add_argument("--preview", type=Path, metavar="PNG", help=f"pictures of what was written: the first {PREVIEWED} images on one sheet")
    tables.add_argument(
        "--fetch-json",
        type=Path,
        metavar="FILE",
        help="for a Galaxy whose nodes reach no archive: the plan as JSON that Galaxy's own upload takes (fetch API); needs --plan-only, --manifest "
        "and --format original",
    )
    return result


def work(arguments: argparse.Namespace, **patience: Any) -> int:
    """Download, then write the reports.

    Parameters
    ----------
    patience
        Options of the HTTP client, such as shorter time limits for tests.
    """
    from lightmicroscopy.archives.endpoints import Endpoints
    from lightmicroscopy.archives.http import Client
    from lightmicroscopy.archives.idr import Idr
    from lightmicroscopy.archives.idr_bulk import BulkTables
    from lightmicroscopy.archives.idr_download import download
    from lightmicroscopy.archives.idr_folder_download import download_folders
    from lightmicroscopy.archives.idr_plan import Wanted
    from lightmicroscopy.archives.idr_request import refuse_other_choices, requested
    from lightmicroscopy.archives.idr_walk import Walk
    from lightmicroscopy.archives.missing import narrow_to_missing
    from lightmicroscopy.progress import Progress

    reports = [getattr(arguments, name) for name in REPORTS]
    paths = cli.refuse_overwriting(arguments, [arguments.table], reports)
    flags.check_fetch_json(arguments)
    _check_extras(arguments)
    endpoints = Endpoints.from_environment()
    with ExitStack() as stack:
        if not narrow_to_missing(arguments, stack, together=arguments.arrange == "plate-store"):
            return cli.DONE
        if arguments.originals_from == "images":
            refuse_other_choices(arguments.table, Wanted(arguments.format, flags.selection_of(arguments)))
        client = stack.enter_context(Client(endpoints, **patience))
        idr = Idr(client, endpoints)
        most = min(arguments.max_items, endpoints.max_items or arguments.max_items)
        specs, walk = [*arguments.spec, *arguments.images], Walk(idr)
        asked = None if arguments.originals_from == "folder" else requested(specs, arguments.table, endpoints.idr_web, walk, most)
        progress = Progress("Downloading", quiet=arguments.quiet, log_json=arguments.log_json)
        stack.callback(progress.close)
        bulk = BulkTables() if arguments.bulk_annotations else None
        job = _job(arguments, endpoints, progress, stack, bulk, paths)
        if asked is None:
            result = download_folders(idr, client, walk, job, specs, arguments.table)
        else:
            result = download(idr, client, job, asked.numbers, missing=asked.missing)
        lacking = bulk.write(idr, arguments.bulk_annotations, arguments.bulk_columns) if bulk is not None else 0
    _report(result, arguments, job.labels.paths if job.labels else ())
    _say_what_was_written(result, arguments)
    return _exit_code(result, arguments, lacking)


def _check_extras(arguments: argparse.Namespace) -> None:
    """Refuse a table of what is not asked for, and say what a format has none of."""
    import logging

    from lightmicroscopy.errors import UsageError

    for table, asked in (("label_table", "labels"), ("bulk_columns", "bulk_annotations")):
        if getattr(arguments, table) and not getattr(arguments, asked):
            raise UsageError(f"--{table.replace('_', '-')} goes with --{asked.replace('_', '-')}. Give both, or neither.")
    log = logging.getLogger("lightmicroscopy")
    if arguments.labels and arguments.format in ("original", "metadata"):
        log.warning("Label maps are written with OME-TIFF and OME-Zarr only: with the format %s there are none.", arguments.format)
    if arguments.originals_from == "folder" and (arguments.rois or arguments.bulk_annotations):
        log.warning("Regions of interest and bulk annotations belong to images: of the files in a study's folder there are none.")


def _job(arguments: argparse.Namespace, endpoints: Any, progress: Any, stack: ExitStack, bulk: Any, paths: ReportPaths) -> Any:
    from lightmicroscopy.archives.engine import Limits
    from lightmicroscopy.archives.idr_download import Job
    from lightmicroscopy.archives.idr_labels import LABELS, LabelMaps
    from lightmicroscopy.archives.idr_plan import Wanted
    from lightmicroscopy.archives.idr_request import already_done
    from lightmicroscopy.archives.idr_rois import ROIS, roi_rows
    from lightmicroscopy.archives.idr_tables import ImagesTable, annotation_rows, image_row
    from lightmicroscopy.reports.tables import ANNOTATIONS, TableFile

    images = stack.enter_context(ImagesTable(arguments.image_table)) if arguments.image_table else None
    annotations = stack.enter_context(TableFile(arguments.annotations, ANNOTATIONS)) if arguments.annotations else None

    rois = stack.enter_context(TableFile(arguments.rois, ROIS)) if arguments.rois else None
    maps = stack.enter_context(TableFile(arguments.label_table, LABELS)) if arguments.label_table else None

    def planned(image: Any) -> None:
        if rois is not None:
            for row in roi_rows(image):
                rois.add(row)
        if bulk is not None:
            bulk.add(image.record.id, image.place)
        if images is not None:
            images.add(image_row(image))
        if annotations is not None:
            for row in annotation_rows(image):
                annotations.add(row)

    items = min(arguments.max_items, endpoints.max_items or arguments.max_items)
    size = min(arguments.max_size, endpoints.max_bytes or arguments.max_size)
    return Job(
        Wanted(arguments.format, flags.selection_of(arguments), arguments.zip, arguments.arrange, regions=rois is not None),
        arguments.output,
        limits=Limits(items, size),
        options=flags.write_options(arguments, cli.resources(arguments)),
        parameters=flags.recorded(arguments, RECORDED),
        plan_only=arguments.plan_only,
        manifest=arguments.manifest,
        earlier=already_done(arguments.table, arguments.output),
        planned=planned,
        progress=progress,
        asked_by=_asked_by(arguments),
        reports=paths,
        labels=LabelMaps(arguments.labels, maps.add if maps is not None else None, bool(arguments.galaxy_collection), reports=paths)
        if arguments.labels
        else None,
    )


def _asked_by(arguments: argparse.Namespace) -> str:
    """Say what was asked for as it was written: on a terminal in words and flags, in Galaxy in a form."""
    from lightmicroscopy.names import readable

    words = [*arguments.spec, *(f"--images {text}" for text in arguments.images)]
    shown = [readable(word) if len(word) <= LONGEST_WORD else f"{readable(word[:LONGEST_WORD])}…" for word in words[:3]]
    said = " ".join([*shown, *(["…"] if len(words) > 3 else [])])
    return " and ".join([*([said] if said else []), *([f"--table {readable(str(arguments.table))}"] if arguments.table else [])])


def _report(result: Any, arguments: argparse.Namespace, maps: Sequence[Path]) -> None:
    from lightmicroscopy.archives.idr_citation import citation_page, citation_text
    from lightmicroscopy.provenance import checksums
    from lightmicroscopy.reports.tables import write_checksums, write_text

    if arguments.citation:
        written = citation_page if arguments.citation.suffix.lower() == ".html" else citation_text
        write_text(arguments.citation, [written(result.studies.values())])
    if arguments.fetch_json:
        from lightmicroscopy.archives.fetch_json import write_fetch_json
        from lightmicroscopy.archives.manifest import manifest_rows

        write_fetch_json(arguments.fetch_json, manifest_rows(arguments.manifest), PROGRAM)
    if arguments.checksums:
        folder = arguments.output.resolve()
        listed = [*checksums(result.paths, arguments.output)]
        for path in maps:
            # Beside the output folder they are named by the way that leads there from it, as sha256sum -c needs it.
            listed += [
                (digest, Path(os.path.relpath(path.resolve().parent / name, folder)).as_posix()) for digest, name in checksums([path], path.parent)
            ]
        write_checksums(arguments.checksums, listed)
    if arguments.preview and arguments.format in ("ome-tiff", "ome-zarr"):
        from lightmicroscopy.reports.preview import preview_files

        preview_files(result.paths[:PREVIEWED], arguments.preview)
    if arguments.galaxy_collection:
        from lightmicroscopy.galaxy import describe_files, describe_stores

        if arguments.format == "original":
            describe_files(
                (path.relative_to(arguments.output).as_posix() for path in result.paths), arguments.output, arguments.galaxy_collection, nested=False
            )
            return
        describe_stores(result.paths, arguments.galaxy_collection, None if arguments.arrange in ("flat", "plate-store") else arguments.output)


def _say_what_was_written(result: Any, arguments: argparse.Namespace) -> None:
    import logging

    from lightmicroscopy.reports.tables import files_written

    log = logging.getLogger("lightmicroscopy")
    log.info("%s", result.summary("image" if arguments.originals_from == "images" else "file", arguments.output, plan_only=arguments.plan_only))
    pictured = arguments.format in ("ome-tiff", "ome-zarr")
    if made := files_written(getattr(arguments, name) for name in REPORTS if name != "preview" or pictured):
        log.info("%s", made)


def _exit_code(result: Any, arguments: argparse.Namespace, lacking: int) -> int:
    if not result.done and not (result.planned and arguments.plan_only):
        return cli.WRONG_USAGE if result.impossible == result.failed else cli.NOTHING_USABLE
    return cli.SOME_FAILED if (result.failed or lacking) and arguments.strict else cli.DONE


def main(arguments: list[str] | None = None, **patience: Any) -> int:
    """Run the script; see `work`."""
    return cli.run(PROGRAM, partial(work, **patience), cli.parse(parser(), arguments, form_only=FORM_ONLY))


if __name__ == "__main__":
    sys.exit(main())
