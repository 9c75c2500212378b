"""Somebody wants to know how fast it is on another machine, with the programs that are there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarking.commands import main
from benchmarking.programs import ASIDE, FINDERS, OURS, Peers

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "benchmark.py"


@pytest.mark.slow
def test_a_quick_run_measures_this_suite_and_the_peers_that_are_here(tmp_path: Path) -> None:
    scratch, output = tmp_path / "scratch", tmp_path / "output"
    command = [
        sys.executable,
        SCRIPT,
        "--quick",
        "--gigabytes",
        "0.006",
        "--threads",
        "1",
        "--python",
        sys.executable,
        "--scratch",
        scratch,
        "--output",
        output,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    data = json.loads((output / "benchmark.json").read_text())
    assert [(each["source"], each["form"]) for each in data["main"]] == [
        (source, form) for source in ("ome-tiff", "czi-zstd") for form in ("ome-zarr", "ome-tiff")
    ]
    own = [run for each in (*data["main"], *data["sizes"], *data["threads"]) for run in each["runs"][OURS]]
    assert [(run["problem"], run["levels"], run["pixel_size"]) for run in own] == [(None, 4, "kept")] * len(own)
    assert all(run["wall"] > 0 and run["cpu"] > 0 and run["memory"] > 10**7 for run in own)
    told = (output / "benchmark.md").read_text()
    assert [name for name in FINDERS if f"| {name}" not in told] == []
    ElementTree.parse(output / "benchmark.svg")  # noqa: S314 - our own file
    assert list(scratch.iterdir()) == [], "the disk is left as it was"


def test_an_interrupted_run_leaves_the_disk_as_it_was(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    command = [
        sys.executable,
        SCRIPT,
        "--quick",
        "--peers",
        "none",
        "--python",
        sys.executable,
        "--scratch",
        scratch,
        "--output",
        tmp_path / "output",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        told = next(line for line in process.stderr if line.startswith("Making"))
        process.terminate()
        assert process.wait(timeout=60) == 128 + signal.SIGTERM, told
    assert list(scratch.iterdir()) == []


def test_a_disk_that_is_too_small_is_told_before_anything_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--gigabytes", "1e8", "--scratch", str(tmp_path / "scratch"), "--output", str(tmp_path / "output")]) == 1
    assert "That is not enough: choose another disk with --scratch" in capsys.readouterr().err
    assert list((tmp_path / "scratch").iterdir()) == []
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize(
    "wrong", [["--peers", "fiji"], ["--threads", "many"], ["--threads", "0"], ["--sizes", "-1"], ["--pairs", "-2"], ["--sizes", "nan"]]
)
def test_a_wrong_flag_is_wrong_usage(wrong: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*wrong, "--scratch", str(tmp_path)])
    assert ended.value.code == 2


def test_a_peer_that_is_not_here_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    monkeypatch.setenv("LIGHTMICROSCOPY_LOCAL", str(tmp_path))
    peers = Peers([name for name in FINDERS if name != "ome-zarr-py"], install=False)
    reasons = {absent.name: absent.reason for absent in peers.absent}
    assert peers.found == []
    assert set(reasons) == {*FINDERS, *ASIDE}
    assert reasons["ome-zarr-py"] == "not asked for"
    assert "libvips-tools" in reasons["vips"]
    assert "no Java" in reasons["bfconvert"]
    assert reasons["ngff-zarr"] == "it is not installed; the benchmark without --quick installs it"
