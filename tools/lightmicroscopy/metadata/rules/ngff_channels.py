"""Rules on how OME-Zarr describes channels: their number, names, colours and display ranges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..findings import Problem, Subject, rule
from ..ngff import window
from ..sources import came_from
from ._stores import SPECIFICATION, StoredImage, images_of, is_store, problem
from ._views import channel_name, shorten

_OMERO = f"{SPECIFICATION}#omero-md"
_HEX = set("0123456789abcdefABCDEF")
_DIGITS = 6
_KINDS: Mapping[str, Any] = {"active": bool, "inverted": bool, "coefficient": (int, float), "family": str}
_CALLED: Mapping[Any, str] = {bool: "true or false", (int, float): "number", str: "word"}


@rule(
    "ngff.channel-count",
    severity="warning",
    title="The channels described are as many as there are.",
    why="With too few or too many descriptions, names and colours end up on the wrong channels.",
    fix="Give 'omero' one entry per channel, in their order.",
    source=_OMERO,
    applies=is_store,
)
def _channel_count(subject: Subject) -> Iterator[Problem]:
    for stored in images_of(subject):
        described, there = len(_omero_channels(stored)), stored.image.shape.c
        if "omero" not in stored.group.ome:
            if stored.image.kind != "label":
                yield problem(
                    stored,
                    "omero",
                    f"{stored.called} has no 'omero' block: viewers will not know the names, colours and display ranges of its channels.",
                    "info",
                )
        elif described != there:
            yield problem(stored, "omero.channels", f"{stored.called} has {there} channel{'s' if there > 1 else ''}, but describes {described}.")


@rule(
    "ngff.channel-color",
    severity="warning",
    title="Colours are six hexadecimal digits.",
    why="Viewers show channels of which they cannot read the colour in white, or not at all.",
    fix="Write colours as RRGGBB, for instance 00FF00 for green, without a number sign.",
    source=_OMERO,
    applies=is_store,
)
def _channel_color(subject: Subject) -> Iterator[Problem]:
    for stored in images_of(subject):
        for index, channel in enumerate(_omero_channels(stored)):
            color = channel.get("color")
            if color is None:
                yield problem(stored, f"omero.channels.{index}.color", f"{stored.called} does not say in which colour channel {index} is shown.")
            elif not (isinstance(color, str) and len(color) == _DIGITS and set(color) <= _HEX):
                yield problem(
                    stored,
                    f"omero.channels.{index}.color",
                    f"{stored.called} gives the colour of channel {index} as “{str(color)[:40]}”, not as RRGGBB.",
                )


@rule(
    "ngff.channel-label",
    severity="warning",
    title="Every channel has a label in 'omero'.",
    why="Web viewers read only this label; without it they number the channels, whatever the OME-XML says.",
    fix="Enter the name of the stain or structure of each channel, and convert again.",
    source=_OMERO,
    applies=is_store,
)
def _channel_label(subject: Subject) -> Iterator[Problem]:
    for stored in images_of(subject):
        for index, channel in enumerate(_omero_channels(stored)):
            label = channel.get("label")
            if not (isinstance(label, str) and label.strip()):
                absent = label in (None, "")
                said = "has no label" if absent else f"has the label {str(label)[:40]!r}, which is no name"
                message = f"Channel {index} of {stored.called_within} {said}."
                about = (channel_name(stored.series, index),)
                yield problem(stored, f"omero.channels.{index}.label", message, about=about, precision=0 if absent else 2)


@rule(
    "ngff.channel-form",
    severity="warning",
    title="What is said of how channels are shown is of the kind it should be.",
    why="A viewer that expects true or false, a number or a word and finds something else stops, or shows the channel in some way of its own.",
    fix="Set 'active' and 'inverted' to true or false, 'coefficient' to a number and 'family' to a word (linear), or leave them out.",
    source=_OMERO,
    applies=is_store,
)
def _channel_form(subject: Subject) -> Iterator[Problem]:
    for stored in images_of(subject):
        for index, channel in enumerate(_omero_channels(stored)):
            for key, kinds in _KINDS.items():
                value = channel.get(key)
                if value is not None and not (isinstance(value, kinds) and (kinds is bool or not isinstance(value, bool))):
                    message = f"Channel {index} of {stored.called_within} has {key} {shorten(str(value), 40)!r}, which is no {_CALLED[kinds]}."
                    yield problem(stored, f"omero.channels.{index}.{key}", message)


@rule(
    "ngff.window",
    severity="warning",
    title="Display ranges fit the pixel values.",
    why="A display range of 0 to 255 on 16-bit pixels shows a white or black image, and people think that the data are empty.",
    fix="Set min and max to what the pixels can hold and start and end to what should be shown; converting with this suite measures them.",
    source=_OMERO,
    applies=is_store,
)
def _window(subject: Subject) -> Iterator[Problem]:
    for stored in images_of(subject):
        for index, channel in enumerate(_omero_channels(stored)):
            given = channel.get("window")
            where = f"omero.channels.{index}.window"
            if not isinstance(given, Mapping):
                yield problem(stored, where, f"Channel {index} of {stored.called_within} has no display range.")
                continue
            yield from (problem(stored, where, sentence) for sentence in _window_faults(stored, index, given))


def _window_faults(stored: StoredImage, index: int, given: Mapping[str, Any]) -> Iterator[str]:
    this = f"Channel {index} of {stored.called_within}"
    values = [given.get(key) for key in ("min", "max", "start", "end")]
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in values):
        yield f"{this} has a display range without numbers for all of min, max, start and end."
        return
    low, high, start, end = (float(cast("float", value)) for value in values)
    if start >= end:
        yield f"{this} is shown from {start:g} to {end:g}, which is no range."
    elif not low <= start < end <= high:
        yield f"{this} is shown from {start:g} to {end:g}, outside of its own limits {low:g} to {high:g}."
    dtype = stored.image.dtype
    if dtype.kind not in "iu":
        return
    full = window(dtype, None, None)
    if low < full["min"] or high > full["max"]:
        yield f"{this} has display limits of {low:g} to {high:g}, more than its pixels of type {dtype} can hold."
    elif dtype.itemsize > 1 and (low, high, start, end) == (0, 255, 0, 255) and (stored.image.significant_bits or 16) > 8:
        yield f"{this} is shown from 0 to 255, the range of 8-bit pixels, but its pixels are {dtype}."
    if not came_from(stored.image) and _beyond_bits(stored, end):
        bits = stored.image.significant_bits
        yield f"{this} is shown up to {end:g}, but its {bits} significant bits end at {window(dtype, bits, None)['max']:g}."


@rule(
    "ngff.significant-bits",
    severity="info",
    title="Pixel values fit the significant bits that the source of the image states.",
    why="Software that takes the range of the values from the significant bits shows brighter pixels as saturated, or counts them wrongly.",
    fix="Nothing must be done: the values are those of the source. If they surprise you, ask how the camera was set, and what was done "
    "with the frames before they were saved.",
    source=_OMERO,
    applies=lambda subject: is_store(subject) and any(came_from(stored.image) for stored in images_of(subject)),
)
def _significant_bits(subject: Subject) -> Iterator[Problem]:
    """Display ranges that this suite writes are measured: values beyond the bits are a fact of what it copied, and no wrong range."""
    for stored in images_of(subject):
        sources = came_from(stored.image)
        for index, channel in enumerate(_omero_channels(stored)):
            given = channel.get("window")
            end = given.get("end") if isinstance(given, Mapping) else None
            if sources and isinstance(end, int | float) and math.isfinite(end) and _beyond_bits(stored, end):
                bits, needed = stored.image.significant_bits, int(end).bit_length() + (stored.image.dtype.kind == "i")
                origin = shorten(sources[-1][0]) or "The file it was converted from"
                message = (
                    f"{origin} says {bits} significant bits, but values up to {end:g}, as channel {index} of {stored.called_within} has, need "
                    f"{needed}. The camera's setting, or frames summed or processed before they were saved, may be the reason."
                )
                yield problem(stored, f"omero.channels.{index}.window", message)


def _beyond_bits(stored: StoredImage, end: float) -> bool:
    """Whether a channel is shown up to a value that the image's significant bits do not reach."""
    dtype, bits = stored.image.dtype, stored.image.significant_bits
    return dtype.kind in "iu" and bool(bits) and end > window(dtype, bits, None)["max"]


def _omero_channels(stored: StoredImage) -> list[Mapping[str, Any]]:
    omero = stored.group.ome.get("omero")
    channels = omero.get("channels") if isinstance(omero, Mapping) else None
    return [channel if isinstance(channel, Mapping) else {} for channel in channels] if isinstance(channels, list) else []
