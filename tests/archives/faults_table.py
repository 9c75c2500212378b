"""Makes docs/archive-faults.md: each fault at each place that matters, and what the user sees, finds on disk and gets as exit code.

``python -m tests.archives.faults_table`` writes it anew; `test_faults_table` compares every row with what happens.
"""

from __future__ import annotations

import contextlib
import io
import json
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

import lm_bia_download
import lm_bia_search
import lm_idr_download
import lm_idr_search
from tests.archives import Archive
from tests.unit.idr_downloads import IMPATIENT, PATIENT, USUAL, Downloads, read_table

TABLE = Path(__file__).resolve().parents[2] / "docs" / "archive-faults.md"
MOVED, SHARDED, SKET = 4007821, 6001240, 13441308
MIB = 1 << 20
NAMED = "‹web›, ‹objects›, ‹originals›, ‹biostudies›"


@dataclass(frozen=True)
class Place:
    """Something that is fetched: by which tool, asked for what.

    Attributes
    ----------
    image
        For `lm_idr_download`.
    tables
        What the other tools write beside files; all of it is compared.
    """

    title: str
    image: int
    service: str
    path: str
    flags: tuple[str, ...] = ("--t", "0", "--z", "0")
    method: str = "GET"
    tool: Any = lm_idr_download
    tables: tuple[str, ...] = ()

    @property
    def downloads(self) -> bool:
        return self.tool in (lm_idr_download, lm_bia_download)


def _search(title: str, path: str, *flags: str, method: str = "GET") -> Place:
    return Place(title, 0, "web", path, flags, method, lm_idr_search, ("images", "studies", "annotations"))


def _studies(title: str, service: str, path: str, *flags: str) -> Place:
    return Place(title, 0, service, path, flags, "GET", lm_bia_search, ("studies", "files"))


def _files(title: str, service: str, path: str) -> Place:
    return Place(title, 0, service, path, ("--accession", "S-BIAD634"), "GET", lm_bia_download, ("manifest",))


PLACES = {
    "image": Place("What the IDR says of an image (JSON)", MOVED, "web", r"/api/v0/m/images/4007821/"),
    "annotations": Place("Annotations (JSON)", MOVED, "web", r"/webclient/api/annotations/"),
    "metadata": Place("Metadata of an OME-Zarr", MOVED, "objects", r"\.zarr/0/0/\.zarray$"),
    "chunk": Place("A chunk of an OME-Zarr", MOVED, "objects", r"\.zarr/0/0/[0-9/]+x*$"),
    "shard": Place("A part of a shard (OME-Zarr 0.5)", SHARDED, "objects", r"\.zarr/0/c/", ("--z", "118", "--channel", "index:0")),
    "original": Place("An original file", SKET, "originals", r"SkeT", ("--z", "0")),
    "kept": Place("An original file that is kept as it is", SKET, "originals", r"SkeT", ("--format", "original")),
    "hits": _search("lm_idr_search: what the search engine finds (JSON)", r"submitquery/$", "--where", "Gene Symbol=Tcf15", method="POST"),
    "list": _search("lm_idr_search: a list of the IDR's (JSON)", r"/m/datasets/11620/images/", "--study", "idr0062"),
    "study": _studies("lm_bia_search: studies that are found (JSON)", "biostudies", r"/search", "--query", "nuclei"),
    "names": _studies("lm_bia_search: a list of files (JSON)", "originals", r"/rawimages\.json$", "--accession", "S-BIAD634"),
    "description": _files("lm_bia_download: what a study says of itself (JSON)", "biostudies", r"/studies/S-BIAD634$"),
    "file": _files("lm_bia_download: a file", "originals", r"/rawimages/Neuroblastoma_1\.tif$"),
}
JSONS = ("image", "annotations", "hits", "list", "study", "names", "description")
OBJECTS = ("metadata", "chunk", "shard")
FILES = ("original", "kept", "file")
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
    Case("429 with Retry-After", "status", ("image", "chunk", "original", "hits", "names", "file"), {"status": 429, "retry_after": "1"}),
    Case("429 without Retry-After", "status", ("image", "hits", "names", "file"), {"status": 429}),
    Case("502 Bad Gateway, a web page", "status", ("image", "kept", "hits", "study", "description", "file"), {"status": 502}),
    Case("504 Gateway Timeout", "status", ("list", "names", "file"), {"status": 504}),
    Case("403 Forbidden", "status", options={"status": 403}),
    Case("404 Not Found", "status", options={"status": 404}),
    Case("500 with a stack trace", "json-error", ("image", "annotations", "list")),
    Case("the session has expired", "session", ("image", "annotations", "list")),
    Case("the connection is reset at once", "reset"),
    Case("the connection is reset half-way", "reset", ("image", "chunk", "original", "names", "file"), {"bytes": 100}),
    Case("it closes half-way", "truncate"),
    Case("its length is 10 bytes too small", "short-length", options={"bytes": 10}),
    Case("it comes late", "delay", ("image", "chunk", "kept", "file"), {"seconds": 0.05}),
    Case("it never comes", "never", ("image", "chunk", "kept", "hits", "study", "file")),
    Case("it drips for ever", "drip", ("annotations", "chunk", "kept", "list", "names", "file"), {"bytes": 1, "seconds": 0.2}),
    Case("one bit is flipped", "corrupt"),
    Case("one bit is flipped, not in the index but in the pixels", "corrupt", ("shard",), {"first": 2}),
    Case("it is something else", "replace", options={"body": "[7, null]", "content_type": "application/json"}),
    Case("it is a web page", "html"),
    Case("it leads to a host that is not configured", "redirect", options={"target": "{elsewhere}/x"}),
    Case(
        "it leads into the private network",
        "redirect",
        ("image", "chunk", "original", "hits", "study", "file"),
        {"target": "http://169.254.169.254/latest/meta-data"},
    ),
    Case("it leads to itself", "redirect", ("image", "metadata", "kept", "list", "description", "file"), {"target": "{self}"}),
    Case("it leads on and on", "redirect", ("annotations", "chunk", "original"), {"target": "{self}x"}),
    Case("it has no end", "endless", options={"limit": 256 * MIB}),
    Case("a gzip bomb", "gzip-bomb", ("image", "metadata", "chunk", "hits", "study", "names", "file"), {"limit": 128 * MIB}),
    Case("128 MiB of JSON", "huge-json", (*JSONS, "metadata"), {"limit": 128 * MIB}),
    Case("it is another file by now, and whole", "etag", ("chunk", "original", "kept", "file")),
    Case("Range is ignored", "no-range", ("shard",)),
    Case("another range than was asked for", "wrong-range", ("shard",)),
)
LEFT_OUT = {"lie": "a total or a bookmark that is none: tests/unit/test_idr_search_faults.py"}

