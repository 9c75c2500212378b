"""The inspector: its table, JSON, OME-XML and page, thousands of files, bad ones among them, and its exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from galaxy.util.sanitize_html import sanitize_html
from lxml import etree, html

import lm_inspect
from lightmicroscopy.inspection import inspect, rows
from lightmicroscopy.metadata.ome_schema import raw_errors
from lightmicroscopy.reports.inspection import DETAILED, LISTED
from lightmicroscopy.reports.tables import INSPECT

from .check_examples import ome_xml
from .test_findings_report import shown


def table(path: Path) -> list[dict[str, str]]:
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    assert tuple(header.split("\t")) == INSPECT
    return [dict(zip(INSPECT, line.split("\t"), strict=True)) for line in lines]


def inspected(folder: Path, *inputs: Path, flags: tuple[str, ...] = (), code: int = 0) -> Path:
    out = folder / "out"
    reports = ["--table", out / "t.tsv", "--json", out / "t.json", "--html", out / "t.html", "--preview", out / "t.png", "--ome-xml", out / "ome"]
    assert lm_inspect.main([*map(str, inputs), *map(str, reports), *flags, "--quiet"]) == code
    return out


def test_a_row_says_what_the_file_says(test_data: Path, tmp_path: Path) -> None:
    (row,) = table(inspected(tmp_path, test_data / "cells.ome.tiff") / "t.tsv")
    assert row == {
        "input": "cells.ome.tiff",
        "series": "0",
        "series_name": "cells",
        "kind": "intensity",
        "axes": row["axes"],
        "size_x": "128",
        "size_y": "96",
        "size_z": "3",
        "size_c": "2",
        "size_t": "1",
        "dtype": "uint16",
        "significant_bits": row["significant_bits"],
        "levels": "1",
        "pixel_size_x_um": "0.325",
        "pixel_size_y_um": "0.325",
        "pixel_size_z_um": "1",
        "time_increment_s": "",
        "channels": "DAPI; GFP",
        "acquisition_date": "2026-03-02T10:15:00",
        "objective": "Example Optics Plan 20x/0.8 (20×, NA 0.8, Air)",
        "instrument": "Example Optics Model 1",
        "format": "OME-TIFF",
        "compression": row["compression"],
        "lossy": "false",
        "bytes": str((test_data / "cells.ome.tiff").stat().st_size),
        "warnings": "",
    }


def test_what_a_file_does_not_say_is_empty_and_what_is_wrong_with_it_is_told(test_data: Path, tmp_path: Path) -> None:
    (row,) = table(inspected(tmp_path, test_data / "photo.jpg") / "t.tsv")
    assert (row["pixel_size_x_um"], row["channels"], row["objective"], row["lossy"], row["kind"]) == ("", "", "", "true", "rgb")
    assert "stored with lossy compression" in row["warnings"]
    assert "does not say pixel size" in row["warnings"]


def test_rows_are_sorted_by_input_and_series_whatever_the_order_given(test_data: Path, tmp_path: Path) -> None:
    names = ("two_series.ome.tiff", "photo.jpg", "plate_04.ome.zarr.zip", "cells.ome.tiff")
    found = [(row["input"], int(row["series"])) for row in table(inspected(tmp_path, *(test_data / name for name in names)) / "t.tsv")]
    assert found == sorted(found)
    assert len(found) == 12


def test_one_bad_file_costs_only_its_row(test_data: Path, tmp_path: Path) -> None:
    out = inspected(tmp_path, *(test_data / name for name in ("cells.ome.tiff", "truncated.tif", "not_an_image.txt")), tmp_path / "none.tif")
    found = {row["input"]: row for row in table(out / "t.tsv")}
    assert found["cells.ome.tiff"]["warnings"] == ""
    assert found["truncated.tif"]["warnings"].startswith("truncated.tif is truncated or damaged")
    assert found["none.tif"]["warnings"].startswith("none.tif cannot be read")
    assert all(found[name]["series"] == "" for name in ("truncated.tif", "not_an_image.txt", "none.tif"))
    items = {item["name"]: item for item in json.loads((out / "t.json").read_text(encoding="utf-8"))["inputs"]}
    assert items["truncated.tif"]["unreadable"].startswith("truncated.tif is truncated")
    assert [path.name for path in (out / "ome").iterdir()] == ["cells.ome.xml"]


@pytest.mark.parametrize(
    ("names", "flags", "code"),
    [
        (("cells.ome.tiff",), (), 0),
        (("cells.ome.tiff", "truncated.tif"), (), 0),
        (("cells.ome.tiff", "truncated.tif"), ("--strict",), 3),
        (("truncated.tif", "not_an_image.txt"), (), 1),
    ],
)
def test_exit_codes(test_data: Path, tmp_path: Path, names: tuple[str, ...], flags: tuple[str, ...], code: int) -> None:
    out = inspected(tmp_path, *(test_data / name for name in names), flags=flags, code=code)
    assert {path.name for path in out.iterdir()} >= {"t.tsv", "t.json", "t.html", "t.png"}


def test_a_reader_that_breaks_its_promise_costs_only_its_row(test_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lightmicroscopy.readers import raster

    def broken(_: Any) -> Any:
        raise KeyError("width")

    monkeypatch.setattr(raster, "open_dataset", broken)
    first, second = inspect([test_data / "cells.ome.tiff", test_data / "photo.jpg"])
    assert first.dataset is not None
    assert "please report it" in second.unreadable


def test_the_files_of_a_set_are_one_input(test_data: Path, tmp_path: Path) -> None:
    members = sorted(test_data.glob("multifile*"))
    out = inspected(tmp_path, *members)
    (row,) = table(out / "t.tsv")
    assert row["size_z"] == "3"
    assert int(row["bytes"]) == sum(path.stat().st_size for path in members)
    items = json.loads((out / "t.json").read_text(encoding="utf-8"))["inputs"]
    assert sum("part_of" in item for item in items) == 3


def test_inputs_of_one_name_stay_apart(test_data: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "cells.ome.tiff").symlink_to(test_data / "cells.ome.tiff")
    out = inspected(tmp_path, tmp_path / "a" / "cells.ome.tiff", tmp_path / "b" / "cells.ome.tiff", test_data / "cells_04.ome.zarr")
    assert len({row["input"] for row in table(out / "t.tsv")}) == 3
    assert len(list((out / "ome").iterdir())) == 3


def test_two_inputs_with_one_stem_get_documents_of_their_own(test_data: Path, tmp_path: Path) -> None:
    out = inspected(tmp_path, test_data / "cells_04.ome.zarr", test_data / "cells_04.ome.zarr.zip")
    assert sorted(path.name for path in (out / "ome").iterdir()) == ["cells_04.ome.xml", "cells_04~2.ome.xml"]


@pytest.mark.parametrize("name", ["cells.ome.tiff", "plate_04.ome.zarr.zip", "confocal.lsm", "rgb.png", "imagej_stack.tif"])
def test_the_ome_xml_is_valid_and_says_where_it_comes_from(test_data: Path, tmp_path: Path, name: str) -> None:
    out = inspected(tmp_path, test_data / name, flags=("--checksum",))
    (path,) = (out / "ome").iterdir()
    root = etree.fromstring(path.read_bytes())
    assert list(raw_errors(root)) == []
    assert len(root.findall("{*}Image")) == len(table(out / "t.tsv"))
    text = path.read_text(encoding="utf-8")
    assert name in text
    assert re.search(r"Source SHA-256.{0,20}[0-9a-f]{64}", text)


def test_the_json_has_everything_and_original_metadata_as_asked(test_data: Path, tmp_path: Path) -> None:
    everything = json.loads((inspected(tmp_path, test_data / "imagej_stack.tif") / "t.json").read_text(encoding="utf-8"))
    (series,) = everything["inputs"][0]["series"]
    assert set(everything) == {"suite", "version", "date", "parameters", "inputs"}
    assert series["shape"] == {"t": 2, "c": 2, "z": 3, "y": 48, "x": 64, "s": 1}
    assert series["metadata"]["pixel_size_x"]["unit"] == "µm"
    assert series["metadata"]["original"]
    dropped = json.loads((inspected(tmp_path, test_data / "imagej_stack.tif", flags=("--original-metadata", "drop")) / "t.json").read_text())
    assert dropped["inputs"][0]["series"][0]["metadata"]["original"] == []


def test_numbers_json_has_no_word_for_do_not_break_it(tmp_path: Path, test_data: Path) -> None:
    text = (inspected(tmp_path, test_data / "float.ome.tiff") / "t.json").read_text(encoding="utf-8")
    json.loads(text, parse_constant=pytest.fail)


def test_without_a_report_there_is_a_line_for_each_series(test_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lm_inspect.main([str(test_data / "cells.ome.tiff"), str(test_data / "truncated.tif")])
    assert capsys.readouterr().out.splitlines() == [
        "cells.ome.tiff : 0 cells — T1 C2 Z3 Y96 X128 uint16, 0.325 µm, DAPI, GFP; OME-TIFF",
        "truncated.tif: not readable",
    ]


def test_a_report_over_an_input_is_refused(test_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "cells.ome.tiff"
    path.write_bytes((test_data / "cells.ome.tiff").read_bytes())
    assert lm_inspect.main([str(path), "--table", str(path)]) == 2
    assert path.read_bytes() == (test_data / "cells.ome.tiff").read_bytes()


def test_nothing_is_left_of_a_report_that_was_not_finished(test_data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    reports = ["--table", str(tmp_path / "t.tsv"), "--json", str(tmp_path / "t.json"), "--ome-xml", str(tmp_path / "file" / "ome")]
    assert lm_inspect.main([str(test_data / "cells.ome.tiff"), *reports]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_page_shows_pictures_facts_and_channels(test_data: Path, tmp_path: Path) -> None:
    page = (inspected(tmp_path, test_data / "cells.ome.tiff", test_data / "truncated.tif") / "t.html").read_text(encoding="utf-8")
    text = shown(page)
    for words in ("1 series in 1 input; 1 more cannot be read.", "Field of view 41.6 × 31.2 µm", "20×, NA 0.8", "truncated.tif is truncated", "EGFP"):
        assert words in text
    (picture,) = html.fromstring(page).iter("img")
    assert picture.get("src").startswith("data:image/jpeg;base64,")


def test_in_galaxy_the_page_can_be_read_without_styles_and_pictures(test_data: Path, tmp_path: Path) -> None:
    names = ("cells.ome.tiff", "truncated.tif", "photo.jpg", "plate_04.ome.zarr.zip", "cells_04.ome.zarr.zip")
    page = (inspected(tmp_path, *(test_data / name for name in names)) / "t.html").read_text(encoding="utf-8")
    sanitized = sanitize_html(page)
    assert not re.search(r"<style|<script|<meta|--paper|font:|\{|\}|data:image", sanitized)
    before, after = html.fromstring(page), html.fromstring(f"<div>{sanitized}</div>")
    assert not list(before.iter("script", "link", "iframe"))
    for element in ("h1", "h2", "h3", "table", "tr", "th", "td", "ul", "li", "strong", "a"):
        assert len(before.findall(f".//{element}")) == len(after.findall(f".//{element}")) > 0, element
    assert shown(page) == shown(sanitized)
    anchors = {link.get("href") for link in before.iter("a")}
    assert anchors <= {f"#{element.get('id')}" for element in before.iter() if element.get("id")}


def test_names_out_of_a_file_cannot_inject_anything(tmp_path: Path) -> None:
    import numpy as np
    import tifffile

    channel = '<Channel ID="Channel:0:0" Name="&lt;script&gt;alert(1)&lt;/script&gt;" SamplesPerPixel="1"/>'
    path = tmp_path / "<b onclick=x>.ome.tif"
    tifffile.imwrite(path, np.zeros((24, 32), np.uint16), description=ome_xml(channels=channel).encode(), metadata=None)
    page = (inspected(tmp_path, path) / "t.html").read_text(encoding="utf-8")
    assert not list(html.fromstring(page).iter("script", "b"))
    assert "<script>alert(1)</script>" in shown(page)
    assert all("<" not in item.name for item in (tmp_path / "out" / "ome").iterdir())


def test_thousands_of_inputs_are_all_in_the_table_and_the_page_stays_bounded(test_data: Path, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number:04}.png" for number in range(LISTED + 20)]
    for path in paths:
        path.symlink_to(test_data / "grey16.png")
    table_path, page_path = tmp_path / "out" / "t.tsv", tmp_path / "out" / "t.html"
    assert lm_inspect.main([*map(str, paths), "--table", str(table_path), "--html", str(page_path), "--quiet"]) == 0
    assert len(table(table_path)) == len(paths)
    document = html.fromstring(page_path.read_text(encoding="utf-8"))
    assert len(list(document.iter("img"))) == DETAILED
    assert "20 more are in the table." in shown(page_path.read_text(encoding="utf-8"))


def test_an_input_is_closed_before_the_next_is_opened(test_data: Path) -> None:
    import os

    counts = []
    for item in inspect(sorted(test_data.glob("*.ome.tiff"))):
        assert list(rows(item)) or item.part_of
        counts.append(len(os.listdir("/proc/self/fd")))  # noqa: PTH208 - how many are open, not what they are
    assert max(counts) - min(counts) <= 4


@pytest.mark.parametrize(("name", "said"), [("rgb.png", " RGB uint8, "), ("cells.ome.tiff", "X128 uint16, ")])
def test_a_colour_picture_does_not_look_like_a_grey_one_on_the_terminal(
    test_data: Path, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    assert lm_inspect.main([str(test_data / name)]) == 0
    assert said in capsys.readouterr().out
