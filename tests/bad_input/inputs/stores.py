"""Stores with something missing, broken or out of place."""

import json
import shutil
from pathlib import Path
from typing import Any

from .makers import STORE, TO_TIFF, TO_ZARR, row


def change_json(path: Path, **changes: Any) -> None:
    """Set keys of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def copy_store(folder: Path) -> Path:
    """Make a whole store to be damaged, without its label map."""
    copy = folder / "cells.ome.zarr"
    shutil.copytree(STORE, copy)
    shutil.rmtree(copy / "labels")
    return copy


@row("folder that is no Zarr")
def _(folder: Path) -> list[str]:
    (folder / "holiday").mkdir()
    (folder / "holiday" / "beach.txt").write_text("sand")
    return [str(folder / "holiday"), *TO_ZARR]


@row("Zarr with broken JSON")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    (store / ".zattrs").write_text('{"multiscales": [')
    return [str(store), *TO_ZARR]


@row("Zarr without its array")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    shutil.rmtree(store / "0")
    return [str(store), *TO_ZARR]


@row("Zarr that points outside itself")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    shutil.copytree(STORE / "0", folder / "secret")
    attributes = json.loads((store / ".zattrs").read_text())
    attributes["multiscales"][0]["datasets"][0]["path"] = "../secret"
    (store / ".zattrs").write_text(json.dumps(attributes))
    return [str(store), *TO_ZARR]


@row("Zarr with a missing chunk")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    (store / "0" / "0" / "1" / "2" / "0" / "1").unlink()
    return [str(store), *TO_ZARR]


@row("Zarr with a damaged chunk")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    chunk = store / "0" / "0" / "1" / "2" / "0" / "1"
    content = bytearray(chunk.read_bytes())
    content[32:64] = b"\xaa" * 32
    chunk.write_bytes(content)
    return [str(store), *TO_ZARR]


@row("Zarr with a chunk cut short")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    chunk = store / "0" / "0" / "0" / "1" / "0" / "1"
    chunk.write_bytes(chunk.read_bytes()[:-100])
    return [str(store), *TO_TIFF]


@row("Zarr with an empty chunk")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    (store / "0" / "0" / "0" / "0" / "0" / "0").write_bytes(b"")
    return [str(store), *TO_ZARR]
