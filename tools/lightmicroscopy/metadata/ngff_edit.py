"""Setting single values in NGFF attributes (0.4 and 0.5): what is not meant stays as it is.

A new pixel size changes all resolution levels alike: their scales keep their ratios, and translations, which are in the
same units, go along.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from ..errors import UnwritableError
from .ngff_read import read_multiscale
from .ngff_units import micrometres, ome_length, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..image import Image
    from .changes import SeriesChanges
    from .ngff import Version

Json = dict[str, Any]

_SAME: Final = 1e-9


def edit_group(ome: Json, image: Image, changes: SeriesChanges, source: str) -> list[str]:
    """Set values of an image group.

    Parameters
    ----------
    ome
        NGFF's part of the group's attributes, changed in place.
    image
        The image as it was read, for what must be made where there is none of it.
    source
        The name by which errors call the group.

    Returns
    -------
    list of str
        What was not so already, with the names of `OmeEditor.edit`.

    Raises
    ------
    UnwritableError
        If the attributes are such that a value has no place in them.
    """
    multiscale = ome["multiscales"][0]
    changed = edit_scale(ome, image, changes, source)
    if changes.image_name is not None:
        if multiscale.get("name") != changes.image_name:
            multiscale["name"] = changes.image_name
            changed.append("image_name")
        if isinstance(ome.get("omero"), dict) and "name" in ome["omero"]:
            ome["omero"]["name"] = changes.image_name
    if any(channel.name is not None or channel.color is not None for channel in changes.channels):
        changed += _channels(ome, image, changes, source)
    return changed


def edit_scale(ome: Json, image: Image, changes: SeriesChanges, source: str) -> list[str]:
    """Set pixel sizes and time increment only, as for the label maps of an image.

    Axes that hold another dimension than their own keep their scale, as `ngff.image_attributes` does.
    """
    multiscale = ome["multiscales"][0]
    folded = {modulo.along.lower() for modulo in image.metadata.modulo}
    wanted = {axis: (size, "micrometer") for axis, size in changes.pixel_sizes.items()}
    if changes.time_increment_s is not None:
        wanted["t"] = (changes.time_increment_s, "second")
    axes = multiscale.get("axes")
    names = [axis.get("name") if isinstance(axis, dict) else None for axis in axes] if isinstance(axes, list) else []
    changed = []
    for axis, (value, unit) in wanted.items():
        if axis in folded:
            continue
        try:
            if None in names and _has_transformations(multiscale):
                raise ValueError("axes without a name")
            if axis in names and sum(_set_scale(view, names.index(axis), value, unit, source) for view in _views(ome)):
                changed.append("time_increment_s" if axis == "t" else f"pixel_size_{axis}_um")
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            raise UnwritableError(
                f"{source} has axes or coordinate transformations that are not of the form OME-Zarr asks for, so that its pixel size cannot be set. "
                "Convert it with Convert microscopy images, and annotate that."
            ) from error
    return changed


def _views(ome: Json) -> Iterator[Json]:
    """Give the metadata for each multiscale of the same arrays, the first first: some stores list an image again, as another program sees it."""
    first = ome["multiscales"][0]
    for each in ome["multiscales"]:
        if each is first or (isinstance(each, dict) and each.get("axes") == first.get("axes") and _paths(each) == _paths(first)):
            yield ome | {"multiscales": [each]}


def _paths(multiscale: Json) -> list[object]:
    datasets = multiscale.get("datasets")
    return [each.get("path") if isinstance(each, dict) else None for each in datasets] if isinstance(datasets, list) else []


def _set_scale(ome: Json, position: int, value: float, unit: str, source: str) -> bool:
    """Set the step of one axis; tells whether it was another."""
    multiscale = ome["multiscales"][0]
    axis = multiscale["axes"][position]
    levels = read_multiscale(ome, source).levels
    scale = levels[0].scale
    if scale is None:
        if _has_transformations(multiscale):
            raise UnwritableError(
                f"{source} has coordinate transformations that are not understood, so that its pixel size cannot be set. "
                "Convert it with Convert microscopy images, and annotate that."
            )
        for dataset in multiscale["datasets"]:
            dataset["coordinateTransformations"] = [{"type": "scale", "scale": [1.0] * len(multiscale["axes"])}]
        scale = (1.0,) * len(multiscale["axes"])
    before = scale[position]
    known = seconds(before, axis.get("unit")) if unit == "second" else _length(before, axis.get("unit"))
    if known is not None and math.isclose(known, value, rel_tol=_SAME):
        return False
    if not before > 0:
        raise UnwritableError(f"{source} has a scale of {before:g}, which cannot be brought to another pixel size. Convert it, and annotate that.")
    whole = 1.0
    for transformation in _transformations(multiscale):
        if transformation["type"] == "translation":
            transformation["translation"][position] *= value / before
        elif transformation["type"] == "scale":
            whole *= transformation["scale"][position]
    for number, dataset in enumerate(multiscale["datasets"]):
        _rescale(dataset, len(multiscale["axes"]), position, value, before, exact=number == 0 and whole == 1.0)
    axis["unit"] = unit
    return True


def _rescale(dataset: Json, axes: int, position: int, value: float, before: float, *, exact: bool) -> None:
    """Bring one level from a step of `before` at level 0 to `value`; `exact` where it is level 0 and has the step itself."""
    scaled = False
    for transformation in _transformations(dataset):
        kind = transformation["type"]
        if kind == "scale" and not scaled:
            scale = transformation["scale"]
            # Level 0 gets the very number, not one that has been multiplied and divided.
            scale[position] = value if exact and scale[position] == before else scale[position] / before * value
            scaled = True
        elif kind == "translation" and scaled:
            transformation["translation"][position] *= value / before
    if not scaled:
        scale = [1.0] * axes
        scale[position] = value / before
        listed = dataset.get("coordinateTransformations")
        dataset["coordinateTransformations"] = [*(listed if isinstance(listed, list) else ()), {"type": "scale", "scale": scale}]


def _transformations(block: Json) -> list[Json]:
    listed = block.get("coordinateTransformations")
    return [item for item in listed if isinstance(item, dict) and "type" in item] if isinstance(listed, list) else []


def _has_transformations(multiscale: Json) -> bool:
    return any(_transformations(block) for block in (multiscale, *multiscale["datasets"]))


def _length(value: float, unit: object) -> float | None:
    length = ome_length(value, unit)
    return None if length is None else micrometres(length)


def _channels(ome: Json, image: Image, changes: SeriesChanges, source: str) -> list[str]:
    if "image-label" in ome:
        return []
    omero = ome.get("omero")
    if not isinstance(omero, dict) or not isinstance(omero.get("channels"), list):
        ome["omero"] = omero = _new_omero(image, ome)
    channels = omero["channels"]
    if len(channels) < len(changes.channels) or not all(isinstance(channel, dict) for channel in channels):
        raise UnwritableError(
            f"{source} lists {len(channels)} channels in its 'omero', and the sheet has {len(changes.channels)}. "
            "Repair its attributes, or convert it."
        )
    changed = []
    for number, (channel, wanted) in enumerate(zip(channels, changes.channels, strict=False)):
        if wanted.name is not None and channel.get("label") != wanted.name:
            channel["label"] = wanted.name
            changed.append(f"channel {number} name")
        if wanted.color is not None and str(channel.get("color")).upper() != wanted.color.upper():
            channel["color"] = wanted.color.upper()
            changed.append(f"channel {number} color")
        if wanted.color is not None:
            _own_color(ome["multiscales"][0], number)
    return changed


def _own_color(multiscale: Json, number: int) -> None:
    """Take back that a colour was invented."""
    metadata = multiscale.get("metadata")
    invented = metadata.get("invented_colors") if isinstance(metadata, dict) else None
    if isinstance(invented, list) and number in invented:
        invented.remove(number)


def _new_omero(image: Image, ome: Mapping[str, Any]) -> Json:
    """Make the block that viewers take channels from; nobody chose its colours."""
    from .ngff import image_attributes

    version: Version = "0.4" if "version" in ome["multiscales"][0] else "0.5"
    made = image_attributes(image, [image.shape], version)
    omero: Json = made.get("ome", made)["omero"]
    metadata = ome["multiscales"][0].setdefault("metadata", {})
    if isinstance(metadata, dict):
        made_multiscale = made.get("ome", made)["multiscales"][0]
        if "invented_colors" in made_multiscale["metadata"]:
            metadata.setdefault("invented_colors", made_multiscale["metadata"]["invented_colors"])
    return omero
