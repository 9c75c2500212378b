"""A small part of the mutations: nearly all are told, and what is not told is valid by programs that are not ours."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lightmicroscopy.metadata.findings import RULES

from .bases import bases, mutations
from .model import KINDS
from .page import HEAD, reason
from .verdicts import Verdict, asked, told, verdicts

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metadata-mutations.md"
SEED, MOST = 17, 2
FLOOR = 0.75
"""Least part that rules meant for it tell; most of the rest is valid."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    folder = tmp_path_factory.mktemp("mutations")
    return list(verdicts(mutations(SEED, MOST), folder))


def test_the_inputs_are_valid_before_they_are_broken(tmp_path: Path) -> None:
    for base in bases():
        assert [finding.message for finding in told(base, tmp_path / "base") if finding.severity in ("error", "not-run")] == [], base.name


def test_the_same_seed_breaks_the_same_things() -> None:
    first, second = ([(made.base.name, made.where, made.what) for made in mutations(3, 1)] for _ in range(2))
    assert first == second != [(made.base.name, made.where, made.what) for made in mutations(4, 1)]


def test_every_kind_of_mistake_is_made_in_every_input(made: list[Verdict]) -> None:
    assert {verdict.mutation.kind for verdict in made} == set(KINDS)
    assert {verdict.mutation.base.name for verdict in made} == {base.name for base in bases()}


def test_most_mistakes_are_told_by_the_rule_for_them(made: list[Verdict]) -> None:
    caught = Counter(verdict.caught for verdict in made)
    assert caught["meant"] >= FLOOR * len(made), [(verdict.mutation.where, verdict.mutation.what) for verdict in made if verdict.caught != "meant"]


def test_what_is_not_told_is_valid_by_the_schema_and_the_models(made: list[Verdict], tmp_path: Path) -> None:
    silent = [asked(verdict, tmp_path, None) for verdict in made if verdict.caught == "not"]
    assert [(verdict.mutation.where, verdict.mutation.what, said) for verdict in silent for said in verdict.oracles if said[1]] == []


def test_a_rule_that_is_gone_is_missed(made: list[Verdict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = next(verdict for verdict in made if len(verdict.rules) == 1 and verdict.rules[0] in RULES)
    monkeypatch.delitem(RULES, alone.rules[0])
    assert [verdict.caught for verdict in verdicts([alone.mutation], tmp_path)] == ["not"]


def test_every_silence_has_a_reason(made: list[Verdict]) -> None:
    assert all(reason(verdict.mutation.kind, verdict.mutation.place) for verdict in made if verdict.caught == "not")


def test_the_page_is_of_this_script() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.startswith(HEAD)
    assert "Traceback" not in text
