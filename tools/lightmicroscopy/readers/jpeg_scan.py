"""Whether a JPEG holds all of its scan.

Decoders fill what is missing of a scan with mid-grey and say so only in a warning that does not reach us.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_END: Final = b"\xff\xd9"
_PLAIN: Final = bytes(number * 167 % 255 for number in range(512))
_NOISE: Final = _PLAIN + b"".join(bytes((0xFF, marker)) + _PLAIN for marker in range(0xD0, 0xD8))
"""Bytes that decode to anything but grey, and again behind every restart marker, one of which the decoder may wait for."""


def is_cut(data: bytes, pixels: NDArray[Any], bits: int, decode: Callable[[bytes], NDArray[Any]]) -> bool:
    """Whether the scan of a decoded, lossy JPEG ends too early.

    Blocks that are missing decode to exactly mid-grey, and the last one is missing if any is. Where the last pixel is grey,
    noise is put behind the scan and the picture decoded again: behind a whole scan a decoder ignores it, behind one that was
    cut it takes it for the missing blocks.

    Parameters
    ----------
    pixels
        What `data` decodes to, shape (…, y, x, s).
    bits
        Bits of a sample.
    decode
        Decodes other bytes the same way.
    """
    if not bool((pixels[..., -1, -1, :] == 1 << (bits - 1)).all()):
        return False
    end = data.rfind(_END)
    body = (data if end < 0 else data[:end]).rstrip(b"\xff")
    return not np.array_equal(decode(body + _NOISE + _END), pixels)
