"""Every difference of OME metadata between this suite and Bio-Formats on the real files, with its reason.

A row of `DIFFERENT` excuses a field in which Bio-Formats says something that we do not say, and only where its `holds` finds the very
difference that the reason tells; what is not excused fails the test, for files never seen before too. Rows of `BETTER` give the reason
why we say more. A test shows for every row that it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePath
from typing import Any, Final

from .ome_values import agree, known

Values = list[tuple[Any, ...]]
Facts = Mapping[str, tuple[Values, Values]]
"""What Bio-Formats says and what we say of every series, by the name of the field."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one file in which the two differ."""

    file: str
    format: str
    """As Bio-Formats calls it."""
    field: str
    facts: Facts

    @property
    def theirs(self) -> Values:
        """What Bio-Formats says."""
        return self.facts[self.field][0]

    @property
    def ours(self) -> Values:
        """What we say."""
        return self.facts[self.field][1]

    def all_theirs(self) -> list[Any]:
        """Every value Bio-Formats gives."""
        return [value for one in self.theirs for value in one if value is not None]

    def all_ours(self) -> list[Any]:
        """Every value we give."""
        return [value for one in self.ours for value in one if value is not None]


@dataclass(frozen=True, slots=True)
class Row:
    """Why fields of files of a format are better or otherwise than Bio-Formats has them; both are patterns, of fields several."""

    format: str
    fields: str
    reason: str
    holds: Callable[[Difference], bool] = lambda _: True
    better: bool = True

    def fits(self, difference: Difference) -> bool:
        """Whether it speaks of a difference."""
        named = fnmatch(difference.format, self.format) and any(fnmatch(difference.field, part) for part in self.fields.split("|"))
        return named and self.holds(difference)


# What holds


def _file_name(difference: Difference) -> bool:
    """Bio-Formats gives the name of the file, with or without a number."""
    return all(str(other).startswith(PurePath(difference.file).name) for other in difference.all_theirs()) and bool(difference.all_ours())


def _scene_names(difference: Difference) -> bool:
    labels = difference.facts["stage label"][1]
    pairs = zip(difference.theirs, difference.ours, labels, strict=True)
    return any(known(label) for label in labels) and all(ours in (label, theirs) for theirs, ours, label in pairs)


def _nothing_of_ours(difference: Difference) -> bool:
    return not difference.all_ours()


def _reference_frame(difference: Difference) -> bool:
    return all(str(value).endswith("reference frame") for value in difference.all_theirs())


def _made_up_label(difference: Difference) -> bool:
    return all(str(value).startswith("Scene position #") for value in difference.all_theirs())


def _first_plane(difference: Difference) -> bool:
    """The label repeats the position of the first plane, which we have as Bio-Formats has it."""
    theirs, ours = difference.facts[f"plane positions {difference.field[-1]}"]
    repeated = all(label[0] is None or label[0] == planes[0] for label, planes in zip(difference.theirs, theirs, strict=True))
    return repeated and all(agree(other[0], mine[0], "length") for other, mine in zip(theirs, ours, strict=True))


def _one_large_number(difference: Difference) -> bool:
    theirs, ours = difference.all_theirs(), difference.all_ours()
    return len(set(theirs)) == 1 and bool(ours) and all(0 < value < theirs[0] for value in ours)


def _later_by_a_constant(difference: Difference) -> bool:
    """Bio-Formats' times less ours are the same for all planes of a series."""
    for theirs, ours in zip(difference.theirs, difference.ours, strict=True):
        offsets = [other - mine for other, mine in zip(theirs, ours, strict=True) if other is not None and mine is not None]
        if (
            not offsets
            or max(offsets) - min(offsets) > 2e-3
            or any(other is not None and mine is None for other, mine in zip(theirs, ours, strict=True))
        ):
            return False
    return True


def _zero_without_ours(difference: Difference) -> bool:
    return all(value == 0 for value in difference.all_theirs()) and not difference.all_ours()


def _gain_is_set(difference: Difference) -> bool:
    """The numbers Bio-Formats calls the detector's are those that were set for the channels."""
    ours = difference.facts["channel's detector gain set"][1]
    allowed = [value for one in ours for value in one if value is not None] + difference.all_ours()
    return all(any(agree(value, mine, "number") for mine in allowed) for value in difference.all_theirs())


def _adapter(difference: Difference) -> bool:
    return all("Adapter" in value for value in difference.all_theirs()) and bool(difference.all_ours())


def _no_scene_is_named(difference: Difference) -> bool:
    return _nothing_of_ours(difference) and not any(known(label) for label in difference.facts["stage label"][1])


def _same_for_every_tile(difference: Difference) -> bool:
    theirs = difference.theirs
    return len(theirs) > 1 and all(one == theirs[0] for one in theirs) and any(one != difference.ours[0] for one in difference.ours)


def _all_zero(difference: Difference) -> bool:
    return all(value == 0 for value in difference.all_theirs()) and any(difference.all_ours())


