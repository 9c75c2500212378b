"""Files too big to be kept: their bytes are a function of where they lie."""

from __future__ import annotations

import functools

from ..wire import Blob

BLOCK = 1 << 20
GIB = 1 << 30


@functools.cache
def _block() -> bytes:
    import numpy as np

    return np.random.default_rng(5).integers(0, 256, BLOCK, dtype=np.uint8).tobytes()


def read(start: int, length: int) -> bytes:
    """Return bytes of a file of any size; each MiB of it begins with its own number."""
    made = bytearray()
    while length > 0:
        number, offset = divmod(start, BLOCK)
        block = number.to_bytes(8, "little") + _block()[8:]
        part = block[offset : offset + length]
        made += part
        start += len(part)
        length -= len(part)
    return bytes(made)


def big_files() -> dict[str, Blob]:
    """Return invented files by path: 64 MiB, and 100 GiB as some originals are."""
    return {
        "idr9999-invented-oddities/64MiB.bin": Blob(64 << 20, read, '"64"'),
        "idr9999-invented-oddities/100GiB.bin": Blob(100 * GIB, read, '"100"'),
    }
