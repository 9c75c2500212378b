"""The reports of a check: the page, also as Galaxy shows it, the table and the JSON."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from galaxy.util.sanitize_html import sanitize_html
from lxml import html

from lightmicroscopy.metadata.check import Report, check
from lightmicroscopy.reports.findings_html import DETAILED, NAMES_SHOWN, PICTURES, PLACES_SHOWN, render, verdict
from lightmicroscopy.reports.findings_json import document
from lightmicroscopy.reports.tables import FINDINGS, write_table

from .check_examples import ome_xml

EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(2)>&amp;'


def _report(tmp_path: Path, **documents: str) -> Report:
    for name, xml in documents.items():
        (tmp_path / f"{name}.xml").write_text(xml, encoding="utf-8")
    return check([tmp_path / f"{name}.xml" for name in documents])


@pytest.fixture
def mixed(tmp_path: Path) -> Report:
    """One sound input, one with gaps, one with a mistake, one that is no image."""
    return _report(
        tmp_path,
        sound=ome_xml(data="<MetadataOnly/>"),
        gaps=ome_xml(data="<MetadataOnly/>", pixels=""),
        wrong=ome_xml(data="<MetadataOnly/>", sizes=(1, 3, 1)),
        broken="<OME",
    )


def page(report: Report) -> str:
    return "".join(render(report))


class Text(HTMLParser):
    """All text a browser would show."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.feed(source)

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def __str__(self) -> str:
        return " ".join(" ".join(self.parts).split())


def shown(source: str) -> str:
    return str(Text(re.sub(r"<style>.*?</style>", "", source, flags=re.DOTALL)))


def test_the_page_begins_with_what_a_person_wants_to_know(mixed: Report) -> None:
    text = shown(page(mixed))
    assert "2 of 4 inputs have errors that will stop or mislead other software; 1 more lacks something a reader of the data will need." in text
    for words in ("SizeC is 3, but 1 Channel element", "Why it matters:", "How to mend it:", "Where: /OME/Image/Pixels", "Checked and found fine"):
        assert words in text


@pytest.mark.parametrize(
    ("documents", "sentence"),
    [
        ({"a": ome_xml(data="<MetadataOnly/>")}, "The input passed: nothing is wrong and nothing important is missing."),
        ({"a": ome_xml(data="<MetadataOnly/>", pixels="")}, "The input lacks something a reader of the data will need."),
        ({"a": ome_xml(data="<MetadataOnly/>", before="")}, "The input has errors that will stop or mislead other software."),
        ({name: ome_xml(data="<MetadataOnly/>", pixels="") for name in "ab"}, "All 2 inputs lack something a reader of the data will need."),
        ({name: ome_xml(data="<MetadataOnly/>") for name in "ab"}, "All 2 inputs passed: nothing is wrong and nothing important is missing."),
    ],
)
def test_the_verdict_is_one_true_sentence(tmp_path: Path, documents: dict[str, str], sentence: str) -> None:
    assert verdict(_report(tmp_path, **documents)) == sentence


def test_in_galaxy_the_style_sheet_vanishes_and_everything_else_can_be_read(mixed: Report) -> None:
    source = page(mixed)
    sanitized = sanitize_html(source)
    assert not re.search(r"<style|<script|<meta|--paper|font:|\{|\}", sanitized)
    # The title's text is what a browser shows on the tab; without its element it leads the page.
    assert shown(sanitized) == shown(source)


def test_in_galaxy_headings_tables_lists_and_links_survive(mixed: Report) -> None:
    before, after = html.fromstring(page(mixed)), html.fromstring(f"<div>{sanitize_html(page(mixed))}</div>")
    for element in ("h1", "h2", "h3", "table", "tr", "th", "td", "ul", "li", "strong", "article", "a"):
        count = len(before.findall(f".//{element}"))
        assert count > 0
        assert len(after.findall(f".//{element}")) == count, element
    assert {link.get("href") for link in before.iter("a")} == {link.get("href") for link in after.iter("a")}


