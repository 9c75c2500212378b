"""The script and its reports: exit codes, what is printed, and the page, also as Galaxy shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from galaxy.util.sanitize_html import sanitize_html
from lxml import html

import lm_compare
from lightmicroscopy.compare import Comparison, Row, compare
from lightmicroscopy.image import Location
from lightmicroscopy.reports.comparison import page, summary, verdict
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


def test_flags_may_stand_anywhere_among_the_files(test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (test_data / name for name in ("cells.ome.tiff", "confocal.lsm"))
    copies = [*converted(first, tmp_path / "a"), *converted(second, tmp_path / "b")]
    orders = ([first, "--also", second, *copies], [first, *copies, "--also", second], ["--also", second, first, copies[0], "--quiet", copies[1]])
    told = []
    for words in orders:
        assert lm_compare.main(list(map(str, words))) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1] == told[2]
    assert told[0].count("pixels identical") == 2


def test_after_two_dashes_there_are_only_files(test_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("-a.ome.tiff", "-b.ome.tiff"):
        Path(name).write_bytes((test_data / "cells.ome.tiff").read_bytes())
    assert lm_compare.main(["--fail-on", "difference", "--", "-a.ome.tiff", "-b.ome.tiff"]) == 0


def test_the_help_shows_how_several_originals_are_given(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        lm_compare.main(["--help"])
    assert "lm_compare a.czi --also b.nd2 --also c.lif" in capsys.readouterr().out


@pytest.mark.parametrize("quiet", [False, True])
def test_what_was_written_is_told_at_the_end(test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], quiet: bool) -> None:
    html_page, table = tmp_path / "r.html", tmp_path / "t.tsv"
    words = [str(test_data / "cells.ome.tiff"), str(test_data / "cells_05.ome.zarr.zip"), "--html", str(html_page), "--table", str(table)]
    assert lm_compare.main([*words, *(["--quiet"] if quiet else [])]) == 0
    out, err = capsys.readouterr()
    assert not out
    assert [f"Written: {path}" in err for path in (html_page, table)] == [not quiet] * 2


def test_a_line_names_things_once_and_groups_large_counts(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "two_series.ome.tiff"
    first, _ = converted(source, tmp_path / "copies")
    changed = edited(first, tmp_path / "changed.ome.tiff", pixel=True)
    lines = list(summary(compare(Location(source), [changed, test_data / "not_an_image.txt"])))
    assert any("changed.ome.tiff: 1 of 10,240 pixels differ, by 1 at most" in line for line in lines)
    assert not any("no copy: in no copy" in line or "pixels 1 of" in line for line in lines)
    assert any(re.fullmatch(r"two_series\.ome\.tiff : 1 \(.+\): in no copy", line) for line in lines)
    assert sum("not_an_image.txt" in line for line in lines) == sum(line.count("not_an_image.txt") for line in lines) == 1


def test_a_series_that_the_original_has_not_is_told_by_its_copy() -> None:
    rows = [Row("a.tif", "b.tif", "", "series", "", "Second", "only-copy")]
    assert list(summary(Comparison("a.tif", "TIFF", ("b.tif",), rows))) == ["b.tif: the series Second is not in the original"]


def test_the_table_holds_plain_numbers(test_data: Path, tmp_path: Path) -> None:
    comparison = compare(Location(test_data / "cells.ome.tiff"), [test_data / "cells_05.ome.zarr.zip"])
    assert next(row["copy_value"] for row in comparison.table() if row["what"] == "pixels") == "73728 pixels"


def test_the_page_and_its_sections_name_the_files(bad: str) -> None:
    document = html.fromstring(bad)
    assert document.findtext(".//title").startswith("two_series.ome.tiff and 2 copies compared")
    titles = [element.text_content() for element in document.iter("h2")]
    assert any(title.startswith("two_series.ome.tiff, series 0: ") for title in titles)
    assert "truncated.tif" in titles


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
    assert "1 of 5,120 pixels differ, by 1 at most" in text
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
    assert verdict(comparison) == "The copy is true: every pixel and every field is the same, apart from what is expected to differ."
    text = shown("".join(page(comparison)))
    assert "OME-Zarr knows no samples" in text
    assert "decided" not in text
