"""Rules on label maps of OME-Zarr: that they say what they are, of which image, and what their labels mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..findings import Problem, Subject, rule
from ._groups import Json, StoredGroup, entries, first_multiscale, groups, has_role, is_checked, of_role, whole
from ._stores import SPECIFICATION, is_store, stored_images
from ._views import listed, shorten

if TYPE_CHECKING:
    from ._stores import StoredImage

_LABEL = f"{SPECIFICATION}#label-md"
_LABELS = f"{SPECIFICATION}#labels-md"
_BYTE = 255
_RATIO = 0.02


@rule(
    "ngff.label-list",
    severity="error",
    title="The group of label maps lists them by their names.",
    why="Label maps are found only by that list: it is the only way from an image to its segmentations.",
    fix="Set 'labels' of the group labels to the list of the names of its label maps.",
    source=_LABELS,
    needs="path",
    applies=has_role("labels"),
)
def _list(subject: Subject) -> Iterator[Problem]:
    for stored in of_role(subject, "labels"):
        names = stored.group.ome.get("labels")
        if not isinstance(names, list) or not all(isinstance(name, str) and name.strip("/") for name in names):
            yield stored.problem("labels", f"{stored.called} does not list its label maps by name: its 'labels' is no list of names.")


@rule(
    "ngff.label-undeclared",
    severity="warning",
    title="Every label map says that it is one.",
    why="Without 'image-label' viewers show a label map as a grey picture and average its numbers.",
    fix="Add 'image-label' to its attributes; with nothing else to say, an empty object.",
    source=_LABEL,
    needs="path",
    applies=has_role("label"),
)
def _undeclared(subject: Subject) -> Iterator[Problem]:
    for stored in of_role(subject, "label"):
        if not isinstance(stored.group.ome.get("image-label"), dict):
            yield stored.problem("image-label", f"{stored.called} is listed as a label map, but has no 'image-label'.")


@rule(
    "ngff.label-source",
    severity="error",
    title="Every label map leads back to the image it was made from.",
    why="Objects are measured in the image that the label map names: through a wrong path they are measured in another, or not at all.",
    fix="Set 'image-label.source.image' to the way from the label map to its image, which is ../../ where it lies in the image's labels.",
    source=_LABEL,
    needs="path",
    applies=lambda subject: is_checked(subject) and any("source" in stored.block("image-label") for stored in groups(subject)),
)
def _source(subject: Subject) -> Iterator[Problem]:
    images = {stored.path for stored in of_role(subject, "image")}
    for stored in of_role(subject, "label", "image"):
        block = stored.block("image-label")
        if "source" not in block:
            continue
        source = block["source"]
        way = source.get("image", "../../") if isinstance(source, dict) else None
        target = _resolved(stored.path, way) if isinstance(way, str) else None
        here = "image-label.source"
        if not isinstance(source, dict) or not isinstance(way, str):
            yield stored.problem(here, f"{stored.called} has a source that names no image.")
        elif target is None:
            # The image may lie beside the store; whether it is there cannot be seen from inside.
            yield stored.problem(here, f"{stored.called} has its image at “{shorten(way)}”, outside of the store.", "warning")
        elif target not in images:
            yield stored.problem(here, f"{stored.called} has its image at “{shorten(way)}”, where there is none.")
        elif stored.above is not None and target != stored.above.path:
            message = f"{stored.called} lies with the image {stored.above.path or 'at the root'}, but says that it is of {target or 'the root'}."
            yield stored.problem(here, message, "warning")


def _resolved(path: str, way: str) -> str | None:
    """Where a relative path leads; ``None`` if out of the store."""
    steps = [step for step in path.split("/") if step]
    for step in way.split("/"):
        if step == "..":
            if not steps:
                return None
            steps.pop()
        elif step not in ("", "."):
            steps.append(step)
    return "/".join(steps)


@rule(
    "ngff.label-levels",
    severity="error",
    title="Label maps have as many resolution levels as their images.",
    why="Viewers take the label map's level of the same number as the image's: where they differ, objects and image do not lie on each other.",
    fix="Make the label map's levels anew, as many as the image has and by taking single pixels, as this suite does with --label.",
    source=_LABELS,
    needs="path",
    applies=has_role("label"),
)
def _levels(subject: Subject) -> Iterator[Problem]:
    for stored in of_role(subject, "label"):
        if stored.above is None:
            continue
        own, wanted = (len(entries(first_multiscale(group), "datasets")) for group in (stored.group, stored.above))
        if own != wanted:
            message = f"{stored.called} has {own} resolution level{'s' if own != 1 else ''}, but its image has {wanted}."
            yield stored.problem("multiscales.0.datasets", message)


@rule(
    "ngff.label-extent",
    severity="warning",
    title="Label maps cover the same place as their images.",
    why="A label map of another size or scale does not lie on its objects, and what is measured in it belongs to something else.",
    fix="Make the label map from the image as it is stored here, uncropped, and give it the image's pixel size.",
    source=_LABELS,
    applies=lambda subject: is_store(subject) and any(stored.image.label_of is not None for stored in stored_images(subject)),
)
def _extent(subject: Subject) -> Iterator[Problem]:
    images = {stored.image.series: stored for stored in stored_images(subject) if stored.image.label_of is None}
    for stored in stored_images(subject):
        image = images.get(stored.series)
        if stored.image.label_of is None or image is None:
            continue
        for axis in "zyx":
            sizes = [getattr(each.image.shape, axis) for each in (stored, image)]
            own, other = (size * _scale(each, axis) for size, each in zip(sizes, (stored, image), strict=True))
            if axis == "z" and sizes[0] == 1:
                continue
            if abs(own - other) > _RATIO * max(own, other):
                message = f"{stored.called} is {own:g} long along {axis}, and its image {other:g} ({sizes[0]} and {sizes[1]} pixels)."
                yield Problem(message, stored.location("multiscales.0"), stored.series)
                break


def _scale(stored: StoredImage, axis: str) -> float:
    """Step along an axis as stated, 1 where it is not."""
    level = stored.multiscale.levels[0]
    names = [known.name for known in stored.multiscale.axes or ()]
    step = level.scale[names.index(axis)] if level.scale and axis in names else 1.0
    return float(step) if step > 0 else 1.0


@rule(
    "ngff.label-colors",
    severity="error",
    title="Colours and properties are given to labels, once each.",
    why="Of two colours or properties for one label, software takes one and drops the other; a colour that is none is not shown.",
    fix="Give each label-value once in 'colors' and once in 'properties', and colours as four whole numbers from 0 to 255 in 'rgba'.",
    source=_LABEL,
    needs="path",
    applies=lambda subject: is_checked(subject) and any({"colors", "properties"} & stored.block("image-label").keys() for stored in groups(subject)),
)
def _colors(subject: Subject) -> Iterator[Problem]:
    for stored in of_role(subject, "label", "image"):
        block = stored.block("image-label")
        for key in ("colors", "properties"):
            if key in block:
                yield from _values(stored, block, key)


def _values(stored: StoredGroup, block: Json, key: str) -> Iterator[Problem]:
    where = f"image-label.{key}"
    if not isinstance(block[key], list) or not all(isinstance(entry, dict) for entry in block[key]):
        yield stored.problem(where, f"{stored.called} has '{key}' that are no list of objects.")
    found = entries(block, key)
    values = [entry.get("label-value") for entry in found]
    unlabelled = [str(index) for index, value in enumerate(values) if not (whole(value) or (isinstance(value, float) and value.is_integer()))]
    if unlabelled:
        yield stored.problem(where, f"{stored.called} has '{key}' without a label they are of: the entries {listed(unlabelled)} (counted from 0).")
    twice = [f"{value}" for value, count in Counter(value for value in values if whole(value)).items() if count > 1]
    if twice:
        yield stored.problem(where, f"{stored.called} has several '{key}' for the labels {listed(twice)}.")
    wrong = [str(entry.get("label-value")) for entry in found if key == "colors" and "rgba" in entry and not _is_color(entry["rgba"])]
    if wrong:
        yield stored.problem(where, f"{stored.called} has colours that are not four whole numbers from 0 to 255, of the labels {listed(wrong)}.")


def _is_color(value: object) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(whole(part) and 0 <= part <= _BYTE for part in value)
