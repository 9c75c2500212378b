"""Which bytes of a file are pixels, which of those a checksum protects, and where its structure has seams.

Damage to a pixel that nothing protects cannot be known; everything else can be, or must be looked at. Whole files are read with the
suite's own readers (which are compared with others elsewhere) or with the libraries of their formats.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ZSTD = b"\x28\xb5\x2f\xfd"
_METADATA_FILES = (".json", ".xml", ".ome", ".zattrs", ".zgroup", ".zarray", ".zmetadata")
_HDF5 = re.compile(rb"\x89HDF\r\n|TREE|HEAP|SNOD|OHDR|OCHK|BTHD|BTLF|BTIN|FRHP|FADB|FAHD|EAHD|EAIB|GCOL")
_CHECKED_TIFF = {8, 32946}
_TIFF_ZSTD = {50000, 34926}


@dataclass(frozen=True, slots=True)
class Pixels:
    """A run of bytes that are pixels; `checked` if what they are stored in has a checksum of them."""

    start: int
    stop: int
    checked: bool = False


Found = tuple[list[Pixels], list[int]]
"""Pixels and seams of a file."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are in one file: its format, its pixels in order, and the seams of its structure."""

    format: str
    pixels: tuple[Pixels, ...]
    seams: tuple[int, ...]


def places(path: Path) -> Places:
    """Look through one undamaged file."""
    head = path.read_bytes()[:16]
    name, find = _kind(path, head)
    pixels, seams = find(path)
    edges = {edge for part in pixels for edge in (part.start, part.stop)}
    return Places(name, tuple(sorted(pixels, key=lambda part: part.start)), tuple(sorted({*seams, *edges})))


def _kind(path: Path, head: bytes) -> tuple[str, Callable[[Path], Found]]:
    for magic, name, find in _FORMATS:
        if head.startswith(magic):
            special = {"HDF5": ("IMS", path.suffix == ".ims"), "TIFF": ("OME-TIFF", ".ome." in path.name)}.get(name, (name, True))
            return special[0] if special[1] else name, find
    return ("metadata", lambda _: ([], [])) if path.name.endswith(_METADATA_FILES) else ("chunk", _chunk)


def _czi(path: Path) -> Found:
    data = path.read_bytes()
    at, pixels, seams = 0, [], []
    while at + 32 <= len(data):
        name, allocated, _ = struct.unpack_from("<16sqq", data, at)
        seams += [at, at + 32]
        if name.startswith(b"ZISRAWSUBBLOCK"):
            metadata, _, size = struct.unpack_from("<iiq", data, at + 32)
            dimensions = struct.unpack_from("<i", data, at + 32 + 16 + 28)[0]
            start = at + 32 + max(256, 48 + 20 * dimensions) + metadata
            pixels.append(Pixels(start, start + size, _checksum_in(data[start : start + size])))
        at += 32 + allocated
    return pixels, seams


def _checksum_in(data: bytes) -> bool:
    """Whether stored bytes are a Zstandard frame, perhaps behind ZEN's short header, that says it ends with a checksum."""
    at = data[:16].find(ZSTD)
    return at >= 0 and bool(data[at + 4] & 4)


def _lif(path: Path) -> Found:
    from lightmicroscopy.readers.files import RandomFile
    from lightmicroscopy.readers.lif_structure import read_structure

    file = RandomFile(path)
    blocks = read_structure(file).blocks.values()
    file.close()
    pixels = [Pixels(block.offset, block.offset + block.size) for block in blocks if block.size]
    return pixels, [0, 8, 13]


def _nd2(path: Path) -> Found:
    from lightmicroscopy.readers.files import RandomFile
    from lightmicroscopy.readers.nd2_chunks import Chunks

    file = RandomFile(path)
    chunks = Chunks(file)
    found = [chunks.place(start, b"ImageDataSeq|%d!" % number) for number, start in chunks.frames.items()]
    # A frame begins with eight bytes of its time. Packed frames are zlib streams.
    packed = any(file.read(place.offset + 8, 1) == b"\x78" and place.length % 4096 for place in found)
    file.close()
    whole = path.stat().st_size
    return [Pixels(place.offset, place.offset + place.length, packed) for place in found], [
        *sorted((*chunks.starts.values(), *chunks.frames.values())),
        whole - 40,
    ]


