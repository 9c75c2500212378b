"""Zeiss CZI files byte by byte, so that tests can have any pixel type, compression and dimension in them, and damage."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

GRAY8, GRAY16, FLOAT, BGR24, BGR48, BGRA32, COMPLEX, GRAY32, DOUBLE = 0, 1, 2, 3, 4, 9, 10, 12, 13
RAW, JPEG, LZW, JPEGXR, ZSTD0, ZSTD1, CAMERA = 0, 1, 2, 4, 5, 6, 504
_TYPES = {("uint8", 1): GRAY8, ("uint16", 1): GRAY16, ("float32", 1): FLOAT, ("uint8", 3): BGR24, ("uint16", 3): BGR48, ("uint8", 4): BGRA32}
_TYPES |= {("uint32", 1): GRAY32, ("float64", 1): DOUBLE}
_ORDER = "XYZCTRSIHVBM"


@dataclass
class Tile:
    """One subblock. `pixels` are (Y, X) or (Y, X, S) in RGB order; `at` gives coordinates, X and Y among them."""

    pixels: np.ndarray[Any, Any]
    at: Mapping[str, int] = field(default_factory=dict)
    compression: int = RAW
    scale: int = 1
    xml: bytes = b""
    pixel_type: int | None = None
    data: bytes | None = None
    part: int = 0
    size: tuple[int, int] | None = None
    extent: Mapping[str, int] = field(default_factory=dict)
    """Of dimensions along which it has several planes, which `data` then holds."""


def segment(name: bytes, body: bytes) -> bytes:
    """A segment, padded to 32 bytes."""
    body += bytes(-len(body) % 32)
    return name.ljust(16, b"\0") + struct.pack("<qq", len(body), len(body)) + body


def encode(tile: Tile) -> bytes:
    """The stored bytes of a tile."""
    if tile.data is not None:
        return tile.data
    import imagecodecs

    pixels = tile.pixels if tile.pixels.ndim == 3 else tile.pixels[..., np.newaxis]
    samples = pixels.shape[2]
    if tile.compression in (JPEGXR, JPEG):
        flat = np.ascontiguousarray(pixels[..., 0] if samples == 1 else pixels)
        return imagecodecs.jpegxr_encode(flat, level=1.0) if tile.compression == JPEGXR else imagecodecs.jpeg_encode(flat, level=90)
    stored = np.ascontiguousarray(pixels if samples == 1 else pixels[..., [2, 1, 0, 3][:samples]]).tobytes()
    if tile.compression == ZSTD1:
        apart = np.frombuffer(stored, np.uint8)
        if pixels.dtype == np.uint16:
            return b"\x03\x01\x01" + bytes(imagecodecs.zstd_encode(apart[0::2].tobytes() + apart[1::2].tobytes()))
        return b"\x01" + bytes(imagecodecs.zstd_encode(stored))
    encoders = {ZSTD0: imagecodecs.zstd_encode, LZW: imagecodecs.lzw_encode, RAW: bytes}
    return bytes(encoders.get(tile.compression, bytes)(stored))


def _entry(tile: Tile, position: int) -> bytes:
    pixels = tile.pixels
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    kind = _TYPES[str(pixels.dtype), samples] if tile.pixel_type is None else tile.pixel_type
    height, width = pixels.shape[:2]
    size = tile.size or (height * tile.scale, width * tile.scale)
    spans = {"X": (tile.at.get("X", 0), size[1], width), "Y": (tile.at.get("Y", 0), size[0], height)}
    spans |= {letter: (tile.at[letter], *2 * (tile.extent.get(letter, 1),)) for letter in _ORDER[2:] if letter in tile.at}
    head = struct.pack("<2siqiiB5xi", b"DV", kind, position, tile.part, tile.compression, 2 if tile.scale > 1 else 0, len(spans))
    return head + b"".join(struct.pack("<4siifi", letter.encode(), first, extent, 0.0, stored) for letter, (first, extent, stored) in spans.items())


def czi_bytes(
    tiles: Sequence[Tile],
    xml: str = "",
    attachments: Mapping[str, bytes] | None = None,
    *,
    part: int = 0,
    elsewhere: Sequence[tuple[Tile, int]] = (),
    primary: bytes = b"one and the same",
) -> bytes:
    """A whole CZI file.

    Parameters
    ----------
    elsewhere
        Tiles in other files of the set that the directory lists too, with their places there.
    """
    out = bytearray(segment(b"ZISRAWFILE", bytes(512)))
    entries = []
    for tile in tiles:
        position = len(out)
        entry = _entry(tile, position)
        data = encode(tile)
        head = struct.pack("<iiq", len(tile.xml), 0, len(data)) + entry
        out += segment(b"ZISRAWSUBBLOCK", head.ljust(256, b"\0") + tile.xml + data)
        entries.append(entry)
    entries += [_entry(tile, position) for tile, position in elsewhere]
    places = []
    for name, data in (attachments or {}).items():
        kind = b"CZTIMS" if name == "TimeStamps" else b"CZI"
        places.append((name, kind, len(out)))
        entry = struct.pack("<2s10xqi16s8s80s", b"A1", len(out), 0, bytes(16), kind, name.encode())
        out += segment(b"ZISRAWATTACH", (struct.pack("<q8x", len(data)) + entry).ljust(256, b"\0") + data)
    listed = 0
    if places:
        listed = len(out)
        table = b"".join(struct.pack("<2s10xqi16s8s80s", b"A1", at, 0, bytes(16), kind, name.encode()) for name, kind, at in places)
        out += segment(b"ZISRAWATTDIR", struct.pack("<i", len(places)).ljust(256, b"\0") + table)
    metadata = len(out) if xml else 0
    if xml:
        text = xml.encode()
        out += segment(b"ZISRAWMETADATA", struct.pack("<ii", len(text), 0).ljust(256, b"\0") + text)
    directory = len(out)
    out += segment(b"ZISRAWDIRECTORY", struct.pack("<i", len(entries)).ljust(128, b"\0") + b"".join(entries))
    struct.pack_into("<2i8x16s16siqqiq", out, 32, 1, 0, primary, primary if not part else bytes(16), part, directory, metadata, 0, listed)
    return bytes(out)


def write_czi(path: Path, tiles: Sequence[Tile], xml: str = "", attachments: Mapping[str, bytes] | None = None, **more: Any) -> Path:
    """Write a CZI file."""
    path.write_bytes(czi_bytes(tiles, xml, attachments, **more))
    return path


def stamps(*seconds: float) -> bytes:
    """The attachment of time stamps."""
    return struct.pack(f"<ii{len(seconds)}d", 8 + 8 * len(seconds), len(seconds), *seconds)


def document(information: str = "", scaling: str = "", display: str = "", layers: str = "", experiment: str = "") -> str:
    """The XML of a CZI out of its parts."""
    parts = (
        ("Experiment", experiment),
        ("Information", information),
        ("Scaling", scaling and f"<Items>{scaling}</Items>"),
        ("DisplaySetting", display and f"<Channels>{display}</Channels>"),
        ("Layers", layers),
    )
    return f"<ImageDocument><Metadata>{''.join(f'<{name}>{text}</{name}>' for name, text in parts if text)}</Metadata></ImageDocument>"


def block_xml(time: str = "", x: float | None = None, y: float | None = None, z: float | None = None) -> bytes:
    """Metadata of a subblock."""
    tags = [("AcquisitionTime", time or None), ("StageXPosition", x), ("StageYPosition", y), ("FocusPosition", z)]
    return f"<METADATA><Tags>{''.join(f'<{name}>{value}</{name}>' for name, value in tags if value is not None)}</Tags></METADATA>".encode()


def noise(*shape: int, dtype: str = "uint16", seed: int = 0) -> np.ndarray[Any, Any]:
    """Pixels no two of which are likely equal."""
    values = np.random.default_rng(seed).integers(0, 250 if dtype == "uint8" else 4095, shape)
    return values.astype(dtype)
