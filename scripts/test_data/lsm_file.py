"""A Zeiss LSM file, after the published layout of its CZ_LSMINFO structure (Zeiss, LSM 4.0 image file description)."""

from __future__ import annotations

import struct

import numpy as np

from .drawing import Array, cells


def lsm() -> bytes:
    """A confocal stack as a Zeiss LSM 510 stores it: T2 Z2 C3, 12 bits in uint16, each plane followed by its thumbnail.

    Three channels, since readers disagree on where a two-channel file keeps its two values of BitsPerSample.
    """
    frames = [cells(2, 30, 40, seed=seed, spacing=16)[:2] for seed in (16, 17)]
    frames = [np.stack([nuclei, bodies, 3800 - nuclei // 2 - bodies // 3]) for nuclei, bodies in frames]
    planes = [frame[:, z] for frame in frames for z in range(2)]
    data = bytearray(struct.pack("<2sHI", b"II", 42, 8))
    info_size = 512
    for number, plane in enumerate(planes):
        small = (plane[:, ::5, ::4] // 16).astype(np.uint8)
        info = (34412, 1, info_size) if number == 0 else None
        _lsm_directory(data, plane, 16, 0, info, last=False)
        _lsm_directory(data, small, 8, 1, None, last=number == len(planes) - 1)
    at = data.index(b"LSM-INFO")
    data[at : at + info_size] = _lsm_info(data, info_size)
    return bytes(data)


def _lsm_directory(data: bytearray, planes: Array, bits: int, subfile: int, info: tuple[int, int, int] | None, last: bool) -> None:
    """Append one directory with its values and strips: samples in separate planes, one strip each."""
    count, height, width = planes.shape
    entries = 11 + (info is not None)
    start = len(data)
    values = start + 2 + 12 * entries + 4
    extra = bytearray()

    def outside(content: bytes) -> int:
        offset = values + len(extra)
        extra.extend(content)
        return offset

    depth = outside(struct.pack(f"<{count}H", *[bits] * count))
    info_at = outside(b"LSM-INFO".ljust(info[2], b"\0")) if info else 0
    counts = outside(struct.pack(f"<{count}I", *[height * width * bits // 8] * count))
    offsets = outside(bytes(4 * count))
    strips = values + len(extra)
    struct.pack_into(f"<{count}I", extra, offsets - values, *[strips + number * height * width * bits // 8 for number in range(count)])
    fields = [
        (254, 4, 1, subfile),
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, count, depth),
        (259, 3, 1, 1),
        (262, 3, 1, 2 if subfile else 1),
        (273, 4, count, offsets),
        (277, 3, 1, count),
        (278, 4, 1, height),
        (279, 4, count, counts),
        (284, 3, 1, 2),
    ]
    if info:
        fields.append((*info, info_at))
    pixels = planes.astype("<u2" if bits == 16 else "u1").tobytes()
    following = 0 if last else strips + len(pixels)
    data += struct.pack("<H", entries) + b"".join(struct.pack("<HHII", *field) for field in fields) + struct.pack("<I", following)
    data += extra + pixels


def _lsm_info(data: bytearray, size: int) -> bytes:
    """The CZ_LSMINFO structure; what it points to is appended to the file."""
    names = [b"Ch1-T1", b"Ch2-T2", b"ChD-T1"]
    listed = b"".join(struct.pack("<I", len(name) + 1) + name + b"\0" for name in names)
    palette = struct.pack("<6I", 24 + 12 + len(listed), 3, 3, 24, 36, 0) + bytes((0, 0, 255, 0, 0, 255, 0, 0, 255, 255, 255, 0)) + listed
    times = struct.pack("<2i2d", 24, 2, 100.0, 105.5)
    scan = struct.pack("<3I", 0x10000000, 0, 0)
    for entry, kind, value in ((0x10000001, 2, b"drawn cells\0"), (0x10000004, 2, b"Plan-Apochromat 40x/1.3 Oil\0")):
        scan += struct.pack("<3I", entry, kind, len(value)) + value
    scan += struct.pack("<3I", 0xFFFFFFFF, 0, 0)
    places = []
    for block in (palette, scan, times):
        places.append(len(data))
        data += block
    info = struct.pack("<I8i", 0x00400494C, size, 40, 30, 2, 3, 2, 2, 10) + struct.pack("<i6d", 6, 2e-7, 2e-7, 5e-7, 0.0, 0.0, 0.0)
    info += struct.pack("<HHI", 6, 0, 0) + struct.pack("<4I", 0, 0, 0, places[0]) + struct.pack("<d", 5.5)
    info += struct.pack("<8I", 0, places[1], 0, places[2], 0, 0, 0, 0) + struct.pack("<4d", 1.0, 1.0, 2.5, 1.0)
    return info.ljust(size, b"\0")
