"""Search the BioImage Archive: studies, their files, and all that they say of themselves."""

from __future__ import annotations

import logging
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightmicroscopy import cli

if TYPE_CHECKING:
    import argparse

PROGRAM = "lm_bia_search"
DESCRIPTION = (
    "Search the BioImage Archive: studies, their files, and what they say of themselves. The reports that are asked for are written; "
    "without any, a line per study: accession, title, files and licence as far as they are known."
)
EXAMPLES = (
    "lm_bia_search --query 'nuclear segmentation' --studies studies.tsv",
    "lm_bia_search --query 'title:nuclear AND Taniguchi' --limit 5 --details --studies studies.tsv",
    "lm_bia_search --accession S-BIAD634 --files files.tsv --rembi rembi.tsv --citation citation.md",
)
FORM_ONLY = ("search_by", "make_files", "make_metadata")
LIMIT = 100
EVERYWHERE = "all"
MOST_LISTED = 500


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    result = cli.build_parser(PROGRAM, DESCRIPTION, output=False, examples=EXAMPLES)
    asked = result.add_argument_group("studies")
    asked.add_argument("--query", default="", metavar="TEXT", help="words, or fields in the syntax of Lucene, such as 'title:mitosis AND confocal'")
    asked.add_argument("--accession", action="append", default=[], metavar="ACC", help="accession such as S-BIAD634, or link of a study; repeatable")
    asked.add_argument(
        "--collection",
        choices=("BioImages", EVERYWHERE),
        default="BioImages",
        help="search the BioImage Archive, or all of BioStudies (default: BioImages)",
    )
    asked.add_argument("--limit", type=int, default=LIMIT, metavar="N", help=f"most studies (default: {LIMIT}); the true number is told anyway")
    asked.add_argument("--details", action="store_true", help="look each study up: licence, DOI, organism; costs two requests per study")
    tables = result.add_argument_group("reports")
    tables.add_argument("--studies", type=Path, metavar="FILE", help="table (TSV), a row per study")
    tables.add_argument(
        "--files",
        type=Path,
        metavar="FILE",
        help="table (TSV), a row per file: size, component, attributes; edited or not, lm_bia_download --table takes it; implies --details",
    )
    tables.add_argument("--metadata", type=Path, metavar="FILE", help="all that the studies say of themselves, as JSON; implies --details")
    tables.add_argument("--rembi", type=Path, metavar="FILE", help="the same as a table (TSV) in the shape of REMBI; implies --details")
    tables.add_argument(
        "--citation", type=Path, metavar="FILE", help="licence and how to cite: a page if the name ends in .html, else Markdown; implies --details"
    )
    return result


def work(arguments: argparse.Namespace, **patience: Any) -> int:
    """Search, then write the reports.

    Parameters
    ----------
    patience
        Options of the HTTP client, such as shorter time limits for tests.
    """
    from lightmicroscopy.archives.bia_search import Lookup, hit_row, study_row
    from lightmicroscopy.archives.biostudies import MOST_HITS, BioStudies, accession_of
    from lightmicroscopy.archives.endpoints import Endpoints
    from lightmicroscopy.archives.http import Client
    from lightmicroscopy.errors import UsageError
    from lightmicroscopy.reports.tables import STUDIES, write_table

    log = logging.getLogger("lightmicroscopy")
    if bool(arguments.query.strip()) == bool(arguments.accession):
        raise UsageError("Give either words to search for (--query) or accessions (--accession).")
    if not 1 <= arguments.limit <= MOST_HITS:
        raise UsageError(f"--limit {arguments.limit} is not between 1 and {MOST_HITS:,}.")
    cli.refuse_overwriting(arguments, (), (arguments.studies, arguments.files, arguments.metadata, arguments.rembi, arguments.citation))
    endpoints = Endpoints.from_environment()
    # Several may be pasted at once.
    accessions = list(dict.fromkeys(accession_of(word) for given in arguments.accession for word in given.replace(",", " ").split()))
    details = bool(accessions or arguments.details or arguments.files or arguments.metadata or arguments.rembi or arguments.citation)
    with ExitStack() as stack:
        client = stack.enter_context(Client(endpoints, **patience))
        service = BioStudies(client, endpoints)
        rows, whole, counts = [], True, {}
        if not accessions:
            found = service.search(
                arguments.query.strip(), collection="" if arguments.collection == EVERYWHERE else "BioImages", limit=arguments.limit
            )
            whole = found.complete
            _tell_total(found)
            accessions = [hit.accession for hit in found.hits]
            rows = [hit_row(hit) for hit in found.hits]
            counts = {hit.accession: hit.files for hit in found.hits}
        if arguments.files and len(accessions) > MOST_LISTED:
            raise UsageError(
                f"The files of {len(accessions):,} studies are asked for, and at most {MOST_LISTED} are listed in one go. Lower --limit."
            )
        lookup = Lookup(service, client, stack)
        looked = lookup.studies(accessions, files=bool(arguments.files)) if details else []
        for accession, error in lookup.failed:
            log.warning("%s", error if accession in str(error) else f"{accession}: {error}")
        if details:
            known = {one.study.accession: study_row(one) for one in looked}
            rows = [known.get(str(row["accession"]), row) for row in rows] or list(known.values())
            counts |= {one.study.accession: one.count for one in looked}
        if arguments.studies:
            write_table(arguments.studies, STUDIES, sorted(rows, key=lambda row: str(row["accession"])))
        _report(looked, arguments)
        _print(rows, counts, arguments)
        _say_what_was_written(arguments, len(rows), sum(one.files.count for one in looked if one.files is not None))
    if not rows:
        return cli.DONE if arguments.query and not lookup.failed else cli.NOTHING_USABLE
    missed = lookup.failed or not whole or not all(one.complete for one in looked)
    return cli.SOME_FAILED if arguments.strict and missed else cli.DONE