def test_every_link_within_the_page_leads_somewhere(mixed: Report) -> None:
    document = html.fromstring(page(mixed))
    targets = {link.get("href") for link in document.iter("a") if link.get("href").startswith("#")}
    assert len(targets) == 4
    assert targets <= {f"#{element.get('id')}" for element in document.iter() if element.get("id")}


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing(mixed: Report) -> None:
    document = html.fromstring(page(mixed))
    assert not list(document.iter("script", "link", "img", "iframe", "object", "embed"))
    assert "url(" not in page(mixed)
    assert "@import" not in page(mixed)
    assert all(link.get("href").startswith(("https://", "#")) for link in document.iter("a"))


def test_names_out_of_a_file_cannot_inject_anything(tmp_path: Path) -> None:
    quoted = EVIL.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    channels = f'<Channel ID="Channel:0:0" Name="{quoted}"/><Channel ID="Channel:0:1" Name="{quoted}"/>'
    report = _report(tmp_path, a=ome_xml(data="<MetadataOnly/>", sizes=(1, 2, 1), channels=channels))
    document = html.fromstring(page(report))
    assert not list(document.iter("script", "img"))
    assert "<script>alert(1)</script>" in shown(page(report))


def test_a_file_name_cannot_inject_anything(tmp_path: Path) -> None:
    path = tmp_path / '<b onclick="x">.xml'
    path.write_text("<OME")
    document = html.fromstring(page(check([path])))
    assert not list(document.iter("b"))


def test_the_style_sheet_has_both_themes_and_print_and_no_comment_ends_early(mixed: Report) -> None:
    whole = page(mixed)
    styles = re.findall(r"<style><!--(.*?)--></style>", whole, re.DOTALL)
    assert len(styles) == whole.count("<style") > 0
    assert not any("-->" in style for style in styles)
    assert "prefers-color-scheme: dark" in styles[0]
    assert "@media print" in styles[0]


