"""PNG and JPEG."""

from __future__ import annotations

import io
import struct
import zlib

from .compression import deflated
from .drawing import Array, colours


def png(image: Array) -> bytes:
    """A PNG of (Y, X) or (Y, X, 3), uint8 or uint16."""
    height, width = image.shape[:2]
    rows = b"".join(b"\0" + row.astype(image.dtype.newbyteorder(">")).tobytes() for row in image)
    header = struct.pack(">2I5B", width, height, image.dtype.itemsize * 8, 2 if image.ndim > 2 else 0, 0, 0, 0)
    blocks = ((b"IHDR", header), (b"IDAT", deflated(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content)) for kind, content in blocks
    )


def photo() -> bytes:
    """A JPEG from a camera held sideways: its EXIF orientation says to turn it."""
    from PIL import Image

    picture = Image.fromarray(colours(60, 80, 18))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90, subsampling=0, exif=exif)
    return buffer.getvalue()
