"""Annotating that is stopped half way: nothing is under a final name, and inputs are as they were."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .test_read_ome_tiff_sets import full_set

STOPPED = """
import os, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from lightmicroscopy.annotate import annotate
from tests.unit.annotations import RECORD, everything

def stop(count):
    print(sorted(name.endswith(".partial") for name in os.listdir({output!r})), flush=True)
    os.kill(os.getpid(), {signal})

for outcome in annotate([Path(path) for path in {inputs!r}], lambda name, image: everything(image.shape.c), Path({output!r}), RECORD, progress=stop):
    print(outcome, flush=True)
"""
INPUTS = ["cells.ome.tiff", "cells_04.ome.zarr", "cells_04.ome.zarr.zip", "a set"]


def stopped(tmp_path: Path, test_data: Path, paths: list[Path], name: str, number: signal.Signals) -> subprocess.CompletedProcess[str]:
    if name == "a set":
        inputs = full_set(tmp_path / "in")
    else:
        source = test_data / name
        (tmp_path / "in").mkdir()
        inputs = [Path((shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / "in" / name))]
    program = STOPPED.format(
        paths=[str(path) for path in paths], inputs=[str(path) for path in inputs], output=str(tmp_path / "out"), signal=int(number)
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("name", INPUTS)
def test_a_signal_half_way_leaves_nothing(tmp_path: Path, test_data: Path, tools: Path, root: Path, name: str, number: signal.Signals) -> None:
    done = stopped(tmp_path, test_data, [tools, root], name, number)
    assert done.stdout.startswith("[True"), done.stderr
    assert "False" not in done.stdout
    assert done.returncode != 0
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", INPUTS)
def test_a_killed_run_leaves_nothing_under_a_final_name_and_the_input_as_it_was(
    tmp_path: Path, test_data: Path, tools: Path, root: Path, name: str
) -> None:
    done = stopped(tmp_path, test_data, [tools, root], name, signal.SIGKILL)
    assert done.returncode == -signal.SIGKILL
    assert all(path.name.startswith(".") for path in (tmp_path / "out").iterdir())
    if name == "a set":
        before = contents(Path(full_set(tmp_path / "again")[0]).parent)
    else:
        before = {name: (test_data / name).read_bytes()} if (test_data / name).is_file() else contents(test_data / name)
    after = contents(tmp_path / "in" / name) if (tmp_path / "in" / name).is_dir() else contents(tmp_path / "in")
    assert after == before
