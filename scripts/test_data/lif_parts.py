"""LIF and LOF files made byte by byte, from the published structure: a header in UTF-16 and blocks of memory."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNITS = {1: "m", 2: "m", 3: "m", 4: "s", 5: "m", 9: "m"}
LENGTHS = {1: 2e-6, 2: 3e-6, 3: 1e-5, 4: 30.0, 5: 9e-8, 9: 7e-8}
START = 0x1D27ACE506A6F90
"""A FILETIME: 2017-01-30 07:56:07.817 UTC."""


@dataclass(frozen=True)
class Made:
    """One image: its dimensions as (DimID, size) with the fastest first, after the channels where those are interleaved.

    The memory has the axes of `dims` in reverse, the channels before those of a plane.
    """

    name: str
    dims: Sequence[tuple[int, int]]
    luts: Sequence[str] = ("Gray",)
    dtype: str = "uint8"
    bits: int = 0
    samples: int = 1
    tags: Sequence[int] = ()
    lengths: Mapping[int, float] = field(default_factory=dict)
    padding: int = 0
    """Bytes after each row."""
    extra: str = ""
    """XML that follows the ImageDescription."""
    channel_xml: Sequence[str] = ()
    folder: str = ""
    memory: str = ""
    stored: bytes | None = None
    """The memory; noise if it is left out."""

    @property
    def itemsize(self) -> int:
        """Bytes of a value."""
        return np.dtype(self.dtype).itemsize

    def strides(self) -> tuple[list[int], int, int]:
        """Distances of the dimensions and of the channels, and the bytes of it all."""
        planes = len(self.luts) // self.samples
        steps, step = [], self.itemsize * self.samples
        channel = 0
        for index, (_, size) in enumerate(self.dims):
            if index == 2 and planes > 1:
                channel, step = step, step * planes
            steps.append(step)
            step = step * size + (self.padding if index == 0 else 0)
        if len(self.dims) == 2 and planes > 1:
            channel, step = step, step * planes
        return steps, channel, step

    def values(self) -> NDArray[np.uint8]:
        """Bytes of the memory, which are noise that is the same each time unless others are given."""
        if self.stored is not None:
            return np.frombuffer(self.stored, np.uint8)
        seed = sum(self.name.encode())
        return np.random.default_rng(seed).integers(1, 256, self.strides()[2], dtype="uint8")

    def xml(self) -> str:
        """The Element that describes it."""
        steps, channel, size = self.strides()
        dtype = np.dtype(self.dtype)
        described = []
        for index, lut in enumerate(self.luts):
            group, sample = divmod(index, self.samples)
            tag = self.tags[index] if self.tags else 0
            inside = self.channel_xml[index] if self.channel_xml else ""
            described.append(
                f'<ChannelDescription DataType="{int(dtype.kind == "f")}" ChannelTag="{tag}" Resolution="{self.bits or 8 * self.itemsize}" '
                f'NameOfMeasuredQuantity="" Min="0.000000e+000" Max="2.550000e+002" Unit="" LUTName={quoteattr(lut)} IsLUTInverted="0" '
                f'BytesInc="{group * channel + sample * self.itemsize}" BitInc="0">{inside}</ChannelDescription>'
            )
        sizes = "".join(
            f'<DimensionDescription DimID="{kind}" NumberOfElements="{count}" Origin="0.000000e+000" '
            f'Length="{self.lengths.get(kind, LENGTHS.get(kind, 0.0)):e}" Unit="{UNITS.get(kind, "")}" BitInc="0" BytesInc="{step}"/>'
            for (kind, count), step in zip(self.dims, steps, strict=True)
        )
        return (
            f'<Element Name={quoteattr(self.name)} Visibility="1" CopyOption="1" UniqueID="x"><Data><Image TextDescription=""><ImageDescription>'
            f"<Channels>{''.join(described)}</Channels><Dimensions>{sizes}</Dimensions></ImageDescription>{self.extra}</Image></Data>"
            f'<Memory Size="{size}" MemoryBlockID={quoteattr(self.memory_id)}/><Children/></Element>'
        )

    @property
    def memory_id(self) -> str:
        """Name of its memory."""
        return self.memory or f"MemBlock_{self.name}"


def header(images: Sequence[Made], version: int = 2) -> str:
    """The XML of a file."""
    parts = []
    for image in images:
        xml = image.xml()
        if image.folder:
            xml = f'<Element Name={quoteattr(image.folder)}><Data/><Memory Size="0" MemoryBlockID="f"/><Children>{xml}</Children></Element>'
        parts.append(xml)
    return (
        f'<LMSDataContainerHeader Version="{version}"><Element Name="Project.lif" UniqueID="p"><Data><Experiment Path="" IsSavedFlag="0"/></Data>'
        f'<Memory Size="0" MemoryBlockID="MemBlock_root"/><Children>{"".join(parts)}</Children></Element></LMSDataContainerHeader>'
    )


def text_part(text: str) -> bytes:
    """A part that holds a text."""
    data = text.encode("utf-16-le")
    return struct.pack("<IIBI", 0x70, len(data) + 5, 0x2A, len(data) // 2) + data


def block(name: str, data: bytes, version: int = 2, size: int | None = None) -> bytes:
    """A block of memory."""
    label = name.encode("utf-16-le")
    wide = "<IIBQBI" if version >= 2 else "<IIBIBI"
    length = struct.calcsize(wide) - 8 + len(label)
    return struct.pack(wide, 0x70, length, 0x2A, len(data) if size is None else size, 0x2A, len(name)) + label + data


def lif(images: Sequence[Made], version: int = 2, xml: str | None = None) -> bytes:
    """A whole LIF."""
    blocks = [block("MemBlock_root", b"", version), *(block(image.memory_id, image.values().tobytes(), version) for image in images)]
    return text_part(header(images, version) if xml is None else xml) + b"".join(blocks)


def lof(image: Made) -> bytes:
    """A whole LOF: its pixels before its header."""
    values = image.values().tobytes()
    xml = f'<LMSDataContainerHeader Version="2">{image.xml()}</LMSDataContainerHeader>'
    return text_part("LMS_Object_File") + struct.pack("<BIBIBQ", 0x2A, 2, 0x2A, 0, 0x2A, len(values)) + values + text_part(xml)


def write_lif(path: Path, *images: Made, version: int = 2) -> Path:
    """Write a LIF."""
    path.write_bytes(lif(images, version))
    return path


def stamps(ticks: Sequence[int]) -> str:
    """A list of time stamps as LAS X writes it."""
    return f'<TimeStampList NumberOfTimeStamps="{len(ticks)}">{" ".join(f"{tick:x}" for tick in ticks)} </TimeStampList>'
