"""What a check comes to, and whether its colours can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from lightmicroscopy.metadata.check import Report, check
from lightmicroscopy.metadata.findings import ALL_INPUTS, RULES, Problem, rule
from lightmicroscopy.metadata.rules import catalogue
from lightmicroscopy.reports.findings_html import render
from lightmicroscopy.reports.findings_summary import to_fix_first, verdicts
from lightmicroscopy.reports.preview import GAP
from lightmicroscopy.reports.summary_picture import COLOURS, LINE, write_summary

from .check_examples import ome_xml

SOUND = ome_xml(data="<MetadataOnly/>")
GAPS = ome_xml(data="<MetadataOnly/>", pixels="")
WRONG = ome_xml(data="<MetadataOnly/>", sizes=(1, 3, 1))
READABLE = 4.5
"""WCAG 2.1, success criterion 1.4.3 at level AA: contrast of text with what is behind it."""


def _report(folder: Path, *documents: str, profiles: tuple[str, ...] = ("open-format",)) -> Report:
    paths = [folder / f"{number}.xml" for number in range(len(documents))]
    for path, text in zip(paths, documents, strict=True):
        path.write_text(text, encoding="utf-8")
    return check(paths, profiles)


@pytest.mark.parametrize(
    ("document", "words"),
    [(SOUND, "Passes"), (GAPS, "Passes with gaps"), (WRONG, "Does not pass"), ("<OME", "Does not pass")],
)
def test_each_profile_has_a_verdict_in_words(tmp_path: Path, document: str, words: str) -> None:
    (judged,) = verdicts(_report(tmp_path, document))
    assert re.split(r"[.:,]", judged.words)[0] == words


@pytest.mark.parametrize("profile", ["bia", "idr", "rembi"])
def test_a_profile_that_had_nothing_to_look_at_does_not_pass(tmp_path: Path, profile: str) -> None:
    by_profile = {judged.profile: judged for judged in verdicts(_report(tmp_path, SOUND, profiles=("open-format", profile)))}
    assert by_profile["open-format"].words.startswith("Passes")
    assert by_profile[profile].state is not None
    assert not by_profile[profile].words.startswith("Passes.")


def test_a_profile_that_could_not_judge_says_what_it_had_needed(tmp_path: Path) -> None:
    by_profile = {judged.profile: judged for judged in verdicts(_report(tmp_path, SOUND, profiles=("open-format", "rembi")))}
    assert by_profile["rembi"].words.startswith("Not judged. No REMBI sheet was given")


def test_an_unreadable_input_fails_every_profile(tmp_path: Path) -> None:
    judged = verdicts(_report(tmp_path, "<OME", profiles=("open-format", "bia")))
    assert [item.state for item in judged] == ["error", "error"]


@pytest.fixture
def of_three_profiles() -> Iterator[str]:
    """Put a rule of three profiles that finds something in every input into the catalogue, for as long as a test takes."""
    catalogue()  # the rules of the suite are there before it
    register = rule(
        "test.of-three",
        severity="error",
        title="It holds.",
        why="Why.",
        fix="Fix.",
        source="https://example.org",
        profiles=("open-format", "bia", "idr"),
        needs="input",
    )
    register(lambda subject: [Problem(f"{subject.name} is wrong for three.")])
    yield "test.of-three"
    del RULES["test.of-three"]


def test_what_breaks_a_rule_of_several_profiles_fails_each_that_was_chosen(tmp_path: Path, of_three_profiles: str) -> None:
    report = _report(tmp_path, SOUND, profiles=("rembi", "idr", "open-format"))
    (found,) = [finding for finding in report.findings if finding.rule == of_three_profiles]
    assert found.profile == "idr; open-format"
    assert [row["profile"] for row in report.rows() if row["rule"] == of_three_profiles] == ["idr; open-format"]
    assert {judged.profile: judged.counts["error"] for judged in verdicts(report)} == {"rembi": 0, "idr": 1, "open-format": 1}


def test_a_rule_of_several_profiles_counts_for_none_that_was_not_chosen(tmp_path: Path, of_three_profiles: str) -> None:
    report = _report(tmp_path, SOUND, profiles=("bia",))
    assert {finding.profile for finding in report.findings if finding.rule == of_three_profiles} == {"bia"}


def test_what_cannot_be_read_is_told_under_every_profile(tmp_path: Path) -> None:
    report = _report(tmp_path, "<OME", profiles=("open-format", "bia"))
    assert {finding.profile for finding in report.findings if finding.rule == "input.unreadable"} == {"open-format; bia"}


def test_errors_come_before_warnings_that_touch_more_inputs(tmp_path: Path) -> None:
    first = to_fix_first(_report(tmp_path, WRONG, GAPS, GAPS))
    assert first[0].severity == "error"
    assert [item.severity for item in first] == sorted((item.severity for item in first), key=["error", "warning"].index)
    assert all(item.example.fix for item in first)
    assert max(item.inputs for item in first if item.severity == "warning") == 2


def test_nothing_is_to_be_fixed_in_a_sound_input(tmp_path: Path) -> None:
    report = _report(tmp_path, SOUND)
    assert to_fix_first(report) == ()
    assert "What to fix first" not in "".join(render(report))


def test_the_summary_picture_grows_with_the_profiles_and_is_coloured_by_the_verdict(tmp_path: Path) -> None:
    one, two = _report(tmp_path, SOUND), _report(tmp_path, WRONG, profiles=("open-format", "bia"))
    write_summary(one, tmp_path / "one.png")
    write_summary(two, tmp_path / "two.png")
    with Image.open(tmp_path / "one.png") as fine, Image.open(tmp_path / "two.png") as poor:
        assert poor.height - fine.height == LINE
        assert [picture.getpixel((GAP + 4, 140)) for picture in (fine, poor)] == [COLOURS[None], COLOURS["error"]]


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_wcag_defines_it() -> None:
    assert _contrast("#fff", "#000") == pytest.approx(21)
    assert _contrast("#777", "#fff") < READABLE < _contrast("#767676", "#fff")


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_all_text_can_be_read_on_all_that_is_behind_it(tmp_path: Path, scheme: int) -> None:
    roots = re.findall(r":root \{(.*?)\}", "".join(render(_report(tmp_path, SOUND))), re.DOTALL)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", roots[scheme]))
    behind = [name for name in colours if name in ("paper", "card") or name.endswith("-tint")]
    text = [name for name in colours if name not in (*behind, "line")]
    assert {"ink", "soft", "link", "bad", "fair", "note", "open", "fine"} <= set(text)
    assert len(behind) == 6
    poor = [
        (name, under, round(_contrast(colours[name], colours[under]), 2))
        for name in text
        for under in behind
        if _contrast(colours[name], colours[under]) < READABLE
    ]
    assert poor == []


def test_the_summary_picture_says_that_it_is_a_verdict_and_is_refused_as_an_image(tmp_path: Path) -> None:
    path = tmp_path / "verdict.png"
    write_summary(_report(tmp_path, WRONG), path)
    with Image.open(path) as picture:
        assert "stretched" not in str(picture.text)
        assert picture.text["Title"].startswith("Verdict of a metadata check")
    (finding,) = check([path]).findings
    assert (finding.rule, finding.severity) == ("input.preview", "error")
    assert "verdict.png is the verdict of a check" in finding.message


def test_what_is_about_all_inputs_together_is_in_none_of_them(tmp_path: Path) -> None:
    report = _report(tmp_path, WRONG)
    of_all = replace(report, findings=tuple(replace(finding, input=ALL_INPUTS) for finding in report.findings))
    assert [(item.rule, item.inputs, item.touches) for item in to_fix_first(of_all)] == [
        (item.rule, 0, "all inputs together") for item in to_fix_first(report)
    ]
    assert all(item.inputs == 1 and item.touches.endswith(" in 1 input") for item in to_fix_first(report))


@pytest.mark.parametrize(("document", "words"), [(GAPS, "Passes with gaps: "), (WRONG, "Does not pass: ")])
def test_what_could_not_be_checked_is_said_beside_what_was_found(tmp_path: Path, document: str, words: str) -> None:
    report = _report(tmp_path, document)
    unknown = replace(report.findings[0], severity="not-run")
    (judged,) = verdicts(replace(report, findings=(*report.findings, unknown)))
    assert judged.words.startswith(words)
    assert judged.words.endswith(" 1 check could not be made.")
