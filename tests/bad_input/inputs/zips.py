"""Zips that are no honest store."""

import struct
import zipfile
from pathlib import Path

import numpy as np

from .makers import STORE, TO_TIFF, row


def zip_of(folder: Path, members: dict[str, bytes]) -> list[str]:
    """Write a zip with exactly these names."""
    path = folder / "cells.ome.zarr.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return [str(path), *TO_TIFF]


def store_members() -> dict[str, bytes]:
    """List the files of the sound store by name."""
    return {str(path.relative_to(STORE)): path.read_bytes() for path in sorted(STORE.rglob("*")) if path.is_file()}


@row("zip that climbs out")
def _(folder: Path) -> list[str]:
    return zip_of(folder, {**store_members(), "../escaped.txt": b"outside"})


@row("zip with an absolute path")
def _(folder: Path) -> list[str]:
    return zip_of(folder, {**store_members(), "/escaped.txt": b"outside"})


@row("zip without an image")
def _(folder: Path) -> list[str]:
    return zip_of(folder, {"letter.txt": b"nothing to see"})


@row("zip cut short")
def _(folder: Path) -> list[str]:
    arguments = zip_of(folder, store_members())
    path = Path(arguments[0])
    path.write_bytes(path.read_bytes()[:-2000])
    return arguments


def million_entries(stated: int) -> bytes:
    """Write a zip whose directory lists a million empty files, and whose end claims `stated`."""
    number, width = 1_000_000, 12
    entry = np.dtype([("fixed", "S46"), ("name", f"S{width}")])
    fixed = struct.pack("<I6H3I5H2I", 0x02014B50, 20, 20, 0, 0, 0, 0, 0, 0, 0, width, 0, 0, 0, 0, 0, 0)
    entries = np.zeros(number, entry)
    # numpy strips trailing zeros of a string only when it is read, so the fixed part is stored whole.
    entries.view(np.uint8).reshape(number, -1)[:, :46] = np.frombuffer(fixed, np.uint8)
    entries["name"] = np.char.add(b"0/0/", np.char.zfill(np.arange(number).astype(f"S{width}"), width - 4))
    directory = entries.tobytes()
    first = b".zgroup"
    local = struct.pack("<I5H3I2H", 0x04034B50, 20, 0, 0, 0, 0, 0, 0, 0, len(first), 0) + first
    if stated > 0xFFFE:
        record = struct.pack("<IQ2H2I4Q", 0x06064B50, 44, 45, 45, 0, 0, stated, stated, len(directory), len(local))
        locator = struct.pack("<IIQI", 0x07064B50, 0, len(local) + len(directory), 1)
        end = record + locator + struct.pack("<I4H2IH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    else:
        end = struct.pack("<I4H2IH", 0x06054B50, 0, 0, stated, stated, len(directory), len(local), 0)
    return local + directory + end


@row("zip of a million entries")
def _(folder: Path) -> list[str]:
    (folder / "many.ome.zarr.zip").write_bytes(million_entries(1_000_000))
    return [str(folder / "many.ome.zarr.zip"), *TO_TIFF]


@row("zip of a million entries that claims three")
def _(folder: Path) -> list[str]:
    (folder / "many.ome.zarr.zip").write_bytes(million_entries(3))
    return [str(folder / "many.ome.zarr.zip"), *TO_TIFF]
