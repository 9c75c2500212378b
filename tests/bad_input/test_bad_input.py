"""Every row of docs/bad-input.md, run as a user runs it: exit code, one sentence, nothing half-made, inputs untouched."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import numpy as np
import pytest
import zarr

from ..needs import as_anybody, small_disk
from .idr_requests import REQUESTS
from .inputs import DATA, MAKERS
from .runner import Result, Row, fingerprint, listing, rows, run, run_until_killed

ROWS = {row.name: row for row in rows()}
SPECIAL = {
    "output that is there already",
    "output folder that is a file",
    "no permission to write",
    "no permission to read",
    *(name for name in ROWS if name.startswith(("full disk", "killed", "cancelled"))),
    *REQUESTS,
}
MEMORY_MB = 300
"""What an image of any size may take; bad input gets no more."""


def named(*prefixes: str) -> list[str]:
    return [name for name in ROWS if name.startswith(prefixes)]


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """Give a folder for the input."""
    folder = tmp_path / "given"
    folder.mkdir()
    return folder


def judge(row: Row, result: Result) -> None:
    """Compare what happened with the row."""
    assert result.code == row.code, result.stderr
    assert "Traceback" not in result.stderr
    assert list(result.made) == row.makes
    assert len(result.lines) == bool(row.sentence), result.stderr
    assert re.fullmatch(row.pattern, "".join(result.lines)), result.stderr


def test_every_row_of_the_table_is_run_and_every_case_has_a_row() -> None:
    assert set(ROWS) == {*MAKERS, *REQUESTS}
    assert len(ROWS) == len(rows())


def test_every_sentence_in_the_table_says_something() -> None:
    assert [row.name for row in ROWS.values() if row.code not in (-signal.SIGKILL, 0) and len(row.told) < 30] == []
    assert [row.name for row in ROWS.values() if row.code == 0 and not row.makes] == []


@pytest.mark.parametrize("name", [name for name in ROWS if name not in SPECIAL])
def test_bad_input_gets_what_the_table_says(name: str, given: Path, tmp_path: Path) -> None:
    arguments = MAKERS[name](given)
    before = fingerprint(tmp_path)
    result = run(arguments, tmp_path / "out")
    judge(ROWS[name], result)
    assert result.memory < MEMORY_MB
    assert fingerprint(given) == {place.removeprefix("given/"): print_ for place, print_ in before.items()}
    assert set(listing(tmp_path)) <= {"given", "out", "stderr.txt", "measured.txt"}


def test_an_output_that_is_there_already_is_not_overwritten(given: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (output / "cells.ome.tiff").write_text("a week of work")
    name = "output that is there already"
    result = run(MAKERS[name](given), output)
    assert (result.code, len(result.lines)) == (ROWS[name].code, 1)
    assert re.fullmatch(ROWS[name].pattern, result.lines[0]), result.lines[0]
    assert [path.read_text() for path in output.iterdir()] == ["a week of work"]


def test_an_output_folder_that_is_a_file_stays_that_file(given: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("notes")
    judge(ROWS["output folder that is a file"], run(MAKERS["output folder that is a file"](given), tmp_path / "out"))
    assert (tmp_path / "out").read_text() == "notes"


def test_without_permission_to_write_nothing_is_made(given: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.mkdir(mode=0o555)
    judge(ROWS["no permission to write"], run(MAKERS["no permission to write"](given), output, before=as_anybody()))


def test_without_permission_to_read_nothing_is_made(given: Path, tmp_path: Path) -> None:
    judge(ROWS["no permission to read"], run(MAKERS["no permission to read"](given), tmp_path / "out", before=as_anybody()))


@pytest.mark.parametrize("name", named("full disk"))
@pytest.mark.parametrize("size", ["512k", "2m"])
def test_a_full_disk_is_told_and_left_clean(name: str, size: str, given: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    with small_disk(output, size):
        judge(ROWS[name], run(MAKERS[name](given), output))


@pytest.mark.parametrize("name", named("killed", "cancelled"))
def test_a_job_stopped_half_way_leaves_nothing_under_a_final_name(name: str, given: Path, tmp_path: Path) -> None:
    row = ROWS[name]
    killed = "SIGKILL" in name
    arguments = MAKERS[name](given)
    before = fingerprint(given)
    result, begun = run_until_killed(arguments, tmp_path / "out", signal.SIGKILL if killed else signal.SIGTERM)
    assert begun, result.stderr
    assert result.code == row.code, result.stderr
    assert fingerprint(given) == before
    if killed:
        # Nothing can tidy up after SIGKILL; what is left must be hidden and named as partial.
        assert all(left.startswith(".") and left.endswith(".partial") for left in result.made)
        assert result.lines == []
    else:
        judge(row, result)


def test_a_missing_chunk_becomes_the_fill_value_and_nothing_else_changes(given: Path, tmp_path: Path) -> None:
    result = run(MAKERS["Zarr with a missing chunk"](given), tmp_path / "out")
    assert result.code == 0, result.stderr
    expected = zarr.open_array(DATA / "cells_04.ome.zarr" / "0", mode="r")[...]
    expected[0, 1, 2, :64, 64:] = 0
    assert np.array_equal(zarr.open_array(tmp_path / "out" / "cells.ome.zarr" / "0", mode="r")[...], expected)
