"""Download files of the BioImage Archive: whole studies or a choice of their files, checked, with licence and citation."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightmicroscopy import cli, flags

if TYPE_CHECKING:
    import argparse

PROGRAM = "lm_bia_download"
EXAMPLES = (
    "lm_bia_download --accession S-BIAD634 --first 2 --output files --manifest manifest.tsv --citation citation.md",
    "lm_bia_download --accession S-BIAD634 --match '*.tif' --component 'Raw images' --plan-only --output files --manifest plan.tsv",
    "lm_bia_download --accession S-BIAD634 --format ome-zarr --output stores",
    "lm_bia_download --table files.tsv --largest-file 500M --output chosen --checksums SHA256SUMS",
)
FORM_ONLY = ("source_by", "packaging")
RECORDED = ("format", *flags.WRITING)
MAX_ITEMS = 10_000


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    result = cli.build_parser(PROGRAM, "Download files of the BioImage Archive: whole studies, or a choice of their files.", examples=EXAMPLES)
    asked = result.add_argument_group("files")
    asked.add_argument("spec", nargs="*", default=[], metavar="ACC", help="accessions such as S-BIAD634, or links of studies")
    asked.add_argument("--accession", action="append", default=[], metavar="ACC", help="the same as ACC, as a flag; repeatable")
    asked.add_argument(
        "--table",
        type=Path,
        metavar="FILE",
        help="the files table of lm_bia_search, edited or not; or the manifest of an earlier call, to fetch only what is not there yet",
    )
    flags.add_only_missing(asked)
    asked.add_argument(
        "--match",
        action="append",
        default=[],
        metavar="GLOB",
        help="files whose name fits, such as '*.tif'; their path if there is a slash; * stands for any text, ? for a character, [ab] for a or b, "
        "[!ab] for another, and [[] for [ itself; repeatable",
    )
    asked.add_argument("--component", action="append", default=[], metavar="NAME", help="files of this component or annotation; repeatable")
    asked.add_argument(
        "--attribute",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="files with this attribute, written as for --match; repeatable: of one NAME any VALUE will do, of several each has to fit",
    )
    asked.add_argument("--largest-file", type=flags.byte_count, default=None, metavar="SIZE", help="leave out larger files, such as 500M")
    asked.add_argument("--first", type=int, default=None, metavar="N", help="of these the first N of each study, in the order of their paths")
    asked.add_argument("--max-items", type=int, default=MAX_ITEMS, metavar="N", help=f"most files in one go (default: {MAX_ITEMS})")
    asked.add_argument("--max-size", type=flags.byte_count, default="100G", metavar="SIZE", help="most bytes to fetch, such as 20G (default: 100G)")
    asked.add_argument("--plan-only", action="store_true", help="say in the manifest what would be fetched, and fetch no file")
    written = result.add_argument_group("output")
    written.add_argument(
        "--format",
        choices=("original", "ome-zarr"),
        default="original",
        help="files as they were submitted, or the archive's own OME-Zarr of images where it has some (default: original)",
    )
    flags.add_writing(written)
    written.add_argument(
        "--galaxy-collection",
        metavar="NAME",
        help="for a job in Galaxy, not for a terminal: make the results elements of its nested collection output of that name (galaxy.json)",
    )
    tables = result.add_argument_group("reports")
    tables.add_argument("--manifest", type=Path, metavar="FILE", help="table (TSV), a row per file: what was fetched from where, or why not")
    tables.add_argument("--citation", type=Path, metavar="FILE", help="licence and how to cite: a page if the name ends in .html, else Markdown")
    tables.add_argument("--checksums", type=Path, metavar="FILE", help="SHA-256 of every file; sha256sum -c reads it in the output folder")
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
    from lightmicroscopy.archives.bia_download import download
    from lightmicroscopy.archives.biostudies import BioStudies
    from lightmicroscopy.archives.endpoints import Endpoints
    from lightmicroscopy.archives.http import Client
    from lightmicroscopy.archives.missing import narrow_to_missing
    from lightmicroscopy.progress import Progress

    reports = cli.refuse_overwriting(
        arguments,
        [arguments.table],
        (arguments.manifest, arguments.citation, arguments.checksums, arguments.fetch_json),
    )
    flags.check_fetch_json(arguments)
    endpoints = Endpoints.from_environment()
    with ExitStack() as stack:
        if not narrow_to_missing(arguments, stack):
            return cli.DONE
        job = _job(arguments, endpoints, stack)
        client = stack.enter_context(Client(endpoints, **patience))
        progress = Progress("Downloading", quiet=arguments.quiet, log_json=arguments.log_json)
        stack.callback(progress.close)
        result = download(BioStudies(client, endpoints), client, job(progress=progress, reports=reports))
    _report(result, arguments)
    _say_what_was_written(result, arguments)
    return _exit_code(result, arguments)


def _job(arguments: argparse.Namespace, endpoints: Any, stack: ExitStack) -> Any:
    from lightmicroscopy.archives.bia_choice import Choice, Named, attribute_of
    from lightmicroscopy.archives.bia_download import Job
    from lightmicroscopy.archives.biostudies import accession_of
    from lightmicroscopy.archives.engine import Limits
    from lightmicroscopy.archives.idr_request import already_done
    from lightmicroscopy.errors import UsageError

    studies = [*arguments.spec, *arguments.accession]
    if bool(arguments.table) == bool(studies):
        raise UsageError("Give either accessions (--accession) or a table of files (--table).")
    for name in ("first", "max_items"):
        if getattr(arguments, name) is not None and getattr(arguments, name) < 1:
            raise UsageError(f"--{name.replace('_', '-')} {getattr(arguments, name)} must be at least 1.")
    named = stack.enter_context(Named(arguments.table)) if arguments.table else None
    # Several may be pasted at once.
    given = dict.fromkeys(accession_of(word) for text in studies for word in text.replace(",", " ").split())
    accessions = named.accessions if named is not None else tuple(given)
    if not accessions:
        raise UsageError("No study is named. Give an accession such as S-BIAD634, or a table with a line for each file.")
    choice = Choice(
        tuple(arguments.match),
        tuple(arguments.component),
        tuple(attribute_of(text) for text in arguments.attribute),
        arguments.largest_file,
        arguments.first,
    )
    limits = Limits(
        min(arguments.max_items, endpoints.max_items or arguments.max_items), min(arguments.max_size, endpoints.max_bytes or arguments.max_size)
    )
    return partial(
        Job,
        accessions,
        arguments.output,
        choice,
        named,
        limits,
        arguments.plan_only,
        arguments.manifest,
        already_done(arguments.table, arguments.output),
        format=arguments.format,
        options=flags.write_options(arguments, cli.resources(arguments)),
        parameters=flags.recorded(arguments, RECORDED),
    )


def _report(result: Any, arguments: argparse.Namespace) -> None:
    from lightmicroscopy.archives.bia_citation import citation_page, citation_text
    from lightmicroscopy.reports.tables import write_checksums, write_text

    if arguments.citation:
        written = citation_page if arguments.citation.suffix.lower() == ".html" else citation_text
        write_text(arguments.citation, [written(result.studies.values())])
    if arguments.fetch_json:
        from lightmicroscopy.archives.fetch_json import write_fetch_json
        from lightmicroscopy.archives.manifest import manifest_rows

        write_fetch_json(arguments.fetch_json, manifest_rows(arguments.manifest), PROGRAM)
    if arguments.checksums:
        write_checksums(arguments.checksums, result.sums)
    if arguments.galaxy_collection and not arguments.plan_only:
        from lightmicroscopy.galaxy import describe_files, describe_stores

        if arguments.format == "ome-zarr":
            describe_stores(result.paths, arguments.galaxy_collection, arguments.output)
        else:
            describe_files((path for _, path in result.sums), arguments.output, arguments.galaxy_collection)


def _say_what_was_written(result: Any, arguments: argparse.Namespace) -> None:
    import logging

    from lightmicroscopy.reports.tables import files_written

    log = logging.getLogger("lightmicroscopy")
    log.info("%s", result.summary("file" if arguments.format == "original" else "image", arguments.output, plan_only=arguments.plan_only))
    if made := files_written((arguments.manifest, arguments.citation, arguments.checksums, arguments.fetch_json)):
        log.info("%s", made)


def _exit_code(result: Any, arguments: argparse.Namespace) -> int:
    if not result.done and not (result.planned and arguments.plan_only):
        return cli.WRONG_USAGE if result.impossible == result.failed else cli.NOTHING_USABLE
    return cli.SOME_FAILED if (result.failed or result.incomplete) and arguments.strict else cli.DONE


def main(arguments: list[str] | None = None, **patience: Any) -> int:
    """Run the script; see `work`."""
    return cli.run(PROGRAM, partial(work, **patience), cli.parse(parser(), arguments, form_only=FORM_ONLY))


if __name__ == "__main__":
    sys.exit(main())
