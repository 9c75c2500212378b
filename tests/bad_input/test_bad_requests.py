"""The rows of docs/bad-input.md about the IDR, asked of the sample archive as a user asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..archives import Archive
from .idr_requests import REQUESTS
from .runner import rows, run
from .test_bad_input import MEMORY_MB, ROWS, judge


@pytest.fixture(scope="module")
def archive() -> Iterator[Archive]:
    with Archive() as archive:
        yield archive


@pytest.mark.parametrize("name", REQUESTS)
def test_a_bad_request_gets_what_the_table_says(name: str, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTMICROSCOPY_ENDPOINTS", json.dumps(archive.endpoints))
    result = run([*REQUESTS[name], "--annotations", str(tmp_path / "annotations.tsv")], tmp_path / "out", script="lm_idr_download")
    judge(ROWS[name], result)
    assert result.memory < MEMORY_MB
    assert {path.name for path in tmp_path.iterdir()} <= {"out", "stderr.txt", "measured.txt", "annotations.tsv"}
    if name == "annotations with tabs and newlines":
        lines = (tmp_path / "annotations.tsv").read_text(encoding="utf-8").splitlines()
        assert {line.count("\t") for line in lines} == {5}
    assert archive.asked("elsewhere") == []


def test_each_of_them_has_one_row() -> None:
    assert [row.name for row in rows() if row.name in REQUESTS] == list(REQUESTS)
