"""Every rule has an input that makes it speak, and nothing else does that is not meant to."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lightmicroscopy.metadata.check import check
from lightmicroscopy.metadata.findings import OPEN_FORMAT
from lightmicroscopy.metadata.rules import catalogue

from .rule_examples import BASES, Example
from .rule_table import EXAMPLES


@cache
def _told_of_the_sound() -> frozenset[str]:
    """Rules that speak of the sound inputs too: a store as such has no objective, say."""
    found: set[str] = set()
    for make in BASES.values():
        with TemporaryDirectory() as folder:
            found |= {finding.rule for finding in check(make(Path(folder))).findings}
    return frozenset(found)


def test_the_sound_inputs_are_told_of_nothing_that_is_wrong(tmp_path: Path) -> None:
    for name, make in BASES.items():
        (tmp_path / name).mkdir()
        found = check(make(tmp_path / name)).findings
        assert {finding.rule for finding in found if finding.severity in ("error", "not-run")} == set(), name


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{example.rule}: {example.situation}" for example in EXAMPLES])
def test_the_rule_speaks_and_no_other_that_is_not_meant(tmp_path: Path, example: Example) -> None:
    found = check(example.make(tmp_path)).findings
    assert any(finding.rule == example.rule and example.words in finding.message for finding in found), [finding.message for finding in found]
    spoken = {finding.rule for finding in found if finding.severity != "not-run"} - _told_of_the_sound()
    assert spoken - {example.rule} == set(example.also) - _told_of_the_sound() - {example.rule}
    assert any(finding.severity == "not-run" for finding in found) == example.stops_others


def test_every_rule_has_an_example() -> None:
    assert {example.rule for example in EXAMPLES} == {rule.id for rule in catalogue([OPEN_FORMAT])}