def _hdf5(path: Path) -> Found:
    import h5py

    pixels: list[Pixels] = []

    def visit(_: str, node: object) -> None:
        if not isinstance(node, h5py.Dataset) or node.ndim < 2:
            return
        if node.chunks:
            checked = node.compression == "gzip" or node.fletcher32
            node.id.chunk_iter(lambda info: pixels.append(Pixels(info.byte_offset, info.byte_offset + info.size, checked)))
        elif (offset := node.id.get_offset()) is not None:
            pixels.append(Pixels(offset, offset + node.id.get_storage_size()))

    with h5py.File(path, "r", locking=False) as file:
        file.visititems(visit)
    return pixels, [match.start() for match in _HDF5.finditer(path.read_bytes())]


def _tiff(path: Path) -> Found:
    import tifffile

    data = path.read_bytes()
    pixels, seams = [], []
    with tifffile.TiffFile(path) as file:
        waiting = list(file.pages)
        while waiting:
            page = waiting.pop()
            seams.append(page.offset)
            waiting += list(page.pages or ()) if isinstance(page, tifffile.TiffPage) else []
            code = int(page.compression)
            for offset, size in zip(page.dataoffsets, page.databytecounts, strict=False):
                checked = code in _CHECKED_TIFF or (code in _TIFF_ZSTD and _checksum_in(data[offset : offset + size]))
                pixels.append(Pixels(offset, offset + size, checked))
    return pixels, seams


def _zip(path: Path) -> Found:
    import zipfile

    with zipfile.ZipFile(path) as file:
        members, directory = file.infolist(), file.start_dir
    pixels = []
    for member in members:
        # The length of the name and the extra field of the local header, which is 30 bytes long (zip's APPNOTE, 4.3.7).
        start = member.header_offset + 30 + sum(struct.unpack_from("<HH", path.read_bytes()[member.header_offset :], 26))
        pixels.append(Pixels(start, start + member.compress_size, True))
    return pixels, [directory, path.stat().st_size - 22, *(member.header_offset for member in members)]


def _png(path: Path) -> Found:
    whole = path.stat().st_size
    return [Pixels(33, whole, True)], [8, 33, whole - 12]


def _jpeg(path: Path) -> Found:
    # Its tables decide on the pixels as much as what they decode, and nothing protects them.
    return [Pixels(2, path.stat().st_size)], []


def _chunk(path: Path) -> Found:
    return [Pixels(0, path.stat().st_size, _checked_chunk(path))], []


def _checked_chunk(path: Path) -> bool:
    """Whether the chunks of the Zarr array that this one belongs to have a checksum."""
    for folder in path.parents:
        for name in (".zarray", "zarr.json"):
            if (folder / name).is_file():
                return any(codec in _CHECKED_CODECS for codec in _codecs(json.loads((folder / name).read_text())))
    return False


_CHECKED_CODECS = frozenset({"zlib", "gzip", "crc32c", "crc32", "adler32"})


def _codecs(document: dict[str, object]) -> Iterator[object]:
    for key in ("compressor", "filters", "codecs"):
        given = document.get(key)
        for codec in given if isinstance(given, list) else [given]:
            if isinstance(codec, dict):
                yield codec.get("id") or codec.get("name")


_FORMATS: tuple[tuple[bytes, str, Callable[[Path], Found]], ...] = (
    (b"ZISRAWFILE", "CZI", _czi),
    (b"\x70\0\0\0", "LIF", _lif),
    (b"\xda\xce\xbe\x0a", "ND2", _nd2),
    (b"\x89HDF", "HDF5", _hdf5),
    *((magic, "TIFF", _tiff) for magic in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    (b"PK", "OME-Zarr zip", _zip),
    (b"\x89PNG", "PNG", _png),
    (b"\xff\xd8", "JPEG", _jpeg),
)
