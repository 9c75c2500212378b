"""A workbook is a zip of XML that comes from anywhere: it may be made to fill memory, to read files, or to ask the network."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from lightmicroscopy.errors import LimitError, SuiteError, UnreadableError
from lightmicroscopy.metadata.rembi import read, tsv, xlsx_read, yaml_file
from lightmicroscopy.metadata.rembi.sheet import read_sheet

from .sheets import FILLED, texts_of, written

HEAD = '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = "</sheetData></worksheet>"
NAMES = '<row r="1"><c r="A1" t="inlineStr"><is><t>Identity</t></is></c></row>'
BIOSAMPLE = "xl/worksheets/sheet4.xml"
SHARED = "xl/sharedStrings.xml"


def workbook(folder: Path, parts: Mapping[str, str | bytes | None]) -> Path:
    """Write a workbook with other parts, or without them."""
    source = written(FILLED, folder / "filled.xlsx")
    path = folder / "hostile.xlsx"
    with zipfile.ZipFile(source) as before, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in before.namelist():
            if name not in parts:
                made.writestr(name, before.read(name))
        for name, content in parts.items():
            if content is not None:
                made.writestr(name, content)
    return path


def test_a_part_that_unpacks_to_far_too_much_is_not_unpacked(tmp_path: Path) -> None:
    path = workbook(tmp_path, {BIOSAMPLE: b"<" + b" " * (xlsx_read.LARGEST_PART + 1)})
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    with pytest.raises(LimitError, match=r"hostile\.xlsx: its part .* unpacks to"):
        read_sheet(path)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def test_a_part_that_unpacks_to_more_than_it_says_is_damaged(tmp_path: Path) -> None:
    path = workbook(tmp_path, {BIOSAMPLE: HEAD + NAMES + " " * 100_000 + TAIL})
    data = bytearray(path.read_bytes())
    at = data.rindex(BIOSAMPLE.encode()) - 46 + 24
    data[at : at + 4] = (1000).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(UnreadableError, match=r"damaged|checksum|corrupt"):
        read_sheet(path)


@pytest.mark.parametrize("part", [BIOSAMPLE, "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml", "xl/_rels/workbook.xml.rels"])
def test_entities_are_refused_wherever_they_are(tmp_path: Path, part: str) -> None:
    with zipfile.ZipFile(written(FILLED, tmp_path / "sheet.xlsx")) as source:
        text = source.read(part).decode().partition("?>")[2]
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    with pytest.raises(UnreadableError, match="document type"):
        read_sheet(workbook(tmp_path, {part: bomb + text}))


def test_a_million_empty_rows_are_no_rows(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{number}"/>' for number in range(2, 1_000_002))
    path = workbook(tmp_path, {BIOSAMPLE: HEAD + NAMES + rows + TAIL})
    assert read_sheet(path).rows("biosample") == ()


def test_a_cell_at_the_far_end_is_one_cell(tmp_path: Path) -> None:
    far = '<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>HeLa</t></is></c><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'
    dimension = HEAD.replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>')
    sheet = read_sheet(workbook(tmp_path, {BIOSAMPLE: dimension + NAMES + far + TAIL}))
    (row,) = sheet.rows("biosample")
    assert (row.text("name"), row.number) == ("HeLa", 1_048_576)


def test_more_cells_than_any_sheet_needs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_read, "MOST_CELLS", 1000)
    path = workbook(tmp_path, {BIOSAMPLE: HEAD + f"<row r='1'>{'<c/>' * 1001}</row>" + TAIL})
    with pytest.raises(LimitError, match="more than 1,000 cells"):
        read_sheet(path)


def test_more_tags_than_any_sheet_needs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lightmicroscopy.metadata.safe_xml.MARKUP", 1000)
    with pytest.raises(LimitError, match=r"has 10,00. tags"):
        read_sheet(workbook(tmp_path, {BIOSAMPLE: f"<worksheet>{'<x/>' * 10_000}</worksheet>"}))


def test_links_to_other_files_and_hosts_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: object) -> None:
        raise AssertionError("a sheet asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with zipfile.ZipFile(written(FILLED, tmp_path / "sheet.xlsx")) as source:
        relations = source.read("xl/_rels/workbook.xml.rels").decode()
    outside = relations.replace('Target="worksheets/sheet4.xml"', 'Target="http://127.0.0.1:9/sheet4.xml" TargetMode="External"')
    assert outside != relations
    sheet = read_sheet(workbook(tmp_path, {"xl/_rels/workbook.xml.rels": outside}))
    assert sheet.rows("biosample") == ()
    assert "The sheet 'biosample' is missing." in {problem.message for problem in sheet.problems}


@pytest.mark.parametrize("target", ["../../../../etc/passwd", "/etc/passwd", "worksheets/sheet99.xml"])
def test_a_part_that_is_not_in_the_file_is_missing(tmp_path: Path, target: str) -> None:
    with zipfile.ZipFile(written(FILLED, tmp_path / "sheet.xlsx")) as source:
        relations = source.read("xl/_rels/workbook.xml.rels").decode()
    path = workbook(tmp_path, {"xl/_rels/workbook.xml.rels": relations.replace("worksheets/sheet4.xml", target)})
    with pytest.raises(UnreadableError, match=r"its part .* is missing"):
        read_sheet(path)


@pytest.mark.parametrize(
    "cells",
    [
        '<c r="A2" t="s"><v>999999</v></c>',
        '<c r="A2" t="s"><v>-1</v></c>',
        '<c r="A2" t="s"><v>²</v></c>',
        '<c r="A2" s="4000000000"><v>1</v></c>',
        '<c r="A2" s="x"><v>1</v></c>',
        '<c r="A2"><v>1e999</v></c>',
        '<c r="A2"><v>nan</v></c>',
        '<c r="A2"><v>text</v></c>',
        '<c r="AAAA2"><v>1</v></c>',
        '<c r="A99999999999999999999"><v>1</v></c>',
        '<c r=""/>',
        '<c r="A2" t="inlineStr"/>',
        '<c r="A2" t="inlineStr"><is><t>_xD800_ _x0000_</t></is></c>',
        '<c r="A2" t="unknown"><v>1</v></c>',
        '<c r="A2"><f>1+</f></c>',
        "<c><v>1</v></c>",
    ],
)
def test_an_odd_cell_costs_no_more_than_itself(tmp_path: Path, cells: str) -> None:
    path = workbook(tmp_path, {BIOSAMPLE: f"{HEAD}{NAMES}<row r='2'>{cells}</row><row r='3'><c r='A3'><v>3</v></c></row>{TAIL}"})
    sheet = read_sheet(path)
    assert sheet.rows("biosample")[-1].text("name") == "3"
    for row in sheet.rows("biosample"):
        row.text("name").encode()


@pytest.mark.parametrize("cell", ['<c r="B2" t="s"><v>{}</v></c>', '<c r="B2" s="{}"><v>1</v></c>', '<c r="B{}"><v>1</v></c>'])
def test_a_number_of_thousands_of_digits_is_the_place_of_nothing(tmp_path: Path, cell: str) -> None:
    name = '<c r="A2" t="inlineStr"><is><t>Cells</t></is></c>'
    path = workbook(tmp_path, {BIOSAMPLE: f'{HEAD}{NAMES}<row r="2">{name}{cell.format("9" * 5000)}</row>{TAIL}'})
    assert [row.text("name") for row in read_sheet(path).rows("biosample")] == ["Cells"]


def test_a_number_format_of_thousands_of_digits_is_none(tmp_path: Path) -> None:
    with zipfile.ZipFile(written(FILLED, tmp_path / "sheet.xlsx")) as source:
        styles = source.read("xl/styles.xml").decode()
    far = styles.replace('<xf numFmtId="0"', f'<xf numFmtId="{"9" * 5000}"')
    assert far != styles
    assert texts_of(read_sheet(workbook(tmp_path, {"xl/styles.xml": far}))) == texts_of(FILLED)


def test_rows_that_do_not_say_their_number_are_counted(tmp_path: Path) -> None:
    rows = "".join(f"<row><c t='inlineStr'><is><t>{text}</t></is></c></row>" for text in ("Identity", "one", "two"))
    sheet = read_sheet(workbook(tmp_path, {BIOSAMPLE: HEAD + rows + TAIL}))
    assert [(row.number, row.text("name")) for row in sheet.rows("biosample")] == [(2, "one"), (3, "two")]


@pytest.mark.parametrize("seed", range(20))
def test_a_damaged_workbook_is_an_error_or_a_sheet_and_never_a_fault(tmp_path: Path, seed: int) -> None:
    import random

    chance = random.Random(seed)  # noqa: S311 - the same damage every time
    path = written(FILLED, tmp_path / "sheet.xlsx")
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 3, 30))):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path.write_bytes(data[: chance.choice((len(data), chance.randrange(len(data))))])
    try:
        read_sheet(path)
    except SuiteError as error:
        assert "sheet.xlsx" in str(error)


def test_aliases_of_yaml_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.yaml"
    lines = ["study: {title: &a x}", *(f"biosample{number}: &b{number} [*a]" for number in range(2)), "specimen:", "- name: *a"]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UnreadableError, match=r"line 2: aliases .* are not accepted"):
        read_sheet(path)


def test_tags_of_yaml_make_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tags.yaml"
    path.write_text(f"biosample:\n- name: !!python/object/apply:os.system ['touch {tmp_path}/made']\n", encoding="utf-8")
    with pytest.raises(UnreadableError):
        read_sheet(path)
    path.write_text("biosample:\n- name: !!int 'seven'\n", encoding="utf-8")
    assert read_sheet(path).rows("biosample")[0].text("name") == "seven"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["tags.yaml"]


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 100_000, "- " * 100_000, "".join(f"{' ' * level}a:\n" for level in range(2000))])
def test_yaml_nested_too_deeply_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "deep.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SuiteError, match=r"nested too deeply|no valid YAML"):
        read_sheet(path)


def test_yaml_of_more_entries_than_any_sheet_needs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_file, "MOST_EVENTS", 100)
    path = tmp_path / "long.yaml"
    path.write_text("biosample:\n" + "- name: x\n" * 101, encoding="utf-8")
    with pytest.raises(LimitError, match="more entries"):
        read_sheet(path)


def test_a_text_that_is_too_long_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "LARGEST_TEXT", 1000)
    path = tmp_path / "long.tsv"
    path.write_text("image\tseries\n" + "x" * 1000, encoding="utf-8")
    with pytest.raises(LimitError, match="may be 1,000"):
        read_sheet(path)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("image.tsv", "x" * 1001)
    with pytest.raises(LimitError, match="unpacks to 1,001 bytes"):
        read_sheet(tmp_path / "bomb.zip")


def test_a_tsv_of_too_many_or_too_long_cells_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "wide.tsv"
    monkeypatch.setattr(tsv, "MOST_CELLS", 100)
    path.write_text("image\tseries\n" + "\t" * 200 + "\n", encoding="utf-8")
    with pytest.raises(LimitError, match="more than 100 cells"):
        read_sheet(path)
    monkeypatch.setattr(tsv, "LONGEST_CELL", 100)
    path.write_text("image\tseries\n" + "x" * 200 + "\n", encoding="utf-8")
    with pytest.raises(UnreadableError, match="field larger than field limit"):
        read_sheet(path)


def test_a_zip_that_leads_outside_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr("../image.tsv", "image\nx")
    (tmp_path / "sheet.zip").write_bytes(stream.getvalue())
    with pytest.raises(UnreadableError):
        read_sheet(tmp_path / "sheet.zip")


def test_a_harmless_workbook_of_the_same_making_is_read(tmp_path: Path) -> None:
    assert texts_of(read_sheet(workbook(tmp_path, {}))) == texts_of(FILLED)
