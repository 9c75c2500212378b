"""Files that promise more than there is."""

import struct
import zlib
from pathlib import Path

from .makers import NAMESPACE, TO_TIFF, TO_ZARR, row
from .stores import change_json, copy_store


def small_tiff(width: int, height: int, description: bytes = b"", count: int | None = None) -> bytes:
    """Write a TIFF directory by hand: 64 bytes of pixels under whatever size is claimed."""
    text_at, pixels_at = 200, 136
    count = len(description) if count is None else count
    fields = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        *([(270, 2, count, text_at)] if count else []),
        (273, 4, 1, pixels_at),
        (277, 3, 1, 1),
        (278, 4, 1, height),
        (279, 4, 1, min(width * height, 0xFFFFFFFF)),
    ]
    content = struct.pack("<2sHIH", b"II", 42, 8, len(fields)) + b"".join(struct.pack("<HHII", *field) for field in fields) + bytes(4)
    return content.ljust(pixels_at, b"\0") + bytes(range(64)) + description


def ome_text(sizes: dict[str, int], name: str = "image") -> bytes:
    """Write a small OME-XML document with these sizes."""
    attributes = " ".join(f'Size{axis}="{sizes.get(axis, 1)}"' for axis in "XYZCT")
    return (
        f'<?xml version="1.0"?><OME xmlns="{NAMESPACE}"><Image ID="Image:0" Name="{name}"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" '
        f'Type="uint8" {attributes}><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels></Image></OME>'
    ).encode()


@row("TIFF of 10^12 pixels")
def _(folder: Path) -> list[str]:
    (folder / "huge.tif").write_bytes(small_tiff(1_000_000, 1_000_000))
    return [str(folder / "huge.tif"), *TO_TIFF]


@row("OME-XML of 10^12 planes")
def _(folder: Path) -> list[str]:
    text = ome_text({"X": 8, "Y": 8, "T": 1_000_000, "Z": 1_000_000}) + b"\0"
    (folder / "planes.ome.tiff").write_bytes(small_tiff(8, 8, text))
    return [str(folder / "planes.ome.tiff"), *TO_TIFF]


@row("PNG of 10^12 pixels")
def _(folder: Path) -> list[str]:
    blocks = ((b"IHDR", struct.pack(">2I5B", 1_000_000, 1_000_000, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(10_000))), (b"IEND", b""))
    content = b"".join(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in blocks)
    (folder / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    return [str(folder / "huge.png"), *TO_TIFF]


@row("Zarr chunk of 10^12 pixels")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    change_json(store / "0" / ".zarray", shape=[1, 2, 3, 1_000_000, 1_000_000], chunks=[1, 1, 1, 1_000_000, 1_000_000])
    return [str(store), *TO_ZARR]
