"""Makes docs/archive-faults.md: each fault at each place that matters, and what the user sees, finds on disk and gets as exit code.

``python -m tests.archives.faults_table`` writes it anew; `test_faults_table` compares every row with what happens.
"""

from __future__ import annotations

import re
import sys
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tifffile

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from tests.archives import Archive
from tests.unit.idr_downloads import IMPATIENT, Downloads

TABLE = Path(__file__).resolve().parents[2] / "docs" / "archive-faults.md"
MOVED, SHARDED, SKET = 4007821, 6001240, 13441308
MIB = 1 << 20
NAMED = "‹web›, ‹objects›, ‹originals›, ‹biostudies›"
PATIENT = {"retries": 1, "sleep": lambda seconds: None}


@dataclass(frozen=True)
class Place:
    """Something that is fetched."""

    title: str
    image: int
    service: str
    path: str
    flags: tuple[str, ...] = ("--t", "0", "--z", "0")
    method: str = "GET"


PLACES = {
    "image": Place("What the IDR says of an image (JSON)", MOVED, "web", r"/api/v0/m/images/4007821/"),
    "annotations": Place("Annotations (JSON)", MOVED, "web", r"/webclient/api/annotations/"),
    "metadata": Place("Metadata of an OME-Zarr", MOVED, "objects", r"\.zarr/0/0/\.zarray$"),
    "chunk": Place("A chunk of an OME-Zarr", MOVED, "objects", r"\.zarr/0/0/[0-9/]+x*$"),
    "shard": Place("A part of a shard (OME-Zarr 0.5)", SHARDED, "objects", r"\.zarr/0/c/", ("--z", "118", "--channel", "index:0")),
    "original": Place("An original file", SKET, "originals", r"SkeT", ("--z", "0")),
    "kept": Place("An original file that is kept as it is", SKET, "originals", r"SkeT", ("--format", "original")),
}
JSONS = ("image", "annotations")
OBJECTS = ("metadata", "chunk", "shard")
FILES = ("original", "kept")
ALL = tuple(PLACES)


@dataclass(frozen=True)
class Case:
    """A fault, and where it is tried."""

    name: str
    kind: str
    places: tuple[str, ...] = ALL
    options: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case("503 Service Unavailable", "status", options={"status": 503}),
    Case("429 with Retry-After", "status", ("image", "chunk", "original"), {"status": 429, "retry_after": "1"}),
    Case("403 Forbidden", "status", options={"status": 403}),
    Case("404 Not Found", "status", options={"status": 404}),
    Case("500 with a stack trace", "json-error", JSONS),
    Case("the session has expired", "session", JSONS),
    Case("the connection is reset at once", "reset"),
    Case("the connection is reset half-way", "reset", ("image", "chunk", "original"), {"bytes": 100}),
    Case("it closes half-way", "truncate"),
    Case("its length is 10 bytes too small", "short-length", options={"bytes": 10}),
    Case("it comes late", "delay", ("image", "chunk", "kept"), {"seconds": 0.05}),
    Case("it never comes", "never", ("image", "chunk", "kept")),
    Case("it drips for ever", "drip", ("annotations", "chunk", "kept"), {"bytes": 1, "seconds": 0.2}),
    Case("one bit is flipped", "corrupt"),
    Case("one bit is flipped, not in the index but in the pixels", "corrupt", ("shard",), {"first": 2}),
    Case("it is something else", "replace", options={"body": "[7, null]", "content_type": "application/json"}),
    Case("it is a web page", "html"),
    Case("it leads to a host that is not configured", "redirect", options={"target": "{elsewhere}/x"}),
    Case("it leads into the private network", "redirect", ("image", "chunk", "original"), {"target": "http://169.254.169.254/latest/meta-data"}),
    Case("it leads to itself", "redirect", ("image", "metadata", "kept"), {"target": "{self}"}),
    Case("it leads on and on", "redirect", ("annotations", "chunk", "original"), {"target": "{self}x"}),
    Case("it has no end", "endless", options={"limit": 256 * MIB}),
    Case("a gzip bomb", "gzip-bomb", ("image", "metadata", "chunk"), {"limit": 128 * MIB}),
    Case("128 MiB of JSON", "huge-json", (*JSONS, "metadata"), {"limit": 128 * MIB}),
    Case("it is another file by now, and whole", "etag", ("chunk", "original", "kept")),
    Case("Range is ignored", "no-range", ("shard",)),
    Case("another range than was asked for", "wrong-range", ("shard",)),
)
LEFT_OUT = {"lie": "only lists are paged by a total or a bookmark; the search tool reads those"}

