"""Whatever is written into a sheet is read from it again, in every format, by this suite and by programs that others made."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings

from lightmicroscopy.metadata.rembi.fields import all_fields, fields_of, join, split
from lightmicroscopy.metadata.rembi.layout import title_of
from lightmicroscopy.metadata.rembi.sheet import Sheet, clean, read_sheet, row_of, write_sheet
from lightmicroscopy.metadata.rembi.tsv import guarded, unguarded

from ..needs import missing
from .sheets import FILLED, NASTY, any_sheet, texts, texts_of, written

FILES = ("sheet.xlsx", "sheet.tsv", "sheet.zip", "sheet.yaml", "folder")


@pytest.mark.parametrize("file", FILES)
@settings(max_examples=25, deadline=None)
@given(sheet=any_sheet())
def test_any_text_in_any_cell_comes_back_as_it_was(file: str, sheet: Sheet) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(sheet, Path(folder) / file)
        assert texts_of(read_sheet(path)) == texts_of(sheet)


@pytest.mark.parametrize("file", FILES)
def test_texts_that_programs_take_for_something_else_stay_texts(tmp_path: Path, file: str) -> None:
    sheet = Sheet("nasty", {"biosample": tuple(row_of({"name": f"{number}", "description": text}) for number, text in enumerate(NASTY))})
    assert texts_of(read_sheet(written(sheet, tmp_path / file))) == texts_of(sheet)


@pytest.mark.parametrize("file", FILES)
def test_a_sheet_that_a_person_has_filled_in_has_nothing_wrong_in_it(tmp_path: Path, file: str) -> None:
    read = read_sheet(written(FILLED, tmp_path / file))
    assert read.problems == ()
    assert texts_of(read) == texts_of(FILLED)


@pytest.mark.parametrize("file", FILES)
def test_a_sheet_written_from_what_was_read_is_the_same(tmp_path: Path, file: str) -> None:
    first = read_sheet(written(FILLED, tmp_path / file))
    again = read_sheet(written(first, tmp_path / f"again-{file}"))
    assert texts_of(again) == texts_of(FILLED)


def test_line_ends_of_other_systems_become_those_that_every_format_keeps() -> None:
    assert clean("a\r\nb\rc") == "a\nb\nc"
    assert clean("bell \x07") == "bell \N{REPLACEMENT CHARACTER}"


@given(texts)
def test_no_text_of_a_tsv_is_a_formula_for_a_spreadsheet(text: str) -> None:
    made = guarded(text)
    assert unguarded(made) == text
    assert not made.startswith(("=", "+", "@"))
    if made.startswith("-"):
        float(made.replace(",", "."))


@given(texts)
def test_several_values_stay_as_many(text: str) -> None:
    values = ("first", text.strip() or "x", "", "last; one", "back\\slash\\")
    assert split(join(values)) == values


def test_another_program_finds_texts_as_texts_and_numbers_as_numbers(tmp_path: Path) -> None:
    import openpyxl

    sheet = Sheet(
        "mixed",
        {
            "biosample": (row_of({"name": "=1+1", "description": "a\nb"}),),
            "image": (row_of({"image": "007", "series": "0", "pixel_size_x_um": "0.325", "pixel_size_y_um": "0.10"}),),
        },
    )
    book = openpyxl.load_workbook(written(sheet, tmp_path / "mixed.xlsx"))
    assert book.sheetnames[:7] == ["start here", "study", "study_component", "biosample", "specimen", "acquisition", "image"]
    name = book["biosample"]["A2"]
    assert (name.value, name.data_type) == ("=1+1", "s")
    images = book["image"]
    columns = {one.id: number for number, one in enumerate(fields_of("image"), 1)}
    assert images.cell(2, columns["image"]).value == "007"
    assert images.cell(2, columns["pixel_size_x_um"]).value == 0.325
    assert images.cell(2, columns["pixel_size_y_um"]).value == "0.10", "written as a number its nought would be lost"


def test_every_field_has_its_heading_a_note_and_a_message(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.load_workbook(written(FILLED, tmp_path / "filled.xlsx"))
    study = {str(row[0].value): row[0] for row in book["study"].iter_rows(max_col=1)}
    for one in all_fields():
        page = book[one.sheet]
        heading = study[title_of(one)] if one.sheet == "study" else page.cell(1, fields_of(one.sheet).index(one) + 1)
        assert heading.value == title_of(one)
        assert heading.comment is not None
        told = [rule for rule in page.data_validations.dataValidation if rule.promptTitle == one.title[:32]]
        assert told
        assert all(rule.showInputMessage and rule.prompt for rule in told)


def test_choices_and_names_of_other_sheets_are_offered(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.load_workbook(written(FILLED, tmp_path / "filled.xlsx"))
    images = {rule.promptTitle: rule for rule in book["image"].data_validations.dataValidation}
    assert images["Specimen"].type == "list"
    assert "specimen!$A$2" in images["Specimen"].formula1
    study = {rule.promptTitle: rule for rule in book["study"].data_validations.dataValidation}
    assert study["Licence"].formula1 == '"CC0,CC BY 4.0"'
    organisms = {rule.promptTitle: rule for rule in book["biosample"].data_validations.dataValidation}["Organism"]
    assert organisms.formula1.startswith("lists!") or organisms.formula1.startswith("=lists!")
    column = [cell.value for cell in book["lists"]["A"]]
    assert any("Homo sapiens (NCBITaxon:9606)" in [cell.value for cell in part] for part in book["lists"].columns), column
    assert book["lists"].sheet_state == "hidden"


def test_what_openpyxl_saves_again_says_the_same(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.load_workbook(written(FILLED, tmp_path / "filled.xlsx"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        book.save(tmp_path / "again.xlsx")
    assert texts_of(read_sheet(tmp_path / "again.xlsx")) == texts_of(FILLED)


@pytest.mark.slow
def test_what_libreoffice_saves_again_says_the_same(tmp_path: Path) -> None:
    program = shutil.which("soffice")
    if program is None:
        missing("LibreOffice is not installed")
    sheet = Sheet(
        "nasty",
        {
            **FILLED.tables,
            "biosample": tuple(row_of({"name": f"{number}", "description": text}) for number, text in enumerate(NASTY)),
        },
    )
    path = written(sheet, tmp_path / "sheet.xlsx")
    command = [program, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML"]
    subprocess.run([*command, "--outdir", str(tmp_path / "saved"), str(path)], check=True, capture_output=True, timeout=120)
    assert texts_of(read_sheet(tmp_path / "saved" / "sheet.xlsx")) == texts_of(sheet)


def test_a_sheet_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    from lightmicroscopy.errors import UsageError

    for file in FILES:
        path = written(FILLED, tmp_path / file)
        before = path.stat().st_mtime_ns
        with pytest.raises(UsageError, match="not overwritten"):
            write_sheet(FILLED, path)
        assert path.stat().st_mtime_ns == before


def test_a_text_longer_than_a_cell_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    from lightmicroscopy.errors import UnwritableError

    sheet = Sheet("long", {"biosample": (row_of({"name": "B", "description": "x" * 32_768}),)})
    for file in FILES:
        with pytest.raises(UnwritableError, match="of 'B' has 32,768 characters"):
            write_sheet(sheet, tmp_path / file)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_ending_is_told_with_those_that_are_known(tmp_path: Path) -> None:
    from lightmicroscopy.errors import UsageError

    with pytest.raises(UsageError, match=r"\.ods names no format.*\.xlsx"):
        write_sheet(FILLED, tmp_path / "sheet.ods")


def test_nothing_but_the_sheet_is_left_in_the_folder(tmp_path: Path) -> None:
    for file in FILES:
        write_sheet(FILLED, tmp_path / file)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
