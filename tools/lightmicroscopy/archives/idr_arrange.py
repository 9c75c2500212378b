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
    """Gives each image its place. For one thread.

    Two datasets or plates of one name get two folders, and so do two wells at one place of a plate: an instance must see images in a fixed order,
    and be told of the folders that are there before.
    """

    def __init__(self, arrangement: Arrangement = "flat") -> None:
        self._arrangement = arrangement
        self._taken: dict[str, tuple[str, int]] = {}
        self._names: dict[tuple[str, int], str] = {}
        self._wells: dict[tuple[int | None, str], int | None] = {}

    def claim(self, folder: str, place: Place | None) -> None:
        """Leave a folder that is there to what lies in it, given the place of an image of it."""
        name, kind, number = self._owner(place)
        if kind and folder in _choices(name, kind, number):
            self._taken.setdefault(folder.casefold(), (kind, number))
            self._names.setdefault((kind, number), folder)

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
            return PurePosixPath(self._named(*self._owner(place)) if is_field(place) else stem)
        group = self._named(*self._owner(place))
        well = self._well(place)
        field = f"field_{place.field}" if place is not None and place.well and place.field is not None else ""
        if self._arrangement == "dataset":
            return PurePosixPath(group, f"{well}_{field}" if field else stem)
        return PurePosixPath(group, well if field else "no_well", field or stem)

    def _well(self, place: Place | None) -> str:
        if place is None or not place.well:
            return ""
        first = self._wells.setdefault((place.plate_id, place.well), place.well_id)
        return place.well if place.well_id == first else f"{place.well}~{place.well_id}"

    @staticmethod
    def _owner(place: Place | None) -> tuple[str, str, int]:
        """Name, kind and number of what an image's folder is named after; no kind if it lies in nothing."""
        if place is None:
            return "in_nothing", "", 0
        if place.plate_id is not None:
            return place.plate, "plate", place.plate_id
        if place.dataset_id is not None:
            return place.dataset, "dataset", place.dataset_id
        return place.container_name, place.container_type, place.container_id

    def _named(self, name: str, kind: str, number: int) -> str:
        owner = kind, number
        if owner not in self._names:
            plain, other = _choices(name, kind, number)
            self._names[owner] = plain if self._taken.setdefault(plain.casefold(), owner) == owner else other
        return self._names[owner]


def _choices(name: str, kind: str, number: int) -> tuple[str, str]:
    """Name of a folder, and the one it has where another has that."""
    plain = sanitise(name, _LONGEST, otherwise=f"{kind}_{number}")
    return plain, f"{plain}~{number}"
