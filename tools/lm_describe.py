"""Describe a set of images by REMBI: make a sheet that they have filled in as far as they know, and read one that a person has filled in."""

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
    from collections.abc import Iterator

    from lightmicroscopy.inputs import Given, Web
    from lightmicroscopy.inspection import Input
    from lightmicroscopy.metadata.rembi.compare import Told
    from lightmicroscopy.metadata.rembi.sheet import Sheet, SheetProblem

PROGRAM = "lm_describe"
FORM_ONLY = ("source_by", "input", "images", "store", "task_is", "begun", "filled")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    result = cli.build_parser(
        PROGRAM,
        "Describe a data set by REMBI: write a sheet that the images have filled in as far as they know, or read one that was filled in.",
        output=False,
        examples=(
            "lm_describe folder/ --write-sheet sheet.xlsx",
            "lm_describe new/ --from-sheet sheet.xlsx --write-sheet more.xlsx",
            "lm_describe folder/ --read-sheet sheet.xlsx --table findings.tsv --json metadata.json --fail-on error",
        ),
    )
    result.add_argument(
        "input",
        nargs="*",
        type=path_or_address,
        metavar="INPUT",
        help="files, OME-Zarr folders, zips, folders of them, addresses of OME-Zarr on the web, or tables of lm_inspect instead; with "
        "--read-sheet those that it is about, if any",
    )
    flags.add_url(result, repeatable=True)
    flags.add_reading(result)
    sheet = result.add_argument_group("sheet (one of --write-sheet and --read-sheet)")
    sheet.add_argument("--write-sheet", type=Path, metavar="FILE", help=".xlsx, .yaml, .tsv, .zip of TSV, or without an ending a folder of TSV")
    sheet.add_argument("--format", choices=("xlsx", "tsv", "yaml"), help="format of the sheet (default: by its ending)")
    sheet.add_argument(
        "--from-sheet", type=Path, metavar="FILE", help="a sheet begun earlier: what a person wrote in it is kept, and rows of new images are added"
    )
    sheet.add_argument("--read-sheet", type=Path, metavar="FILE", help="a sheet, in any of these formats, to be checked and read")
    result.add_argument("--json", type=Path, metavar="FILE", help="what the sheet says, for programs (with --read-sheet)")
    result.add_argument("--table", type=Path, metavar="FILE", help="table (TSV) of what is wrong or missing in it (with --read-sheet)")
    result.add_argument(
        "--fail-on",
        choices=("never", "error", "warning"),
        default="never",
        help="with --read-sheet, exit with 4 if there is a finding at least this grave; what is missing is a warning (default: never)",
    )
    add_ontologies(result)
    return result


def work(arguments: argparse.Namespace) -> int:
    """Write or read a sheet, with one client for all that is on the web."""
    from lightmicroscopy.errors import UsageError
    from lightmicroscopy.inputs import Web

    if bool(arguments.write_sheet) == bool(arguments.read_sheet):
        raise UsageError("Say what to do: --write-sheet FILE makes a sheet for the images, --read-sheet FILE reads one. One of the two.")
    if arguments.read_sheet and (arguments.from_sheet or arguments.format):
        raise UsageError("--from-sheet and --format are for writing a sheet; --read-sheet reads every format as it is.")
    if arguments.write_sheet and (arguments.ontology_file or arguments.ontology_lookup):
        raise UsageError("--ontology-file and --ontology-lookup are for the terms of a sheet that is read, with --read-sheet.")
    if arguments.write_sheet and (arguments.json or arguments.table or arguments.fail_on != "never"):
        raise UsageError("--json, --table and --fail-on tell of a sheet that is read, with --read-sheet. To look at images, use lm_inspect.")
    with Web(cli.resources(arguments).memory) as web:
        return _written(arguments, web) if arguments.write_sheet else _read(arguments, web)


