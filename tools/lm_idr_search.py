"""Search the Image Data Resource (IDR): images, studies and annotations as tables."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from lightmicroscopy import cli

PROGRAM = "lm_idr_search"
LONGEST_LIMIT = 9
"""Digits."""
DESCRIPTION = (
    "Search the Image Data Resource (IDR) for images, studies and annotations. The reports that are asked for are written; "
    "without any, only the number of images is told."
)
EXAMPLES = (
    "lm_idr_search --where 'Gene Symbol=Tcf15'",
    "lm_idr_search --where 'Gene Symbol=Tcf15' --limit 3 --images images.tsv --studies studies.tsv",
    "lm_idr_search --study idr0062 --where 'Organism=Mus musculus' --images images.tsv --annotations annotations.tsv",
    "lm_idr_search --container plate:2551/F06 --details --images well.tsv",
)
FORM_ONLY = ()
LIMIT = 1000
OPERATORS = {"is": "equals", "is-not": "not_equals", "contains": "contains", "contains-not": "not_contains"}


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    result = cli.build_parser(PROGRAM, DESCRIPTION, output=False, examples=EXAMPLES)
    asked = result.add_argument_group("what is looked for")
    asked.add_argument(
        "--study",
        action="append",
        default=[],
        metavar="TEXT",
        help="only in studies of this accession, name, DOI or link, or with these words in the title; repeat for several",
    )
    asked.add_argument(
        "--container",
        action="append",
        default=[],
        metavar="SPEC",
        help="only in these: project:1, dataset:2, screen:102, plate:2551, plate:2551/B07, well:5, idr0062/Blastocysts, or links; repeatable",
    )
    asked.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="only images with this annotation, such as 'Gene Symbol=AURKB' (in quotes, for its space); = is, != is not, ~ contains, !~ does not; "
        "repeat for several",
    )
    asked.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="KEY",
        help="instead of --where, as forms give a condition: its key, with --operator and --value",
    )
    asked.add_argument("--operator", action="append", default=[], choices=tuple(OPERATORS), help="how the --key compares with the --value")
    asked.add_argument("--value", action="append", default=[], metavar="TEXT", help="what the --key is compared with")
    asked.add_argument("--any", action="store_true", help="one of the conditions is enough (default: all must hold)")
    asked.add_argument("--limit", type=_limit, default=LIMIT, metavar="N", help=f"most images to list (default: {LIMIT}); how many there are is told")
    asked.add_argument("--details", action="store_true", help="sizes, calibration and channels, for a request or two per image")
    tables = result.add_argument_group("reports")
    tables.add_argument("--images", type=Path, metavar="FILE", help="table (TSV), a row per image; edited or not, lm_idr_download --table takes it")
    tables.add_argument("--studies", type=Path, metavar="FILE", help="table (TSV), a row per study of these images: title, authors, DOI, licence")
    tables.add_argument(
        "--annotations", type=Path, metavar="FILE", help="table (TSV), a row for everything the IDR says about the images and studies"
    )
    return result


def work(arguments: argparse.Namespace, **patience: Any) -> int:
    """Search, and write the tables.

    Parameters
    ----------
    patience
        Options of the HTTP client, such as shorter time limits for tests.
    """
    from lightmicroscopy.archives.endpoints import Endpoints
    from lightmicroscopy.archives.http import Client
    from lightmicroscopy.archives.idr import Idr
    from lightmicroscopy.archives.idr_search import Job, Search
    from lightmicroscopy.archives.idr_search_engine import SearchEngine
    from lightmicroscopy.archives.idr_search_tables import AnnotationsTable, study_rows
    from lightmicroscopy.archives.idr_tables import ImagesTable
    from lightmicroscopy.reports.tables import STUDIES, write_table

    cli.refuse_overwriting(arguments, (), (arguments.images, arguments.studies, arguments.annotations))
    endpoints = Endpoints.from_environment()
    question = _question(arguments, endpoints.idr_web)
    with ExitStack() as stack:
        client = stack.enter_context(Client(endpoints, **patience))
        images = stack.enter_context(ImagesTable(arguments.images)) if arguments.images else None
        annotations = stack.enter_context(AnnotationsTable(arguments.annotations)) if arguments.annotations else None
        job = Job(
            min(arguments.limit, endpoints.max_items or arguments.limit),
            arguments.details,
            images.add if images else None,
            annotations.add if annotations else None,
        )
        result = Search(Idr(client, endpoints), SearchEngine(client, endpoints)).answer(question, job)
    studies = study_rows(result.parts)
    if arguments.studies:
        write_table(arguments.studies, STUDIES, studies)
    code = _told(result, arguments, job.limit)
    _say_what_was_written(arguments, result.listed, len(studies), annotations.count if annotations else 0)
    return code


def _question(arguments: argparse.Namespace, web: str) -> Any:
    from lightmicroscopy.archives.idr_search import Question
    from lightmicroscopy.archives.idr_search_terms import condition, parse_condition
    from lightmicroscopy.archives.idr_spec import parse_named
    from lightmicroscopy.errors import UsageError

    parts = (arguments.key, arguments.operator, arguments.value)
    if len({len(part) for part in parts}) > 1:
        raise UsageError("A condition in parts needs its --key, its --operator and its --value, as many of each.")
    given = [condition(key, OPERATORS[operator], value) for key, operator, value in zip(*parts, strict=True)]
    studies = [line.strip() for text in arguments.study for line in text.splitlines()]
    return Question(
        tuple(study for study in studies if study),
        (*map(parse_condition, arguments.where), *given),
        arguments.any,
        tuple(dict.fromkeys(parse_named(arguments.container, web=web))),
    )


def _told(result: Any, arguments: argparse.Namespace, limit: int) -> int:
    import logging

    from lightmicroscopy.progress import counted

    log = logging.getLogger("lightmicroscopy")
    if not result.total and (arguments.where or arguments.key or not result.parts):
        log.error("Nothing in the IDR fits. Ask for less at once, or look for a part of a value with ~ instead of =.")
        return cli.NOTHING_USABLE
    asked = bool(arguments.images or arguments.annotations)
    if asked and result.listed < result.total:
        log.warning(
            "There are %s such images, and %s are listed (--limit %s). Raise the limit to list more, or narrow the search.",
            f"{result.total:,}",
            f"{result.listed:,}",
            limit,
        )
    else:
        log.info(
            "There %s %s, of %s.",
            "is" if result.total == 1 else "are",
            counted(result.total, "such image"),
            counted(len(result.parts), "project or screen", "projects and screens"),
        )
    return cli.SOME_FAILED if result.failed and arguments.strict else cli.DONE


def _say_what_was_written(arguments: argparse.Namespace, images: int, studies: int, annotations: int) -> None:
    import logging

    from lightmicroscopy.progress import counted
    from lightmicroscopy.reports.tables import files_written

    listed = (
        (arguments.images, counted(images, "image")),
        (arguments.studies, counted(studies, "study", "studies")),
        (arguments.annotations, counted(annotations, "annotation")),
    )
    if counts := ", ".join(count for path, count in listed if path):
        log = logging.getLogger("lightmicroscopy")
        log.info("Listed: %s", counts)
        log.info("%s", files_written(path for path, _ in listed))


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not text.strip("0"):
        raise argparse.ArgumentTypeError(f"{text[:50]!r} is not a whole number of at least 1")
    if len(text) > LONGEST_LIMIT:
        raise argparse.ArgumentTypeError(f"{text[:50]} is more than any table holds; give a number of at most {LONGEST_LIMIT} digits")
    return int(text)


def main(arguments: list[str] | None = None, **patience: Any) -> int:
    """Run the script; see `work`."""
    return cli.run(PROGRAM, partial(work, **patience), cli.parse(parser(), arguments, form_only=FORM_ONLY))


if __name__ == "__main__":
    sys.exit(main())
