"""ND2 files made byte by byte, so that every arrangement of loops, components and types can be tried."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

MAGIC = b"\xda\xce\xbe\x0a"
BLOCK = 4096
JULIAN_2024 = 2460310.5
"""2024-01-01T00:00Z."""


class Unsigned(int):
    """An int that is stored as uint32."""


def tree(values: Mapping[str, Any]) -> bytes:
    """Encode items one after the other."""
    return b"".join(item(name, value) for name, value in values.items())


def item(name: str, value: Any) -> bytes:
    """Encode one item of the binary form."""
    text = f"{name}\0".encode("utf-16-le") if name else b""
    kind, body = _body(value)
    head = bytes([kind, len(text) // 2]) + text
    if kind != 11:
        return head + body
    members = list(value.items()) if isinstance(value, Mapping) else [("", one) for one in value]
    return head + struct.pack("<IQ", len(members), len(head) + 12 + len(body)) + body + bytes(8 * len(members))


_SCALARS: tuple[tuple[type, int, Callable[[Any], bytes]], ...] = (
    (bool, 1, struct.Struct("<?").pack),
    (Unsigned, 3, struct.Struct("<I").pack),
    (int, 2, struct.Struct("<i").pack),
    (float, 6, struct.Struct("<d").pack),
    (str, 8, lambda text: f"{text}\0".encode("utf-16-le")),
    (bytes, 9, lambda data: struct.pack("<Q", len(data)) + data),
)


def _body(value: Any) -> tuple[int, bytes]:
    """Type and bytes of a value."""
    for type_, kind, pack in _SCALARS:
        if isinstance(value, type_):
            return kind, pack(value)
    return 11, tree(value) if isinstance(value, Mapping) else b"".join(item("", one) for one in value)


def packed(values: Mapping[str, Any]) -> bytes:
    """Encode a tree that is packed with Deflate."""
    plain = tree(values)
    return b"LV0Z" + struct.pack("<Q", len(plain)) + zlib.compress(plain)


def variant(values: Mapping[str, Any]) -> bytes:
    """Encode a tree as the XML of version 2."""
    return b'<?xml version="1.0" encoding="UTF-8"?><variant version="1.0">' + _element("no_name", values).encode() + b"</variant>"


def _element(name: str, value: Any) -> str:
    kinds = ((bool, "bool"), (Unsigned, "lx_uint32"), (int, "lx_int32"), (float, "double"), (str, "CLxStringW"))
    kind = next((kind for type_, kind in kinds if isinstance(value, type_)), None)
    if kind is not None:
        text = str(value).lower() if kind == "bool" else str(value)
        return f'<{name} runtype="{kind}" value={quoteattr(text)}/>'
    members = value.items() if isinstance(value, Mapping) else [("no_name", bool(one) if isinstance(value, bytes) else one) for one in value]
    return f'<{name} runtype="CLxListVariant">' + "".join(_element(inner, one) for inner, one in members) + f"</{name}>"


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk whose data begin on a block."""
    width = BLOCK - 16 if len(name) < BLOCK - 16 else len(name)
    body = struct.pack("<4sIQ", MAGIC, width, len(data)) + name.ljust(width, b"\0") + data
    return body + bytes(-len(body) % BLOCK)


def container(chunks: Sequence[tuple[bytes, bytes]], version: bytes = b"Ver3.0") -> bytes:
    """A whole file."""
    signature = b"ND2 FILE SIGNATURE CHUNK NAME01!"
    out = bytearray((struct.pack("<4sIQ", MAGIC, 32, 64) + signature + version.ljust(64, b"\0")).ljust(BLOCK, b"\0"))
    table = b""
    for name, data in chunks:
        # NIS-Elements puts the pixels of a frame, without their time stamp, on a block of their own.
        if name.startswith(b"ImageDataSeq"):
            width = BLOCK - 24
            body = struct.pack("<4sIQ", MAGIC, width, len(data)) + name.ljust(width, b"\0") + data
            body += bytes(-len(body) % BLOCK)
        else:
            body = chunk(name, data)
        table += name + struct.pack("<QQ", len(out), len(data))
        out += body
    start = len(out)
    end = b"ND2 CHUNK MAP SIGNATURE 0000001!" + struct.pack("<Q", start)
    name = b"ND2 FILEMAP SIGNATURE NAME 0001!"
    out += struct.pack("<4sIQ", MAGIC, len(name), len(table) + len(end)) + name + table + end + end
    return bytes(out)