HEAD = """# What a failing archive gets

These tables are made by a test (`python -m tests.archives.faults_table` writes them, `tests/archives/test_faults_table.py` compares every row). For
each row `lm_idr_download`, or the tool that the title names, runs against the sample archive (`tests/archives`) twice: the fault happens to the
first request, and to every request. The test's client tries twice, without pauses, and waits half a second; the real one tries six times (three
where it has to wait), with growing pauses, and waits 90 seconds. `…` stands for any text; ‹web›, ‹objects›, ‹originals›, ‹biostudies› and
‹elsewhere› for the addresses of the services.

Exit codes: 0 done, 1 nothing usable, 2 wrong usage. "Same" is: done, and every pixel (of a kept file or a table, every byte) as without the fault;
"0, less" is done but for what failed, of which the manifest says why. In no row is anything partial under a final name, is anything asked of a host
that is not configured, or is there a traceback.
"""
FOOT = """
## What a kill leaves

`python -m tests.archives.kills --kills 20 --seed 5` kills a download of 306 files (4.7 MB, slowly served) twenty times at random moments with the
signal that cannot be caught, each time going on from the manifest of the call before, and lets it run once in the end. What is there then is what an
undisturbed call makes, byte by byte, and so is the manifest. Files are continued where they broke off: 1.6 MB (34 %), 80 kB for each kill of eight
connections, were sent by the server more often than once, most of it on its way when the process ended. `tests/unit/test_download_killed.py` is the
same with three kills.

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
    names: tuple[str, ...] = ()


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
        if what.tool is not lm_idr_download:
            return self._run_other(place, folder, patience)
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

    def _run_other(self, place: str, folder: Path, patience: dict[str, Any]) -> Outcome:
        what, sound = PLACES[place], self._sound.get(place)
        flags = [*what.flags, *(part for name in what.tables for part in (f"--{name}", str(folder / f"{name}.tsv")))]
        flags += ["--output", str(folder / "out")] if what.downloads else []
        self.patch.setenv("LIGHTMICROSCOPY_ENDPOINTS", json.dumps(self.archive.endpoints))
        with contextlib.redirect_stderr(io.StringIO()) as said:
            code = what.tool.main(flags, **patience)
        assert "Traceback" not in said.getvalue()
        made = {name: (folder / name).read_bytes() for name in _names(folder)}
        if what.downloads:
            rows = read_table(folder / "manifest.tsv") if "manifest.tsv" in made else []
            done = sorted(f"out/{row['path']}" for row in rows if row["status"] == "done")
            assert done == [name for name in made if name.startswith("out/") and not name.rpartition("/")[2].startswith(".")]
        made.pop("manifest.tsv", None)
        shown = {name: data for name, data in made.items() if not name.rpartition("/")[2].startswith(".")}
        result = zlib.crc32(b"".join(shown.values()))
        same = sound is None or result == sound.pixels
        less = sound is not None and set(shown) < set(sound.names)
        state = "same" if same else "0, less" if less else "0, other bytes" if what.downloads else "0, other rows"
        lines = [line.partition(": ")[2] for line in said.getvalue().splitlines()]
        lines = [line for line in lines if not line.startswith(USUAL)]
        told = [line for line in map(self._plain, lines) if sound is None or line not in sound.told]
        left = len(sound.names) - len(shown) if sound is not None else 0
        disk = "nothing" if not shown else f"all but {left}" if left else "all of it" if same else "all of it, other within"
        disk = ", ".join((disk, *(f"`{name.removeprefix('out/')}`" for name in made if name not in shown)))
        return Outcome(code, tuple(told), disk, result, state if code == 0 else str(code), tuple(shown))

    def _plain(self, line: str) -> str:
        for service in ("web", "objects", "originals", "biostudies", "elsewhere"):
            line = line.replace(self.archive.base(service), f"‹{service}›")
        line = re.sub("b2633930(-[0-9a-f]+)+", "b2633930-…", line)
        # Sorted by ports, which are any.
        line = re.sub(r"(?:‹(?:web|objects|originals|biostudies)›, ){3}‹(?:web|objects|originals|biostudies)›", NAMED, line)
        return line.replace("|", "\\|").replace("<", "‹").replace(">", "›")


def _names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


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
