"""Files and folders that the user may not read: a sentence that says so, and the other inputs are looked at."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..needs import as_anybody


@pytest.fixture(params=["a file", "a store", "a folder in a store"])
def shut(request: pytest.FixtureRequest, tmp_path: Path, test_data: Path) -> Iterator[Path]:
    """Something that nobody may read."""
    if request.param == "a file":
        path = closed = Path(shutil.copy(test_data / "cells.ome.tiff", tmp_path / "shut.ome.tiff"))
    else:
        path = closed = Path(shutil.copytree(test_data / "cells_04.ome.zarr", tmp_path / "shut.ome.zarr"))
        if request.param == "a folder in a store":
            closed = path / "0"
    mode = closed.stat().st_mode
    closed.chmod(0)
    yield path
    closed.chmod(mode)


def said(tools: Path, script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*as_anybody(), sys.executable, str(tools / f"{script}.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("script", ["lm_inspect", "lm_check"])
def test_it_is_told_in_a_sentence_and_the_other_input_is_looked_at(shut: Path, script: str, tools: Path, test_data: Path) -> None:
    done = said(tools, script, shut, test_data / "cells.ome.tiff")
    assert done.returncode == 0
    assert "cannot be read: Permission denied. Check" in done.stderr
    assert "Errno" not in done.stdout + done.stderr
    assert "report" not in done.stdout + done.stderr
    assert "2 inputs" in done.stderr


def test_a_conversion_says_why_it_stops(shut: Path, tools: Path, tmp_path: Path) -> None:
    done = said(tools, "lm_convert", shut, "--format", "ome-zarr", "--output", tmp_path / "out")
    assert done.returncode == 1
    assert "Permission denied. Check that " in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []
