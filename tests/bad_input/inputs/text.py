"""Metadata that would grow, reach out or never end."""

import io
import zipfile
import zlib
from pathlib import Path

from .makers import GIGABYTE, NAMESPACE, TO_TIFF, row
from .promises import ome_text, small_tiff
from .zips import store_members


def tiff_with_text(folder: Path, text: bytes) -> list[str]:
    """Write a TIFF whose description is this text."""
    (folder / "cells.ome.tiff").write_bytes(small_tiff(8, 8, text + b"\0"))
    return [str(folder / "cells.ome.tiff"), *TO_TIFF]


@row("XML whose entities multiply")
def _(folder: Path) -> list[str]:
    laughs = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY l0 "ha">{laughs}]>'.encode()
    return tiff_with_text(folder, head + ome_text({"X": 8, "Y": 8}, "&l9;").split(b"?>", 1)[1])


@row("XML that fetches a file")
def _(folder: Path) -> list[str]:
    (folder / "secret.txt").write_text("do not read me")
    head = f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY stolen SYSTEM "file://{folder}/secret.txt">]>'.encode()
    body = ome_text({"X": 8, "Y": 8}).split(b"?>", 1)[1].replace(b"<Pixels", b"<Description>&stolen;</Description><Pixels")
    return tiff_with_text(folder, head + body)


@row("XML cut short")
def _(folder: Path) -> list[str]:
    return tiff_with_text(folder, ome_text({"X": 8, "Y": 8})[:-40])


@row("1 GB of text in a TIFF")
def _(folder: Path) -> list[str]:
    start = f'<?xml version="1.0"?><OME xmlns="{NAMESPACE}"><Image ID="Image:0"><Description>'.encode()
    path = folder / "wordy.ome.tiff"
    path.write_bytes(small_tiff(8, 8, start, GIGABYTE))
    with path.open("r+b") as stream:
        stream.truncate(GIGABYTE + 200)
    return [str(path), *TO_TIFF]


@row("1 GB of text in a companion file")
def _(folder: Path) -> list[str]:
    path = folder / "wordy.companion.ome"
    path.write_bytes(ome_text({"X": 8, "Y": 8}).split(b"<Pixels")[0] + b"<Description>")
    with path.open("r+b") as stream:
        stream.truncate(GIGABYTE)
    return [str(path), *TO_TIFF]


def deflated_spaces(count: int) -> bytes:
    """Compress `count` MB of spaces at the price of one: the same flushed block, over and over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * count + packer.flush()


def zip_bomb(name: str, members: dict[str, bytes]) -> bytes:
    """Write a zip in which `name` unpacks to 1 GB of spaces."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        entry = zipfile.ZipInfo(name)
        entry.compress_type = zipfile.ZIP_DEFLATED
        packed = deflated_spaces(GIGABYTE >> 20)
        entry.header_offset = buffer.tell()
        entry.compress_size, entry.file_size, entry.CRC = len(packed), GIGABYTE, 0
        buffer.write(entry.FileHeader() + packed)
        archive.start_dir = buffer.tell()
        archive.filelist.append(entry)
        archive.NameToInfo[name] = entry
    return buffer.getvalue()


@row("1 GB of text in a zipped store")
def _(folder: Path) -> list[str]:
    members = {name: content for name, content in store_members().items() if not name.endswith(".xml")}
    (folder / "bomb.ome.zarr.zip").write_bytes(zip_bomb("OME/METADATA.ome.xml", members))
    return [str(folder / "bomb.ome.zarr.zip"), *TO_TIFF]


@row("1 GB of JSON in a zipped store")
def _(folder: Path) -> list[str]:
    members = {name: content for name, content in store_members().items() if name != ".zattrs"}
    (folder / "bomb.ome.zarr.zip").write_bytes(zip_bomb(".zattrs", members))
    return [str(folder / "bomb.ome.zarr.zip"), *TO_TIFF]
