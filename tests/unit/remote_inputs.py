"""OME-Zarr on the web as the input of tools: where some lie in the sample archive, and what a run asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import lm_check
import lm_convert
import lm_inspect
from lightmicroscopy.readers.prefetch import Fetches
from tests.archives import Archive

PUBLIC = "https://livingobjects.ebi.ac.uk"
BLASTOCYST = f"{PUBLIC}/idr/zarr/v0.4/idr0062A/6001240.zarr"
PLATE = f"{PUBLIC}/idr/zarr/v0.4/idr0001A/2551.zarr"
MAIN: dict[str, Callable[[list[str]], int]] = {"lm_inspect": lm_inspect.main, "lm_check": lm_check.main, "lm_convert": lm_convert.main}
"""Tools that take one."""


def chunks(archive: Archive) -> int:
    """How many chunks of pixels were asked for."""
    return sum(one.path.rpartition("/")[2].isdigit() for one in archive.asked())


def sent(archive: Archive) -> int:
    """How many bytes were sent."""
    return sum(one.sent for one in archive.asked())


def run(tool: str, tmp_path: Path, *words: str) -> int:
    """Run a tool, with a table or OME-TIFF in that folder as its result."""
    output = ["--output", str(tmp_path / "out"), "--format", "ome-tiff"] if tool == "lm_convert" else ["--table", str(tmp_path / "table.tsv")]
    return MAIN[tool]([*words, *output])


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Give a list that, after the block, holds how many bytes each store may have held that was read in it."""
    found: list[int] = []
    begin = Fetches.__init__

    def noted(self: Fetches, connections: int, memory: int) -> None:
        found.append(memory)
        begin(self, connections, memory)

    with monkeypatch.context() as patch:
        patch.setattr(Fetches, "__init__", noted)
        yield found


def rows(path: Path) -> list[dict[str, str]]:
    """Rows of a table."""
    head, *lines = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    return [dict(zip(head, line, strict=True)) for line in lines]