def test_thousands_of_inputs_make_a_page_of_bounded_size(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(ome_xml(data="<MetadataOnly/>", pixels=""), encoding="utf-8")
    paths = [tmp_path / f"{number}.xml" for number in range(DETAILED + 50)]
    for path in paths:
        path.symlink_to(tmp_path / "a.xml")
    document = html.fromstring(page(check(paths)))
    headed = [heading for heading in document.iter("h2") if heading.get("id")]
    assert len(headed) == NAMES_SHOWN
    (row,) = document.xpath("//section[h2='Inputs']//tbody/tr")
    assert [cell.text_content().strip() for cell in row.xpath("td")][::2] == [str(len(paths)), "OME-XML"]
    listed = " ".join(row.xpath("td")[1].text_content().split()).replace(f"and {len(paths) - NAMES_SHOWN} more ", ", ").replace(" ,", ",")
    assert listed.split(", ") == [path.name for path in paths]


def test_of_thousands_those_in_which_the_same_was_found_share_a_row_and_the_gravest_come_first(tmp_path: Path) -> None:
    for number in range(DETAILED):
        (tmp_path / f"sound{number}.xml").write_text(ome_xml(data="<MetadataOnly/>"), encoding="utf-8")
    (tmp_path / "bare.xml").write_text(ome_xml(data="<MetadataOnly/>", pixels=""), encoding="utf-8")
    (tmp_path / "broken.xml").write_text("<OME", encoding="utf-8")
    rows = html.fromstring(page(check(sorted(tmp_path.glob("*.xml"))))).xpath("//section[h2='Inputs']//tbody/tr")
    assert [row.xpath("td")[0].text_content() for row in rows] == ["1", "1", str(DETAILED)]
    assert [row.xpath(".//a")[0].text for row in rows[:2]] == ["broken.xml", "bare.xml"]
    assert "Error" in rows[0].xpath("td")[3].text_content()
    assert rows[0].xpath(".//a/@href")[0].removeprefix("#") in [heading.get("id") for heading in rows[0].getroottree().iter("h2")]


def test_the_table_is_the_contracts_and_leaves_out_why(mixed: Report, tmp_path: Path) -> None:
    write_table(tmp_path / "t.tsv", FINDINGS, mixed.rows())
    lines = (tmp_path / "t.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "input\tseries\tprofile\trule\tseverity\tlocation\tmessage\tfix\tsource"
    assert len(lines) == 1 + len(mixed.findings)
    severities = [line.split("\t")[4] for line in lines[1:]]
    assert severities == sorted(severities, key=["error", "warning", "info", "not-run"].index)


def test_the_json_says_what_was_checked_with_what_and_how_it_went(mixed: Report) -> None:
    written = json.loads(json.dumps(document(mixed)))
    assert set(written) >= {"suite", "version", "date", "profiles", "inputs", "findings", "rules"}
    by_name = {item["name"]: item for item in written["inputs"]}
    assert re.fullmatch(r"[0-9a-f]{64}", by_name["sound.xml"]["sha256"])
    assert by_name["broken.xml"]["unreadable"]
    counts = next(rule for rule in written["rules"] if rule["id"] == "ome.channel-count")["inputs"]
    assert counts == {"passed": 2, "found": 1, "not-run": 1}


def test_a_fixed_date_makes_the_reports_repeatable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    report = _report(tmp_path, a=ome_xml(data="<MetadataOnly/>"))
    assert "2023-11-14T22:13:20Z" in page(report)
    assert page(report) == page(check([tmp_path / "a.xml"]))


def test_each_finding_of_many_inputs_is_told_by_its_rule_with_places_why_and_how_to_mend_it(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number:03}.xml" for number in range(PLACES_SHOWN + 5)]
    for path in paths:
        path.write_text(ome_xml(data="<MetadataOnly/>", pixels=""), encoding="utf-8")
    report = check(paths)
    rule = report.findings[0].rule
    found = [finding for finding in report.findings if finding.rule == rule]
    assert len(found) == len(paths)
    page = html.fromstring("".join(render(report)))
    (row,) = [row for row in page.xpath("//section[h2='What was found']//tr[td]") if rule in row.text_content()]
    assert [item.text_content().split(":")[0] for item in row.xpath(".//li")] == [path.name for path in paths[:PLACES_SHOWN]]
    for text in (found[0].why, found[0].fix, "5 more are in the table of findings"):
        assert text in row.text_content()


def test_profiles_are_called_by_what_they_ask_and_not_by_their_ids_alone(mixed: Report) -> None:
    page = html.fromstring("".join(render(mixed)))
    (head,) = page.xpath("//section[h2='Verdict by profile']//tbody//th")
    assert head.text_content().split() == ["Open", "formats", "open-format"]


def test_the_page_shows_the_images_of_the_gravest_inputs_and_is_whole_without_them(test_data: Path) -> None:
    given = [test_data / name for name in ("cells.ome.tiff", "not_an_image.txt", "wrong_metadata.ome.tiff", "rgb.png")]
    report = check(given)
    page = html.fromstring("".join(render(report, given)))
    pictures = page.xpath("//section[h2[@id]]//img")
    assert len(pictures) == 3
    assert pictures[0].get("alt").startswith("wrong_metadata.ome.tiff, Series 0")
    assert all(picture.get("src").startswith("data:image/") and "contrast stretched" in picture.get("alt") for picture in pictures)
    assert not html.fromstring("".join(render(report))).xpath("//img")


def test_there_are_only_so_many_pictures(tmp_path: Path, test_data: Path) -> None:
    given = [shutil.copy(test_data / "two_series.ome.tiff", tmp_path / f"{number}.ome.tiff") for number in range(PICTURES)]
    report = check(given)
    assert len(html.fromstring("".join(render(report, given))).xpath("//img")) == PICTURES


def test_an_image_that_goes_away_before_it_is_drawn_costs_only_its_picture(tmp_path: Path, test_data: Path) -> None:
    given = [Path(shutil.copy(test_data / name, tmp_path)) for name in ("cells.ome.tiff", "rgb.png")]
    report = check(given)
    given[0].unlink()
    assert len(html.fromstring("".join(render(report, given))).xpath("//img")) == 1
