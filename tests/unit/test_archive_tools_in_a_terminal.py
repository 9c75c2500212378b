"""What somebody new to the archives' tools meets in a terminal: help with examples that work, and a last word on what was made."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

import lm_bia_download
import lm_bia_search
import lm_idr_download
import lm_idr_search

from .bia_calls import Calls

TOOLS: dict[str, Any] = {one.PROGRAM: one for one in (lm_idr_search, lm_bia_search, lm_idr_download, lm_bia_download)}
BLASTOCYST = ("6001240", "--channel", "Dapi", "--z", "118", "--level", "2")


@pytest.mark.parametrize("name", TOOLS)
def test_the_help_ends_with_examples_and_exit_codes(name: str) -> None:
    text = TOOLS[name].parser().format_help()
    examples, codes = text.rpartition("\nexamples:\n")[2].split("\n\n")
    assert [line.split()[0] for line in examples.splitlines()] == [name] * len(TOOLS[name].EXAMPLES)
    assert all(f" {code} " in codes for code in range(4))


@pytest.mark.parametrize("name", TOOLS)
def test_every_flag_is_explained(name: str) -> None:
    for action in TOOLS[name].parser()._actions:
        assert action.help, action.option_strings


def test_every_example_works(bia: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The searches first: downloads take their tables."""
    monkeypatch.chdir(tmp_path)
    for name, tool in TOOLS.items():
        for example in tool.EXAMPLES:
            program, *words = shlex.split(example)
            run = bia.plain(tool, *words)
            assert (program, run.code) == (name, 0), run.stderr
            for path in re.findall(r"\S+\.(?:tsv|md)\b|SHA256SUMS", example):
                assert Path(path).stat().st_size
                if "--table" not in words or path != words[words.index("--table") + 1]:
                    assert path in run.told[-1]


@pytest.mark.parametrize(
    ("tool", "words", "told"),
    [
        (
            "lm_idr_search",
            ["--study", "idr0062", "--images", "i.tsv", "--studies", "s.tsv"],
            ["There are 22 such images, of 1 project or screen.", "Listed: 22 images, 1 study", "Written: i.tsv, s.tsv"],
        ),
        ("lm_idr_search", ["--study", "idr0062"], ["There are 22 such images, of 1 project or screen."]),
        (
            "lm_bia_search",
            ["--accession", "S-BIAD634", "--files", "f.tsv", "--metadata", "m.json"],
            ["Listed: 1 study, 6 files", "Written: f.tsv, m.json"],
        ),
        ("lm_bia_search", ["--query", "nuclear segmentation", "--studies", "s.tsv"], ["1 study fits.", "Listed: 1 study", "Written: s.tsv"]),
        (
            "lm_idr_download",
            [*BLASTOCYST, "--output", "out", "--manifest", "m.tsv", "--citation", "c.html"],
            ["Done: 1 image in out.", "Written: m.tsv, c.html"],
        ),
        (
            "lm_idr_download",
            ["6001240", "77", "--format", "metadata", "--output", "out", "--preview", "p.png", "--checksums", "sums"],
            ["Done: 1 image in out, 1 failed.", "Written: sums"],
        ),
        (
            "lm_idr_download",
            ["13441308", "--format", "original", "--plan-only", "--output", "out", "--manifest", "m.tsv"],
            ["Planned: 1 image, up to 57.8 kB; nothing was fetched.", "Written: m.tsv"],
        ),
        ("lm_bia_download", ["--accession", "S-BIAD634", "--first", "2", "--output", "out"], ["Done: 2 files in out."]),
        ("lm_bia_download", ["--accession", "S-BIAD24", "--format", "ome-zarr", "--output", "out"], ["Done: 0 images in out, 1 failed."]),
    ],
)
def test_a_run_ends_with_what_it_made(
    bia: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str, words: list[str], told: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run = bia.plain(TOOLS[tool], *words)
    assert run.told[-len(told) :] == told
    for path in told[-1].removeprefix("Written: ").split(", ") if told[-1].startswith("Written") else ():
        assert Path(path).stat().st_size


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("lm_idr_search", ["--study", "idr0062", "--images", "i.tsv"]),
        ("lm_bia_search", ["--accession", "S-BIAD634", "--studies", "s.tsv"]),
        ("lm_idr_download", ["6001240", "--format", "metadata", "--output", "out", "--manifest", "m.tsv"]),
        ("lm_bia_download", ["--accession", "S-BIAD634", "--first", "1", "--output", "out", "--manifest", "m.tsv"]),
    ],
)
def test_quiet_is_quiet(bia: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str, words: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    run = bia.plain(TOOLS[tool], *words, "--quiet")
    assert (run.code, run.stderr) == (0, "")
