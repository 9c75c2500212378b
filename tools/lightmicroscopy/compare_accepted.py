"""Differences between an original and its copy that were decided on and are fine, each with its reason.

A row excuses one kind of difference and nothing else; pixel values are never excused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .compare_fields import same
from .image import Quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from .image import Image

_CHANNEL = re.compile(r"channel (\d+) (.+)")


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, to be judged.

    Attributes
    ----------
    record
        What this suite recorded when it made the copy.
    """

    what: str
    ours: Any
    theirs: Any
    original: Image
    copy: Image
    record: dict[str, str]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A kind of difference that is fine."""

    name: str
    reason: str
    applies: Callable[[Difference], bool]


def _half_floats(difference: Difference) -> bool:
    return difference.what == "pixel type" and (difference.ours, difference.theirs) == ("float16", "float32")


def _long_labels(difference: Difference) -> bool:
    narrow = difference.ours in ("int64", "uint64") and difference.theirs in ("int32", "uint32")
    return difference.what == "pixel type" and narrow and "label" in (difference.original.kind, difference.copy.kind)


def _bits(difference: Difference) -> bool:
    if difference.original.dtype.kind != "b" or difference.copy.dtype.kind == "b":
        return False
    return (difference.what == "pixel type" and difference.theirs == "uint8") or (difference.what == "significant bits" and difference.theirs == 1)


def _samples(difference: Difference) -> bool:
    if difference.original.shape.s == 1 or difference.copy.shape.s != 1:
        return False
    turned = difference.what == "kind" and (difference.ours, difference.theirs) == ("rgb", "intensity")
    field = _CHANNEL.fullmatch(difference.what)
    if field is None:
        return turned
    if difference.ours is not None:
        return field.groups() == ("0", "name") and difference.theirs == f"{difference.ours} Red"
    # A sample that has become a channel has everything from the channel it was of, beside its name and colour.
    return field[2] in ("name", "color") or int(field[1]) >= difference.original.shape.c


def _falling(difference: Difference) -> bool:
    ours, theirs = difference.ours, difference.theirs
    if difference.what != "pixel size z" or not (isinstance(ours, Quantity) and isinstance(theirs, Quantity)) or ours.value >= 0:
        return False
    return same(Quantity(-ours.value, ours.unit), theirs)


def _declared_label(difference: Difference) -> bool:
    return difference.what == "kind" and difference.theirs == "label" and difference.record.get("Parameter label") == "True"


def _left_out(difference: Difference) -> bool:
    asked = difference.record.get("Parameter original-metadata")
    if difference.what != "original metadata" or not isinstance(difference.ours, frozenset):
        return False
    kept = difference.theirs if isinstance(difference.theirs, frozenset) else frozenset()
    return (asked == "drop" and not kept) or (asked == "scrub" and {key for key, _ in kept} <= {key for key, _ in difference.ours})


ACCEPTED: Final = (
    Accepted("16-bit floats as 32-bit", "OME has no 16-bit floating point type, and the 32-bit one holds every value of it.", _half_floats),
    Accepted("64-bit labels as 32-bit", "OME has no 64-bit integers; every label was checked to fit into 32 bits.", _long_labels),
    Accepted(
        "yes/no pixels as 0 and 1", "Readers of OME-TIFF share no form of single bits; 8-bit 0 and 1 of one significant bit say the same.", _bits
    ),
    Accepted(
        "colour samples as channels",
        "OME-Zarr knows no samples: red, green and blue stand as three channels named so, each after the name the channel had.",
        _samples,
    ),
    Accepted("a falling z by its size", "OME-XML has no negative z step. The order of the planes, and so the direction, is unchanged.", _falling),
    Accepted("declared to be a label map", "The person who converted it said that its pixels are labels.", _declared_label),
    Accepted("original metadata left out", "The person who converted it asked for that.", _left_out),
)
"""Every accepted difference."""


def accepted(difference: Difference) -> Accepted | None:
    """Find the row that excuses a difference, if there is one."""
    return next((row for row in ACCEPTED if row.applies(difference)), None)