def _written(arguments: argparse.Namespace, web: Web) -> int:
    """Make a sheet."""
    from lightmicroscopy.metadata.rembi.from_table import listed_in
    from lightmicroscopy.metadata.rembi.prefill import Draft
    from lightmicroscopy.metadata.rembi.sheet import format_of, read_sheet, write_sheet
    from lightmicroscopy.metadata.rembi.write import refuse_filled
    from lightmicroscopy.names import readable
    from lightmicroscopy.reports.words import plural

    kind = arguments.format or format_of(arguments.write_sheet)
    refuse_filled(arguments.write_sheet)
    begun = read_sheet(arguments.from_sheet) if arguments.from_sheet else None
    paths = cli.refuse_overwriting(arguments, [*arguments.input, *([arguments.from_sheet] if begun else [])], (arguments.write_sheet,))
    log = logging.getLogger("lightmicroscopy")
    if begun:
        _refuse_mistaken(begun)
    draft = Draft(begun)
    failed = total = 0
    tables = _tables_among(arguments)
    for table in tables:
        for listed in listed_in(table):
            draft.add_listed(listed)
    for item in _opened(arguments, web, needed=not tables):
        paths.refuse(item.dataset.files if item.dataset else ())
        draft.add(item)
        total += not item.part_of
        failed += bool(item.unreadable)
    if failed == total and not (draft.added or draft.kept):
        return cli.NOTHING_USABLE
    write_sheet(draft.sheet(readable(arguments.write_sheet.name)), arguments.write_sheet, kind)
    rows = f"{plural(draft.added, 'row')} of images" + (f" added, {draft.kept} there already" if begun else "")
    log.info(cli.one_line(f"{rows}, {plural(failed, 'input')} unreadable. Written: {readable(str(arguments.write_sheet))}"))
    return cli.SOME_FAILED if failed and arguments.strict else cli.DONE


def _refuse_mistaken(begun: Sheet) -> None:
    """Refuse to go on with a sheet of which something would be lost."""
    from lightmicroscopy.errors import UsageError

    lost = ("sheet.unknown-column", "sheet.column-twice", "sheet.too-many-values", "sheet.unknown-sheet", "sheet.unreadable-cell")
    problem = next((problem for problem in begun.problems if problem.rule in lost), None)
    if problem is not None:
        raise UsageError(f"{begun.name}, {problem.location}: {problem.message} It would be lost in the new sheet. {problem.fix}")


def _read(arguments: argparse.Namespace, web: Web) -> int:
    """Read a sheet, and hold it against the images if any were given."""
    from lightmicroscopy.inspection import other_names
    from lightmicroscopy.metadata.rembi.compare import told_by
    from lightmicroscopy.metadata.rembi.found import document_of, findings_of
    from lightmicroscopy.metadata.rembi.from_table import listed_in
    from lightmicroscopy.metadata.rembi.judged import judge, judge_beside_images
    from lightmicroscopy.metadata.rembi.match import match_images
    from lightmicroscopy.metadata.rembi.sheet import read_sheet
    from lightmicroscopy.metadata.rembi.validate import missing
    from lightmicroscopy.reports.tables import files_written
    from lightmicroscopy.reports.words import plural

    reports = (arguments.json, arguments.table)
    paths = cli.refuse_overwriting(arguments, [arguments.read_sheet, *arguments.input], reports)
    sheet = read_sheet(arguments.read_sheet)
    with lookup_of(arguments):
        problems: list[SheetProblem] = judge(arguments.read_sheet, [*sheet.problems, *missing(sheet)])
    failed = total = 0
    images: list[tuple[str, int]] = []
    members: list[tuple[str, str]] = []
    unreadable: set[str] = set()
    known: dict[tuple[str, int], Told] = {}
    if arguments.input or any(url.strip() for url in arguments.url):
        images = [(listed.name, listed.series) for table in _tables_among(arguments) for listed in listed_in(table)]
        for item in _opened(arguments, web, needed=not images):
            paths.refuse(item.dataset.files if item.dataset else ())
            unreadable |= {item.name} if item.unreadable else set()
            images += [(item.name, image.series) for image in item.dataset.images] if item.dataset else []
            known |= {(item.name, told.series): told for told in told_by(item.name, item.dataset)} if item.dataset else {}
            members += [(member, item.name) for member in other_names(item.dataset)] if item.dataset else []
            total += not item.part_of
            failed += bool(item.unreadable)
        if images or unreadable:
            matching = match_images(sheet, images, unreadable, members)
            rows = tuple((key[0], known[key], row) for key, row in matching.rows.items() if key in known)
            problems += [*matching.problems, *judge_beside_images(sheet.name, sheet, rows)]
    found = findings_of(sheet, problems)
    _report(arguments, found, document_of(sheet, problems))
    errors, warnings = (sum(finding.severity == level for finding in found) for level in ("error", "warning"))
    log = logging.getLogger("lightmicroscopy")
    log.info(
        cli.one_line(f"{sheet.name}: {plural(len(sheet.rows('image')), 'row')} of images, {plural(errors, 'error')}, {plural(warnings, 'warning')}")
    )
    made = files_written(reports)
    if made:
        log.info(cli.one_line(made))
    if total and failed == total and not images:
        return cli.NOTHING_USABLE
    if failed and arguments.strict:
        return cli.SOME_FAILED
    grave = {"never": 0, "error": errors, "warning": errors + warnings}[arguments.fail_on]
    return cli.FINDINGS if grave else cli.DONE


