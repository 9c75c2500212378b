"""A download that is killed or cancelled half-way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.archives import Archive

from .idr_downloads import Downloads, Run, listing, read_table, reports

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "lm_idr_download.py"
MOVED, SKET = 4007821, 13441308
DONE = "4007821_180712_H2B_22ss_Courtney5"
PATIENCE = 60


@contextmanager
def running(archive: Archive, folder: Path, *arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    """Run the script as a process of its own."""
    command = [sys.executable, "-W", "error", str(SCRIPT), *map(str, arguments), "--output", str(folder / "out"), *reports(folder)]
    environment = {**os.environ, "LIGHTMICROSCOPY_ENDPOINTS": json.dumps(archive.endpoints)}
    with (folder / "stderr.txt").open("wb") as errors, subprocess.Popen(command, stderr=errors, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(condition: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    for _ in range(PATIENCE * 50):
        if condition():
            return
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.02)
    raise AssertionError("it never came so far")


def stop(archive: Archive, folder: Path, number: signal.Signals, *arguments: object) -> Run:
    """Send a signal when the first image is there and the second hangs."""
    archive.faults.add("drip", "SkeT", service="originals", method="GET", count=0, bytes=1000, seconds=0.3)
    with running(archive, folder, MOVED, SKET, "--z", 0, *arguments) as process:
        wait_until(lambda: archive.asked("originals", "SkeT")[1:] or part_of(folder / "out"), process)
        began = time.monotonic()
        process.send_signal(number)
        code = process.wait(PATIENCE)
        assert time.monotonic() - began < 10
    archive.faults.clear()
    return Run(code, (folder / "stderr.txt").read_text(), folder)


def part_of(folder: Path) -> bool:
    return any(path.suffix == ".part" for path in folder.rglob("*") if path.is_file()) if folder.exists() else False


def test_after_a_kill_nothing_partial_has_a_final_name_and_the_manifest_says_what_is_there(
    archive: Archive, download: Downloads, tmp_path: Path
) -> None:
    run = stop(archive, tmp_path, signal.SIGKILL)
    assert run.code == -signal.SIGKILL
    assert [name for name in run.made if not name.startswith(".")] == [f"{DONE}.ome.tiff"]
    assert run.statuses == [(f"image-{MOVED}", "done"), (f"image-{SKET}", "planned")]
    shutil.copy(tmp_path / "manifest.tsv", tmp_path / "earlier.tsv")
    before = (tmp_path / "out" / f"{DONE}.ome.tiff").stat().st_mtime_ns
    again = download("--table", tmp_path / "earlier.tsv", "--z", 0)
    assert again.code == 0
    assert [status for _, status in again.statuses] == ["done", "done"]
    assert (tmp_path / "out" / f"{DONE}.ome.tiff").stat().st_mtime_ns == before


@pytest.mark.parametrize("wanted", ["ome-tiff", "ome-zarr"])
def test_a_cancelled_download_tidies_up_and_keeps_what_is_whole(wanted: str, archive: Archive, tmp_path: Path) -> None:
    run = stop(archive, tmp_path, signal.SIGTERM, "--format", wanted)
    assert run.code == 130
    assert run.made == [f"{DONE}.ome.{'tiff' if wanted == 'ome-tiff' else 'zarr'}"]
    assert [status for _, status in run.statuses] == ["done", "planned"]
    (said,) = run.lines
    assert said.startswith("Interrupted; nothing was left half-written. To go on, give the same flags with --table ")
    assert said.endswith(f"manifest.tsv in the place of {MOVED} {SKET}, and another name for --manifest.")


def test_a_download_is_cancelled_at_once_even_while_the_archive_does_not_answer(archive: Archive, tmp_path: Path) -> None:
    archive.faults.add("never", "/api/v0/m/images/", count=0)
    with running(archive, tmp_path, MOVED, SKET) as process:
        wait_until(lambda: archive.asked("web", "/webclient/"), process)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 130
        assert time.monotonic() - began < 5
    assert listing(tmp_path / "out") == []
    assert read_table(tmp_path / "manifest.tsv") == []
    assert not (tmp_path / "images.tsv").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_original_goes_on_where_a_kill_broke_it_off(archive: Archive, download: Downloads, tmp_path: Path) -> None:
    archive.faults.add("drip", "64MiB|SkeT", service="originals", method="GET", count=0, bytes=8192, seconds=0.1)
    with running(archive, tmp_path, SKET, "--format", "original") as process:
        wait_until(lambda: any(path.stat().st_size > 8000 for path in (tmp_path / "out").rglob("*.part")), process)
        process.kill()
        process.wait(PATIENCE)
    assert [path.name[0] for path in (tmp_path / "out").rglob("*") if path.is_file()] == [".", "."]
    archive.faults.clear()
    before = len(archive.log)
    again = download(SKET, "--format", "original")
    assert again.code == 0
    gets = [one for one in archive.log[before:] if one.service == "originals" and one.method == "GET"]
    assert [one.status for one in gets] == [206]
    assert again.made == ["idr0117-croce-marimba/20210812-ftp/SkeT_16c.tif"]
