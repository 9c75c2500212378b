"""What the user knows of an image and its file does not say: pixel size and axes."""

from __future__ import annotations

from dataclasses import replace
from math import isclose
from typing import TYPE_CHECKING

from ..metadata.ngff_units import micrometres

if TYPE_CHECKING:
    from ..image import Dataset, Image, PixelSize, Quantity


def with_user_knowledge(dataset: Dataset) -> Dataset:
    """Give images without a pixel size that of their location, and say of each image what was not used.

    What a file says itself is never replaced. Axes are used by the reader of plain HDF5 files alone; every other format has its own.
    """
    size, axes = dataset.location.pixel_size, dataset.location.axes
    if size is not None:
        images = tuple(_sized(image, size) for image in dataset.images)
        dataset = replace(dataset, images=images, labels=tuple(_sized(label, size) for label in dataset.labels))
    if axes is not None and dataset.format != "HDF5":
        sentence = f"The axes {axes} asked for were not used: --axes is for HDF5 datasets that do not say theirs."
        dataset = replace(dataset, images=tuple(replace(image, warnings=(*image.warnings, sentence)) for image in dataset.images))
    return dataset


def _sized(image: Image, given: PixelSize) -> Image:
    metadata, warnings = image.metadata, list(image.warnings)
    sizes: dict[str, Quantity | None] = {"x": metadata.pixel_size_x, "y": metadata.pixel_size_y, "z": metadata.pixel_size_z}
    for axis, asked in zip("zyx", given, strict=True):
        if asked is None or (axis == "z" and image.shape.z == 1):
            continue
        own = sizes[axis]
        length, wanted = (None if own is None else micrometres(own)), micrometres(asked)
        if own is None or length is None:
            sizes[axis] = asked
        elif not isclose(length, wanted or 0.0) and not any(said.startswith(f"Its pixel size along {axis} ") for said in warnings):
            unused = f"{asked.value:g} {asked.unit} was not used."
            warnings.append(f"Its pixel size along {axis} is {own.value:g} {own.unit} by its own metadata; {unused}")
    metadata = replace(metadata, pixel_size_x=sizes["x"], pixel_size_y=sizes["y"], pixel_size_z=sizes["z"])
    return replace(image, metadata=metadata, warnings=tuple(warnings))
