"""Where we differ from Bio-Formats on purpose: every accepted difference, with its reason.

A row excuses one field of the files that match its pattern, and nothing else. A test shows for every row that the
difference is really there, so that a row whose reason is gone has to go too.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch


@dataclass(frozen=True, slots=True)
class Accepted:
    """One accepted difference."""

    files: str
    field: str
    reason: str
    real: bool = False
    """Whether it concerns real files, which are not part of the repository."""


WITHOUT_NAME = "The file gives the image no name. Bio-Formats shows the file's name, we show it without its extension."
NO_CALIBRATION = "The file has no pixel size. Bio-Formats makes up 1.0 µm (decision of science 2)."

ACCEPTED: tuple[Accepted, ...] = (
    Accepted("white_is_zero.tif", "pixels", "MINISWHITE is kept raw and recorded; Bio-Formats inverts it (decision of science 7)."),
    Accepted("*_stack.tif", "name", WITHOUT_NAME),
    Accepted("plain.tif", "name", WITHOUT_NAME),
    Accepted("white_is_zero.tif", "name", WITHOUT_NAME),
    Accepted("*.png", "name", WITHOUT_NAME),
    Accepted("*.jpg", "name", WITHOUT_NAME),
    Accepted("plain.tif", "pixel_size_x_um", NO_CALIBRATION),
    Accepted("plain.tif", "pixel_size_y_um", NO_CALIBRATION),
    Accepted("white_is_zero.tif", "pixel_size_x_um", NO_CALIBRATION),
    Accepted("white_is_zero.tif", "pixel_size_y_um", NO_CALIBRATION),
    Accepted("imagej_stack.tif", "channel_colours", "ImageJ's look-up tables name the colours; Bio-Formats does not read them."),
    Accepted("*.lsm", "channel_colours", "White is a default, not information (decision of science 10); Bio-Formats passes it on."),
    Accepted("*.lsm", "time_increment_s", "The time stamps are regular within 1 % (decision of science 9); Bio-Formats gives only the stamps."),
    Accepted("cells*.ome.tif", "name", "The OME-XML leaves the name out, and viewers then show nothing: we give the file's name.", real=True),
)


def accepted(name: str, field: str) -> Accepted | None:
    """The row that excuses a field of a file, if there is one."""
    return next((row for row in ACCEPTED if row.field == field and fnmatch(name, row.files)), None)
