"""What images tell of themselves, in a form small enough to keep of thousands, held against what a sheet says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from sys import intern
from typing import TYPE_CHECKING, Final, Literal

from .fields import MODULES, field, fields_of, number, split

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...image import Dataset
    from .sheet import Row

What = Literal["pixel-size", "time-increment", "dimension-extents", "channel-count", "channel-names", "wavelengths", "objective", "format"]
_PIXEL_SIZES: Final = ("pixel_size_x_um", "pixel_size_y_um", "pixel_size_z_um")
_OF_CHANNELS: Final = ("channel_names", "channel_contents", "channel_biological_entities", "excitation_nm", "emission_nm")
_ALIKE: Final = 0.01
"""Part by which two numbers may differ that mean the same."""
_NEAR_NM: Final = 2.0
"""Nanometres by which two wavelengths may differ that mean the same: lines of lasers are rounded."""
_LEAST_DIGITS: Final = 2
"""Digits that a rounded number has at least, to be taken for the image's own."""
_LONGEST: Final = 200
_AXIS: Final = re.compile(r"\b([XYZCT])\s*[=:]?\s*(\d{1,9})\b", re.IGNORECASE)
_PRODUCT: Final = re.compile(r"\d\s*[x×*]\s*\d", re.IGNORECASE)
_WHOLE: Final = re.compile(r"(?<![\d.])\d{1,9}(?![\d.])")
_FORMATS: Final = (
    ("OME-Zarr", r"ome[- .]?zarr|ngff"),
    ("OME-TIFF", r"ome[- .]?tiff?"),
    ("TIFF", r"(?<!ome[-. ])(?<!ome)tiff?"),
    ("CZI", "czi"),
    ("LIF", "lif"),
    ("LSM", "lsm"),
    ("ND2", "nd2"),
    ("Imaris", "imaris|ims"),
    ("HDF5", "hdf5|h5"),
    ("PNG", "png"),
)
_OF_LOSS: Final = (("lossless", r"(?<!not )\blossless\b|\buncompressed\b"), ("lossy", r"(?<!not )\blossy\b"))


