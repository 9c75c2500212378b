"""Damaged copies of files of every format, seeded: none may crash, hang, take memory, or give other pixels without a word.

`scripts/damage.py` does the same at length; docs/damaged-files.md has its counts.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

import damage
from damaging.copies import Damage

SEED = 20
COUNT = 33
PATIENCE, MEMORY_MB = 60, 600
GENERATED = (
    *("stack.czi", "mosaic.czi", "project.lif", "positions.nd2", "padded.ims", "plain.h5", "cells.ome.tiff", "multifile.companion.ome"),
    *("imagej_stack.tif", "confocal.lsm", "cells_04.ome.zarr", "cells_05.ome.zarr.zip", "rgb.png", "photo.jpg"),
)
REAL = ("czi/100x100.czi", "lif/PR2729_frameOrderCombinedScanTypes.lif", "nd2/cluster.nd2", "ims/Minimal_IMS_File.ims", "ometiff/cells-2z.ome.tif")
# The place of one plane of an LSM, 9 bytes lower: among the file's own tables, which strips are not compared with.
EXPLAINED = {("confocal.lsm", 7)}


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[damage.Worker]:
    worker = damage.Worker(PATIENCE, tmp_path_factory.mktemp("worker") / "worker.log")
    yield worker
    worker.close()


def verdicts(path: Path, damages: list[Damage] | None, worker: damage.Worker, scratch: Path) -> list[damage.Verdict]:
    (subject,) = damage.subjects([path])
    return list(damage.run(subject, subject.damages(SEED, COUNT) if damages is None else damages, worker, scratch, MEMORY_MB))


def said(verdict: damage.Verdict) -> str:
    return f"{verdict.outcome}: {verdict.damage} to {verdict.format}, {verdict.said[-600:]}"


def judge(found: list[damage.Verdict]) -> None:
    assert len(found) == COUNT
    unexplained = [verdict for verdict in found if (verdict.subject.path.name, verdict.damage.number) not in EXPLAINED]
    assert [said(verdict) for verdict in unexplained if verdict.outcome in (*damage.BUGS, "silent")] == []
    counted = Counter(verdict.outcome for verdict in found)
    assert counted["refused"] >= COUNT // 10
    assert all(verdict.said.endswith((".", "?")) for verdict in found if verdict.outcome == "refused")


@pytest.mark.parametrize("name", GENERATED)
def test_a_damaged_file_is_refused_or_told_of(name: str, test_data: Path, worker: damage.Worker, tmp_path: Path) -> None:
    judge(verdicts(test_data / name, None, worker, tmp_path))


@pytest.mark.parametrize("name", REAL)
def test_a_damaged_real_file_is_refused_or_told_of(name: str, realfiles: Path, worker: damage.Worker, tmp_path: Path) -> None:
    judge(verdicts(realfiles / name, None, worker, tmp_path))


@pytest.mark.parametrize("name", [name for name in GENERATED if not name.endswith((".companion.ome", ".zarr"))])
def test_a_file_cut_anywhere_is_never_complete(name: str, test_data: Path, worker: damage.Worker, tmp_path: Path) -> None:
    """Cut between 2 and 98 %, pixels are missing: black planes in their place would be invented ones."""
    size = (test_data / name).stat().st_size
    cuts = [Damage(number, "cut", Path(name), length=size * (2 + 8 * number) // 100) for number in range(13)]
    found = verdicts(test_data / name, cuts, worker, tmp_path)
    assert [said(verdict) for verdict in found if verdict.outcome not in ("refused", "told, other pixels", "told, same pixels")] == []


def answers(**given: Any) -> dict[str, Any]:
    return {"code": 0, "lines": [], "trace": "", "memory": 100.0, "made": ["a.ome.tiff"], "pixels": ["a"]} | given


@pytest.mark.parametrize(
    ("answer", "knowable", "outcome"),
    [
        (answers(), None, "same"),
        (answers(pixels=["b"]), None, "silent"),
        (answers(pixels=["b"]), True, "silent"),
        (answers(pixels=["b"]), False, "unknowable"),
        (answers(pixels=["b"], lines=["It is damaged."]), None, "told, other pixels"),
        (answers(lines=["It is damaged."]), None, "told, same pixels"),
        (answers(lines=["As ever."], pixels=["b"]), None, "silent"),
        (answers(code=1, lines=["It is damaged."], made=[]), None, "refused"),
        (answers(code=1, lines=["It is damaged."]), None, "left behind"),
        (answers(code=1, made=[]), None, "traceback"),
        (answers(code=-1, trace="Traceback ...", made=[]), None, "traceback"),
        (answers(memory=601.0), None, "memory"),
        (answers(code=1, lines=["The memory is not enough for this input."], made=[]), None, "memory"),
        ({"end": "crash", "said": "exit code -11"}, None, "crash"),
        ({"end": "hang", "said": "60 s are over"}, None, "hang"),
    ],
)
def test_what_came_of_a_copy_is_judged(answer: dict[str, Any], knowable: bool | None, outcome: str, test_data: Path) -> None:
    (subject,) = damage.subjects([test_data / "plain.tif"])
    harm = Damage(0, "flip", Path("plain.tif"), knowable=knowable)
    assert damage._judge(subject, harm, "ome-tiff", answer, answers(lines=["As ever."]), MEMORY_MB).outcome == outcome


def test_a_worker_that_dies_or_hangs_is_noticed_and_replaced(test_data: Path, tmp_path: Path) -> None:
    ends = "import os, sys, time\nsys.stdin.readline()\nos.abort() if sys.argv[1] == 'dies' else time.sleep(99)"
    worker = damage.Worker(PATIENCE, tmp_path / "log")
    for how, outcome, patience in (("dies", "crash", PATIENCE), ("hangs", "hang", 0.3)):
        worker.command, worker.patience = [sys.executable, "-c", ends, how], patience
        assert worker.convert([test_data / "plain.tif"], tmp_path / "out", "ome-tiff")["end"] == outcome
    worker.command, worker.patience = damage.Worker.command, PATIENCE
    assert worker.convert([test_data / "plain.tif"], tmp_path / "out", "ome-tiff")["code"] == 0
    worker.close()


@pytest.mark.parametrize("name", ["stack.czi", "cells_04.ome.zarr", "multifile.companion.ome", "truncated.tif"])
def test_equal_seeds_damage_equally_and_the_original_is_left_alone(name: str, test_data: Path, tmp_path: Path) -> None:
    (subject,) = damage.subjects([test_data / name])
    (again,) = damage.subjects([test_data / name])
    assert list(map(str, subject.damages(3, 22))) == list(map(str, again.damages(3, 22)))
    assert list(map(str, subject.damages(3, 22))) != list(map(str, subject.damages(4, 22)))
    before = [(subject.path.parent / file).read_bytes() for file in subject.files]
    for harm in subject.damages(3, 22):
        folder = tmp_path / str(harm.number)
        folder.mkdir()
        subject.copy(folder, harm)
        target = folder / harm.file
        assert harm.length != -1 or not target.exists()
    assert [(subject.path.parent / file).read_bytes() for file in subject.files] == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["gone.tif"], "gone.tif is not there"),
        ([".", "--count", "-1"], "'-1' is no whole number of at least 1"),
        ([".", "--count", "0"], "'0' is no whole number of at least 1"),
        ([".", "--scratch", "gone"], "--scratch gone is no folder"),
    ],
)
def test_a_wrong_request_is_told_so(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        damage.main(arguments)
    assert stopped.value.code == 2
    assert sentence in capsys.readouterr().err
