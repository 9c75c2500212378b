"""A download that is repeated: with another format, without a manifest, and after an interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lm_bia_download
from tests.archives import Archive

from .bia_calls import Calls
from .idr_downloads import read_table

STUDY = "S-BIAD1495"
ZARR = ("--format", "ome-zarr")


def kept(bia: Calls, name: str = "earlier.tsv") -> Path:
    return (bia.folder / "manifest.tsv").rename(bia.folder / name)


@pytest.mark.parametrize(
    ("made_with", "told"),
    [
        (ZARR, "qb.tsv was planned as OME-Zarr. Give --format ome-zarr again, or another table."),
        ((*ZARR, "--zip"), "qb.tsv was planned as OME-Zarr. Give --format ome-zarr again, or another table."),
        ((), "qb.tsv was planned as original files. Give --format original again, or another table."),
    ],
)
def test_a_plan_is_never_taken_up_with_another_format(bia: Calls, made_with: tuple[str, ...], told: str) -> None:
    bia.download("--accession", "S-BIAD634", *made_with, "--plan-only")
    run = bia.download("--table", kept(bia, "qb.tsv"), *(() if made_with else ZARR))
    assert (run.code, run.lines, run.made) == (2, [told], [])


def test_a_plan_is_taken_up_with_its_own_format(bia: Calls) -> None:
    bia.download("--accession", "S-BIAD634", *ZARR, "--plan-only")
    run = bia.download("--table", kept(bia), *ZARR)
    assert (run.code, set(run.statuses.values())) == (0, {"done"})


def test_files_that_are_there_already_are_told_of_in_one_line(bia: Calls) -> None:
    bia.download("--accession", "S-BIAD634", "--first", "4")
    again = bia.download("--accession", "S-BIAD634")
    assert again.code == 0
    assert sorted(again.statuses.values()) == ["done"] * 2 + ["failed"] * 4
    assert again.lines == [
        "4 files are in the output folder already and were not fetched again, since no manifest says that they are whole. "
        "Give the manifest of the call that fetched them as --table, remove them, or choose another folder."
    ]
    assert f"Done: 2 files in {bia.folder / 'out'}, 4 there already and not fetched." in again.told
    once_more = bia.download("--accession", "S-BIAD634", "--strict")
    assert (once_more.code, len(once_more.lines)) == (2, 1)


def test_failures_of_one_kind_are_no_flood_where_a_manifest_has_them(bia: Calls) -> None:
    bia.archive.faults.add("status", r"/Files/.*_0000.\.txt", status=404, count=0)
    wanted = ("--accession", STUDY, "--match", "*_0000?.txt")
    run = bia.download(*wanted)
    failed = list(run.statuses.values()).count("failed")
    assert failed > 5
    assert len(run.lines) == 2
    assert run.lines[-1].startswith(f"And {failed - 1} more like these, in the manifest: {STUDY}/")
    without = bia.plain(lm_bia_download, *wanted, "--output", bia.folder / "other")
    assert len(without.lines) == failed


@pytest.mark.parametrize("manifest", [True, False])
def test_an_interruption_ends_with_how_to_go_on(archive: Archive, tmp_path: Path, root: Path, manifest: bool) -> None:
    archive.latency = 0.02
    environment = {**os.environ, "LIGHTMICROSCOPY_ENDPOINTS": json.dumps(archive.endpoints)}
    flags = ["--match", "*_00[0-2]??.txt", "--output", "out"]
    script = [sys.executable, str(root / "tools" / "lm_bia_download.py"), *flags]
    first = [*script, "--accession", STUDY, *(("--manifest", "m.tsv") if manifest else ())]
    process = subprocess.Popen(first, env=environment, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    deadline = time.monotonic() + 30
    while process.poll() is None and len(list(tmp_path.glob("out/**/*.txt"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    told = said.splitlines()[-1].removeprefix("lm_bia_download: Interrupted; nothing was left half-written. ")
    archive.latency = 0.0
    if not manifest:
        assert told.startswith("The same command fetches what is not there yet;")
        assert told.endswith("give --manifest the next time.")
        return
    assert told == "To go on, give the same flags with --table m.tsv in the place of the accessions, and another name for --manifest."
    more = [*script, "--table", "m.tsv", "--manifest", "m2.tsv"]
    again = subprocess.run(more, env=environment, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    assert again.returncode == 0
    rows = read_table(tmp_path / "m2.tsv")
    assert (len(rows), {row["status"] for row in rows}) == (300, {"done"})


def test_an_interrupted_plan_is_begun_again(archive: Archive, tmp_path: Path, root: Path) -> None:
    """Its manifest lacks what was not planned yet."""
    archive.faults.add("never", r"/Files/.*\.tif", count=0, service="originals")
    environment = {**os.environ, "LIGHTMICROSCOPY_ENDPOINTS": json.dumps(archive.endpoints)}
    script = [sys.executable, str(root / "tools" / "lm_bia_download.py"), "--accession", "S-BIAD634", "--output", "out", "--manifest", "m.tsv"]
    process = subprocess.Popen(script, env=environment, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    deadline = time.monotonic() + 30
    while process.poll() is None and not archive.asked("originals", ".tif") and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert said.splitlines()[-1].endswith("Nothing was fetched; to begin again, give the same command.")


def test_accessions_need_no_flag(bia: Calls) -> None:
    run = bia.download("S-BIAD24", "--accession", "S-BIAD634", "--plan-only")
    assert (run.code, {item.partition("/")[0] for item in run.statuses}) == (0, {"S-BIAD24", "S-BIAD634"})


@pytest.mark.parametrize(("mark", "name"), [(",", "commas"), (";", "semicolons")])
def test_a_table_that_a_spreadsheet_separated_otherwise_is_told(bia: Calls, mark: str, name: str) -> None:
    table = bia.folder / "files.csv"
    table.write_text(f"accession{mark}path\nS-BIAD24{mark}early.czi\n", encoding="utf-8")
    run = bia.download("--table", table)
    told = f"files.csv is not such a table: it has no column accession. It is separated by {name}: save it as tab-separated text."
    assert (run.code, run.lines) == (1, [told])
