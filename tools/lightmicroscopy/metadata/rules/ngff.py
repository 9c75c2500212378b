"""Rules on OME-Zarr: its structure, and whether axes, units and scales make sense.

Rules on what a series' metadata say, whatever the format, are in `series`; those on resolution levels in `ngff_pyramid`, on
channels in `ngff_channels`, on plates in `ngff_plates`, on label maps in `ngff_labels`, on how the parts belong together in
`ngff_layout`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

from ..findings import CannotRun, Problem, Subject, rule
from ..ngff import AXES
from ..ngff_read import stated_version
from ..ngff_units import SPACE_UNITS, TIME_UNITS, ome_length, seconds
from . import ngff_channels, ngff_labels, ngff_layout, ngff_plates, ngff_pyramid
from ._groups import StoredGroup, entries, first_multiscale, groups, is_checked, of_role, open_store_of, version_here
from ._stores import SPECIFICATION, StoredImage, fetch_marks, is_store, ngff_version, problem, stored_images
from ._views import listed, size_along

if TYPE_CHECKING:
    from ..ngff_models import Part

__all__ = ["ngff_channels", "ngff_labels", "ngff_layout", "ngff_plates", "ngff_pyramid"]

_AXES = f"{SPECIFICATION}#axes-md"
_TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}
_NAMED_AXES = ("0.4", "0.5")


def _has_axes(subject: Subject) -> bool:
    return is_store(subject) and ngff_version(subject) in _NAMED_AXES


@rule(
    "ngff.structure",
    severity="error",
    title="The OME-Zarr metadata are valid by their specification.",
    why="Strict software refuses a store that breaks the specification; lenient software guesses.",
    fix="Correct the named key, or convert the store with this suite, which writes valid metadata.",
    source=SPECIFICATION,
    needs="path",
    applies=is_checked,
)
def _structure(subject: Subject) -> Iterator[Problem]:
    try:
        from ..ngff_models import structure_errors
    except ImportError as error:
        raise CannotRun(f"The library ome-zarr-models is not there ({error}).") from error

    version = cast("Literal['0.4', '0.5']", version_here(subject))
    wrong = _wrong_zarr(subject, version)
    if wrong:
        yield wrong
        return
    found = [stored for stored in groups(subject) if stored.role != "series"]
    series = {stored.path: stored.series for stored in found}
    parts = [(_part(stored), stored.path) for stored in found]
    with open_store_of(subject) as store:
        fetch_marks(store, [path for _, path in parts])
        for group, key, message in structure_errors(store, version, parts):
            at = "/".join(part for part in (group, key) if part)
            sentence = f"In {f'the group {group}' if group else 'the root group'}, {key or 'something is wrong'}{' ' if key else ': '}{message}"
            yield Problem(sentence.rstrip(".") + ".", at, series.get(group))


def _part(stored: StoredGroup) -> Part:
    # That a label map does not say that it is one has a rule of its own.
    return "image" if stored.role == "label" and "image-label" not in stored.group.ome else cast("Part", stored.role)


def _wrong_zarr(subject: Subject, version: str) -> Problem | None:
    """Each of these NGFF versions lies in one version of Zarr."""
    wanted = 2 if version == "0.4" else 3
    for stored in groups(subject):
        if stored.group.zarr_format != wanted:
            called = f"{stored.called[0].lower()}{stored.called[1:]}"
            return Problem(f"OME-Zarr {version} must be stored as Zarr v{wanted}, but {called} is in Zarr v{stored.group.zarr_format}.", stored.path)
    return None


@rule(
    "ngff.version",
    severity="warning",
    title="The store is of a released version of OME-Zarr, and says of which.",
    why="The version decides how everything else is read; software that does not find one it knows refuses the store or guesses.",
    fix="Convert it to OME-Zarr 0.4 or 0.5 with this suite.",
    source="https://ngff.openmicroscopy.org/specifications/index.html",
    applies=is_store,
)
def _version(subject: Subject) -> Iterator[Problem]:
    version = ngff_version(subject)
    stated = {str(stated_version(stored.group.attributes)) for stored in stored_images(subject)}
    for other in sorted(stated - {version}):
        said = "does not say its version" if other == "None" else f"says that its version is “{other[:40]}”"
        notes = tuple(note for note in subject.opened.warnings if "NGFF version" in note)
        yield Problem(f"It {said}; it was read as {version}.", "multiscales", about=notes, precision=1)
    if version not in _NAMED_AXES:
        yield Problem(f"It is of the old version {version} of OME-Zarr, which has no place for pixel sizes.", "multiscales", severity="info")


@rule(
    "ngff.axes",
    severity="warning",
    title="Axes have the names, types and order that OME-Zarr wants.",
    why="Much software takes the order t c z y x for granted and would show channels as planes, or fail.",
    fix="Convert the store with this suite, which puts the axes in order.",
    source=_AXES,
    needs="path",
    applies=is_checked,
)
def _axes(subject: Subject) -> Iterator[Problem]:
    if subject.dataset is None:
        yield from _axes_unread(subject)
        return
    for stored in stored_images(subject):
        axes = stored.raw.get("axes")
        if not isinstance(axes, list) or stored.multiscale.axes is None:
            yield problem(stored, "axes", f"{stored.called} does not say what its dimensions are.", "error")
            continue
        names = [axis.name for axis in stored.multiscale.axes if axis.name in AXES]
        if names != [name for name in AXES if name in names]:
            yield problem(stored, "axes", f"{stored.called} has its axes in the order {' '.join(names)}, not t c z y x.")
        for axis, known in zip(axes, stored.multiscale.axes, strict=True):
            yield from _axis(stored, axis, known.name)


def _axes_unread(subject: Subject) -> Iterator[Problem]:
    """What of the axes can keep a store from being read at all."""
    for stored in of_role(subject, "image", "label"):
        axes = entries(first_multiscale(stored.group), "axes")
        names = [str(axis.get("name")) for axis in axes]
        strange = [name for name, axis in zip(names, axes, strict=True) if axis.get("type") == "space" and name not in ("z", "y", "x")]
        if strange:
            yield stored.problem("axes", f"{stored.called} has axes in space that are none of z, y and x: {listed(strange)}.", "error")
        elif len(set(names)) < len(names) or not {"y", "x"} <= set(names):
            yield stored.problem("axes", f"{stored.called} has the axes {listed(names)}; each may be there once, and y and x must be.", "error")


def _axis(stored: StoredImage, axis: object, name: str) -> Iterator[Problem]:
    if not isinstance(axis, Mapping):
        yield problem(stored, "axes", f"{stored.called} gives its axis {name} as a bare name, where OME-Zarr since 0.4 wants name and type.")
        return
    if axis.get("name") != name:
        yield problem(stored, "axes", f"{stored.called} calls an axis “{str(axis.get('name'))[:40]}”; common software knows only t, c, z, y and x.")
    wanted, kind = _TYPES.get(name), axis.get("type")
    if kind is None and wanted is not None:
        yield problem(stored, "axes", f"{stored.called} does not say of which type its axis {name} is ({wanted}).")
    elif wanted is not None and kind != wanted:
        yield problem(stored, "axes", f"{stored.called} says that its axis {name} is of the type “{str(kind)[:40]}”, where {wanted} is meant.")


@rule(
    "ngff.units",
    severity="warning",
    title="Axes in space and time have units, spelt as OME-Zarr spells them.",
    why="A scale without a unit is no pixel size: 0.325 can be micrometres or nanometres, and readers leave it out or take it for pixels.",
    fix="Write the unit in full, such as micrometer or second. A scale of 1 without a unit means that the size is not known: convert the original "
    "again with --pixel-size.",
    source=_AXES,
    applies=_has_axes,
)
def _units(subject: Subject) -> Iterator[Problem]:
    for stored in stored_images(subject):
        axes, first = stored.multiscale.axes or (), stored.multiscale.levels[0]
        folded = {modulo.along.lower() for modulo in stored.image.metadata.modulo}
        for position, axis in enumerate(axes):
            # Where another dimension is folded in, neighbouring indexes have no one distance.
            if axis.name not in folded and (stored.layouts[0].shape[position] > 1 or axis.name in "yx" or axis.unit is not None):
                yield from _unit(stored, axis.name, axis.unit, first.scale[position] if first.scale else None)


def _unit(stored: StoredImage, name: str, unit: object, step: float | None) -> Iterator[Problem]:
    legal: Mapping[str, Any] = {"t": TIME_UNITS}.get(name, SPACE_UNITS) if name in "tzyx" else {}
    if not legal or (isinstance(unit, str) and unit in legal):
        return
    about = (size_along(stored.series, name),)
    if unit is not None:
        meant = ome_length(1, unit) is not None if name != "t" else seconds(1, unit) is not None
        hint = ", which OME-Zarr spells in full (such as micrometer or second)" if meant else ", which is none that OME-Zarr knows"
        message = f"{stored.called} gives the unit of its axis {name} as “{str(unit)[:40]}”{hint}."
        yield problem(stored, "axes", message, about=about, precision=2)
    elif step is None or step == 1:
        yield problem(
            stored,
            "axes",
            f"{stored.called} has neither a unit nor a scale along {name}: its size there is not known.",
            "info" if name == "t" else None,
            about=about,
        )
    else:
        message = f"{stored.called} has the scale {step:g} along {name} but no unit, so that nobody can tell how large that is."
        yield problem(stored, "axes", message, about=about, precision=2)


@rule(
    "ngff.scale",
    severity="error",
    title="Every scale is a number above zero.",
    why="A scale of zero makes every measurement zero, and many viewers fail on one that is zero or negative.",
    fix="Enter the true size, or 1 without a unit where it is not known.",
    source=f"{SPECIFICATION}#trafo-md",
    applies=_has_axes,
)
def _scale(subject: Subject) -> Iterator[Problem]:
    for stored in stored_images(subject):
        for index, level in enumerate(stored.multiscale.levels):
            if level.scale is None:
                yield problem(stored, f"datasets.{index}", f"{stored.called} has no usable scale at its level {index}.", "warning")
                continue
            for axis, step in zip(stored.multiscale.axes or (), level.scale, strict=False):
                if not step > 0:
                    yield problem(stored, f"datasets.{index}", f"{stored.called} has the scale {step:g} along {axis.name} at its level {index}.")


@rule(
    "ngff.label-type",
    severity="error",
    title="Label maps hold whole numbers.",
    why="A label is a number that names an object; software refuses label maps of floating point numbers or rounds them.",
    fix="Convert the label map to an unsigned whole-number type before storing it.",
    source=f"{SPECIFICATION}#label-md",
    applies=lambda subject: is_store(subject) and any(stored.image.kind == "label" for stored in stored_images(subject)),
)
def _label_type(subject: Subject) -> Iterator[Problem]:
    for stored in stored_images(subject):
        if stored.image.kind == "label" and stored.image.dtype.kind not in "iu":
            yield problem(stored, "", f"{stored.called} is of the type {stored.image.dtype}.")


@rule(
    "ngff.listed-missing",
    severity="error",
    title="Every image, well and label map that is listed is there.",
    why="Part of the data is missing: most often an upload, copy or conversion was not completed.",
    fix="Compare with the original and copy the missing part, or take it out of the list.",
    source=SPECIFICATION,
    applies=is_store,
)
def _listed_missing(subject: Subject) -> Iterator[Problem]:
    missing = (sentence for sentence in subject.opened.warnings if sentence.endswith("is listed but not there."))
    yield from (Problem(sentence, about=(sentence,), precision=1) for sentence in missing)


@rule(
    "ngff.chunk-separator",
    severity="warning",
    title="Chunks lie in folders, not all in one.",
    why="OME-Zarr since 0.2 wants chunks in folders of folders; with dots in their names, all files of a large image lie in one folder.",
    fix="Convert the store with this suite.",
    source="https://ngff.openmicroscopy.org/0.4/#image-layout",
    applies=lambda subject: is_store(subject) and ngff_version(subject) != "0.1",
)
def _chunk_separator(subject: Subject) -> Iterator[Problem]:
    for stored in stored_images(subject):
        for layout in stored.layouts:
            if layout.separator != "/" and len(layout.shape) > 1:
                yield problem(stored, layout.path, f"{stored.called} separates the parts of its chunks' names by a dot.")
                break


@rule(
    "ngff.ome-xml-missing",
    severity="info",
    title="The store carries OME-XML.",
    why="OME-Zarr itself has no place for objectives, wavelengths and dates; OME-XML beside it keeps them, and Galaxy knows an OME-Zarr zip by it.",
    fix="Convert the original file with this suite, which writes it.",
    source="https://ngff.openmicroscopy.org/0.4/#bf2raw",
    applies=is_store,
)
def _ome_xml_missing(subject: Subject) -> Iterator[Problem]:
    if subject.opened.ome_source is None:
        yield Problem("The store has no OME/METADATA.ome.xml.", "OME")


@rule(
    "ngff.ome-xml-disagrees",
    severity="error",
    title="The OME-XML describes the images that are there.",
    why="Software that goes by the OME-XML would read other sizes or types than are stored, or attach metadata to the wrong image.",
    fix="Convert the original file again. Do not rename or remove images inside a store by hand.",
    source="https://ngff.openmicroscopy.org/0.4/#bf2raw",
    applies=lambda subject: is_store(subject) and subject.opened.ome is not None,
)
def _ome_xml_disagrees(subject: Subject) -> Iterator[Problem]:
    described, images = subject.ome.images, subject.opened.images
    if len(described) != len(images):
        yield Problem(
            f"The OME-XML describes {len(described)} image{'s' if len(described) != 1 else ''}, but the store has {len(images)}.",
            "OME/METADATA.ome.xml",
        )
    for image in images:
        said = (sentence for sentence in image.warnings if sentence.startswith("Its OME-XML says"))
        yield from (Problem(sentence, "OME/METADATA.ome.xml", image.series, about=(sentence,), precision=1) for sentence in said)
