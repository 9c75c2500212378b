"""ND2 of NIS-Elements before 3.0: a JPEG 2000 file with one codestream for each channel of each frame, and boxes of XML.

The last 40 bytes are a signature and how far from the end the table of boxes is: their number, then for each its JPEG 2000 type,
Laboratory Imaging's own type (``LUNK`` a picture, ``VIMD`` metadata of a frame, ``TINF`` texts) and its offset. Structure after the
nd2 package of T. Lambert; no real file of this kind was at hand, so it is tested with files made for the purpose.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..errors import LimitError, SuiteError, UnreadableError
from ..image import LARGE_UNIT, Channel, Dataset, Image, ImageMetadata, Instrument, Level, Objective, Quantity, Region, Shape
from .large_units import kept
from .nd2_loops import Loop, Order, order_frames
from .nd2_variant import Tree, branch, decode_tree, entries
from .tiff_jpeg_kin import Frame, jpeg2000_frame
from .tiff_plain import stem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from ..image import Location
    from .files import RandomFile

_JP2: Final = b"\0\0\0\x0cjP  \r\n\x87\n"
_SIGNATURE: Final = b"LABORATORY IMAGING ND BOX MAP 00"
_TAIL: Final = struct.Struct("<32sQ")
_ENTRY: Final = struct.Struct("<4s4sI")
_ENTRY_BYTES: Final = 16
_BOX: Final = struct.Struct(">I4s")
_MOST_BOXES: Final = 10_000_000
_MOST_XML: Final = 16 << 20
_MOST_PIXELS: Final = 1 << 31
_BYTES_PER_VALUE: Final = 6
"""What decoding a value takes beside the result."""
_DIMENSION: Final = re.compile(r"(\w+)'?\s*\((\d{1,9})\)")


def sniff(path: Path, head: bytes) -> bool:
    """Whether this is an old ND2 file, and no other JPEG 2000."""
    if not head.startswith(_JP2):
        return False
    with path.open("rb") as file:
        file.seek(-min(_TAIL.size, file.seek(0, 2)), 2)
        return file.read(32) == _SIGNATURE


def open_file(location: Location, file: RandomFile) -> Dataset:
    """Open an old ND2 file.

    Raises
    ------
    UnreadableError
        If it is damaged, or its pictures are of a kind that is not read.
    LimitError
        If it has more boxes, or larger pictures, than are read.
    """
    boxes = _boxes(file)
    pictures = boxes.get(b"LUNK", [])
    if not pictures:
        raise UnreadableError(f"{file.name} holds no frames. There is nothing to read.")
    frame = jpeg2000_frame(_content(file, pictures[0], 1 << 16))
    if frame is None or frame.samples not in (1, 3) or frame.bits > 16 or not 0 < frame.height * frame.width <= _MOST_PIXELS:
        raise UnreadableError(f"{file.name} is damaged, or its pictures are of a kind that is not read. Save it anew with NIS-Elements.")
    metadata = _xml(file, boxes, b"VIMD")
    planes = [branch(plane) for plane in entries(_find(metadata, "PicturePlanes").get("Plane"))]
    channels = len(planes) if planes and len(pictures) % len(planes) == 0 else 1
    description = _description(_xml(file, boxes, b"TINF"))
    order, warnings = order_frames(_loops(description, channels), len(pictures) // channels, None, file.name)
    significant = _find(_xml(file, boxes, b"ARTT"), "AdvancedImageAttributes").get("SignificantBits")
    images = []
    for position in range(order.size("P")):
        source = Nd2LegacySource(file, pictures, frame, order, position, channels)
        name = stem(location.name)
        images.append(
            Image(
                name=f"{name} #{position + 1}" if order.size("P") > 1 else name,
                series=position,
                levels=(Level(source),),
                axes=("T" if source.shape.t > 1 else "") + ("Z" if source.shape.z > 1 else "") + ("C" if channels > 1 else "") + "YX",
                kind="rgb" if frame.samples > 1 else "intensity",
                significant_bits=significant if isinstance(significant, int) and 0 < significant <= frame.bits else frame.bits,
                metadata=_describe(metadata, planes, description, source.shape, order),
                compression="JPEG 2000",
                lossy=not frame.lossless,
            )
        )
    return Dataset(location, "ND2 1.0 (JPEG 2000)", tuple(images), files=(location.path,), warnings=warnings, close_files=file.close)


def _boxes(file: RandomFile) -> dict[bytes, list[int]]:
    """Laboratory Imaging's type to the offsets of the boxes of it, in the file's order."""
    signature, back = _TAIL.unpack(file.read(file.size - _TAIL.size, _TAIL.size))
    at = file.size - back
    count = int.from_bytes(file.read(at, 4), "big") if _TAIL.size < back <= file.size else 0
    if signature != _SIGNATURE or not count or count * _ENTRY_BYTES > back:
        raise UnreadableError(f"{file.name} is damaged: its table of contents is missing or cut off. Copy or upload it again.")
    if count > _MOST_BOXES:
        raise LimitError(f"{file.name} lists {count:,} boxes; at most {_MOST_BOXES:,} are read.")
    table = file.read(at + 4, count * _ENTRY_BYTES)
    found: dict[bytes, list[int]] = {}
    for number in range(count):
        _, kind, offset = _ENTRY.unpack_from(table, number * _ENTRY_BYTES)
        found.setdefault(kind, []).append(offset)
    return found


def _content(file: RandomFile, offset: int, most: int) -> bytes:
    """What is in a box; at most so many bytes of it."""
    head = file.read(offset, _BOX.size)
    length = _BOX.unpack(head)[0] if len(head) == _BOX.size else 0
    if length < _BOX.size or offset + length > file.size:
        raise UnreadableError(f"{file.name} is damaged: the box at byte {offset:,} is cut off. Copy or upload it again.")
    return file.read(offset + _BOX.size, min(most, length - _BOX.size))


def _xml(file: RandomFile, boxes: dict[bytes, list[int]], kind: bytes) -> Tree:
    if kind not in boxes:
        return {}
    try:
        data = _content(file, boxes[kind][0], _MOST_XML)
        return decode_tree(data[data.index(b"<") :].rstrip(b"\0"), file.name)
    except (SuiteError, ValueError):
        return {}


def _plain(name: str) -> str:
    """A name without the letters that tell its type, as in ``uiWidth``."""
    return re.sub(r"^[a-z_]+(?=[A-Z])", "", name)


def _walk(tree: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str, Any]]:
    """Path, plain name and value of everything in a tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        name = _plain(str(key))
        yield f"{path} {name}".strip(), name, value
        if depth < 60:
            yield from _walk(value, f"{path} {name}".strip(), depth + 1)


