"""The check as a whole: which inputs, which rules, in which order."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lightmicroscopy.metadata import findings
from lightmicroscopy.metadata.check import Report, check
from lightmicroscopy.metadata.findings import Problem, Subject, rule, run_rule
from lightmicroscopy.metadata.rules import PROFILES, catalogue

from .check_examples import of_rule, ome_xml


def test_two_files_of_one_name_are_told_apart_and_one_given_twice_is_checked_once(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "a.xml" for folder in "xy"]
    for path in paths:
        path.parent.mkdir()
        path.write_text(ome_xml(data="<MetadataOnly/>"), encoding="utf-8")
    assert [item.name for item in check([*paths, paths[0]]).inputs] == [str(path) for path in paths]


def test_findings_are_sorted_by_severity_input_and_rule(tmp_path: Path) -> None:
    for name in ("b.xml", "a.xml"):
        (tmp_path / name).write_text(ome_xml(sizes=(1, 2, 1), pixels="", data="<MetadataOnly/>"), encoding="utf-8")
    found = check([tmp_path / "b.xml", tmp_path / "a.xml"]).findings
    keys = [(findings.SEVERITIES.index(finding.severity), finding.input, finding.rule) for finding in found]
    assert keys == sorted(keys)
    assert len({key[0] for key in keys}) > 1


def test_a_hundred_thousand_equal_problems_are_counted_not_listed(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(ome_xml(data="<MetadataOnly/>" + '<Plane TheZ="5" TheC="0" TheT="0"/>' * 3000), encoding="utf-8")
    found = of_rule(check([path]).findings, "ome.plane-out-of-range")
    assert len(found) == findings.PROBLEMS_SHOWN + 1
    assert "more than 1000 more places" in found[-1].message


@pytest.fixture
def extra_rule() -> Callable[[Callable[[Subject], list[Problem]]], findings.Rule]:
    """Make a rule that is in no catalogue."""

    def make(function: Callable[[Subject], list[Problem]]) -> findings.Rule:
        name = f"test.{function.__name__}"
        rule(name, severity="error", title="It holds.", why="Why.", fix="Fix.", source="https://example.org", needs="path")(function)
        return findings.RULES.pop(name)

    return make


def test_a_rule_that_crashes_says_so_and_never_passes(extra_rule: Callable[..., findings.Rule]) -> None:
    def crashing(_: Subject) -> list[Problem]:
        raise ZeroDivisionError("by zero")

    found, status = run_rule(extra_rule(crashing), Subject("a", Path("a")), "open-format")
    assert status == "not-run"
    assert found[0].severity == "not-run"
    assert "ZeroDivisionError" in found[0].message


def test_a_rule_that_crashes_half_way_does_not_pass_either(extra_rule: Callable[..., findings.Rule]) -> None:
    def half(_: Subject):  # type: ignore[no-untyped-def]
        yield Problem("One.")
        raise KeyError("x")

    assert run_rule(extra_rule(half), Subject("a", Path("a")), "open-format")[1] == "not-run"


def test_two_rules_cannot_have_one_name() -> None:
    known = catalogue()[0]
    with pytest.raises(ValueError, match=known.id):
        rule(known.id, severity="info", title="", why="", fix="", source="")(lambda _: [])


def test_every_rule_of_the_catalogue_says_all_that_a_reader_needs() -> None:
    rules = catalogue()
    assert len(rules) > 35
    for item in rules:
        assert re.fullmatch(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*", item.id), item.id
        assert all(text[0].isupper() or not text[0].isalpha() for text in (item.title, item.why, item.fix)), item.id
        assert all(text.endswith((".", ")")) for text in (item.title, item.why, item.fix)), item.id
        assert item.source.startswith("https://"), item.id
        assert set(item.profiles) <= set(PROFILES)


def test_the_report_says_which_rules_passed_and_which_had_nothing_to_check(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(ome_xml(data="<MetadataOnly/>"), encoding="utf-8")
    report: Report = check([path])
    statuses = report.inputs[0].statuses
    assert statuses["ome.channel-count"] == "passed"
    assert statuses["tiff.not-tiled"] == "not-applicable"
    assert set(statuses) == {item.id for item in catalogue(["open-format"])}


def test_a_rule_with_nothing_to_look_at_does_not_count_as_passed(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(ome_xml(data="<MetadataOnly/>", pixels="", channels=""), encoding="utf-8")
    statuses = check([path]).inputs[0].statuses
    empty = (
        "ome.pixel-size-invalid",
        "ome.pixel-size-default",
        "ome.pixel-size-unequal",
        "ome.channel-count",
        "ome.significant-bits",
        "ome.z-step-missing",
    )
    assert {statuses[rule_id] for rule_id in empty} == {"not-applicable"}
