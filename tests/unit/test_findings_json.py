"""The JSON of a check: its keys are those that docs/findings-json.md promises, and it is as whole as the report."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lightmicroscopy.metadata.check import Report, check
from lightmicroscopy.metadata.findings import SEVERITIES
from lightmicroscopy.reports.findings_json import STATUSES, document, write_json

PAGE = "docs/findings-json.md"


@pytest.fixture(scope="module")
def report(test_data: Path) -> Report:
    files = [test_data / name for name in ("wrong_metadata.ome.tiff", "photo.jpg", "not_an_image.txt", "two_series.ome.tiff")]
    return check(files, ("open-format", "rembi"), parameters=(("Fail on", "never"),))


@pytest.fixture(scope="module")
def written(report: Report, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("json") / "findings.json"
    write_json(report, path)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def promised(root: Path) -> dict[str, list[str]]:
    """Keys by section of the page."""
    sections = re.split(r"^## (.*)$", (root / PAGE).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {
        title.strip("`"): [key for line in text.splitlines() if line.startswith("| `") for key in re.findall(r"`([^`]+)`", line.split("|")[1])]
        for title, text in zip(sections[::2], sections[1::2], strict=True)
    }


def test_the_keys_are_those_of_the_page_and_no_others(written: dict[str, Any], root: Path) -> None:
    page = promised(root)
    series = [item for given in written["inputs"] for item in given["series"]]
    found = {"The whole": [written], "series": series} | {name: written[name] for name in page if name in written}
    assert set(found) == set(page)
    for name, items in found.items():
        assert items
        for item in items:
            assert sorted(item) == sorted(page[name])


def test_what_is_written_piece_by_piece_is_the_whole_document(report: Report, written: dict[str, Any]) -> None:
    assert written == json.loads(json.dumps(document(report)))
    assert [item["name"] for item in written["inputs"]] == [item.name for item in report.inputs]
    assert len(written["findings"]) == len(report.findings)


def test_each_profile_has_its_verdict_and_an_unreadable_input_counts_for_all(written: dict[str, Any]) -> None:
    by_profile = {judged["profile"]: judged for judged in written["verdicts"]}
    assert list(by_profile) == ["open-format", "rembi"]
    for judged in by_profile.values():
        assert judged["state"] == "error"
        assert list(judged["counts"]) == list(SEVERITIES)
        assert judged["counts"]["error"] >= 1
    assert by_profile["open-format"]["counts"]["error"] > by_profile["rembi"]["counts"]["error"]
    assert written["fix_first"][0]["severity"] == "error"
    assert written["fix_first"][0]["first"] in written["findings"]


def test_a_sound_image_passes_by_its_state(test_data: Path) -> None:
    found = document(check([test_data / "cells.ome.tiff"]))
    (judged,) = found["verdicts"]
    assert (judged["state"], judged["counts"]["error"], found["fix_first"]) == ("passed", 0, [])


def test_how_rules_went_is_in_words_that_the_page_knows(written: dict[str, Any]) -> None:
    assert {status for item in written["inputs"] for status in item["statuses"].values()} <= set(STATUSES)
    assert {status for rule in written["rules"] for status in rule["inputs"]} <= set(STATUSES)
