"""Check microscopy metadata: what is wrong in a file, what is missing, why it matters and how to mend it."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightmicroscopy import cli, flags
from lightmicroscopy.ontology_flags import add_ontologies, lookup_of
from lightmicroscopy.words import path_or_address

if TYPE_CHECKING:
    import argparse

    from lightmicroscopy.inputs import Given, Web

PROGRAM = "lm_check"
PROFILES = ("open-format", "rembi", "bia", "idr")
FORM_ONLY = ("source_by", "input", "images", "store")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    result = cli.build_parser(
        PROGRAM,
        "Check microscopy images and the documents that describe them; each finding says what, where, why and how to mend it.",
        output=False,
        examples=(
            "lm_check cells.ome.tiff",
            "lm_check folder/ --html report.html --table findings.tsv",
            "lm_check deposit.ome.zarr --fail-on error",
            "lm_check submission.json file_list.tsv images/ --profile bia",
            "lm_check idr0000-study.txt idr0000-screenA-library.txt plate.ome.zarr --profile idr --html report.html",
        ),
    )
    result.add_argument(
        "input",
        nargs="*",
        type=path_or_address,
        metavar="INPUT",
        help="image files, OME-Zarr folders, zips, OME-XML documents, folders of them, or addresses of OME-Zarr on the web, of which a sample is "
        "fetched; with the profiles rembi, bia and idr also documents, recognised by what is in them: REMBI sheets, submissions to the BioImage "
        "Archive (PageTab, JSON or TSV) and their file lists, study files and tables of the IDR",
    )
    result.add_argument(
        "--sheet", action="append", type=Path, default=[], metavar="FILE", help="a REMBI sheet; the same as giving it among the inputs"
    )
    flags.add_url(result, repeatable=True)
    result.add_argument("--profile", action="append", choices=PROFILES, help="what to check against; repeat for several (default: open-format)")
    add_ontologies(result)
    result.add_argument("--html", type=Path, metavar="FILE", help="report for people")
    result.add_argument("--table", type=Path, metavar="FILE", help="table (TSV) of findings")
    result.add_argument("--json", type=Path, metavar="FILE", help="everything, for programs")
    result.add_argument("--preview", type=Path, metavar="PNG", help="pictures of what was checked: the first 24 series on one sheet")
    result.add_argument("--summary", type=Path, metavar="PNG", help="the verdict of each profile as one picture, for a workflow's report")
    result.add_argument(
        "--fail-on",
        choices=("never", "error", "warning"),
        default="never",
        help="exit with 4 if there is a finding at least this grave; with warning also if something could not be checked (default: never)",
    )
    return result


def work(arguments: argparse.Namespace) -> int:
    """Check, with one client for all that is on the web."""
    from lightmicroscopy.inputs import Web

    with Web(cli.resources(arguments).memory) as web, lookup_of(arguments):
        return _checked(arguments, web)


def _checked(arguments: argparse.Namespace, web: Web) -> int:
    """Check, then write the reports."""
    from lightmicroscopy.folders import expand
    from lightmicroscopy.inputs import bytes_of
    from lightmicroscopy.metadata.check import check
    from lightmicroscopy.metadata.documents import wanted_by
    from lightmicroscopy.progress import Progress
    from lightmicroscopy.reports.tables import files_written
    from lightmicroscopy.reports.words import plural

    profiles = tuple(dict.fromkeys(arguments.profile or PROFILES[:1]))
    # A document in a folder is taken only where somebody asked for its kind to be checked.
    expanded = expand([*arguments.input, *arguments.sheet], wanted_by(profiles))
    arguments.input = list(expanded.words)
    reports = (arguments.html, arguments.table, arguments.json, arguments.preview, arguments.summary)
    paths = cli.refuse_overwriting(arguments, arguments.input, reports)
    given = web.all_given(arguments.input, arguments.url)
    log = logging.getLogger("lightmicroscopy")
    for note in expanded.notes:
        log.info(cli.one_line(note))
    total = sum(bytes_of(item) or 0 for item in given)
    progress = Progress("checking", quiet=arguments.quiet, log_json=arguments.log_json)
    seen = 0

    def done(item: Any, size: int) -> None:
        nonlocal seen
        seen += size
        if total:
            progress(seen, total)
        if item.unreadable:
            log.warning(cli.one_line(item.unreadable))

    try:
        report = check(given, profiles, parameters=(("Profiles", ", ".join(profiles)), ("Fail on", arguments.fail_on)), done=done)
    finally:
        progress.close()
    paths.refuse(report.files)
    _write(report, arguments, given)
    counts = [
        plural(report.count("error"), "error"),
        plural(report.count("warning"), "warning"),
        plural(report.count("info"), "note"),
        f"{report.count('not-run')} not checked",
    ]
    log.info("%s: %s", plural(len(report.checked), "input"), ", ".join(counts))
    made = files_written(reports)
    if made:
        log.info(cli.one_line(made))
    return _exit_code(report, arguments)


def _write(report: Any, arguments: argparse.Namespace, given: tuple[Given, ...]) -> None:
    from lightmicroscopy.reports.tables import FINDINGS, write_table

    if arguments.table:
        write_table(arguments.table, FINDINGS, report.rows())
    if arguments.json:
        from lightmicroscopy.reports.findings_json import write_json

        write_json(report, arguments.json)
    if arguments.html:
        from lightmicroscopy.reports.findings_html import write_html

        write_html(report, arguments.html, given)
    if arguments.preview:
        from lightmicroscopy.metadata.check import images_of
        from lightmicroscopy.reports.preview import write_preview

        write_preview(images_of(report, given), arguments.preview, total=sum(len(item.series) for item in report.inputs))
    if arguments.summary:
        from lightmicroscopy.reports.summary_picture import write_summary

        write_summary(report, arguments.summary)
    if not (arguments.table or arguments.json or arguments.html):
        for finding in report.findings:
            where = f" [{finding.location}]" if finding.location else ""
            sys.stdout.write(cli.one_line(f"{finding.severity}: {finding.input}: {finding.message}{where}") + "\n")


def _exit_code(report: Any, arguments: argparse.Namespace) -> int:
    if len(report.failed) == len(report.inputs):
        return cli.NOTHING_USABLE
    if report.failed and arguments.strict:
        return cli.SOME_FAILED
    return cli.FINDINGS if report.reaches(arguments.fail_on) else cli.DONE


def main(arguments: list[str] | None = None) -> int:
    """Run the script."""
    return cli.run(PROGRAM, work, cli.parse_with_input(parser(), arguments, form_only=FORM_ONLY))


if __name__ == "__main__":
    sys.exit(main())
