"""File lists of the BioImage Archive as workbooks: read and checked as those in TSV, and never taken for a REMBI sheet."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import xlsxwriter

from lightmicroscopy.metadata.check import Report, check

from .document_checks import LIST, of, submission, write
from .test_check_bia import SUBMISSION, setting

ROWS = [line.split("\t") for line in LIST.splitlines()]
NAMED: Callable[..., object] = setting("Study Component", "File List", "list.xlsx")


def workbook(path: Path, rows: Sequence[Sequence[str]], sheet: str = "Files") -> Path:
    book = xlsxwriter.Workbook(path)
    page = book.add_worksheet(sheet)
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            page.write(number, column, text)
    book.close()
    return path


def report(folder: Path, rows: Sequence[Sequence[str]], **options: str) -> Report:
    return check([*write(folder, {SUBMISSION: submission(NAMED)}), workbook(folder / "list.xlsx", rows, **options)], ("bia",))


def test_a_list_in_a_workbook_is_found_sound(tmp_path: Path) -> None:
    found = report(tmp_path, ROWS)
    assert [item.format for item in found.inputs if item.name == "list.xlsx"] == ["File list (XLSX)"]
    assert [finding for finding in found.findings if finding.input == "list.xlsx" and finding.severity == "error"] == []
    assert of(found.findings, "bia.list-given") == []


@pytest.mark.parametrize(
    ("rule", "words", "where", "rows"),
    [
        ("bia.list-header", "and not “Files”", "column 1", [["File", *ROWS[0][1:]], *ROWS[1:]]),
        ("bia.list-path", "+ #", "row 4", [*ROWS, ["ctrl+drug #2.tif", "x"]]),
        ("bia.list-rows", "no path in its first cell", "row 4", [*ROWS, ["", "x"]]),
        ("bia.list-rows", "has 3 cells", "row 4", [*ROWS, ["a.tif", "x", "y"]]),
        ("bia.list-repeated", "is listed at row 2 already", "row 4", [*ROWS, ROWS[1]]),
        ("bia.list-rows", "formula", "row 4", [*ROWS, ['=CONCATENATE("a",".tif")', "x"]]),
    ],
)
def test_a_mistake_in_a_workbook_is_told_by_its_row(tmp_path: Path, rule: str, words: str, where: str, rows: Sequence[Sequence[str]]) -> None:
    told = of(report(tmp_path, rows).findings, rule)
    assert any(words in finding.message and where in finding.location for finding in told), told


def test_a_workbook_of_something_else_is_no_list_and_is_told_so(tmp_path: Path) -> None:
    told = of(report(tmp_path, [["Mouse", "Weight"], ["1", "20 g"]]).findings, "bia.list-given")
    assert ["is no file list" in finding.message for finding in told] == [True]


def test_a_damaged_workbook_costs_only_itself(tmp_path: Path) -> None:
    paths = [*write(tmp_path, {SUBMISSION: submission(NAMED)}), workbook(tmp_path / "list.xlsx", ROWS)]
    with zipfile.ZipFile(paths[-1]) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(paths[-1], "w") as book:
        for name, data in parts.items():
            book.writestr(name, data[: len(data) // 2] if "sheet1" in name else data)
    found = check(paths, ("bia",))
    (finding,) = of(found.findings, "input.unreadable")
    assert finding.input == "list.xlsx"
    assert "list.xlsx" in finding.message
