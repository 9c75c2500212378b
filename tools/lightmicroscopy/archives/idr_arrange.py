"""How the results of a download lie in folders: all in one, or as in the IDR, by dataset or by plate and well."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Literal, TypeGuard

from ..names import sanitise

if TYPE_CHECKING:
    from .idr_study import Place

Arrangement = Literal["flat", "dataset", "plate", "plate-store"]
ARRANGEMENTS: Final[tuple[Arrangement, ...]] = ("flat", "dataset", "plate", "plate-store")
DEPTH: Final = {"flat": 1, "dataset": 2, "plate": 3, "plate-store": 1}
"""Names in the path of a result; in Galaxy the depth of the collection."""
_LONGEST: Final = 80


def is_field(place: Place | None) -> TypeGuard[Place]:
    """Whether an image has its place in a plate: a well, and a number there."""
    return place is not None and place.plate_id is not None and bool(place.well_path) and place.field is not None


class Folders:
    """Gives each image its place. Two datasets of one name get two folders, so that an instance must see images in a fixed order. For one thread."""

    def __init__(self, arrangement: Arrangement = "flat") -> None:
        self._arrangement = arrangement
        self._taken: dict[str, tuple[str, int]] = {}

    def path(self, stem: str, place: Place | None) -> PurePosixPath:
        """Return where the results of an image lie, without an extension.

        Parameters
        ----------
        stem
            Name of its results where they lie together with those of any other image.
        """
        if self._arrangement == "flat":
            return PurePosixPath(stem)
        if self._arrangement == "plate-store":
            return PurePosixPath(self._named(place.plate, "plate", place.plate_id or 0) if is_field(place) else stem)
        group = self._group(place)
        field = f"field_{place.field}" if place is not None and place.well and place.field is not None else ""
        if self._arrangement == "dataset":
            return PurePosixPath(group, f"{place.well}_{field}" if place is not None and field else stem)
        well = place.well if place is not None and field else "no_well"
        return PurePosixPath(group, well, field or stem)

    def _group(self, place: Place | None) -> str:
        if place is None:
            return "in_nothing"
        if place.plate_id is not None:
            return self._named(place.plate, "plate", place.plate_id)
        if place.dataset_id is not None:
            return self._named(place.dataset, "dataset", place.dataset_id)
        return self._named(place.container_name, place.container_type, place.container_id)

    def _named(self, name: str, kind: str, number: int) -> str:
        plain = sanitise(name, _LONGEST, otherwise=f"{kind}_{number}")
        owner = self._taken.setdefault(plain.casefold(), (kind, number))
        return plain if owner == (kind, number) else f"{plain}~{number}"
