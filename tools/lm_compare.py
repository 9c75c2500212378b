"""Compare microscopy images with their original, pixel by pixel and field by field."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

from lightmicroscopy import cli, flags

PROGRAM = "lm_compare"
FORM_ONLY = ("original", "copies", "members")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    result = cli.build_parser(PROGRAM, "Compare copies with their original: pixels exactly, metadata field by field.", output=False)
    result.add_argument("original", type=Path, metavar="ORIGINAL", help="the image file, folder or zip that was copied")
    result.add_argument("copy", nargs="+", type=Path, metavar="COPY", help="its copies, in any order; together they hold its series")
    result.add_argument("--member", action="append", type=Path, default=[], metavar="FILE", help="another file of the set that ORIGINAL is kept in")
    flags.add_reading(result)
    result.add_argument("--pixels", action=argparse.BooleanOptionalAction, default=True, help="compare the pixels too (default: yes)")
    result.add_argument("--table", type=Path, metavar="FILE", help="table (TSV) of every comparison")
    result.add_argument("--html", type=Path, metavar="FILE", help="report for people")
    result.add_argument(
        "--fail-on",
        choices=("never", "pixels", "difference"),
        default="never",
        help="exit with 4 if pixels differ or a series is missing, or at any difference that was not decided on (default: never)",
    )
    return result


def work(arguments: argparse.Namespace) -> int:
    """Compare, then write the reports."""
    from lightmicroscopy.compare import compare
    from lightmicroscopy.image import Location
    from lightmicroscopy.progress import Progress

    log = logging.getLogger("lightmicroscopy")
    cli.refuse_overwriting([arguments.original, *arguments.member, *arguments.copy], (arguments.table, arguments.html))
    original = Location(arguments.original, (arguments.original, *arguments.member), **flags.reading_of(arguments))
    copies = tuple(dict.fromkeys(arguments.copy))
    progress = Progress("Comparing", quiet=arguments.quiet, log_json=arguments.log_json)
    try:
        comparison = compare(original, copies, pixels=arguments.pixels, threads=cli.resources(arguments).threads, progress=progress)
    finally:
        progress.close()
    for sentence in comparison.unreadable:
        log.warning(cli.one_line(sentence))
    _write(comparison, arguments)
    return _exit_code(comparison, arguments)


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


def _exit_code(comparison: Any, arguments: argparse.Namespace) -> int:
    if not comparison.compared:
        return cli.NOTHING_USABLE
    if comparison.unreadable and arguments.strict:
        return cli.SOME_FAILED
    counts = {"never": 0, "pixels": sum(row.is_grave for row in comparison.rows), "difference": sum(row.differs for row in comparison.rows)}
    return cli.FINDINGS if counts[arguments.fail_on] else cli.DONE


def main(arguments: list[str] | None = None) -> int:
    """Run the script."""
    return cli.run(PROGRAM, work, cli.parse(parser(), arguments, form_only=FORM_ONLY))


if __name__ == "__main__":
    sys.exit(main())
