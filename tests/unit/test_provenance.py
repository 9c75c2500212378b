"""The record of where an output came from."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from lightmicroscopy import __version__
from lightmicroscopy.provenance import Provenance, files_below, now, sha256, sha256_of


def test_one_file_has_its_own_checksum(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"x" * 3_000_000)
    assert sha256_of({"a": file}) == sha256(file) == hashlib.sha256(b"x" * 3_000_000).hexdigest()


def test_the_checksum_of_a_set_can_be_made_again_by_hand(tmp_path: Path) -> None:
    for name in ("b", "a", "sub/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    by_hand = subprocess.run(["sh", "-c", "sha256sum a b sub/c | sha256sum"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout[:64]
    assert sha256_of(files_below(tmp_path)) == by_hand


def test_the_checksum_of_a_set_changes_with_a_name(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("x")
    assert sha256_of({"a": file, "b": file}) != sha256_of({"a": file, "c": file})


def test_the_annotation_says_all_that_is_needed() -> None:
    annotation = Provenance("a.tif", "abc", "--z 1", (("format", "ome-tiff"),), "2026-01-01T00:00:00Z").annotation(2, "Position 2")
    said = dict(annotation.pairs)
    assert said["Source series"] == "2"
    assert said["Parameter format"] == "ome-tiff"
    assert said["Software"].endswith(__version__)


def test_the_date_is_utc_and_can_be_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert now() == "1970-01-01T00:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert now().endswith("Z")
