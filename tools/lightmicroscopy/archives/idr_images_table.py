"""The images table, as other tools and people write it: which images it names."""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from ..errors import UnreadableError, UsageError
from .idr_spec import number_of, quoted
from .manifest import read_rows
from .seen import Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

log = logging.getLogger("lightmicroscopy")


@dataclass(frozen=True, slots=True)
class ImageRow:
    """A row of an images table; what the table does not say is empty."""

    image_id: int
    image_name: str = ""
    study: str = ""
    container_type: str = ""
    container_id: str = ""
    container_name: str = ""
    plate: str = ""
    well: str = ""
    field: str = ""
    series: str = ""
    size_x: str = ""
    size_y: str = ""
    size_z: str = ""
    size_c: str = ""
    size_t: str = ""
    dtype: str = ""
    pixel_size_x_um: str = ""
    pixel_size_y_um: str = ""
    pixel_size_z_um: str = ""
    channels: str = ""
    licence: str = ""
    pixels_from: str = ""
    url: str = ""


def read_images_table(path: Path, *, warn: Callable[[str], None] | None = log.warning) -> Iterator[ImageRow]:
    """Read an images table row by row, each image once.

    Raises
    ------
    UnreadableError
        If it is no such table, or a line of it does not fit.
    UsageError
        If an ``image_id`` is no number.
    """
    seen = Seen()
    columns = tuple(field.name for field in fields(ImageRow) if field.name != "image_id")
    for number, cells in enumerate(read_rows(path, ("image_id",)), 2):
        stated = cells["image_id"].strip()
        image = number_of(stated.removeprefix("image-"))
        if image is None:
            raise UsageError(
                f"{path.name}, row {number - 1}: {quoted(stated)} in the column image_id is no id of an image. Ids are whole numbers above 0."
            )
        if seen.is_new(image):
            yield ImageRow(image, **{column: cells.get(column, "") for column in columns})
    if not len(seen):
        raise UnreadableError(f"{path.name} names no image: below its header there is no row.")
    tell_repeats(seen, warn)


def tell_repeats(seen: Seen, warn: Callable[[str], None] | None) -> None:
    """Tell of images that were named again."""
    if seen.repeated and warn is not None:
        times = "once" if seen.repeated == 1 else f"{seen.repeated} times"
        warn(f"An image that was named already is named again {times}; each image is taken once.")
