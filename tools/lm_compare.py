"""Compare microscopy images with their original, pixel by pixel and field by field."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightmicroscopy import cli, flags
from lightmicroscopy.errors import UsageError
from lightmicroscopy.words import path_or_address

if TYPE_CHECKING:
    from lightmicroscopy.inputs import Given, Web

PROGRAM = "lm_compare"
DESCRIPTION = (
    "Compare copies with their original: pixels exactly, metadata field by field. A copy that records to hold a part of the original "
    "is compared with that part, and the report says so."
)
FORM_ONLY = ("source_by", "original", "store", "copies", "members")
EXAMPLES = (
    "lm_compare image.czi copies/*.ome.tiff --html report.html",
    "lm_compare a.czi --also b.nd2 --also c.lif copies/*.ome.zarr --table differences.tsv",
    "lm_compare image.czi image.ome.zarr --fail-on pixels && echo 'every pixel is in the copy'",
    "lm_compare mosaic.czi tiles/*.ome.tiff --mosaic tiles",
)
BY_URL = "-"


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    result = cli.build_parser(PROGRAM, DESCRIPTION, output=False, examples=EXAMPLES)
    result.add_argument(
        "original",
        type=_original_word,
        metavar="ORIGINAL",
        help="the image file, folder or zip that was copied, or the address of an OME-Zarr on the web; - for that of --url",
    )
    result.add_argument("copy", nargs="+", type=path_or_address, metavar="COPY", help="its copies, in any order; together they hold its series")
    flags.add_url(result, repeatable=False)
    result.add_argument(
        "--also",
        action="append",
        type=path_or_address,
        default=[],
        metavar="ORIGINAL",
        help="one more original; repeat the flag for each. Each copy is compared with the one that it was made from",
    )
    result.add_argument(
        "--member", action="append", type=Path, default=[], metavar="FILE", help="one more file of the set that ORIGINAL is kept in; repeat for each"
    )
    flags.add_reading(result)
    result.add_argument("--pixels", action=argparse.BooleanOptionalAction, default=True, help="compare the pixels too (default: yes)")
    result.add_argument("--table", type=Path, metavar="FILE", help="table (TSV) of every comparison")
    result.add_argument("--html", type=Path, metavar="FILE", help="report for people")
    result.add_argument(
        "--fail-on",
        choices=("never", "pixels", "difference"),
        default="never",
        help="exit with 4 if pixels differ or not all of the original is in the copies, or at any difference that is not expected (default: never)",
    )
    return result


def work(arguments: argparse.Namespace) -> int:
    """Compare, with one client for all that is on the web."""
    from lightmicroscopy.inputs import Web

    with Web(cli.resources(arguments).memory) as web:
        return _reported(arguments, web)


def _reported(arguments: argparse.Namespace, web: Web) -> int:
    """Compare, then write the reports."""
    from lightmicroscopy.progress import Progress

    log = logging.getLogger("lightmicroscopy")
    given = [arguments.original, *arguments.also, *arguments.member, *arguments.copy]
    paths = cli.refuse_overwriting(arguments, given, (arguments.table, arguments.html))
    if arguments.also and arguments.member:
        raise UsageError("Other files of the original can be given with one original only. Leave them out, or compare that original by itself.")
    if arguments.fail_on == "pixels" and not arguments.pixels:
        raise UsageError("--fail-on pixels needs the pixels, which --no-pixels leaves out. Leave out one of the two, or use --fail-on difference.")
    progress = Progress("Comparing", quiet=arguments.quiet, log_json=arguments.log_json)
    try:
        comparison = _compared(arguments, web, progress)
    finally:
        progress.close()
    paths.refuse(comparison.files)
    for sentence in (*comparison.lost, *comparison.unreadable, *comparison.notes):
        log.warning(cli.one_line(sentence))
    _write(comparison, arguments)
    return _exit_code(comparison, arguments)


def _compared(arguments: argparse.Namespace, web: Web, progress: Any) -> Any:
    from lightmicroscopy.compare import compare
    from lightmicroscopy.compare_many import compare_many
    from lightmicroscopy.inputs import location_of

    copies = list(dict.fromkeys(web.given(arguments.copy)))
    (first,) = _original(arguments, web)
    threads, reading = cli.resources(arguments).threads, flags.reading_of(arguments)
    if arguments.also:
        originals = list(dict.fromkeys((first, *web.given(arguments.also))))
        return compare_many(originals, copies, reading=reading, pixels=arguments.pixels, threads=threads, progress=progress)
    original = location_of(first, (first, *arguments.member), **reading)
    return compare(original, copies, pixels=arguments.pixels, threads=threads, progress=progress)


def _original_word(text: str) -> Path | str:
    return text if text == BY_URL else path_or_address(text)


def _original(arguments: argparse.Namespace, web: Web) -> tuple[Given, ...]:
    """Return the original, which is named in one of two ways."""
    by_flag = arguments.original == BY_URL
    if by_flag != bool(arguments.url.strip()):
        raise UsageError("The original is named either in its place or by --url, with - in its place.")
    found = web.all_given([] if by_flag else [arguments.original], [arguments.url])
    if len(found) > 1:
        raise UsageError("--url names one original. Give others by --also.")
    return found


def _write(comparison: Any, arguments: argparse.Namespace) -> None:
    from lightmicroscopy.reports.comparison import summary, write_html
    from lightmicroscopy.reports.tables import COMPARISON, write_table

    if arguments.table:
        write_table(arguments.table, COMPARISON, comparison.table())
    if arguments.html:
        compared = "compared" if arguments.pixels else "not compared"
        parameters = (*flags.recorded_reading(arguments), ("Pixels", compared), ("Fail on", arguments.fail_on))
        write_html(comparison, arguments.html, parameters=parameters)
    log = logging.getLogger("lightmicroscopy")
    for line in map(cli.one_line, summary(comparison)):
        if arguments.table or arguments.html:
            log.info(line)
        else:
            sys.stdout.write(line + "\n")
    for path in filter(None, (arguments.table, arguments.html)):
        log.info("Written: %s", path)


def _exit_code(comparison: Any, arguments: argparse.Namespace) -> int:
    if not comparison.compared:
        return cli.NOTHING_USABLE
    if (comparison.unreadable or comparison.lost) and arguments.strict:
        return cli.SOME_FAILED
    grave, unlike = (sum(getattr(row, kind) for row in comparison.rows) for kind in ("is_grave", "differs"))
    # Whoever deletes an original after this has to know that what was not chosen is gone with it.
    counts = {"never": 0, "pixels": grave + comparison.in_part, "difference": unlike + comparison.in_part}
    return cli.FINDINGS if counts[arguments.fail_on] else cli.DONE


def main(arguments: list[str] | None = None) -> int:
    """Run the script."""
    return cli.run(PROGRAM, work, cli.parse(parser(), arguments, form_only=FORM_ONLY))


if __name__ == "__main__":
    sys.exit(main())
