"""Names of channels: as the IDR's image says them, else as its curators wrote them into the annotation ``Channels``.

The annotation is free text: ``DAPI:DNA;FITC:alpha-tubulin`` (what is seen : what it marks) or ``GammaTubulin / LaminB1 / Dapi``.
It is taken only if it has exactly as many parts as the image has channels.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from .untrusted import line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .idr_record import ImageRecord

KEY: Final = "channels"

# What a program fills in where nobody gave a name: an index, a wavelength, or both.
_DEFAULT: Final = re.compile(r"(channel)?[\s:#_-]*\d+([.,:]\d+)*\s*(nm)?", re.IGNORECASE)
_SEPARATORS: Final = (re.compile(r";"), re.compile(r"\n"), re.compile(r"\s/\s"), re.compile(r"\|"), re.compile(r","))
_TIGHT: Final = re.compile(r"/")


def is_default(name: str | None) -> bool:
    """Whether a name says no more than the channel's number or wavelength."""
    return not name or _DEFAULT.fullmatch(name.strip()) is not None


def split_names(value: str, count: int) -> tuple[str, ...] | None:
    """Split an annotation into one name per channel; None if it does not have exactly that many.

    A part such as ``FITC:alpha-tubulin`` is named by what stands before the colon, unless two parts would then be alike.
    """
    value = value.strip().strip(";|")
    separator = next((candidate for candidate in _SEPARATORS if candidate.search(value)), None)
    if separator is None and ":" not in value and count > 1:
        # A slash without spaces also stands inside names (F-actin/phalloidin): it separates only where nothing else can.
        separator = _TIGHT
    parts = [line(part) for part in (separator.split(value) if separator else [value])]
    if len(parts) != count or not all(parts):
        return None
    short = [part.partition(":")[0].strip() for part in parts]
    return tuple(short) if all(short) and len(set(short)) == count else tuple(parts)


def annotated_names(values: Sequence[str], count: int) -> tuple[str, ...] | None:
    """Names from all values of the key; None if they contradict each other or do not fit."""
    distinct = list(dict.fromkeys(value.strip() for value in values if value.strip()))
    if len(distinct) == 1:
        return split_names(distinct[0], count)
    # A value per channel, in order.
    single = [split_names(value, 1) for value in distinct]
    if len(distinct) != count or not all(single):
        return None
    return tuple(name for names in single if names for name in names)


def with_annotated_names(record: ImageRecord, values: Sequence[str]) -> ImageRecord:
    """Name the channels that the image itself leaves without a name; where each name is from is recorded."""
    names = annotated_names(values, record.size_c)
    if names is None:
        return record
    channels, origins = [], []
    for channel, origin, name in zip(record.channels, record.channel_names_from, names, strict=True):
        better = is_default(channel.name)
        channels.append(replace(channel, name=name) if better else channel)
        origins.append("annotation" if better else origin)
    return replace(record, channels=tuple(channels), channel_names_from=tuple(origins))