def _report(arguments: argparse.Namespace, found: list[Any], document: dict[str, Any]) -> None:
    from lightmicroscopy.reports.tables import FINDINGS, write_table, write_text

    if arguments.table:
        write_table(arguments.table, FINDINGS, ({name: getattr(finding, name) for name in FINDINGS} for finding in found))
    if arguments.json:
        import json

        write_text(arguments.json, (*json.JSONEncoder(ensure_ascii=False, indent=1).iterencode(document), "\n"))
    if not (arguments.table or arguments.json):
        for finding in found:
            sys.stdout.write(cli.one_line(f"{finding.severity}: {finding.location or finding.input}: {finding.message} {finding.fix}") + "\n")


def _tables_among(arguments: argparse.Namespace) -> list[Path]:
    """Take the tables of lm_inspect out of the inputs."""
    from lightmicroscopy.metadata.rembi.from_table import is_inspect_table

    tables = [word for word in arguments.input if isinstance(word, Path) and word.is_file() and is_inspect_table(word)]
    arguments.input = [word for word in arguments.input if word not in tables]
    return tables


def _opened(arguments: argparse.Namespace, web: Web, *, needed: bool) -> Iterator[Input]:
    """Open every input, one at a time, and say which cannot be read."""
    from lightmicroscopy.folders import expand
    from lightmicroscopy.inputs import bytes_of
    from lightmicroscopy.inspection import inspect
    from lightmicroscopy.progress import Progress

    if not needed and not arguments.input and not any(url.strip() for url in arguments.url):
        return
    expanded = expand(arguments.input)
    log = logging.getLogger("lightmicroscopy")
    given: tuple[Given, ...] = web.all_given(expanded.words, arguments.url)
    for note in expanded.notes:
        log.info(cli.one_line(note))
    done, total = 0, sum(bytes_of(item) or 0 for item in given)
    progress = Progress("Looking into images", quiet=arguments.quiet, log_json=arguments.log_json)
    try:
        for item in inspect(given, **flags.reading_of(arguments)):
            yield item
            done = min(total, done + (item.bytes or 0))
            if total:
                progress(done, total)
            if item.unreadable:
                log.warning(cli.one_line(item.unreadable))
    finally:
        progress.close()


def main(arguments: list[str] | None = None) -> int:
    """Run the script."""
    return cli.run(PROGRAM, work, cli.parse(parser(), arguments, form_only=FORM_ONLY))


if __name__ == "__main__":
    sys.exit(main())
