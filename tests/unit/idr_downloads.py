"""Running lm_idr_download against the sample archive, and looking at all that it leaves."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import lm_idr_download
from tests.archives import Archive

PATIENT = {"retries": 1, "sleep": lambda seconds: None}
"""Options of a client that waits as long as at home: a busy machine takes seconds for what an idle one does at once."""
IMPATIENT = {**PATIENT, "connect_timeout": 3.0, "read_timeout": 1.5, "answer_seconds": 2.0, "grace": 2.0}
"""Options of a client that gives up soon, for servers that never answer or drip."""
USUAL = ("Done: ", "Planned: ", "Listed: ", "Written: ")
"""How the lines begin that a run ends with."""
TABLES = ("manifest", "images", "annotations")

Row = dict[str, str]


@dataclass(frozen=True)
class Run:
    """What a call did: its exit code, what it said, and the folder it worked in."""

    code: int
    stderr: str
    folder: Path

    @property
    def lines(self) -> list[str]:
        """Messages without the name of the program, and without what is said of every run."""
        return [line for line in self.told if not line.startswith(USUAL)]

    @property
    def told(self) -> list[str]:
        """All messages without the name of the program."""
        return [line.removeprefix("lm_idr_download: ") for line in self.stderr.splitlines()]

    @property
    def made(self) -> list[str]:
        """Files and stores below the output folder, hidden ones too."""
        return listing(self.folder / "out")

    @property
    def manifest(self) -> list[Row]:
        """Rows."""
        return read_table(self.folder / "manifest.tsv")

    @property
    def images(self) -> list[Row]:
        """Rows of the images table."""
        return read_table(self.folder / "images.tsv")

    @property
    def annotations(self) -> list[Row]:
        """Rows of the annotations table."""
        return read_table(self.folder / "annotations.tsv")

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """Item and status of each row of the manifest."""
        return [(row["item"], row["status"]) for row in self.manifest]


def listing(folder: Path) -> list[str]:
    """Files and OME-Zarr folders below a folder."""
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir() and not path.name.endswith(".zarr"):
            found += [f"{path.name}/{name}" for name in listing(path)] or [f"{path.name}/"]
        else:
            found.append(path.name)
    return found


def read_table(path: Path) -> list[Row]:
    """Read a table as its contract says, strictly."""
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert not re.search("[\r\0\u2028]", text)
    header, *lines = (line.split("\t") for line in text[:-1].split("\n"))
    return [dict(zip(header, line, strict=True)) for line in lines]


def reports(folder: Path) -> list[str]:
    """Flags that ask for every table."""
    names = {"manifest": "manifest", "image-table": "images", "annotations": "annotations"}
    return [part for flag, name in names.items() for part in (f"--{flag}", str(folder / f"{name}.tsv"))]


class Downloads:
    """Calls of the script, in this process, for one archive and folder."""

    def __init__(self, archive: Archive, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.archive, self.folder, self.patch = archive, folder, patch

    def __call__(self, *arguments: object, patience: dict[str, Any] = PATIENT, tables: bool = True, **settings: object) -> Run:
        """Download into ``out``; `settings` are an administrator's."""
        self.patch.setenv("LIGHTMICROSCOPY_ENDPOINTS", json.dumps({**self.archive.endpoints, **settings}))
        given = [*map(str, arguments), "--output", str(self.folder / "out"), "--threads", "2", *(reports(self.folder) if tables else [])]
        with contextlib.redirect_stderr(io.StringIO()) as said:
            try:
                code = lm_idr_download.main(given, **patience)
            except SystemExit as stop:
                code = int(stop.code or 0)
        assert "Traceback" not in said.getvalue()
        return Run(code, said.getvalue(), self.folder)


@contextlib.contextmanager
def asked(archive: Archive) -> Iterator[list[str]]:
    """Give a list that, after the block, holds what was asked of the archive in it."""
    before, paths = len(archive.asked()), list[str]()
    yield paths
    paths += [f"{one.service} {one.path}" for one in archive.asked()[before:]]