def _tell_total(found: Any) -> None:
    from lightmicroscopy.progress import counted

    log = logging.getLogger("lightmicroscopy")
    exactly = "" if found.exact else "at least "
    if not found.complete:
        log.warning(
            "BioStudies counts %s%s and gave %s of them. Try again later, or narrow the search.",
            exactly,
            counted(found.total, "study", "studies"),
            f"{len(found.hits):,}",
        )
    elif len(found.hits) < found.total:
        log.warning(
            "%s%s studies fit, and the first %s are listed. Raise --limit, or narrow the search.",
            exactly,
            f"{found.total:,}",
            f"{len(found.hits):,}",
        )
    else:
        log.info("%s.", counted(found.total, "study fits", "studies fit"))


def _print(rows: list[Any], counts: dict[str, int | None], arguments: argparse.Namespace) -> None:
    """Say in a line what each study is, where no report is asked for."""
    from lightmicroscopy.archives.bia_search import study_line

    if not any((arguments.studies, arguments.files, arguments.metadata, arguments.rembi, arguments.citation)):
        for row in rows:
            sys.stdout.write(cli.one_line(study_line(row, counts.get(str(row["accession"])))) + "\n")


def _report(looked: list[Any], arguments: argparse.Namespace) -> None:
    import json

    from lightmicroscopy.archives.bia_citation import citation_page, citation_text
    from lightmicroscopy.archives.bia_files import write_files
    from lightmicroscopy.archives.bia_rembi import as_json, rembi_rows
    from lightmicroscopy.reports.tables import REMBI, write_table, write_text

    if arguments.files:
        write_files(arguments.files, [(one.files, one.address) for one in looked])
    if arguments.metadata:
        write_text(arguments.metadata, [json.dumps([as_json(one.study) for one in looked], ensure_ascii=False, indent=1), "\n"])
    if arguments.rembi:
        write_table(arguments.rembi, REMBI, (row for one in looked for row in rembi_rows(one.study)))
    if arguments.citation:
        written = citation_page if arguments.citation.suffix.lower() == ".html" else citation_text
        write_text(arguments.citation, [written(one.study.cited for one in looked)])


def _say_what_was_written(arguments: argparse.Namespace, studies: int, files: int) -> None:
    from lightmicroscopy.progress import counted
    from lightmicroscopy.reports.tables import files_written

    log = logging.getLogger("lightmicroscopy")
    if made := files_written((arguments.studies, arguments.files, arguments.metadata, arguments.rembi, arguments.citation)):
        log.info("Listed: %s%s", counted(studies, "study", "studies"), f", {counted(files, 'file')}" if arguments.files else "")
        log.info("%s", made)


def main(arguments: list[str] | None = None, **patience: Any) -> int:
    """Run the script; see `work`."""
    return cli.run(PROGRAM, partial(work, **patience), cli.parse(parser(), arguments, form_only=FORM_ONLY))


if __name__ == "__main__":
    sys.exit(main())
