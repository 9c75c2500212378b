"""Rules on how OME-Zarr describes channels: their number, names, colours and display ranges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ..findings import Problem, Subject, rule
from ..ngff import window
from ._stores import SPECIFICATION, StoredImage, images_of, is_store, problem
from ._views import channel_name

_OMERO = f"{SPECIFICATION}#omero-md"
_HEX = set("0123456789abcdefABCDEF")
_DIGITS = 6


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
    bits = stored.image.significant_bits
    if bits and end > window(dtype, bits, None)["max"]:
        yield f"{this} is shown up to {end:g}, but its {bits} significant bits end at {window(dtype, bits, None)['max']:g}."


def _omero_channels(stored: StoredImage) -> list[Mapping[str, Any]]:
    omero = stored.group.ome.get("omero")
    channels = omero.get("channels") if isinstance(omero, Mapping) else None
    return [channel if isinstance(channel, Mapping) else {} for channel in channels] if isinstance(channels, list) else []
