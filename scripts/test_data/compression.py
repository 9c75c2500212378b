"""Compression and checksums whose results are the same everywhere."""

from __future__ import annotations


def deflated(content: bytes) -> bytes:
    """Zlib-format compression by libdeflate, whose output does not depend on the processor."""
    import imagecodecs

    return bytes(imagecodecs.deflate_encode(content, level=6))


def crc32c(content: bytes) -> int:
    """CRC-32 with the Castagnoli polynomial (RFC 3720, appendix B.4)."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