def time_loop(count: int, *, period: float = 0.0, inner: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A loop over time; period in milliseconds."""
    return _loop(1, {"uiCount": Unsigned(count), "dStart": 0.0, "dPeriod": period, "dDuration": 0.0, "dAvgPeriodDiff": 0.0}, inner)


def phases(counts: Sequence[int], *, valid: bytes | None = None, inner: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A time loop of several phases."""
    periods = {f"Phase{n}": {"uiCount": Unsigned(count), "dStart": 0.0, "dPeriod": 1000.0 * (n + 1)} for n, count in enumerate(counts)}
    facts = {"uiCount": Unsigned(sum(counts)), "uiPeriodCount": Unsigned(len(counts)), "pPeriod": periods}
    return _loop(8, facts | {"pPeriodValid": valid or bytes([1] * len(counts))}, inner)


def stack(count: int, *, step: float = 0.5, downwards: bool = False, inner: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A loop over z."""
    facts = {"uiCount": Unsigned(count), "dZLow": 0.0, "dZHigh": step * (count - 1), "dZStep": step, "dZHome": 0.0, "iType": 4 if downwards else 0}
    return _loop(4, facts, inner)


def points(places: Sequence[tuple[float, float, str]], *, valid: bytes | None = None, inner: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A loop over positions."""
    listed = [{"dPosX": x, "dPosY": y, "dPosZ": 0.0, "dPFSOffset": 0.0, "dPosName": name} for x, y, name in places]
    experiment = _loop(2, {"uiCount": Unsigned(len(places)), "bUseZ": False, "Points": listed}, inner)
    return experiment | ({"pItemValid": valid} if valid else {})


def custom(count: int, *, inner: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A loop of the user's own."""
    return _loop(7, {"uiCount": Unsigned(count)}, inner)


def _loop(kind: int, facts: Mapping[str, Any], inner: Mapping[str, Any] | None) -> dict[str, Any]:
    made: dict[str, Any] = {"eType": Unsigned(kind), "wsApplicationDesc": "", "uLoopPars": dict(facts), "uiRepeatCount": Unsigned(1)}
    made["uiNextLevelCount"] = Unsigned(1 if inner else 0)
    return made | ({"ppNextLevelEx": [dict(inner)]} if inner else {})


def plane(name: str, *, components: int = 1, color: int = 0xFF0000, mask: int = 0x101, index: int = 0, **more: Any) -> dict[str, Any]:
    """Description of a channel."""
    made = {"uiCompCount": Unsigned(components), "uiSampleIndex": Unsigned(index), "uiModalityMask": Unsigned(mask), "dPinholeDiameter": -1.0}
    return made | {"uiColor": Unsigned(color), "sDescription": name} | more


@dataclass
class Nd2:
    """A file to be made. `pixels` are frames × Y × X × components."""

    pixels: np.ndarray
    experiment: Mapping[str, Any] | None = None
    planes: Sequence[Mapping[str, Any]] = ()
    samples: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    picture: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Sequence[float]] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    more: Sequence[tuple[bytes, bytes]] = ()
    compressed: bool = False
    padding: int | None = None
    absent: Sequence[int] = ()
    significant: int | None = None

    def chunks(self) -> list[tuple[bytes, bytes]]:
        """Name and data of every chunk."""
        made = [(b"ImageMetadataLV!", tree({"SLxExperiment": self.experiment}))] if self.experiment else []
        made.append((b"ImageMetadataSeqLV|0!", tree({"SLxPictureMetadata": self._picture()})))
        made += [(b"ImageDataSeq|%d!" % number, self.frame(number)) for number in range(len(self.pixels)) if number not in self.absent]
        made += [(b"ImageTextInfoLV!", tree({"SLxImageTextInfo": self.texts}))] if self.texts else []
        made += [(f"CustomData|{name}!".encode(), np.array(column, "<f8").tobytes()) for name, column in self.columns.items()]
        made += self.more
        return [*made, (b"ImageAttributesLV!", tree({"SLxImageAttributes": self._attributes()}))]

    def chunks_of_version_2(self) -> list[tuple[bytes, bytes]]:
        """Name and data of every chunk, with metadata in XML."""
        made = [(b"ImageMetadata!", variant(self.experiment))] if self.experiment else []
        made.append((b"ImageMetadataSeq|0!", variant(self._picture())))
        made += [(b"ImageDataSeq|%d!" % number, self.frame(number)) for number in range(len(self.pixels)) if number not in self.absent]
        return [*made, (b"ImageTextInfo!", variant(self.texts)), (b"ImageAttributes!", variant(self._attributes()))]

    def frame(self, number: int) -> bytes:
        """Stamp and pixels of a frame."""
        rows = self.pixels[number].reshape(self.pixels.shape[1], -1).astype(self.pixels.dtype.newbyteorder("<"))
        body = b"".join(row.tobytes() + bytes(self._pad()) for row in rows)
        return bytes(8) + (zlib.compress(body) if self.compressed else body)

    def _pad(self) -> int:
        least = int(np.prod(self.pixels.shape[2:])) * self.pixels.itemsize
        return -least % 4 if self.padding is None else self.padding

    def _attributes(self) -> dict[str, Any]:
        _, height, width, components = self.pixels.shape
        kind = {"i": 0, "u": 1, "f": 2}[self.pixels.dtype.kind]
        bits = 8 * self.pixels.itemsize
        sizes = {"uiWidth": width, "uiWidthBytes": width * components * self.pixels.itemsize + self._pad(), "uiHeight": height, "uiComp": components}
        sizes |= {"uiBpcInMemory": bits, "uiBpcSignificant": self.significant or bits, "uiSequenceCount": len(self.pixels)}
        made: dict[str, Any] = {name: Unsigned(value) for name, value in sizes.items()}
        made |= {"uiTileWidth": Unsigned(width), "uiTileHeight": Unsigned(height), "eCompression": 0 if self.compressed else 2}
        return made | {"dCompressionParam": 0.0, "ePixelType": kind, "uiVirtualComponents": Unsigned(components)} | self.attributes

    def _picture(self) -> dict[str, Any]:
        planes = self.planes or [plane(f"Channel {index}", index=index) for index in range(self.pixels.shape[3])]
        named = {f"a{index}": dict(one) for index, one in enumerate(planes)}
        described = {"uiCount": Unsigned(len(planes)), "uiCompCount": Unsigned(self.pixels.shape[3]), "sPlaneNew": named}
        made = {
            "dTimeMSec": 0.0,
            "dTimeAbsolute": JULIAN_2024,
            "dXPos": 10.0,
            "dYPos": -20.0,
            "dZPos": 5.0,
            "dCalibration": 0.25,
            "bCalibrated": True,
        }
        made |= {"wsObjectiveName": "Plan Apo 40x Oil", "dObjectiveMag": -1.0, "dObjectiveNA": 1.3, "dRefractIndex1": 1.515}
        return made | dict(self.picture) | {"sPicturePlanes": described | {"sSampleSetting": dict(self.samples)}}

    def bytes(self) -> bytes:
        """The file."""
        return container(self.chunks())

    def write(self, path: Path) -> Path:
        """Write the file."""
        path.write_bytes(self.bytes())
        return path