HEAD = """# What a failing archive gets

This table is made by a test (`python -m tests.archives.faults_table` writes it, `tests/archives/test_faults_table.py` compares every row). For each
row `lm_idr_download` runs against the sample archive (`tests/archives`) twice: the fault happens to the first request, and to every request.
The test's client tries twice, without pauses, and waits half a second; the real one tries six times (three where it has to wait), with growing
pauses, and waits 90 seconds. `…` stands for any text; ‹web›, ‹objects›, ‹originals›, ‹biostudies› and ‹elsewhere› for the addresses
of the services.

Exit codes: 0 done, 1 nothing usable, 2 wrong usage. "Same" is: done, and every pixel (of a kept file, every byte) as without the fault. In no row is
anything partial under a final name, is anything asked of a host that is not configured, or is there a traceback.
"""
FOOT = """
## What cannot be noticed

Between a server's disk and ours every transport is checked by its length, objects and files with an MD5-shaped ETag by that sum, and chunks by their
codec where that has a checksum (zlib, gzip and the index of a shard have one; blosc and most original files have none). Where a row says "other
pixels", a bit was flipped in something for which neither the server nor the format gives a sum. The SHA-256 in the manifest tells it the next time.
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one run: exit code, what was said, what is in the output folder, checksum of the pixels, and all in a word."""

    code: int
    told: tuple[str, ...]
    disk: str
    pixels: int
    word: str


class Bench:
    """An archive, and what comes of each place when nothing is wrong with it."""

    def __init__(self, archive: Archive, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.archive, self.folder, self.patch = archive, folder, patch
        self._sound: dict[str, Outcome] = {}
        self._runs = 0

    def row(self, case: Case, place: str) -> str:
        """Make the row of a fault at a place."""
        if place not in self._sound:
            self._sound[place] = self._run(place)
            assert self._sound[place].code == 0, self._sound[place]
        once, always = (self._broken(case, place, count) for count in (1, 0))
        return f"| {case.name} | {once.word} | {always.word} | {always.disk} | {' '.join(always.told) or '–'} |"

    def _broken(self, case: Case, place: str, count: int) -> Outcome:
        what = PLACES[place]
        method = "" if case.kind in ("status", "html", "redirect") else what.method
        fault = self.archive.faults.add(case.kind, what.path, service=what.service, method=method, count=count, **case.options)
        before = len(self.archive.asked("elsewhere"))
        try:
            outcome = self._run(place, IMPATIENT if case.kind in ("never", "drip") else PATIENT)
        finally:
            self.archive.faults.clear()
        assert fault.happened, f"{case.name} never happened at {place}"
        assert len(self.archive.asked("elsewhere")) == before, "a host that is not configured was asked"
        return outcome

    def _run(self, place: str, patience: dict[str, Any] = PATIENT) -> Outcome:
        self._runs += 1
        folder = self.folder / str(self._runs)
        folder.mkdir()
        what = PLACES[place]
        run = Downloads(self.archive, folder, self.patch)(what.image, *what.flags, "--no-verify", patience=patience)
        done = [row for row in run.manifest if row["status"] == "done"]
        shown = [name for name in run.made if not name.rpartition("/")[2].startswith(".")]
        assert sorted(row["path"] for row in done) == shown, "the manifest says what is there, and nothing else is"
        assert (run.code == 0) == bool(done)
        disk = ", ".join(f"`{re.sub('[.][0-9a-f]{12}', '.…', name)}`" for name in run.made) or "nothing"
        pixels = b""
        for row in done[:1]:
            path = run.folder / "out" / row["path"]
            pixels = path.read_bytes() if place == "kept" else tifffile.imread(path, series=0, level=0).tobytes()
        sound = self._sound.get(place)
        state = "0, other pixels" if pixels.strip(b"\0") else "0, all fill value"
        if sound is None or zlib.crc32(pixels) == sound.pixels:
            state = "same"
        told = [line for line in map(self._plain, run.lines) if sound is None or line not in sound.told]
        return Outcome(run.code, tuple(told), disk, zlib.crc32(pixels), state if run.code == 0 else str(run.code))

    def _plain(self, line: str) -> str:
        for service in ("web", "objects", "originals", "biostudies", "elsewhere"):
            line = line.replace(self.archive.base(service), f"‹{service}›")
        line = re.sub("b2633930(-[0-9a-f]+)+", "b2633930-…", line)
        # Sorted by ports, which are any.
        line = re.sub(r"(?:‹(?:web|objects|originals|biostudies)›, ){3}‹(?:web|objects|originals|biostudies)›", NAMED, line)
        return line.replace("|", "\\|").replace("<", "‹").replace(">", "›")


def keys() -> Iterator[tuple[str, Case]]:
    """Yield every place with its faults."""
    for place in PLACES:
        for case in CASES:
            if place in case.places:
                yield place, case


def rows() -> dict[tuple[str, str], str]:
    """Read the rows of the table by title and fault."""
    found, title = {}, ""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            title = line[3:]
        elif line.startswith("| ") and not line.startswith("| fault"):
            found[title, line.split("|")[1].strip()] = line
    return found


def main() -> int:
    """Write the table."""
    parts, last = [HEAD], ""
    with tempfile.TemporaryDirectory() as folder, Archive() as archive, pytest.MonkeyPatch.context() as patch:
        bench = Bench(archive, Path(folder), patch)
        for place, case in keys():
            if place != last:
                parts.append(f"\n## {PLACES[place].title}\n\n| fault | once | always: exit code | on disk | what is said |\n|---|---|---|---|---|\n")
                last = place
            parts.append(bench.row(case, place) + "\n")
    TABLE.write_text("".join([*parts, FOOT]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
