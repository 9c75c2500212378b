"""A download that is killed, and one that breaks off: what is there is whole, and the next call fetches only the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.archives import Archive
from tests.archives.content.bia_studies import bia_studies

from .bia_calls import Calls
from .idr_downloads import read_table

STUDY = "S-BIAD1495"
WANTED = "*_00[0-2]??.txt"


def test_a_file_that_broke_off_is_continued_where_it_broke(bia: Calls) -> None:
    bia.archive.faults.add("reset", r"/Files/early\.czi", bytes=1000, count=0, service="originals")
    first = bia.download("--accession", "S-BIAD24")
    assert first.statuses["S-BIAD24/early.czi"] == "failed"
    bia.archive.faults.clear()
    (bia.folder / "manifest.tsv").rename(bia.folder / "earlier.tsv")
    before = len(bia.archive.asked("originals", "early.czi"))
    run = bia.download("--table", bia.folder / "earlier.tsv")
    assert set(run.statuses.values()) == {"done"}
    (asked,) = bia.archive.asked("originals", "early.czi")[before:]
    assert asked.headers["range"] != "bytes=0-"
    assert asked.sent < 4200
    assert (bia.folder / "out/files/early.czi").read_bytes() == bia_studies()["S-BIAD24"].files["early.czi"].data


def test_a_call_that_is_killed_again_and_again_ends_as_if_nothing_had_been(archive: Archive, tmp_path: Path, root: Path) -> None:
    archive.latency = 0.01
    environment = {**os.environ, "LIGHTMICROSCOPY_ENDPOINTS": json.dumps(archive.endpoints)}
    manifest, earlier = tmp_path / "manifest.tsv", tmp_path / "earlier.tsv"
    script = [sys.executable, str(root / "tools" / "lm_bia_download.py"), "--output", str(tmp_path / "out"), "--manifest", str(manifest)]
    for more in (25, 58, 37):
        source = ["--table", str(earlier)] if earlier.exists() else ["--accession", STUDY, "--match", WANTED]
        process = subprocess.Popen([*script, *source], env=environment, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        seen = len(archive.asked("originals", "neuron"))
        while process.poll() is None and len(archive.asked("originals", "neuron")) < seen + more and time.monotonic() < deadline:
            time.sleep(0.005)
        process.kill()
        process.wait(10)
        if manifest.exists():
            manifest.replace(earlier)
            assert {row["status"] for row in read_table(earlier)} <= {"done", "planned"}
    archive.latency = 0.0
    done = subprocess.run([*script, "--table", str(earlier)], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    rows = read_table(manifest)
    assert len(rows) == 300
    assert {row["status"] for row in rows} == {"done"}
    files = bia_studies()[STUDY].files
    for row in rows:
        assert (tmp_path / "out" / row["path"]).read_bytes() == files[row["item"].partition("/")[2]].data
    assert sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file()) == sorted(row["path"].rpartition("/")[2] for row in rows)
