"""Running the BioImage Archive's tools against the sample archive, and looking at all that they leave."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import lm_bia_download
import lm_bia_search
from tests.archives import Archive

from .idr_downloads import PATIENT, USUAL, Row, listing, read_table


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
        return [line.partition(": ")[2] for line in self.stderr.splitlines()]

    @property
    def made(self) -> list[str]:
        """Files below the output folder, hidden ones too."""
        return listing(self.folder / "out")

    def table(self, name: str) -> list[Row]:
        """Rows of a table."""
        return read_table(self.folder / f"{name}.tsv")

    @property
    def manifest(self) -> list[Row]:
        """Rows of the manifest."""
        return self.table("manifest")

    @property
    def statuses(self) -> dict[str, str]:
        """Status of each item."""
        return {row["item"]: row["status"] for row in self.manifest}

    def reason(self, item: str) -> str:
        """Why an item failed."""
        return next(row["reason"] for row in self.manifest if row["item"] == item)


class Calls:
    """Calls of the scripts, in this process, for one archive and folder."""

    def __init__(self, archive: Archive, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.archive, self.folder, self.patch = archive, folder, patch

    def search(self, *arguments: object, **settings: object) -> Run:
        """Search, with every table."""
        flags = [part for name in ("studies", "files", "rembi") for part in (f"--{name}", self.folder / f"{name}.tsv")]
        return self.plain(lm_bia_search, *arguments, *flags, "--metadata", self.folder / "metadata.json", **settings)

    def download(self, *arguments: object, patience: dict[str, Any] = PATIENT, **settings: object) -> Run:
        """Download into ``out``."""
        flags = ["--output", self.folder / "out", "--manifest", self.folder / "manifest.tsv", "--citation", self.folder / "citation.md"]
        return self.plain(lm_bia_download, *arguments, *flags, patience=patience, **settings)

    def answers(self, path: str, body: str) -> None:
        """Let the archive answer with this from now on, as if it were JSON."""
        page = body.startswith("<")
        self.archive.faults.add("replace", path, body=body, count=0, content_type="text/html" if page else "application/json")

    def plain(self, tool: Any, *arguments: object, patience: dict[str, Any] = PATIENT, **settings: object) -> Run:
        """Call a script with these flags and no others; `settings` are an administrator's."""
        self.patch.setenv("LIGHTMICROSCOPY_ENDPOINTS", json.dumps({**self.archive.endpoints, **settings}))
        with contextlib.redirect_stderr(io.StringIO()) as said:
            try:
                code = tool.main([str(argument) for argument in arguments], **patience)
            except SystemExit as stop:
                code = int(stop.code or 0)
        assert "Traceback" not in said.getvalue()
        assert "has a fault" not in said.getvalue()
        return Run(code, said.getvalue(), self.folder)