@dataclass(frozen=True, slots=True)
class Told:
    """What one series tells.

    Attributes
    ----------
    channels
        How many it has.
    sizes
        Extents along X, Y, Z, C and T.
    values
        Texts of the row of the sheet *image*, those that are compared, by field.
    known
        Every field it can fill in, as ``sheet.field``.
    """

    series: int
    channels: int
    sizes: tuple[int, int, int, int, int]
    values: Mapping[str, str]
    known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A cell that says something else than the image."""

    what: What
    field: str
    sheet: str
    image: str


def told_by(name: str, dataset: Dataset) -> tuple[Told, ...]:
    """Take from an open dataset what its series tell.

    Parameters
    ----------
    name
        The element identifier.
    """
    from .from_images import acquisition_values, image_values, sample_values

    found = []
    for image in dataset.images:
        values = image_values(name, dataset, image)
        way, sample, shape = acquisition_values(image), sample_values(image), image.shape
        known = [f"image.{name}" for name in values]
        known += [f"acquisition.{name}" for name in ("imaging_method", "instrument", "parameters") if getattr(way, name)]
        known += [f"biosample.{name}" for name in ("organism", "cell_line") if getattr(sample, name)]
        # Thousands of images taken alike have the same texts: each is kept once.
        texts = {intern(name): intern(text) for name, text in values.items() if name in COMPARED and len(text) <= _LONGEST * 20}
        sizes = (shape.x, shape.y, shape.z, shape.c, shape.t)
        found.append(Told(image.series, shape.c, sizes, texts, tuple(map(intern, known))))
    return tuple(found)


def differences(row: Row, told: Told) -> Iterator[Difference]:
    """Find what a row and its image say differently. What either does not say, or says in a way that is no number, is not told here."""
    values = told.values
    for name in (*_PIXEL_SIZES, "time_increment_s"):
        mine, known = row.number_of(name), number(values.get(name, ""))
        if mine is not None and known is not None and not _means(row.text(name), mine, known):
            yield Difference("time-increment" if name == "time_increment_s" else "pixel-size", name, row.text(name), values[name])
    if _extents_differ(row.text("dimension_extents"), told):
        yield Difference("dimension-extents", "dimension_extents", row.text("dimension_extents"), values.get("dimension_extents", ""))
    yield from _of_channels(row, told)
    yield from _of_objective(row, values)
    if _formats_differ(row.text("format_compression"), values.get("format_compression", "")):
        yield Difference("format", "format_compression", row.text("format_compression"), values["format_compression"])


def empty(row: Row, told: Told) -> Iterator[str]:
    """Find the fields of a row that are empty though its image knows them."""
    return (name for name in told.values if name not in ("image", "series") and not row.text(name))


def _of_channels(row: Row, told: Told) -> Iterator[Difference]:
    for name in _OF_CHANNELS:
        stated = row.values(name)
        if not stated:
            continue
        if len(stated) != told.channels:
            yield Difference("channel-count", name, f"{len(stated)}", f"{told.channels}")
            continue
        known = split(told.values.get(name, ""))
        if name == "channel_names":
            if any(mine and image and mine.casefold() != image.casefold() for mine, image in zip_longest(stated, known, fillvalue="")):
                yield Difference("channel-names", name, row.text(name), told.values[name])
        elif name.endswith("_nm"):
            pairs = [(number(mine), number(image)) for mine, image in zip_longest(stated, known, fillvalue="")]
            if any(mine is not None and image is not None and abs(mine - image) > _NEAR_NM for mine, image in pairs):
                yield Difference("wavelengths", name, row.text(name), told.values[name])


def _of_objective(row: Row, values: Mapping[str, str]) -> Iterator[Difference]:
    for name in ("objective_magnification", "objective_na"):
        mine, known = row.number_of(name), number(values.get(name, ""))
        if mine is not None and known is not None and not _means(row.text(name), mine, known):
            yield Difference("objective", name, row.text(name), values[name])
    mine_in, known_in = row.text("objective_immersion").casefold(), values.get("objective_immersion", "").casefold()
    if mine_in and known_in and mine_in != known_in and "other" not in (mine_in, known_in):
        yield Difference("objective", "objective_immersion", row.text("objective_immersion"), values["objective_immersion"])
    mine_is, known_is = (re.sub(r"[\W_]+", "", text.casefold()) for text in (row.text("objective_model"), values.get("objective_model", "")))
    # One may name the maker, or the numbers, and the other not.
    if mine_is and known_is and mine_is not in known_is and known_is not in mine_is:
        yield Difference("objective", "objective_model", row.text("objective_model"), values["objective_model"])


def _means(text: str, mine: float, known: float) -> bool:
    """Whether a number in a sheet is the image's: to one part in a hundred, or rounded to the digits that were written."""
    if abs(mine - known) <= _ALIKE * max(abs(mine), abs(known)):
        return True
    digits = re.sub(r"[eE].*", "", text.strip()).replace(",", ".")
    significant = digits.replace(".", "").lstrip("+-0")
    if "." not in digits or len(significant) < _LEAST_DIGITS or "e" in text.casefold():
        return False
    return round(known, len(digits.split(".")[1])) == mine


def _extents_differ(text: str, told: Told) -> bool:
    if not text:
        return False
    if not _PRODUCT.search(text):
        known = dict(zip("XYZCT", told.sizes, strict=True))
        named = [(axis.upper(), int(size)) for axis, size in _AXIS.findall(text)]
        if named:
            return any(known[axis] != size for axis, size in named)
    # Without letters nobody knows which is which; a number that is none of them is wrong anyhow.
    stated = [int(size) for size in _WHOLE.findall(text)] if _PRODUCT.search(text) else []
    return any(size not in told.sizes for size in stated)


def _formats_differ(text: str, known: str) -> bool:
    mine, image = (
        {name for name, pattern in _FORMATS if re.search(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])", one.casefold())} for one in (text, known)
    )
    if mine and image and not mine & image:
        return True
    loss, known_loss = ({name for name, pattern in _OF_LOSS if re.search(pattern, one.casefold())} for one in (text, known))
    return bool(loss and known_loss and not loss & known_loss)


COMPARED: Final = frozenset(one.id for one in fields_of("image") if one.known and one.id not in ("study_component", "specimen", "acquisition"))
"""Fields of a row that an image can know."""
KNOWABLE: Final = tuple(
    one for module in MODULES for table in ("biosample", "acquisition", "image") for one in fields_of(table) if one.module == module and one.known
)
"""Fields that images can know, in the order of the modules."""


def title_of(field_id: str) -> str:
    """Title of a field of the sheet *image*."""
    return field("image", field_id).title
