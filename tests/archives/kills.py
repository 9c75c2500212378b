"""A download that is killed at random moments, again and again, and then let run: what is there in the end, and what was fetched twice.

``python -m tests.archives.kills --kills 20 --seed 5`` prints what `tests/unit/test_download_killed.py` does in short.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from . import Archive

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "lm_bia_download.py"
WANTED = ("--accession", "S-BIAD1495", "--accession", "S-BIAD634", "--match", "*_00[0-2]??.txt", "--match", "*.tif")
"""Six images of a megabyte or so, and three hundred small files."""
FILES = 306
PATIENCE = 120.0


@dataclass(frozen=True)
class Report:
    """What came of it.

    Attributes
    ----------
    kills
        How many processes were killed before they had ended.
    same
        Whether what is there is, byte by byte and name by name, what an undisturbed call makes.
    asked, sent
        Requests for files, and bytes that the server gave to the network for them: more than arrived, since what is on its way is lost with a kill.
    partial
        Continuations of a file that had broken off.
    """

    kills: int
    same: bool
    files: int
    bytes: int
    asked: int
    sent: int
    partial: int

    @property
    def twice(self) -> int:
        """Bytes that were sent more often than once."""
        return self.sent - self.bytes


def killed(folder: Path, kills: int, seed: int) -> Report:
    """Kill a download so often, let it run to its end, and compare."""
    chance = random.Random(seed)  # noqa: S311 - moments, no secrets
    with Archive() as archive:
        archive.faults.add("drip", r"\.tif$", service="originals", method="GET", count=0, bytes=1 << 12, seconds=0.005)
        archive.latency = 0.005
        _run(archive, folder / "undisturbed")
        wanted = _sums(folder / "undisturbed" / "out")
        total = sum(size for _, size in wanted.values())
        before = len(archive.log)
        done = 0
        for _ in range(kills):
            moment = _size(folder / "killed" / "out") + chance.uniform(0, total / kills)
            done += _killed_at(archive, folder / "killed", moment)
        _run(archive, folder / "killed")
        gets = [one for one in archive.log[before:] if one.service == "originals" and one.method == "GET" and one.path.endswith((".tif", ".txt"))]
    same = _sums(folder / "killed" / "out") == wanted and _rows(folder / "killed") == _rows(folder / "undisturbed")
    partial = sum(one.status == 206 for one in gets)
    return Report(done, same, len(wanted), total, len(gets), sum(one.sent for one in gets), partial)


def _started(archive: Archive, folder: Path) -> subprocess.Popen[bytes]:
    folder.mkdir(exist_ok=True)
    manifest, earlier = folder / "manifest.tsv", folder / "earlier.tsv"
    # A kill may come while the plan is made: then the manifest before it is the one that says all.
    if manifest.exists() and _is_complete(manifest):
        manifest.replace(earlier)
    source = ("--table", str(earlier)) if earlier.exists() else WANTED
    command = [sys.executable, str(SCRIPT), "--output", str(folder / "out"), "--manifest", str(manifest), *source]
    environment = {**os.environ, "LIGHTMICROSCOPY_ENDPOINTS": json.dumps(archive.endpoints)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _is_complete(manifest: Path) -> bool:
    """Whether planning had come to its end: a manifest of a part of the plan would ask for that part only."""
    return len(manifest.read_text(encoding="utf-8").splitlines()) == 1 + FILES


def _run(archive: Archive, folder: Path) -> None:
    with _started(archive, folder) as process:
        said = process.communicate(timeout=PATIENCE)[1].decode()
    assert process.returncode == 0, said


def _killed_at(archive: Archive, folder: Path, moment: float) -> bool:
    """Kill a call as soon as so many bytes are there; gives whether it had not ended before."""
    with _started(archive, folder) as process:
        end = time.monotonic() + PATIENCE
        while process.poll() is None and _size(folder / "out") < moment and time.monotonic() < end:
            time.sleep(0.002)
        process.kill()
        process.communicate()
    return process.returncode < 0


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def _sums(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _rows(folder: Path) -> list[dict[str, str]]:
    """Rows of a manifest, without how often and how a file was come by."""
    header, *lines = (line.split("\t") for line in (folder / "manifest.tsv").read_text(encoding="utf-8").splitlines())
    left_out = {"attempts", "reason", "server_checksum"}
    return [{name: value for name, value in zip(header, line, strict=True) if name not in left_out} for line in lines]


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Kill a download at random moments.")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = killed(Path(folder), arguments.kills, arguments.seed)
    print(report, f"twice: {report.twice:,} bytes ({100 * report.twice / report.bytes:.1f} %)")
    return 0 if report.same else 1


if __name__ == "__main__":
    sys.exit(main())
