"""Where we differ from Bio-Formats on purpose in the files of test-data: every accepted difference, with its reason.

Those of real files are in `real` (pixels) and `explained` (metadata).

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


WITHOUT_NAME = "The file gives the image no name. Bio-Formats shows the file's name, we show it without its extension."
NO_CALIBRATION = "The file has no pixel size. Bio-Formats makes up 1.0 µm (decision of science 2)."
UNREAD = "The file says it; Bio-Formats does not read it there."

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
    Accepted("stack.czi", "name", "The file gives the image no name: Bio-Formats leaves it out, we show the file's, without its extension."),
    Accepted("padded.ims", "name", "Bio-Formats gives the file's name and the number of the resolution level; we give the name Imaris kept."),
    Accepted("padded.ims", "date", UNREAD),
    Accepted("positions.nd2", "name", "Bio-Formats numbers the positions; we give the names they have in the file."),
    Accepted("positions.nd2", "date", "The Julian day in the file is in UTC; Bio-Formats looks only for a text beside it."),
    Accepted("positions.nd2", "channel_modes", "They are bits of the modality of each channel; Bio-Formats reads only the words of older files."),
    Accepted("positions.nd2", "magnification", UNREAD),
    Accepted("positions.nd2", "numerical_aperture", UNREAD),
    *(
        Accepted(name, field, reason)
        for name in ("project.lif", "dataset_1.dat")
        for field, reason in (
            ("channel_modes", "The settings are those of a confocal scanner; Bio-Formats gives no mode."),
            ("channel_fluors", "The dye of the band is the fluorophore; Bio-Formats shows it as the name only."),
            ("magnification", UNREAD),
            ("numerical_aperture", UNREAD),
        )
    ),
    Accepted("project.lif", "date", "The stamp is a FILETIME, in UTC and to 100 ns; Bio-Formats cuts it off at the second and leaves out the zone."),
    Accepted("project.lif", "time_increment_s", "The stamps are regular within 1 % (decision of science 9); Bio-Formats gives only the stamps."),
)


def accepted(name: str, field: str) -> Accepted | None:
    """The row that excuses a field of a file, if there is one."""
    return next((row for row in ACCEPTED if row.field == field and fnmatch(name, row.files)), None)
