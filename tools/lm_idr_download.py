"""Download images from the Image Data Resource (IDR): raw pixel values, metadata, annotations, licence and citation."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from lightmicroscopy import cli, flags

PROGRAM = "lm_idr_download"
FORM_ONLY = ("source_by", "packaging", "area_by", "make_preview")
RECORDED = ("format", *flags.WRITING)
PREVIEWED = 24
MAX_ITEMS = 1000
ARRANGEMENTS = ("flat", "dataset", "plate")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    result = cli.build_parser(PROGRAM, "Download images from the Image Data Resource (IDR), whole or in part, as raw pixel values.")
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
        "--table", type=Path, metavar="FILE", help="a table of images, or the manifest of an earlier call, of which what is there is kept"
    )
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
        help="how results lie: all in one folder; dataset/image; or plate/well/field (default: flat; original files always lie as in the archive)",
    )
    flags.add_writing(written)
    written.add_argument(
        "--galaxy-collection", metavar="NAME", help="describe the OME-Zarr folders in galaxy.json, as elements of that collection output"
    )
    tables = result.add_argument_group("reports")
    tables.add_argument("--manifest", type=Path, metavar="FILE", help="table (TSV) of what was fetched from where, a row per result")
    tables.add_argument("--image-table", type=Path, metavar="FILE", help="table (TSV) of the images: sizes, calibration, channels, licence")
    tables.add_argument("--annotations", type=Path, metavar="FILE", help="table (TSV) of everything the IDR says about the images")
    tables.add_argument(
        "--citation", type=Path, metavar="FILE", help="study, authors, licence and how to cite: a page if the name ends in .html, else Markdown"
    )
    tables.add_argument("--checksums", type=Path, metavar="FILE", help="SHA-256 of every file written, as sha256sum -c reads them")
    tables.add_argument("--preview", type=Path, metavar="PNG", help=f"picture of what was written (the first {PREVIEWED} images)")
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
    from lightmicroscopy.archives.idr_download import download
    from lightmicroscopy.archives.idr_request import requested
    from lightmicroscopy.archives.idr_walk import Walk
    from lightmicroscopy.progress import Progress

    reports = (arguments.manifest, arguments.image_table, arguments.annotations, arguments.citation, arguments.checksums, arguments.preview)
    cli.refuse_overwriting([arguments.table] if arguments.table else [], reports)
    endpoints = Endpoints.from_environment()
    with ExitStack() as stack:
        client = stack.enter_context(Client(endpoints, **patience))
        idr = Idr(client, endpoints)
        most = min(arguments.max_items, endpoints.max_items or arguments.max_items)
        asked = requested([*arguments.spec, *arguments.images], arguments.table, endpoints.idr_web, Walk(idr), most)
        progress = Progress("Downloading", quiet=arguments.quiet, log_json=arguments.log_json)
        stack.callback(progress.close)
        result = download(idr, client, _job(arguments, endpoints, progress, stack), asked.numbers, missing=asked.missing)
    _report(result, arguments)
    return _exit_code(result, arguments)


def _job(arguments: argparse.Namespace, endpoints: Any, progress: Any, stack: ExitStack) -> Any:
    from lightmicroscopy.archives.engine import Limits
    from lightmicroscopy.archives.idr_download import Job
    from lightmicroscopy.archives.idr_plan import Wanted
    from lightmicroscopy.archives.idr_request import already_done
    from lightmicroscopy.archives.idr_tables import ImagesTable, annotation_rows, image_row
    from lightmicroscopy.reports.tables import ANNOTATIONS, TableFile

    images = stack.enter_context(ImagesTable(arguments.image_table)) if arguments.image_table else None
    annotations = stack.enter_context(TableFile(arguments.annotations, ANNOTATIONS)) if arguments.annotations else None

    def planned(image: Any) -> None:
        if images is not None:
            images.add(image_row(image))
        if annotations is not None:
            for row in annotation_rows(image):
                annotations.add(row)

    items = min(arguments.max_items, endpoints.max_items or arguments.max_items)
    size = min(arguments.max_size, endpoints.max_bytes or arguments.max_size)
    return Job(
        Wanted(arguments.format, flags.selection_of(arguments), arguments.zip, arguments.arrange),
        arguments.output,
        limits=Limits(items, size),
        options=flags.write_options(arguments, cli.resources(arguments)),
        parameters=flags.recorded(arguments, RECORDED),
        plan_only=arguments.plan_only,
        manifest=arguments.manifest,
        earlier=already_done(arguments.table, arguments.output),
        planned=planned,
        progress=progress,
    )


def _report(result: Any, arguments: argparse.Namespace) -> None:
    from lightmicroscopy.archives.idr_citation import citation_page, citation_text
    from lightmicroscopy.provenance import checksums
    from lightmicroscopy.reports.tables import write_checksums, write_text

    if arguments.citation:
        written = citation_page if arguments.citation.suffix.lower() == ".html" else citation_text
        write_text(arguments.citation, [written(result.studies.values())])
    if arguments.checksums:
        write_checksums(arguments.checksums, checksums(result.paths, arguments.output))
    if arguments.preview and arguments.format in ("ome-tiff", "ome-zarr"):
        from lightmicroscopy.reports.preview import preview_files

        preview_files(result.paths[:PREVIEWED], arguments.preview)
    if arguments.galaxy_collection:
        from lightmicroscopy.galaxy import describe_stores

        describe_stores(result.paths, arguments.galaxy_collection, None if arguments.arrange == "flat" else arguments.output)


def _exit_code(result: Any, arguments: argparse.Namespace) -> int:
    if not result.done and not (result.planned and arguments.plan_only):
        return cli.WRONG_USAGE if result.impossible == result.failed else cli.NOTHING_USABLE
    return cli.SOME_FAILED if result.failed and arguments.strict else cli.DONE


def main(arguments: list[str] | None = None, **patience: Any) -> int:
    """Run the script; see `work`."""
    return cli.run(PROGRAM, partial(work, **patience), cli.parse(parser(), arguments, form_only=FORM_ONLY))


if __name__ == "__main__":
    sys.exit(main())