def _find(tree: Tree, name: str) -> Tree:
    """The first subtree of that plain name, with plain names inside."""
    found = next((value for _, own, value in _walk(tree) if own == name and isinstance(value, dict)), {})
    return {_plain(key): value for key, value in found.items()}


def _value(tree: Tree, name: str) -> Any:
    return next((value for _, own, value in _walk(tree) if own == name and not isinstance(value, (dict, list))), None)


def _positive(tree: Tree, name: str) -> float | None:
    value = _value(tree, name)
    return float(value) if isinstance(value, (int, float)) and 0 < value < float("inf") else None


def _description(texts: Tree) -> str:
    """The text that describes the acquisition."""
    found = (value for _, _, value in _walk(texts) if isinstance(value, str))
    return next((value for value in found if "Dimensions:" in value), "")


def _loops(description: str, channels: int) -> list[Loop]:
    """Loops out of a line such as ``Dimensions: T(3) x XY(4) x λ(2) x Z(5)``, the outermost first."""
    line = re.search(r"Dimensions:\s*([^\r\n]+)", description)
    kinds = {"T": "T", "XY": "P", "Z": "Z"}
    sizes = _DIMENSION.findall(line[1] if line else "")
    return [Loop(kinds[name], int(size), {}) for name, size in sizes if name in kinds and int(size) > 0]  # type: ignore[arg-type]


def _describe(metadata: Tree, planes: list[Tree], description: str, shape: Shape, order: Order) -> ImageMetadata:
    step = re.search(r"-\s*Step\s+(\d+(?:[.,]\d+)?)", description)
    size = (
        Quantity(calibration, "µm") if (calibration := _positive(metadata, "Calibration")) and _value(metadata, "Calibrated") is not False else None
    )
    name = _value(metadata, "ObjectiveName")
    lens = Objective(
        "Objective:0",
        model=name if isinstance(name, str) and name.strip() else None,
        magnification=_positive(metadata, "ObjectiveMag"),
        numerical_aperture=_positive(metadata, "ObjectiveNA"),
    )
    known = lens != Objective("Objective:0")
    return ImageMetadata(
        pixel_size_x=size,
        pixel_size_y=size,
        pixel_size_z=Quantity(float(step[1].replace(",", ".")), "µm") if step and shape.z > 1 else None,
        channels=tuple(_channel(plane) for plane in planes) if len(planes) == shape.c else (),
        instrument=Instrument("Instrument:0", objectives=(lens,)) if known else None,
        objective_id=lens.id if known else None,
        refractive_index=_positive(metadata, "RefractIndex1"),
        modulo=order.modulo,
        original=tuple(_original(metadata, description)),
    )


