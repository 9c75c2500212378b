"""The script and its reports: exit codes, what is printed, and the page, also as Galaxy shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from galaxy.util.sanitize_html import sanitize_html
from lxml import html

import lm_compare
from lightmicroscopy.compare import compare
from lightmicroscopy.image import Location
from lightmicroscopy.reports.comparison import page, verdict
from lightmicroscopy.reports.tables import COMPARISON

from .test_compare import converted, edited
from .test_findings_report import shown


@pytest.mark.parametrize(
    ("copies", "flags", "code"),
    [
        (("cells_05.ome.zarr.zip",), ("--fail-on", "difference"), 0),
        (("cells_01.ome.zarr.zip",), (), 0),
        (("cells_01.ome.zarr.zip",), ("--fail-on", "pixels"), 0),
        (("cells_01.ome.zarr.zip",), ("--fail-on", "difference"), 4),
        (("pyramid.ome.tiff",), ("--fail-on", "pixels"), 4),
        (("pyramid.ome.tiff",), ("--fail-on", "never"), 0),
        (("truncated.tif", "cells_05.ome.zarr.zip"), (), 0),
        (("truncated.tif", "cells_05.ome.zarr.zip"), ("--strict",), 3),
        (("truncated.tif", "cells_05.ome.zarr.zip"), ("--fail-on", "pixels"), 4),
        (("truncated.tif", "not_an_image.txt"), (), 1),
    ],
)
def test_exit_codes(test_data: Path, tmp_path: Path, copies: tuple[str, ...], flags: tuple[str, ...], code: int) -> None:
    reports = ["--table", str(tmp_path / "t.tsv"), "--html", str(tmp_path / "r.html")]
    assert lm_compare.main([str(test_data / "cells.ome.tiff"), *(str(test_data / name) for name in copies), *flags, *reports]) == code
    assert (tmp_path / "t.tsv").read_text(encoding="utf-8").splitlines()[0].split("\t") == list(COMPARISON)
    assert (tmp_path / "r.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_an_unreadable_original_is_exit_code_1_and_leaves_no_report(test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "t.tsv"
    assert lm_compare.main([str(test_data / "truncated.tif"), str(test_data / "cells.ome.tiff"), "--table", str(table)]) == 1
    assert "truncated.tif is truncated" in capsys.readouterr().err
    assert not table.exists()


@pytest.mark.parametrize("arguments", [[], ["one.tif"], ["one.tif", "two.tif", "--fail-on", "sometimes"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        lm_compare.main(arguments)
    assert stopped.value.code == 2


@pytest.mark.parametrize(("choice", "code"), [("pixels", 2), ("difference", 0), ("never", 0)])
def test_to_fail_on_pixels_that_are_not_compared_is_refused(test_data: Path, capsys: pytest.CaptureFixture[str], choice: str, code: int) -> None:
    words = [str(test_data / "cells.ome.tiff"), str(test_data / "cells_05.ome.zarr.zip"), "--no-pixels", "--fail-on", choice]
    assert lm_compare.main(words) == code
    assert ("--fail-on pixels needs the pixels" in capsys.readouterr().err) is (code == 2)


def test_a_report_over_a_copy_is_refused(test_data: Path, tmp_path: Path) -> None:
    (copy,) = converted(test_data / "cells.ome.tiff", tmp_path)
    before = copy.read_bytes()
    assert lm_compare.main([str(test_data / "cells.ome.tiff"), str(copy), "--table", str(copy)]) == 2
    assert copy.read_bytes() == before


def test_without_a_report_there_is_a_line_for_each_series(test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = test_data / "two_series.ome.tiff"
    first, second = converted(source, tmp_path)
    lm_compare.main([str(source), str(second), str(first)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"two_series.ome.tiff : 0 — {first.name}: pixels identical; 20 fields the same"
    assert lines[1].startswith(f"two_series.ome.tiff : 1 — {second.name}: pixels identical; ")


def test_members_of_the_original_are_given_by_a_flag(test_data: Path, tmp_path: Path) -> None:
    companion, *members = (test_data / f"multifile{end}" for end in (".companion.ome", "_z0.ome.tiff", "_z1.ome.tiff", "_z2.ome.tiff"))
    (copy,) = converted(companion, tmp_path, "ome-tiff", *members)
    flags = [word for member in members for word in ("--member", str(member))]
    assert lm_compare.main([str(companion), str(copy), *flags, "--fail-on", "difference", "--quiet"]) == 0


@pytest.fixture
def bad(test_data: Path, tmp_path: Path) -> str:
    """A page of one series with a changed pixel and field, one that is missing, and a copy that cannot be read."""
    source = test_data / "two_series.ome.tiff"
    first, _ = converted(source, tmp_path / "copies")
    changed = edited(first, tmp_path / "changed.ome.tiff", pixel=True, text=('Name="GFP"', 'Name="&lt;script&gt;alert(1)&lt;/script&gt;"'))
    return "".join(page(compare(Location(source), [changed, test_data / "truncated.tif"])))


def test_the_page_begins_with_what_a_person_wants_to_know(bad: str) -> None:
    text = shown(bad)
    assert "1 copy cannot be read; 1 series of the original is in no copy; 1 series does not have the original's pixels." in text
    assert "1 of 5120 pixels differ, by 1 at most" in text
    assert "channel 1 name GFP <script>alert(1)</script>" in text


def test_in_galaxy_the_page_can_be_read_without_its_styles(bad: str) -> None:
    sanitized = sanitize_html(bad)
    assert not re.search(r"<style|<script|<meta|--paper|font:|\{|\}", sanitized)
    before, after = html.fromstring(bad), html.fromstring(f"<div>{sanitized}</div>")
    assert not list(before.iter("script", "link", "img", "iframe"))
    for element in ("h1", "h2", "h3", "table", "tr", "th", "td", "strong", "a"):
        assert len(before.findall(f".//{element}")) == len(after.findall(f".//{element}")) > 0, element
    assert shown(bad).replace("Show what was compared", "Details") == shown(sanitized).replace("Show what was compared", "Details")


def test_links_within_the_page_lead_somewhere(bad: str) -> None:
    document = html.fromstring(bad)
    targets = {link.get("href") for link in document.iter("a")}
    assert len(targets) == 3
    assert targets <= {f"#{element.get('id')}" for element in document.iter() if element.get("id")}


@pytest.mark.parametrize(
    ("copies", "pixels", "sentence"),
    [
        (("cells_05.ome.zarr.zip",), True, "The copy is true: every pixel and every field is the same."),
        (("cells_05.ome.zarr.zip",), False, "The copy is true: every field is the same; pixels were not compared."),
        (("cells_01.ome.zarr.zip",), True, "1 series has the same pixels but other metadata."),
        (("truncated.tif",), True, "1 copy cannot be read; 1 series of the original is in no copy."),
        (("pyramid.ome.tiff",), True, "1 series does not have the original's pixels."),
    ],
)
def test_the_verdict_is_one_true_sentence(test_data: Path, copies: tuple[str, ...], pixels: bool, sentence: str) -> None:
    assert verdict(compare(Location(test_data / "cells.ome.tiff"), [test_data / name for name in copies], pixels=pixels)) == sentence


def test_accepted_differences_are_told_with_their_reason_and_do_not_count(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "photo.jpg"
    comparison = compare(Location(source), converted(source, tmp_path, "ome-zarr"))
    assert verdict(comparison) == "The copy is true: every pixel and every field is the same, apart from what was decided to differ."
    assert "OME-Zarr knows no samples" in shown("".join(page(comparison)))