def _shifted(difference: Difference) -> bool:
    """All its times are among ours, of other planes."""
    ours = difference.all_ours()
    return all(any(agree(value, mine, "time") for mine in ours) for value in difference.all_theirs())


def _stood_still(difference: Difference) -> bool:
    return len(set(difference.all_theirs())) < len(set(difference.all_ours()))


def _magnification(difference: Difference) -> bool:
    return _nothing_of_ours(difference) and difference.theirs == difference.facts["objective magnification"][1]


def _one_micrometre(difference: Difference) -> bool:
    return _nothing_of_ours(difference) and all(value == 1.0 for value in difference.all_theirs())


def _false(difference: Difference) -> bool:
    return set(difference.all_theirs()) == {"false"} and not difference.all_ours()


def _not_specified(difference: Difference) -> bool:
    apart = [
        other
        for theirs, ours in zip(difference.theirs, difference.ours, strict=True)
        for other, mine in zip(theirs, ours, strict=True)
        if other != mine
    ]
    return all(other is None or "not specified)" in other for other in apart)


def _numbered(difference: Difference) -> bool:
    return all(re.fullmatch(r"P_t\d+, W_s\d+_\d+", name) for name in difference.all_theirs()) and bool(difference.all_ours())


def _numbered_series(difference: Difference) -> bool:
    ours = (re.fullmatch(r"Scene #\d+ (View|Block) #\d+", name) for name in difference.all_ours())
    return all(ours) and all(re.fullmatch(r"Scene #\d+", name) for name in difference.all_theirs())


def _time_along_y(difference: Difference) -> bool:
    """Only y has lost its size, and what was acquired next to each other lies along x."""
    return not difference.all_ours() and any(known(one) for one in difference.facts["pixel size x"][1])


# Where Bio-Formats says what we do not

DIFFERENT: Final = (
    Row(
        "*",
        "image name",
        "Bio-Formats shows the file's name, and a number; we give the name in the file, or the file's without extension.",
        _file_name,
    ),
    Row("BDV", "image name", "Bio-Formats makes a name of the numbers of time point and setup; we give the setup's own.", _numbered),
    Row("Zeiss CZI", "image name", "Bio-Formats takes names of regions of the experiment in their order; we give each scene its own.", _scene_names),
    Row(
        "Zeiss CZI",
        "plane positions ?",
        "The file has no stage position. Bio-Formats shows where the pixels begin in the document.",
        _reference_frame,
        better=False,
    ),
    Row(
        "Zeiss CZI",
        "stage label ?",
        "The file has no stage position. Bio-Formats shows where the pixels begin in the document.",
        _reference_frame,
        better=False,
    ),
    Row("Zeiss CZI", "stage label", "'Scene position #N' is Bio-Formats' own; we give the scene's name where it has one.", _made_up_label),
    Row(
        "Zeiss CZI",
        "stage label ?",
        "Bio-Formats repeats the position of the first plane, which we give as the plane's. A named scene's label has the scene's own centre.",
        _first_plane,
        better=False,
    ),
    Row(
        "Zeiss CZI",
        "plane exposures",
        "Bio-Formats takes a number of the experiment for seconds; the exposure of each channel is in nanoseconds.",
        _one_large_number,
    ),
    Row(
        "Zeiss CZI",
        "plane times",
        "ZEN black counts from when its electronics were switched on, which nothing dates; we count from the first plane.",
        _later_by_a_constant,
        better=False,
    ),
    Row(
        "Zeiss CZI",
        "channel's detector gain set",
        "The experiment's EM gain, 0 for cameras without it; the channels themselves state none.",
        _zero_without_ours,
        better=False,
    ),
    Row(
        "Zeiss CZI",
        "channel's detector gain|detectors: gain",
        "The numbers are the gains set for the channels, where we give them; Bio-Formats overwrites the detectors' with those of some.",
        _gain_is_set,
    ),
    Row("Zeiss CZI", "*detector* model", "Bio-Formats takes the camera's adapter for the camera.", _adapter),
    Row(
        "Zeiss CZI",
        "plate *|well *",
        "The file does not say its well; Bio-Formats takes the first that the experiment was set up for.",
        _no_scene_is_named,
        better=False,
    ),
    Row("Zeiss CZI", "image name", "Bio-Formats calls every series a scene; we say which view of which scene it is.", _numbered_series),
    Row("Leica*", "pixel size y", "In an xt scan y holds time, of which Bio-Formats makes a length.", _time_along_y),
    Row("Leica*", "plane times", "The stamps are those of all tiles; Bio-Formats gives the first of them to every tile.", _same_for_every_tile),
    Row("Nikon ND2", "plane positions ?", "The columns were not recorded and hold zeros, which Bio-Formats takes for positions.", _all_zero),
    Row(
        "Nikon ND2", "plane positions z", "Bio-Formats gives the stage's height, which stood still while a piezo drive took the stack.", _stood_still
    ),
    Row(
        "Nikon ND2", "plane times", "Bio-Formats counts planes otherwise than its table of times has them; it shifts some and lacks others.", _shifted
    ),
    Row("Nikon ND2", "objective calibrated magnification", "It is the nominal one, where we give it.", _magnification),
    Row("Tagged*", "pixel size ?", "The file has none. Bio-Formats makes up 1.0 µm (decision of science 2).", _one_micrometre),
    Row(
        "Zeiss Laser*",
        "objective iris",
        "The name of the objective does not say 'Iris', from which Bio-Formats concludes that it has none.",
        _false,
        better=False,
    ),
    Row("Bitplane*", "channel name", "'(name not specified)' is what Imaris writes for nothing; Bio-Formats passes it on.", _not_specified),
)

