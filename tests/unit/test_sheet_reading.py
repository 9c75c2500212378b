"""What a spreadsheet shows is what is read: dates, numbers, formulas, and sheets that people have rearranged."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.metadata.rembi.fields import fields_of, number, split_term
from lightmicroscopy.metadata.rembi.sheet import Sheet, read_sheet
from lightmicroscopy.metadata.rembi.xlsx_numbers import text_of_number

from .sheets import FILLED, texts_of, written

Change = Callable[[Any], None]


def column(table: str, field_id: str) -> int:
    return [one.id for one in fields_of(table)].index(field_id) + 1


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[Change], Sheet]:
    """Read a filled sheet in which somebody has changed something with a spreadsheet program."""
    import openpyxl

    def read(change: Change) -> Sheet:
        book = openpyxl.load_workbook(written(FILLED, tmp_path / "filled.xlsx"))
        change(book)
        book.save(tmp_path / "edited.xlsx")
        return read_sheet(tmp_path / "edited.xlsx")

    return read


def put(table: str, field_id: str, value: object, number_format: str | None = None) -> Change:
    def change(book: Any) -> None:
        cell = book[table].cell(2, column(table, field_id))
        cell.value = value
        if number_format:
            cell.number_format = number_format

    return change


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (datetime.date(2026, 11, 3), "dd/mm/yyyy", "2026-11-03"),
        (datetime.datetime(2026, 11, 3, 14, 5), "d. mmm yyyy hh:mm", "2026-11-03T14:05:00"),
        (datetime.time(14, 5), "h:mm", "14:05:00"),
        (3, "General", "3"),
        (3.0, "General", "3"),
        (0.325, "0.0", "0.325"),
        (0.1 + 0.2, "General", "0.3"),
        (1e-7, "General", "0.0000001"),
        (123456789012, "General", "123456789012"),
        (0.25, "0%", "25%"),
        (7, "000", "007"),
        (12, '0" days"', "12"),
        (True, "General", "TRUE"),
        (-4, "General", "-4"),
    ],
)
def test_a_value_is_read_as_a_person_sees_it(edited: Callable[[Change], Sheet], value: object, number_format: str, text: str) -> None:
    sheet = edited(put("biosample", "description", value, number_format))
    assert sheet.rows("biosample")[0].text("description") == text


def test_a_release_date_that_a_spreadsheet_made_a_date_is_a_date(edited: Callable[[Change], Sheet]) -> None:
    def change(book: Any) -> None:
        (cell,) = [row[1] for row in book["study"].iter_rows(max_col=2) if str(row[0].value).startswith("Release date")]
        cell.value, cell.number_format = datetime.date(2027, 6, 30), "dd.mm.yy"

    sheet = edited(change)
    assert sheet.study("release_date") == "2027-06-30"
    assert sheet.problems == ()


def test_days_count_from_1904_where_the_workbook_says_so() -> None:
    assert text_of_number("0", "date", since_1904=True) == "1904-01-01"
    assert text_of_number("44562", "date", since_1904=False) == "2022-01-01"
    assert text_of_number("43100", "date", since_1904=True) == "2022-01-01"
    assert text_of_number("1", "date") == "1900-01-01"
    assert text_of_number("59", "date") == "1900-02-28"
    assert text_of_number("61", "date") == "1900-03-01"


def test_a_day_before_or_after_all_calendars_stays_a_number() -> None:
    assert text_of_number("-1", "date") == "-1"
    assert text_of_number("99999999", "date") == "99999999"
    assert text_of_number("1e400", "date") == "1e400"


def test_a_formula_gives_what_it_last_gave_and_is_named(tmp_path: Path) -> None:
    import xlsxwriter

    path = tmp_path / "formula.xlsx"
    book = xlsxwriter.Workbook(str(path))
    page = book.add_worksheet("biosample")
    page.write_row(0, 0, ["Identity *", "Description"])
    page.write_row(1, 0, ["HeLa"])
    page.write_formula(1, 1, '=CONCATENATE("a","b")', None, "ab")
    page.write_formula(2, 0, '=HYPERLINK("http://example.org/?"&A1)', None, "")
    book.close()
    sheet = read_sheet(path)
    assert sheet.rows("biosample")[0].text("description") == "ab"
    told = {(problem.row, problem.column): problem for problem in sheet.problems if problem.rule == "sheet.formula"}
    assert told[2, "B"].severity == "warning"
    assert "'ab'" in told[2, "B"].message
    assert told[3, "A"].severity == "error"


def test_an_error_in_a_cell_is_no_value(tmp_path: Path, edited: Callable[[Change], Sheet]) -> None:
    sheet = edited(put("biosample", "description", "#REF!"))
    assert sheet.rows("biosample")[0].text("description") == ""
    (problem,) = sheet.problems
    assert (problem.location, problem.message) == ("sheet biosample, row 2, column E", "The cell shows the error #REF!.")


def test_columns_may_stand_in_any_order_and_be_left_out(edited: Callable[[Change], Sheet]) -> None:
    def change(book: Any) -> None:
        book.move_sheet("image", -3)
        page = book["biosample"]
        page.delete_cols(column("biosample", "compound"))
        page.move_range("A1:B10", cols=20)

    sheet = edited(change)
    assert sheet.problems == ()
    assert sheet.rows("biosample")[0].text("name") == "HeLa wild type"
    assert sheet.rows("biosample")[0].cells["name"].column == "U"


def test_headings_may_be_written_as_their_ids_or_without_the_mark(edited: Callable[[Change], Sheet]) -> None:
    def change(book: Any) -> None:
        book["biosample"].cell(1, 2).value = "ORGANISM"
        book["image"].cell(1, column("image", "pixel_size_x_um")).value = "pixel size X (um)"

    sheet = edited(change)
    assert sheet.problems == ()
    assert texts_of(sheet) == texts_of(FILLED)


def test_a_study_laid_out_like_the_other_sheets_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "study.tsv"
    path.write_text("[study]\nTitle\tKeywords\tAuthor: first name\nT\ta; b\tOla\n\t\tKari\n", encoding="utf-8")
    sheet = read_sheet(path)
    assert (sheet.study("title"), sheet.study("keywords")) == ("T", "a; b")
    assert [row.text("author_first_name") for row in sheet.group("author")] == ["Ola", "Kari"]


def test_notes_in_the_margin_are_told_and_not_read(edited: Callable[[Change], Sheet]) -> None:
    def change(book: Any) -> None:
        book["biosample"].cell(1, 40).value = "my own column"
        book["biosample"].cell(3, 41).value = "ask Kari"
        book.create_sheet("Sheet1").append(["to do"])

    sheet = edited(change)
    assert texts_of(sheet) == texts_of(FILLED)
    assert {(problem.location, problem.severity) for problem in sheet.problems} == {
        ("sheet Sheet1", "warning"),
        ("sheet biosample, row 1, column AN", "warning"),
        ("sheet biosample, row 3, column AO", "error"),
    }


def test_a_sheet_or_a_column_that_was_taken_out_is_missed(edited: Callable[[Change], Sheet]) -> None:
    def change(book: Any) -> None:
        del book["acquisition"]
        book["image"].delete_cols(1)

    sheet = edited(change)
    told = {problem.message for problem in sheet.problems}
    assert "The sheet 'acquisition' is missing." in told
    assert "There is no column 'Image'." in told


def test_a_renamed_sheet_is_known_by_its_words(edited: Callable[[Change], Sheet]) -> None:
    def change(book: Any) -> None:
        book["study_component"].title = "Study components"
        book["biosample"].title = "Bio-sample"

    assert texts_of(edited(change)) == texts_of(FILLED)


def test_one_table_alone_is_known_by_its_headings(tmp_path: Path) -> None:
    path = tmp_path / "mine.tsv"
    path.write_text("image\tseries\tspecimen\na.czi\t0\tSlide\n", encoding="utf-8")
    assert read_sheet(path).rows("image")[0].text("specimen") == "Slide"


def test_tsv_as_excel_saves_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sheet.txt"
    path.write_bytes('[biosample]\r\nIdentity\tOrganism\r\nHeLa\t"Homo sapiens"\r\n'.encode("utf-16"))
    assert read_sheet(path).rows("biosample")[0].text("organism") == "Homo sapiens"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("mark", "encoding"), [("", "utf-8"), ("\ufeff", "utf-8"), ("\ufeff\ufeff", "utf-8"), ("\ufeff", "utf-16-le"), ("\ufeff", "utf-16-be")]
)
def test_tsv_and_yaml_are_read_in_every_encoding_and_with_every_line_end(tmp_path: Path, end: str, mark: str, encoding: str) -> None:
    for file in ("sheet.tsv", "sheet.yaml"):
        text = written(FILLED, tmp_path / file).read_text(encoding="utf-8")
        (tmp_path / "saved").write_bytes((mark + text.replace("\n", end)).encode(encoding))
        sheet = read_sheet(tmp_path / "saved")
        assert texts_of(sheet) == texts_of(FILLED)
        assert sheet.problems == ()


def test_tables_put_one_behind_another_with_their_marks_are_read(tmp_path: Path) -> None:
    (tmp_path / "sheet.tsv").write_text("\ufeff[biosample]\nIdentity\nHeLa\n\ufeff[specimen]\nName\nDish\n", encoding="utf-8")
    sheet = read_sheet(tmp_path / "sheet.tsv")
    assert [row.text("name") for table in ("biosample", "specimen") for row in sheet.rows(table)] == ["HeLa", "Dish"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_that_does_not_say_so_is_refused_as_that(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "sheet.tsv").write_bytes("[biosample]\nIdentity\nHéLa\n".encode(encoding))
    with pytest.raises(UnreadableError, match="UTF-16 without the byte order mark"):
        read_sheet(tmp_path / "sheet.tsv")


def test_yaml_as_people_write_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sheet.yaml"
    path.write_text(
        "study:\n  title: A title\n  release_date: 2027-06-30\n  keywords: [mitosis, 'a;b']\n  authors:\n"
        "  - {first_name: Ola, orcid: 0000-0002-1825-0097}\n"
        "  - first_name: Kari\nbiosample:\n- name: no\n  description: 1.10\n  compound: ~\n- name: 0x10\nimage:\n",
        encoding="utf-8",
    )
    sheet = read_sheet(path)
    assert sheet.study("release_date") == "2027-06-30"
    assert sheet.rows("study")[0].values("keywords") == ("mitosis", "a;b")
    assert [row.text("author_first_name") for row in sheet.group("author")] == ["Ola", "Kari"]
    assert [row.text("name") for row in sheet.rows("biosample")] == ["no", "0x10"]
    assert sheet.rows("biosample")[0].text("description") == "1.10"
    assert "compound" not in sheet.rows("biosample")[0].cells
    assert sheet.rows("biosample")[1].cells["name"].row == 12


def test_the_format_is_seen_in_the_content_and_not_in_the_name(tmp_path: Path) -> None:
    for file in ("sheet.xlsx", "sheet.tsv", "sheet.yaml", "sheet.zip"):
        path = written(FILLED, tmp_path / file).rename(tmp_path / "dataset_12.dat")
        assert texts_of(read_sheet(path)) == texts_of(FILLED)


def _zip(**members: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name, text in members.items():
            made.writestr(name, text)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Save it as .xlsx without a password"),
        (_zip(mimetype="application/vnd.oasis.opendocument.spreadsheet"), "OpenDocument"),
        (_zip(readme="no sheet"), "holds none of study.tsv"),
        (_zip(**{"a/image.tsv": "image\na", "b/image.tsv": "image\na"}), "in two folders"),
        (b"PK\x03\x04 cut off", "damaged"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "neither XLSX"),
        (b"just a word", "here a sheet is expected"),
        (b"a: b: c", "no valid YAML in line 1"),
        (b"something: else", "has none of the tables"),
        (b"a: 1\n---\nb: 2", "holds 2 YAML documents"),
        (b"biosample:\n- name: {a: b}", "line 2: name is a text"),
        (b"biosample: [x]", "line 1: here a row of biosample is expected"),
        (b"one\ttwo\nthree\tfour", "has no headings of a sheet"),
        (b'image\tseries\n"never closed\t', "cannot be read as TSV"),
        (b"image\tseries\nm\xe5\t1", "Save it as one of these"),
    ],
)
def test_what_is_no_sheet_is_refused_in_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "sheet"
    path.write_bytes(content)
    with pytest.raises(UnreadableError) as error:
        read_sheet(path)
    assert sentence in str(error.value)
    assert str(error.value).startswith(("sheet", "The XML of", "readme"))


def test_a_sheet_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"nowhere\.xlsx cannot be opened"):
        read_sheet(tmp_path / "nowhere.xlsx")


def test_a_document_of_another_program_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "text.docx"
    path.write_bytes(
        _zip(**{"[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>', "word/document.xml": "<a/>"})
    )
    with pytest.raises(UnreadableError, match="is no workbook"):
        read_sheet(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.325", 0.325),
        ("0,325", 0.325),
        ("12,5", 12.5),
        ("1,024", None),
        (" 7 ", 7),
        ("\u22123", -3),
        ("1e3", 1000),
        ("1e999", None),
        ("5 µm", None),
    ],
)
def test_numbers_are_read_where_they_can_be_read_in_one_way(text: str, value: float | None) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("Homo sapiens (NCBITaxon:9606)", ("Homo sapiens", "NCBITaxon:9606")),
        ("structured illumination microscopy (SIM) (FBbi:00000332)", ("structured illumination microscopy (SIM)", "FBbi:00000332")),
        ("mouse [NCBITaxon_10090]", ("mouse", "NCBITaxon_10090")),
        ("http://purl.obolibrary.org/obo/FBbi_00000246", ("", "http://purl.obolibrary.org/obo/FBbi_00000246")),
        ("PALM (photoactivation localization microscopy)", ("PALM (photoactivation localization microscopy)", "")),
        ("", ("", "")),
    ],
)
def test_a_term_has_a_label_an_identifier_or_both(text: str, term: tuple[str, str]) -> None:
    assert split_term(text) == term