def _original(metadata: Tree, description: str) -> Iterator[tuple[str, str]]:
    if description:
        yield "Description", description
    for number, (path, _, value) in enumerate(_walk(metadata)):
        if number < 10_000 and isinstance(value, (str, int, float)) and str(value).strip():
            yield path, str(value)[:4096]


def _channel(plane: Tree) -> Channel:
    name = next((value for key in ("OpticalConfigName", "Description") if isinstance(value := _value(plane, key), str) and value.strip()), None)
    bgr = _value(plane, "Color")
    color = None
    if isinstance(bgr, int) and bgr & 0xFFFFFF not in (0, 0xFFFFFF):
        value = (bgr & 255) << 24 | (bgr >> 8 & 255) << 16 | (bgr >> 16 & 255) << 8 | 255
        color = value - (1 << 32) if value >= 1 << 31 else value
    return Channel(name=name, color=color)


class Nd2LegacySource:
    """Pixels of one position, a codestream at a time."""

    def __init__(self, file: RandomFile, pictures: list[int], frame: Frame, order: Order, position: int, channels: int) -> None:
        self._file, self._pictures, self._frame = file, pictures, frame
        self._order, self._position = order, position
        self._shape = Shape(order.size("T", "U"), channels, order.size("Z"), frame.height, frame.width, frame.samples)
        self._dtype = np.dtype(np.uint16 if frame.bits > 8 else np.uint8)
        self.largest_unit = frame.height * frame.width * frame.samples * self._dtype.itemsize
        self.unit_memory = self.largest_unit + _BYTES_PER_VALUE * frame.height * frame.width * frame.samples

    @property
    def shape(self) -> Shape:
        """Sizes along T C Z Y X S."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self._dtype

    @property
    def unit(self) -> Shape:
        """One plane."""
        return self._shape._replace(t=1, c=1, z=1)

    def read(self, region: Region) -> NDArray[Any]:
        """Read one box; see `PixelSource`."""
        for (start, stop), size in zip(region, self._shape, strict=False):
            if not 0 <= start < stop <= size:
                raise ValueError(f"{region} lies outside {self._shape}")
        out = np.empty((*region.sizes, self._shape.s), self._dtype)
        (y0, y1), (x0, x1) = region.y, region.x
        for ti, t in enumerate(range(*region.t)):
            for zi, z in enumerate(range(*region.z)):
                first = self._order.frame(self._position, t, z) * self._shape.c
                for ci, c in enumerate(range(*region.c)):
                    plane = self._plane(first + c)
                    out[ti, ci, zi] = 0 if plane is None else plane[y0:y1, x0:x1]
        return out

    def _plane(self, number: int) -> NDArray[Any] | None:
        if number >= len(self._pictures):
            return None
        if self.largest_unit <= LARGE_UNIT:
            return self._decode(number)
        return kept(self._file, number, lambda: self._decode(number))

    def _decode(self, number: int) -> NDArray[Any]:
        import imagecodecs

        data = _content(self._file, self._pictures[number], 1 << 31)
        frame, name = self._frame, self._file.name
        if (found := jpeg2000_frame(data)) is None or found[:4] != frame[:4]:
            raise UnreadableError(f"{name} is damaged: picture {number} is not of the size and type of the first. Copy or upload it again.")
        try:
            pixels: NDArray[Any] = imagecodecs.jpeg2k_decode(data).reshape(frame.height, frame.width, frame.samples)
        except (RuntimeError, ValueError) as error:
            raise UnreadableError(f"{name} is damaged: picture {number} cannot be decoded ({error}). Copy or upload it again.") from error
        if pixels.dtype != self._dtype:
            raise UnreadableError(f"{name} is damaged: picture {number} decodes to {pixels.dtype} where {self._dtype} is declared.")
        return pixels