# Where we say more

REGULAR: Final = "The times are regular within 1 % (decision of science 9); Bio-Formats gives only the times."
SAID: Final = "The file says it; Bio-Formats 7.3 does not read it."
LASX: Final = "It is in the settings of LAS X, which Bio-Formats 7.3 does not read."

BETTER: Final = (
    Row("*", "image name", "The file gives no name, and Bio-Formats none; we give the file's without its extension."),
    Row("*", "time increment", REGULAR),
    Row("OME-Zarr", "channel name|channel colour", "The store's omero block says it; its OME-XML, made by Bio-Formats, does not."),
    Row(
        "Zeiss CZI",
        "significant bits",
        "They are what the channel says, which are its camera's (processed values may go beyond them); Bio-Formats gives the pixel type's.",
    ),
    Row("Zeiss CZI", "channel contrast method|microscope *|plate name", SAID),
    Row("Zeiss CZI", "channel's detector gain set|channel's detector offset set", "Each channel has its own; Bio-Formats does not read it."),
    Row("Zeiss CZI", "channel's light *|light sources: *", "Bio-Formats does not read lasers and lamps of CZI."),
    Row("Zeiss CZI", "*detector*: model|*detector model", SAID),
    Row("Zeiss CZI", "*filter* model|filters: model|dichroics: model", "Bio-Formats reads the bands, but no names of filters."),
    Row("Leica*", "channel excitation", "One laser line was lit; Bio-Formats looks for lines by numbers that LAS X no longer writes."),
    Row("Leica*", "channel fluorophore", "The dye of the band is the fluorophore; Bio-Formats shows it as the name only."),
    Row("Leica*", "channel acquisition mode", "The settings are those of a confocal scanner; Bio-Formats gives no mode."),
    Row("Leica*", "plane positions z", "Origin and length of the stack give each plane's height; Bio-Formats gives none."),
    Row("Leica*", "folded dimensions", "Wavelengths are folded into T as Bio-Formats does, which does not say so."),
    Row("Leica*", "channel's *|detectors: *|light sources: *|filters: *|objective *|microscope *", LASX),
    Row("Nikon ND2", "acquisition date", "It is in the text information, beside a Julian day; Bio-Formats reads neither."),
    Row("Nikon ND2", "channel excitation", "It is the laser line that was on, or the light path's; Bio-Formats reads neither in newer files."),
    Row(
        "Nikon ND2",
        "channel contrast method|channel acquisition mode|channel illumination",
        "They are bits of the modality of each channel; Bio-Formats reads only the words of older files.",
    ),
    Row("Nikon ND2", "channel pinhole", "It is each channel's; Bio-Formats reads only the words of older files."),
    Row(
        "Nikon ND2",
        "channel's detector *|detectors: *",
        "Name, type, zoom and binning are in the camera's settings and the modality; Bio-Formats reads few.",
    ),
    Row("Nikon ND2", "channel's light *|light sources: *|filters: *", "It is in the light paths of newer files, which Bio-Formats does not read."),
    Row(
        "Nikon ND2",
        "objective magnification",
        "It is in the objective's settings or name; Bio-Formats calls it the calibrated one, or leaves it out.",
    ),
    Row("Nikon ND2", "objective immersion|objective medium set", "It is the medium of the refractive index, where the file has no word for it."),
    Row("Nikon ND2", "microscope *", SAID),
    Row(
        "Nikon ND2",
        "plane positions ?|stage label",
        "Points of a loop over positions have places and names of their own, which Bio-Formats does not read.",
    ),
    Row("Nikon ND2", "objective *", "It is in the settings of each channel; Bio-Formats reads only the words of older files."),
    Row("Leica*", "significant bits", "The file tells the resolution of its channels; Bio-Formats gives the pixel type's."),
    Row("Bitplane*", "acquisition date|channel *|objective *|description|plane times", SAID),
    Row("Zeiss Laser*", "objective model", "It is the engraving, of which Bio-Formats gives only the parts."),
    Row("Tagged*", "channel colour", "ImageJ's look-up tables name the colours; Bio-Formats does not read them."),
)


def explained(difference: Difference, *, more: bool) -> Row | None:
    """The row that speaks of a difference; `more` where we say all that Bio-Formats says, and more."""
    return next((row for row in (BETTER if more else DIFFERENT) if row.fits(difference)), None)
