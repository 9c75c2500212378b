"""An image as the IDR describes it, read from the answer of OMERO's JSON API.

Source: OMERO JSON API v0, object encodings of omero-marshal for the OME schema 2016-06.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ..errors import ArchiveError, UnreadableError
from ..image import Channel, Quantity
from ..metadata.ome_units import NOT_LENGTHS, spell_unit, to_nanometres, to_seconds
from .untrusted import LARGEST_ID, LONGEST_NAME, line, mapping, number, sequence, text, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

PUBLIC_WEB: Final = "https://idr.openmicroscopy.org"
"""Where people see the images; it is what a citation names, whichever server was asked."""
LARGEST_SIZE: Final = 2**31 - 1
"""OMERO keeps each size in 32 bits."""
MOST_CHANNELS: Final = 65_536
MOST_PLANES: Final = 2**31 - 1
_LARGEST_BITS: Final = 64

# OMERO's word → numpy's name
_PIXEL_TYPES: Final = {
    "bit": "bool",
    "int8": "int8",
    "uint8": "uint8",
    "int16": "int16",
    "uint16": "uint16",
    "int32": "int32",
    "uint32": "uint32",
    "float": "float32",
    "double": "float64",
}
_PREFIXES: Final = {
    "YOTTA": "Y",
    "ZETTA": "Z",
    "EXA": "E",
    "PETA": "P",
    "TERA": "T",
    "GIGA": "G",
    "MEGA": "M",
    "KILO": "k",
    "HECTO": "h",
    "DECA": "da",
    "DECI": "d",
    "CENTI": "c",
    "MILLI": "m",
    "MICRO": "µ",
    "NANO": "n",
    "PICO": "p",
    "FEMTO": "f",
    "ATTO": "a",
    "ZEPTO": "z",
    "YOCTO": "y",
    "": "",
}
_UNITS: Final = (
    {prefix + "METER": sign + "m" for prefix, sign in _PREFIXES.items()}
    | {prefix + "SECOND": sign + "s" for prefix, sign in _PREFIXES.items()}
    | {"ANGSTROM": "Å", "THOU": "thou", "LINE": "li", "INCH": "in", "FOOT": "ft", "YARD": "yd", "MILE": "mi"}
    | {"ASTRONOMICALUNIT": "ua", "LIGHTYEAR": "ly", "PARSEC": "pc", "POINT": "pt", "PIXEL": "pixel", "REFERENCEFRAME": "reference frame"}
    | {"MINUTE": "min", "HOUR": "h", "DAY": "d"}
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WHITE: Final = -1
_LSID_TYPE: Final = "com.glencoesoftware.ngff:multiscales"
_LSID_ID: Final = 3


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """An image as the IDR describes it.

    Attributes
    ----------
    name
        As the IDR has it, on one line; it may hold characters that no file name may.
    series
        Index of the image in its set of files, 0-based.
    dtype
        numpy's name of the pixel type.
    acquisition_date
        ISO 8601 in UTC.
    channels
        One per channel, however many the answer described.
    channel_names_from
        Where each channel's name comes from.
    external
        Address of its OME-Zarr as the IDR registered it, as written there.
    url
        Its page for people.
    warnings
        What the answer said and could not be used.
    """

    id: int
    name: str
    description: str
    series: int
    size_t: int
    size_c: int
    size_z: int
    size_y: int
    size_x: int
    dtype: str
    url: str
    significant_bits: int | None = None
    pixel_size_x: Quantity | None = None
    pixel_size_y: Quantity | None = None
    pixel_size_z: Quantity | None = None
    time_increment_s: float | None = None
    acquisition_date: str | None = None
    channels: tuple[Channel, ...] = ()
    channel_names_from: tuple[str, ...] = ()
    external: str | None = None
    warnings: tuple[str, ...] = ()


def page_of(kind: str, number: int) -> str:
    """Address of the page that shows an object to people."""
    return f"{PUBLIC_WEB}/webclient/?show={kind}-{number}"


def record_of(answer: Any, image: int) -> ImageRecord:
    """Read the answer to ``/api/v0/m/images/ID/``.

    Raises
    ------
    ArchiveError
        If it is not a description of that image.
    UnreadableError
        If its pixels are of a type nothing here can hold.
    """
    data = mapping(answer).get("data")
    # The documentation shows a list of one, the server's code gives the object itself.
    data = mapping(data[0] if isinstance(data, list) and len(data) == 1 else data)
    if whole(data.get("@id"), 1, LARGEST_ID) != image:
        raise ArchiveError(f"The IDR was asked for image {image} and answered with something else. Try again later.")
    pixels = mapping(data.get("Pixels"))
    sizes = _sizes(pixels, image)
    warnings: list[str] = []
    channels = _channels(pixels, sizes["c"], warnings)
    return ImageRecord(
        id=image,
        name=line(data.get("Name"), LONGEST_NAME) or f"image-{image}",
        description=text(data.get("Description")),
        series=whole(data.get("omero:series"), 0, LARGEST_SIZE) or 0,
        size_t=sizes["t"],
        size_c=sizes["c"],
        size_z=sizes["z"],
        size_y=sizes["y"],
        size_x=sizes["x"],
        dtype=_dtype(pixels, image),
        url=page_of("image", image),
        significant_bits=whole(pixels.get("SignificantBits"), 1, _LARGEST_BITS),
        pixel_size_x=_length(pixels, "x", warnings),
        pixel_size_y=_length(pixels, "y", warnings),
        pixel_size_z=_length(pixels, "z", warnings),
        time_increment_s=_seconds(pixels.get("TimeIncrement"), warnings),
        acquisition_date=_date(data.get("AcquisitionDate"), warnings),
        channels=channels,
        channel_names_from=tuple("api" if channel.name else "" for channel in channels),
        external=_external(mapping(data.get("omero:details")).get("externalInfo")),
        warnings=tuple(warnings),
    )


def _sizes(pixels: Mapping[str, Any], image: int) -> dict[str, int]:
    sizes = {axis: whole(pixels.get(f"Size{axis.upper()}"), 1, LARGEST_SIZE) for axis in "tczyx"}
    known = {axis: size for axis, size in sizes.items() if size is not None}
    if len(known) < len(sizes):
        axis = next(axis for axis, size in sizes.items() if size is None)
        raise ArchiveError(
            f"The IDR describes image {image} without a usable size in {axis} ({line(repr(pixels.get(f'Size{axis.upper()}')), 40)}), "
            "so its pixels cannot be asked for. Leave it out, and tell the IDR."
        )
    if known["c"] > MOST_CHANNELS or known["t"] * known["c"] * known["z"] > MOST_PLANES:
        raise ArchiveError(f"The IDR describes image {image} as {known['t']} × {known['c']} × {known['z']} planes, which cannot be. Leave it out.")
    return known


def _dtype(pixels: Mapping[str, Any], image: int) -> str:
    word = line(mapping(pixels.get("Type")).get("value"), 40)
    if word in ("complex", "double-complex"):
        raise UnreadableError(f"The pixels of image {image} are complex numbers, which neither OME-TIFF nor OME-Zarr holds. Leave it out.")
    if word not in _PIXEL_TYPES:
        raise ArchiveError(f"The IDR gives the pixels of image {image} the type {word or 'nothing'!r}, which is none of OMERO's. Leave it out.")
    return _PIXEL_TYPES[word]


def quantity(value: Any, kind: str) -> Quantity | None:
    """Read a value with its unit, of kind ``length`` or ``time``; None if either is missing or no such."""
    known = mapping(value)
    amount = number(known.get("Value"))
    unit = _UNITS.get(line(known.get("Unit"), 40).upper()) or line(known.get("Symbol"), 40)
    spelt = spell_unit(unit, "time" if kind == "time" else "length")
    return Quantity(amount, spelt) if amount is not None and spelt is not None else None


def _length(pixels: Mapping[str, Any], axis: str, warnings: list[str]) -> Quantity | None:
    stated = pixels.get(f"PhysicalSize{axis.upper()}")
    if stated is None:
        return None
    found = quantity(stated, "length")
    if found is not None and found.unit not in NOT_LENGTHS and found.value > 0:
        return found
    said = f"{found.value:g} {found.unit}" if found else "unreadable"
    warnings.append(f"The pixel size in {axis} that the IDR states is {said}; it is left unknown.")
    return None


def _seconds(stated: Any, warnings: list[str]) -> float | None:
    if stated is None:
        return None
    found = quantity(stated, "time")
    seconds = to_seconds(found) if found else None
    if seconds is not None and seconds > 0:
        return seconds
    warnings.append("The time increment that the IDR states is not a positive time; it is left unknown.")
    return None


def _date(stated: Any, warnings: list[str]) -> str | None:
    """Milliseconds since 1970 in ISO 8601. The moment 0 is what an empty field becomes, and is unknown."""
    if stated is None:
        return None
    milliseconds = whole(stated, -(2**62), 2**62)
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds) if milliseconds else None
    except OverflowError:
        moment = None
    if moment is None:
        warnings.append(f"The acquisition date that the IDR states ({line(stated, 40)}) is no date; it is left unknown.")
        return None
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")


def _channels(pixels: Mapping[str, Any], count: int, warnings: list[str]) -> tuple[Channel, ...]:
    stated = sequence(pixels.get("Channels"))
    if stated and len(stated) != count:
        warnings.append(f"The IDR describes {len(stated)} channels of an image that has {count}.")
    known = [_channel(mapping(channel)) for channel in stated[:count]]
    return (*known, *[Channel()] * (count - len(known)))


def _channel(stated: Mapping[str, Any]) -> Channel:
    excitation, emission = (_wavelength(stated.get(f"{name}Wavelength")) for name in ("Excitation", "Emission"))
    channel = Channel(name=line(stated.get("Name")) or None, color=_color(stated.get("Color")), excitation_nm=excitation, emission_nm=emission)
    return replace(
        channel,
        fluor=line(stated.get("Fluor")) or None,
        contrast_method=_word(stated.get("ContrastMethod")),
        illumination_type=_word(stated.get("Illumination")),
        acquisition_mode=_word(stated.get("AcquisitionMode")),
        pinhole=_pinhole(stated.get("PinholeSize")),
        nd_filter=number(stated.get("NDFilter")),
    )


def _word(stated: Any) -> str | None:
    """Read a word of an enumeration, which OMERO writes as an object."""
    return line(mapping(stated).get("value"), 100) or None


def _wavelength(stated: Any) -> float | None:
    found = quantity(stated, "length")
    nanometres = to_nanometres(found) if found else None
    return nanometres if nanometres is not None and nanometres > 0 else None


def _pinhole(stated: Any) -> Quantity | None:
    found = quantity(stated, "length")
    return found if found is not None and found.unit not in NOT_LENGTHS and found.value > 0 else None


def _color(stated: Any) -> int | None:
    """Signed RGBA; white is what OMERO fills in and says nothing."""
    value = whole(stated, -(2**31), 2**32 - 1)
    if value is None:
        return None
    signed = value - 2**32 if value >= 2**31 else value
    return None if signed == _WHITE else signed


def _external(stated: Any) -> str | None:
    known = mapping(stated)
    if known.get("EntityType") != _LSID_TYPE or known.get("EntityId") != _LSID_ID:
        return None
    return text(known.get("Lsid"), 4096) or None
