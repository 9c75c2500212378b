"""Rules on what is known of each series, whatever its format: calibration, time, channels."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from ..findings import Problem, Subject, rule
from ..ome_units import to_nanometres
from ._views import SCHEMA, Series, channel_name, has_series, listed, series, shorten, size_along

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...image import Channel, Quantity

SMALLEST_NM, LARGEST_NM = 1.0, 1e6
_UNALIKE = 0.01
_EXACT = 1e-4
_LIGHT_NM = (180.0, 2500.0)
_WHITE = -1
_INCH_NM = 25.4e6
_SCREEN_DPI = (72, 96, 150, 300, 600)
_GENERIC = re.compile(
    r"(?:(?:channel|chan|ch|c|wavelength|image|layer|band)[\s:_#-]*)?\d{1,2}(?:[:/.]\d{1,2})*|channel|default|unknown|none|untitled|n/?a",
    re.IGNORECASE,
)
_FLUORESCENCE = re.compile(r"fluor|confocal|multiphoton|twophoton|spinning|tirf|sted|palm|storm|light ?sheet|spim", re.IGNORECASE)
_TRANSMITTED = re.compile(r"transmitted|brightfield|bright.?field|phase|dic\b|oblique|tl\b|bf\b", re.IGNORECASE)


def _any(subject: Subject, asked: Callable[[Series], bool]) -> bool:
    """Whether there is a series of that kind, so that no rule passes where it had nothing to look at."""
    return has_series(subject) and any(asked(view) for view in series(subject))


@rule(
    "ome.pixel-size-missing",
    severity="warning",
    title="Every series says how large a pixel is.",
    why="Without a pixel size nothing in the image can be measured, and no scale bar can be drawn.",
    fix="Look it up at the microscope (camera pixel ÷ magnification, or the value in the acquisition software) and give it to lm_convert as "
    "--pixel-size. Do not guess it.",
    source=f"{SCHEMA}#Pixels_PhysicalSizeX",
    needs="path",
    applies=has_series,
)
def _pixel_size_missing(subject: Subject) -> Iterator[Problem]:
    for view in series(subject):
        metadata = view.metadata
        missing = [axis for axis, size in (("x", metadata.pixel_size_x), ("y", metadata.pixel_size_y)) if size is None]
        if missing:
            message = f"{view.called} does not say how large a pixel is in {' and '.join(missing)}."
            yield Problem(message, series=view.index, about=tuple(size_along(view.index, axis) for axis in missing), precision=1)


@rule(
    "ome.z-step-missing",
    severity="warning",
    title="Every z stack says how far apart its planes are.",
    why="Volumes, 3D views and orthogonal sections need the distance between planes.",
    fix="Give the z step of the acquisition to lm_convert as the third number of --pixel-size.",
    source=f"{SCHEMA}#Pixels_PhysicalSizeZ",
    needs="path",
    applies=lambda subject: _any(subject, lambda view: view.shape.z > 1),
)
def _z_step_missing(subject: Subject) -> Iterator[Problem]:
    for view in series(subject):
        if view.shape.z > 1 and view.metadata.pixel_size_z is None and not _folded(view, "Z"):
            message = f"{view.called} has {view.shape.z} z planes but does not say how far apart they are."
            yield Problem(message, series=view.index, about=(size_along(view.index, "z"),), precision=1)


@rule(
    "ome.pixel-size-implausible",
    severity="warning",
    title="Pixel sizes lie between 1 nm and 1 mm.",
    why="A pixel size outside of what light microscopes do is nearly always a wrong unit (nm for µm, m for µm).",
    fix="Compare with the objective and camera, and correct the value or its unit.",
    source=f"{SCHEMA}#Pixels_PhysicalSizeXUnit",
    needs="path",
    applies=lambda subject: _any(subject, lambda view: any(True for _ in _sizes(view))),
)
def _pixel_size_implausible(subject: Subject) -> Iterator[Problem]:
    for view in series(subject):
        for axis, size in _sizes(view):
            length = to_nanometres(size)
            if length is not None and not SMALLEST_NM <= length <= LARGEST_NM:
                side = "smaller than 1 nm" if length < SMALLEST_NM else "larger than 1 mm"
                yield Problem(f"{view.called} has a pixel size of {_written(size)} in {axis}, {side}.", series=view.index)


@rule(
    "ome.pixel-size-default",
    severity="warning",
    title="Pixel sizes look measured, not filled in by software.",
    why="1 µm is what Bio-Formats fills in where it knows nothing, and 72 or 96 dots per inch is a setting for screens: neither was measured.",
    fix="Check it against the microscope. If it is true, nothing must be done; if not, enter the true size or remove it.",
    source="https://bio-formats.readthedocs.io/en/stable/developers/matlab-dev.html",
    needs="path",
    applies=lambda subject: _any(subject, lambda view: bool(view.metadata.pixel_size_x and view.metadata.pixel_size_y)),
)
def _pixel_size_default(subject: Subject) -> Iterator[Problem]:
    for view in series(subject):
        x, y = view.metadata.pixel_size_x, view.metadata.pixel_size_y
        reason = _filled_in(x) if x is not None and y is not None and _filled_in(x) == _filled_in(y) else ""
        if x is not None and reason:
            yield Problem(f"{view.called} has a pixel size of exactly {reason}.", series=view.index)


def _filled_in(size: Quantity | None) -> str:
    length = to_nanometres(size) if size is not None else None
    if size is None or length is None:
        return ""
    if abs(length - 1000) < _EXACT:
        return "1 µm, the value some software fills in where it knows none"
    for dots in _SCREEN_DPI:
        if abs(length - _INCH_NM / dots) <= _INCH_NM / dots * 1e-3:
            return f"{_written(size)}, {dots} dots per inch: a setting for screens and printers"
    return ""


@rule(
    "ome.pixel-size-unequal",
    severity="info",
    title="Pixels are square.",
    why="Cameras have square pixels; different sizes in x and y are right for some line scans and wrong for most other images.",
    fix="Check that this is how the image was taken.",
    source=f"{SCHEMA}#Pixels_PhysicalSizeY",
    needs="path",
    applies=lambda subject: _any(subject, lambda view: bool(view.metadata.pixel_size_x and view.metadata.pixel_size_y)),
)
def _pixel_size_unequal(subject: Subject) -> Iterator[Problem]:
    for view in series(subject):
        x, y = view.metadata.pixel_size_x, view.metadata.pixel_size_y
        across, down = (to_nanometres(size) if size else None for size in (x, y))
        if x and y and across and down and abs(across - down) > _UNALIKE * max(across, down):
            yield Problem(f"{view.called} has pixels of {_written(x)} in x but {_written(y)} in y.", series=view.index)


@rule(
    "ome.time-missing",
    severity="warning",
    title="Every time series says when its frames were taken.",
    why="Speeds, rates and intervals cannot be measured without times.",
    fix="Enter the interval between frames, or the time of each plane.",
    source=f"{SCHEMA}#Pixels_TimeIncrement",
    needs="path",
    applies=lambda subject: _any(subject, lambda view: view.shape.t > 1),
)
def _time_missing(subject: Subject) -> Iterator[Problem]:
    for view in series(subject):
        times = any(plane.delta_t_s is not None for plane in view.metadata.planes)
        if view.shape.t > 1 and not view.metadata.time_increment_s and not times and not _folded(view, "T"):
            message = f"{view.called} has {view.shape.t} time points but neither an interval between them nor the time of any plane."
            yield Problem(message, series=view.index, about=(size_along(view.index, "t"),), precision=1)


@rule(
    "ome.channel-name-missing",
    severity="warning",
    title="Every channel has a name that says what it shows.",
    why="“Channel 0” does not tell the reader whether this is the nucleus or the protein the study is about.",
    fix="Name each channel after its stain, fluorophore or contrast (DAPI, GFP-Tubulin, phase contrast).",
    source=f"{SCHEMA}#Channel_Name",
    needs="path",
    applies=lambda subject: _any(subject, _has_channels),
)
def _channel_name_missing(subject: Subject) -> Iterator[Problem]:
    for view in series(subject):
        if not _has_channels(view):
            continue
        names = _channel_names(view)
        unnamed = [str(index) for index, name in enumerate(names) if not name]
        about = tuple(channel_name(view.index, index) for index, name in enumerate(names) if not name)
        generic = [(index, f"“{name}”") for index, name in enumerate(names) if name and _GENERIC.fullmatch(name.strip())]
        if len(unnamed) == len(names):
            beginning, end = ("The channel", "no name") if len(names) == 1 else (f"None of the {len(names)} channels", "a name")
            yield Problem(f"{beginning} of {view.mentioned} has {end}.", series=view.index, about=about, precision=1)
        elif unnamed:
            message = f"Of the {len(names)} channels of {view.mentioned}, no name have: {listed(unnamed)} (counted from 0)."
            yield Problem(message, series=view.index, about=about, precision=1)
        if generic:
            message = f"{view.called} has channel names that say nothing: {listed([name for _, name in generic])}."
            yield Problem(message, series=view.index, about=tuple(channel_name(view.index, index) for index, _ in generic), precision=1)


@rule(
    "ome.channel-name-duplicate",
    severity="warning",
    title="Channels of a series have different names.",
    why="Software that chooses channels by name takes the first of them, and a legend shows the same word twice.",
    fix="Tell the channels apart in their names (by excitation, detector or stain).",
    source=f"{SCHEMA}#Channel_Name",
    needs="path",
    applies=lambda subject: _any(subject, lambda view: sum(map(bool, _channel_names(view))) > 1),
)
def _channel_name_duplicate(subject: Subject) -> Iterator[Problem]:
    for view in series(subject):
        if _folded(view, "C"):
            continue
        counted = Counter(name for name in _channel_names(view) if name)
        twice = [f"“{name}” ({times} times)" for name, times in counted.items() if times > 1]
        if twice:
            yield Problem(f"{view.called} has channels of the same name: {listed(twice)}.", series=view.index)


@rule(
    "ome.channel-color-default",
    severity="info",
    title="Channels have colours of their own.",
    why="White is what OME-XML has where nobody chose a colour; several white channels on top of each other cannot be told apart.",
    fix="Give each channel a colour, best one that colour-blind readers can tell apart (green with magenta, say).",
    source=f"{SCHEMA}#Channel_Color",
    needs="path",
    applies=lambda subject: _any(subject, lambda view: view.shape.c > 1),
)
def _channel_color_default(subject: Subject) -> Iterator[Problem]:
    for view in series(subject):
        channels = view.metadata.channels
        own = any(channel.lut or (channel.color not in (None, _WHITE) and not channel.color_invented) for channel in channels)
        if view.shape.c > 1 and not own and not _folded(view, "C"):
            yield Problem(f"None of the {view.shape.c} channels of {view.mentioned} has a colour of its own.", series=view.index)


@rule(
    "ome.wavelength-missing",
    severity="info",
    title="Fluorescence channels say which light they collect.",
    why="Excitation and emission wavelengths tell which fluorophore is seen, and deconvolution and unmixing compute with them.",
    fix="Enter the wavelengths, from the filter set or the detection range.",
    source=f"{SCHEMA}#Channel_EmissionWavelength",
    needs="path",
    applies=lambda subject: _any(subject, lambda view: any(map(_is_fluorescence, view.metadata.channels)) and not _scans_emission(view)),
)
def _wavelength_missing(subject: Subject) -> Iterator[Problem]:
    for view in series(subject):
        if _scans_emission(view):
            continue
        without = [
            f"“{shorten(channel.name)}”" if channel.name else f"channel {index} (no name)"
            for index, channel in enumerate(view.metadata.channels)
            if _is_fluorescence(channel) and channel.emission_nm is None
        ]
        if without:
            has = "a fluorescence channel" if len(without) == 1 else f"{len(without)} fluorescence channels"
            yield Problem(f"{view.called} has {has} without an emission wavelength: {listed(without)}.", series=view.index)


@rule(
    "ome.wavelength-implausible",
    severity="warning",
    title="Wavelengths are those of light, emission above excitation.",
    why="A wrong wavelength is usually a wrong unit or two swapped fields; both make deconvolution wrong.",
    fix="Correct the wavelengths. (Emission below excitation is right only for multi-photon excitation.)",
    source=f"{SCHEMA}#Channel_ExcitationWavelength",
    needs="path",
    applies=lambda subject: _any(subject, lambda view: any(channel.emission_nm or channel.excitation_nm for channel in view.metadata.channels)),
)
def _wavelength_implausible(subject: Subject) -> Iterator[Problem]:
    for view in series(subject):
        for index, channel in enumerate(view.metadata.channels):
            called = f"Channel {index} “{shorten(channel.name or '')}” of {view.mentioned}"
            emission, excitation = channel.emission_nm, channel.excitation_nm
            for word, value in (("emission", emission), ("excitation", excitation)):
                if value is not None and not _LIGHT_NM[0] <= value <= _LIGHT_NM[1]:
                    yield Problem(f"{called} has an {word} wavelength of {value:g} nm.", series=view.index)
            if emission and excitation and emission < excitation and not re.search("multi|two", channel.acquisition_mode or "", re.IGNORECASE):
                yield Problem(f"{called} emits at {emission:g} nm, below its excitation at {excitation:g} nm.", series=view.index)


def _sizes(view: Series) -> Iterator[tuple[str, Quantity]]:
    metadata = view.metadata
    # A stack taken downwards has a negative step, which is no mistake.
    step = metadata.pixel_size_z and replace(metadata.pixel_size_z, value=abs(metadata.pixel_size_z.value))
    for axis, size in (("x", metadata.pixel_size_x), ("y", metadata.pixel_size_y), ("z", step)):
        if size is not None:
            yield axis, size


def _written(size: Quantity) -> str:
    return f"{size.value:.6g} {size.unit}"


def _folded(view: Series, along: str) -> bool:
    """Whether that dimension holds another one (wavelengths, phases, angles), so that its own questions do not apply."""
    return any(modulo.along == along for modulo in view.metadata.modulo)


def _scans_emission(view: Series) -> bool:
    """Whether the emission wavelength is a dimension of its own, and so no question to the channels."""
    return any(modulo.type == "lambda" and "excitation" not in (modulo.description or "").lower() for modulo in view.metadata.modulo)


def _has_channels(view: Series) -> bool:
    return view.kind in ("intensity", "indexed") and not _folded(view, "C")


def _channel_names(view: Series) -> list[str]:
    channels = view.metadata.channels[: view.shape.c]
    names = [channel.name or channel.fluor or "" for channel in channels]
    return names + [""] * (view.shape.c - len(names))


def _is_fluorescence(channel: Channel) -> bool:
    words = f"{channel.contrast_method or ''} {channel.acquisition_mode or ''} {channel.illumination_type or ''}"
    # What collects no light of its own wavelength is bright-field, also where its maker enters that as a fluorophore.
    if channel.emission_nm is None and _TRANSMITTED.search(f"{words} {channel.name or ''} {channel.fluor or ''}"):
        return False
    return bool(channel.fluor or channel.emission_nm or channel.excitation_nm or _FLUORESCENCE.search(words))
