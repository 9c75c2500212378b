"""The script: what it writes, what it prints, and its exit codes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import tifffile

import lm_describe
from lightmicroscopy.metadata.check import check
from lightmicroscopy.metadata.ontologies.install import install
from lightmicroscopy.metadata.rembi.sheet import read_sheet

from .sheets import FILLED, changed, texts_of, written


@pytest.fixture
def data(root: Path) -> Path:
    return root / "test-data"


@pytest.mark.parametrize("file", ["sheet.xlsx", "sheet.tsv", "sheet.yaml", "sheet.zip", "sheets"])
def test_a_sheet_is_written_in_the_format_of_its_name(data: Path, tmp_path: Path, file: str) -> None:
    assert lm_describe.main([str(data / "cells.ome.tiff"), "--write-sheet", str(tmp_path / "new" / file)]) == 0
    assert read_sheet(tmp_path / "new" / file).rows("image")[0].text("channel_names") == "DAPI; GFP"


def test_a_file_of_any_name_has_the_format_that_is_asked_for(data: Path, tmp_path: Path) -> None:
    (tmp_path / "dataset_1.dat").touch()
    assert lm_describe.main([str(data / "cells.ome.tiff"), "--write-sheet", str(tmp_path / "dataset_1.dat"), "--format", "yaml"]) == 0
    assert "\nbiosample:\n" in (tmp_path / "dataset_1.dat").read_text(encoding="utf-8")


def test_a_sheet_is_filled_in_added_to_and_read(data: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.xlsx", tmp_path / "second.tsv"
    assert lm_describe.main([str(data / "cells.ome.tiff"), "--write-sheet", str(first)]) == 0
    assert lm_describe.main([str(data / "stack.czi"), "--from-sheet", str(first), "--write-sheet", str(second)]) == 0
    images = [str(data / "cells.ome.tiff"), str(data / "stack.czi")]
    assert lm_describe.main([*images, "--read-sheet", str(second), "--table", str(tmp_path / "t.tsv"), "--fail-on", "error"]) == 0
    assert [row.text("image") for row in read_sheet(second).rows("image")] == ["cells.ome.tiff", "stack.czi"]


def test_what_the_sheet_says_and_what_is_wrong_in_it_are_written(tmp_path: Path) -> None:
    path = written(changed("study", 0, {"licence": "GPL", "keywords": ""}), tmp_path / "sheet.xlsx")
    assert lm_describe.main(["--read-sheet", str(path), "--json", str(tmp_path / "s.json"), "--table", str(tmp_path / "s.tsv")]) == 0
    document = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    assert document["tables"]["study"][0]["values"]["licence"] == "GPL"
    assert {problem["rule"] for problem in document["problems"]} == {"rembi.licence", "sheet.required-empty"}
    header, *lines = (tmp_path / "s.tsv").read_text(encoding="utf-8").splitlines()
    assert header == "input\tseries\tprofile\trule\tseverity\tlocation\tmessage\tfix\tsource"
    assert [line.split("\t")[3:6] for line in lines] == [
        ["rembi.licence", "error", "sheet study, row 7, column B"],
        ["sheet.required-empty", "warning", "sheet study, column B"],
    ]


@pytest.mark.parametrize("ending", ["xlsx", "yaml", "tsv", "zip"])
def test_wrong_terms_identifiers_and_dates_are_told_by_sheet_row_and_column_as_the_check_does(tmp_path: Path, ending: str) -> None:
    study = changed("study", 0, {"author_orcid": "0000-0002-1825-0098"})
    sheet = replace(study, tables={**study.tables, "biosample": changed("biosample", 0, {"organism": "mouse"}).rows("biosample")})
    path = written(sheet, tmp_path / f"s.{ending}")
    assert lm_describe.main(["--read-sheet", str(path), "--json", str(tmp_path / "s.json"), "--table", str(tmp_path / "table.tsv")]) == 0
    told = {item["rule"]: item for item in json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))["problems"]}
    assert "NCBITaxon:10090 (Mus musculus)" in told["rembi.term"]["fix"]
    assert told["rembi.orcid"]["severity"] == "error"
    for table, field, rule in (("biosample", "organism", "rembi.term"), ("study", "author_orcid", "rembi.orcid")):
        cell = read_sheet(path).rows(table)[0].cells[field]
        assert [told[rule][key] for key in ("sheet", "row", "column")] == [table, cell.row, cell.column]
        checked = {finding.rule: finding.location for finding in check([path], ("rembi",)).findings}
        assert f"{rule}\t{told[rule]['severity']}\t{checked[rule]}" in (tmp_path / "table.tsv").read_text(encoding="utf-8")


def test_a_term_that_only_a_full_ontology_knows_is_known_with_it(tmp_path: Path) -> None:
    path = written(changed("biosample", 0, {"organism": "Adelie penguin"}), tmp_path / "sheet.yaml")
    (tmp_path / "a.obo").write_text(
        'data-version: 1\n\n[Term]\nid: NCBITaxon:9238\nname: Pygoscelis adeliae\nsynonym: "Adelie penguin" EXACT []\n', encoding="utf-8"
    )
    install(tmp_path / "a.obo", tmp_path / "a.ontology", "NCBITaxon")
    tables = []
    for more in ([], ["--ontology-file", str(tmp_path / "a.ontology")]):
        assert lm_describe.main(["--read-sheet", str(path), "--table", str(tmp_path / "s.tsv"), *more]) == 0
        tables.append((tmp_path / "s.tsv").read_text(encoding="utf-8"))
    assert ["NCBITaxon:9238" in table for table in tables] == [False, True]


def test_ontologies_are_for_a_sheet_that_is_read(data: Path, tmp_path: Path) -> None:
    assert lm_describe.main([str(data / "cells.ome.tiff"), "--write-sheet", str(tmp_path / "s.xlsx"), "--ontology-lookup"]) == 2


def test_without_a_report_the_findings_go_to_stdout_one_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(changed("biosample", 0, {"organism": ""}), tmp_path / "sheet.yaml")
    assert lm_describe.main(["--read-sheet", str(path)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("warning: sheet biosample, line ")
    assert "'Organism' is empty; required by the BioImage Archive's REMBI model 1.5" in line


@pytest.mark.parametrize(
    ("values", "level", "code"),
    [
        ({}, "warning", 0),
        ({"keywords": ""}, "warning", 4),
        ({"keywords": ""}, "error", 0),
        ({"licence": "GPL"}, "error", 4),
        ({"licence": "GPL"}, "never", 0),
    ],
)
def test_exit_codes_of_a_sheet_that_is_read(tmp_path: Path, values: dict[str, str], level: str, code: int) -> None:
    path = written(changed("study", 0, values), tmp_path / "sheet.xlsx")
    assert lm_describe.main(["--read-sheet", str(path), "--table", str(tmp_path / "t.tsv"), "--fail-on", level]) == code


def test_images_and_rows_without_their_like_are_errors(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(FILLED, tmp_path / "sheet.xlsx")
    assert lm_describe.main([str(data / "stack.czi"), "--read-sheet", str(path), "--fail-on", "error"]) == 4
    out = capsys.readouterr().out
    assert "error: sheet image, row 2, column A: No image that was given is called “one.czi”." in out
    assert "error: sheet image: Series 0 of “stack.czi” has no row in the sheet." in out


def test_what_images_contradict_is_told_with_its_place(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet, wrong = tmp_path / "sheet.tsv", tmp_path / "wrong.tsv"
    assert lm_describe.main([str(data / "cells.ome.tiff"), "--write-sheet", str(sheet)]) == 0
    text = sheet.read_text(encoding="utf-8")
    wrong.write_text(text.replace("DAPI; GFP", "DAPI, GFP", 1).replace("\t0.325\t", "\t0.5\t", 1), encoding="utf-8")
    assert wrong.read_text(encoding="utf-8") != text
    assert lm_describe.main([str(data / "cells.ome.tiff"), "--read-sheet", str(wrong), "--fail-on", "error"]) == 4
    out = capsys.readouterr().out
    assert re.search(r"error: sheet image, row \d+, column L: “Pixel size x \(µm\)” is “0.5” in the sheet, and “0.325” in the image", out)
    assert re.search(
        r"warning: sheet image, row \d+, column G: “Channel names” is 1 value in the sheet, and 2 channels .* with semicolons between", out
    )


def test_an_increment_of_nought_is_none(data: Path, tmp_path: Path) -> None:
    image, sheet = tmp_path / "still.ome.tiff", tmp_path / "sheet.yaml"
    described = tifffile.tiffcomment(data / "cells.ome.tiff").replace("<Pixels ", '<Pixels TimeIncrement="0" ', 1)
    image.write_bytes((data / "cells.ome.tiff").read_bytes())
    tifffile.tiffcomment(image, described.encode())
    assert lm_describe.main([str(image), "--write-sheet", str(sheet)]) == 0
    assert read_sheet(sheet).rows("image")[0].text("time_increment_s") == ""


@pytest.mark.parametrize("ending", ["xlsx", "tsv", "yaml"])
def test_a_name_that_no_cell_can_hold_costs_only_its_cell(data: Path, tmp_path: Path, ending: str) -> None:
    image, sheet = tmp_path / "long.ome.tiff", tmp_path / f"sheet.{ending}"
    described = re.sub('<Image ([^>]*)Name="[^"]*"', rf'<Image \1Name="{"L" * 40_000}"', tifffile.tiffcomment(data / "cells.ome.tiff"), count=1)
    image.write_bytes((data / "cells.ome.tiff").read_bytes())
    tifffile.tiffcomment(image, described.encode())
    assert lm_describe.main([str(image), "--write-sheet", str(sheet)]) == 0
    row = read_sheet(sheet).rows("image")[0]
    assert (row.text("image_name"), row.text("pixel_size_x_um")) == ("", "0.325")


def test_the_table_of_the_inspection_does_instead_of_images(data: Path, tmp_path: Path) -> None:
    import lm_inspect

    table, names = tmp_path / "series.tsv", ["cells.ome.tiff", "project.lif", "positions.nd2", "padded.ims", "not_an_image.txt"]
    assert lm_inspect.main([*(str(data / name) for name in names), "--table", str(table), "--quiet"]) == 0
    assert lm_describe.main([str(table), "--write-sheet", str(tmp_path / "by_table.yaml")]) == 0
    assert lm_describe.main([*(str(data / name) for name in names), "--write-sheet", str(tmp_path / "by_images.yaml")]) == 0
    ours, theirs = (read_sheet(tmp_path / file) for file in ("by_table.yaml", "by_images.yaml"))
    assert ours.problems == ()
    fields = ("image", "series", "image_name", "channel_names", "acquisition_date", "format_compression", "dimension_extents", "time_increment_s")
    sizes = ("pixel_size_x_um", "pixel_size_y_um", "pixel_size_z_um")
    for mine, other in zip(ours.rows("image"), theirs.rows("image"), strict=True):
        assert [mine.text(name) for name in (*fields, *sizes)] == [other.text(name) for name in (*fields, *sizes)]
    assert "objective Example Optics Plan 20x/0.8 (20×, NA 0.8, Air)" in {
        row.text("instrument").partition("; ")[2] for row in ours.rows("acquisition")
    }
    assert lm_describe.main([str(table), "--read-sheet", str(tmp_path / "by_images.yaml"), "--fail-on", "error"]) == 0
    assert lm_describe.main([str(table), "--read-sheet", str(written(FILLED, tmp_path / "other.yaml")), "--fail-on", "error"]) == 4


@pytest.mark.parametrize(
    ("line", "sentence"), [("one\ttwo", "line 2, has 2 columns"), ("\t".join(["a.czi", "first", *[""] * 24]), "'first' is no number of a series")]
)
def test_a_table_that_was_damaged_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, sentence: str) -> None:
    from lightmicroscopy.reports.tables import INSPECT

    (tmp_path / "series.tsv").write_text("\t".join(INSPECT) + "\n" + line + "\n", encoding="utf-8")
    assert lm_describe.main([str(tmp_path / "series.tsv"), "--write-sheet", str(tmp_path / "sheet.xlsx")]) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "sheet.xlsx").exists()


@pytest.mark.parametrize(("encoding", "end"), [("utf-8-sig", "\r\n"), ("utf-16", "\r\n"), ("utf-8", "\r")])
def test_a_table_of_the_inspection_that_a_spreadsheet_saved_is_known(data: Path, tmp_path: Path, encoding: str, end: str) -> None:
    import lm_inspect

    table = tmp_path / "inspect.tsv"
    assert lm_inspect.main([str(data / "cells.ome.tiff"), "--table", str(table), "--quiet"]) == 0
    table.write_bytes(table.read_text(encoding="utf-8").replace("\n", end).encode(encoding))
    assert lm_describe.main([str(table), "--write-sheet", str(tmp_path / "sheet.yaml")]) == 0
    assert read_sheet(tmp_path / "sheet.yaml").rows("image")[0].text("channel_names") == "DAPI; GFP"


def test_a_table_without_images_makes_no_sheet(tmp_path: Path) -> None:
    from lightmicroscopy.reports.tables import INSPECT

    (tmp_path / "series.tsv").write_text("\t".join(INSPECT) + "\n", encoding="utf-8")
    assert lm_describe.main([str(tmp_path / "series.tsv"), "--write-sheet", str(tmp_path / "sheet.xlsx")]) == 1
    assert not (tmp_path / "sheet.xlsx").exists()


def test_a_sheet_that_is_there_is_not_lost(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(FILLED, tmp_path / "sheet.xlsx")
    assert lm_describe.main([str(data / "stack.czi"), "--write-sheet", str(path)]) == 2
    assert lm_describe.main([str(data / "stack.czi"), "--from-sheet", str(path), "--write-sheet", str(path)]) == 2
    assert "not overwritten" in capsys.readouterr().err
    assert texts_of(read_sheet(path)) == texts_of(FILLED)


def test_a_sheet_with_a_column_of_its_own_is_not_copied_without_it(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "own.tsv"
    path.write_text("[image]\nimage\tmood\na.czi\tgood\n", encoding="utf-8")
    assert lm_describe.main([str(data / "stack.czi"), "--from-sheet", str(path), "--write-sheet", str(tmp_path / "new.xlsx")]) == 2
    assert "would be lost" in capsys.readouterr().err
    assert not (tmp_path / "new.xlsx").exists()


@pytest.mark.parametrize(
    ("flags", "code", "sentence"),
    [
        ([], 2, "Say what to do"),
        (["--write-sheet", "a.xlsx", "--read-sheet", "b.xlsx"], 2, "Say what to do"),
        (["--read-sheet", "b.xlsx", "--from-sheet", "a.xlsx"], 2, "for writing a sheet"),
        (["--write-sheet", "a.xlsx", "--json", "a.json"], 2, "with --read-sheet"),
        (["--write-sheet", "a.xlsx"], 2, "nothing to read"),
        (["nowhere.czi", "--write-sheet", "a.xlsx"], 1, "nowhere.czi"),
        (["--read-sheet", "nowhere.xlsx"], 1, "nowhere.xlsx cannot be opened"),
        (["--write-sheet", "a.ods", "x.czi"], 2, "names no format"),
    ],
)
def test_wrong_usage_is_one_sentence(
    flags: list[str], code: int, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert lm_describe.main(flags) == code
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("flags", "code"), [([], 0), (["--strict"], 3)])
def test_an_unreadable_image_costs_its_row_and_is_told(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], code: int
) -> None:
    names = [str(data / "cells.ome.tiff"), str(data / "not_an_image.txt")]
    assert lm_describe.main([*names, "--write-sheet", str(tmp_path / "s.xlsx"), *flags]) == code
    assert "not_an_image.txt is of no format" in capsys.readouterr().err
    assert len(read_sheet(tmp_path / "s.xlsx").rows("image")) == 1


def test_a_report_that_would_replace_the_sheet_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(FILLED, tmp_path / "sheet.tsv")
    assert lm_describe.main(["--read-sheet", str(path), "--table", str(path)]) == 2
    assert texts_of(read_sheet(path)) == texts_of(FILLED)
    capsys.readouterr()
