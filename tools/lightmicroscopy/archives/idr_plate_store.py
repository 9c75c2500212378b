"""A plate of the IDR as one OME-Zarr in the layout of high-content screening: the wells and fields that were asked for.

Its fields are fetched and written one after the other, each into its own place, so that one that cannot be read costs no other and no
more than one is in memory. The groups around them are written last.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from .. import readers
from ..errors import UnreadableError, UnwritableError
from ..image import Acquisition, Image, Level, Location, MapAnnotation, Plate, Shape, Well, WellField
from ..metadata import ngff, zarr_json
from ..writers.atomic import new_output
from ..writers.store import OME_XML, Zip
from ..writers.zarr_layout import Layout
from .idr_image import Unfetched
from .untrusted import mapping, whole
from .wells import LARGEST, parse_well

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..convert import Conversion
    from ..image import Dataset, NamingConvention
    from ..writers.options import WriteOptions
    from .idr import Idr
    from .idr_study import Place

NAMESPACE: Final = "lightmicroscopy/plate"
"""Namespace of the map annotation that says which fields of those asked for are there, and key of the same in the store's attributes."""
_ROOT_FILES: Final = (".zgroup", ".zattrs", "zarr.json")


@dataclass(frozen=True, slots=True)
class Missing:
    """A field that was asked for and is not in the store."""

    image: int
    well: str
    path: str
    reason: str

    @property
    def name(self) -> str:
        """As people write it: ``B07/0``."""
        return f"{self.well}/{self.path.rpartition('/')[2]}"


def missing_of(image: int, place: Place, reason: object) -> Missing:
    """Note a field that could not be had."""
    return Missing(image, place.well, f"{place.well_path}/{place.field}", str(reason))


def said_of(missing: Sequence[Missing]) -> str:
    """Say in a sentence what a store lacks; nothing if it lacks nothing."""
    if not missing:
        return ""
    names = ", ".join(one.name for one in missing[:12]) + (f" and {len(missing) - 12} more" if len(missing) > 12 else "")
    return f"Of the fields asked for {'1 is' if len(missing) == 1 else f'{len(missing):,} are'} not in the store: {names}."


@dataclass(frozen=True, slots=True)
class _Field:
    place: Place
    row: int
    column: int
    acquisition: int | None
    image: Image


@dataclass
class PlateStore:
    """One store while it is made.

    Attributes
    ----------
    root
        Folder for its parts; `folder` in it becomes the store.
    options
        How its fields are written.
    """

    root: Path
    options: WriteOptions
    fields: list[_Field] = field(default_factory=list)
    acquisitions: dict[int, Acquisition] = field(default_factory=dict)
    _sides: tuple[int, int] = (1, 1)

    @property
    def folder(self) -> Path:
        """The store as a folder."""
        return self.root / "store"

    def add(self, conversion: Conversion, dataset: Dataset, place: Place) -> None:
        """Take a field that was written as a store of its own.

        Raises
        ------
        UnreadableError
            If another image has its place.
        """
        target = self.folder / place.well_path / str(place.field)
        if target.exists():
            raise UnreadableError(f"The IDR has another image as field {place.field} of well {place.well}, which is in the store already.")
        (path,) = conversion.paths
        outcome = next(one for one in conversion.outcomes if one.image.label_of is None and one.written is not None)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        shutil.rmtree(target / "OME")
        well = parse_well(place.well)
        image = conversion.complete(outcome.image)
        shape = image.shape._replace(c=image.shape.c, s=image.shape.s)
        # Its pixels are written: what is kept of it are its metadata.
        image = replace(
            image,
            series=len(self.fields),
            levels=(Level(Unfetched(shape, image.dtype)),),
            metadata=replace(image.metadata, element=None),
        )
        self.fields.append(_Field(place, *well, self._run(dataset), image))

    def _run(self, dataset: Dataset) -> int | None:
        """Acquisition of the field, as the store it comes from numbers it."""
        if not dataset.plates or dataset.plate_layout:
            return None
        plate = dataset.plates[0]
        self._sides = max(self._sides[0], plate.rows), max(self._sides[1], plate.columns)
        run = next((one.acquisition for well in plate.wells for one in well.fields if one.series == 0), None)
        found = next((one for one in plate.acquisitions if one.id == run), None)
        if found is not None:
            self.acquisitions.setdefault(found.id, found)
        return run

    def plate(self, stated: Plate) -> Plate:
        """Put the plate together of what the IDR states of it and the fields that are there."""
        wells: dict[tuple[int, int], list[WellField]] = {}
        for one in self.fields:
            wells.setdefault((one.row, one.column), []).append(WellField(one.image.series, one.acquisition, index=one.place.field))
        placed = tuple(
            Well(*place, tuple(sorted(found, key=lambda field: field.index or 0))) for place, found in sorted(wells.items(), key=lambda pair: pair[0])
        )
        return replace(
            stated,
            rows=max(stated.rows, self._sides[0], *(row + 1 for row, _ in wells)),
            columns=max(stated.columns, self._sides[1], *(column + 1 for _, column in wells)),
            wells=placed,
            acquisitions=tuple(self.acquisitions[number] for number in sorted(self.acquisitions)),
        )

    def finish(self, path: Path, stated: Plate, missing: Sequence[Missing]) -> tuple[str, ...]:
        """Write what is around the fields, check the store, and give it its name.

        Returns
        -------
        tuple of str
            What could not be written of the metadata.

        Raises
        ------
        UsageError
            If something is at `path`.
        UnwritableError
            If it cannot be written, or is not whole.
        """
        from ..metadata.ome_write import build_ome_with_losses

        plate, version = self.plate(stated), self.options.ngff_version
        images = tuple(one.image for one in self.fields)
        paths = tuple(f"{one.place.well_path}/{one.place.field}" for one in self.fields)
        fields = tuple(
            (ngff.well_path(plate, well.row, well.column), tuple((str(one.index), one.acquisition) for one in well.fields)) for well in plate.wells
        )
        layout = Layout(paths, (), (plate,), fields)
        xml, unsaid = build_ome_with_losses(
            images, storage="ome-zarr", source=None, original=self.options.original, plates=(plate,), provenance=_told(missing, len(images))
        )
        for place, attributes in layout.groups(version).items():
            told = {} if place or not missing else {NAMESPACE: {"missing": [_json(one) for one in missing]}}
            for name, content in zarr_json.group_files(attributes | told, version).items():
                _put(self.folder, f"{place}/{name}" if place else name, content)
        _put(self.folder, OME_XML, xml)
        self._check([image.shape for image in images])
        with new_output(path, most_bytes=len(xml)) as temporary:
            if self.options.zip:
                _zip(self.folder, temporary)
            else:
                self.folder.rename(temporary)
        return unsaid

    def _check(self, shapes: Sequence[Shape]) -> None:
        """Open what was put together, and hold it against what was put in."""
        with readers.open(Location(self.folder)) as dataset:
            found = sorted(tuple(image.shape._replace(c=image.shape.c * image.shape.s, s=1)) for image in dataset.images)
            whole = found == sorted(tuple(shape._replace(c=shape.c * shape.s, s=1)) for shape in shapes)
            if not whole or not dataset.plates:
                raise UnwritableError("The finished plate was checked and is not complete; it was removed. Please report this.")


def stated_plate(idr: Idr, number: int, name: str) -> Plate:
    """Ask for what the IDR says of a plate; its rows and columns may be unknown there."""
    data = mapping(idr.described("plate", number))
    rows, columns = (whole(data.get(key), 1, LARGEST) or 1 for key in ("Rows", "Columns"))
    row_naming: NamingConvention = "number" if data.get("RowNamingConvention") == "number" else "letter"
    column_naming: NamingConvention = "letter" if data.get("ColumnNamingConvention") == "letter" else "number"
    return Plate(name or f"plate {number}", rows, columns, (), (), row_naming, column_naming)


def _json(one: Missing) -> dict[str, Any]:
    return {"path": one.path, "image": one.image, "reason": one.reason}


def _told(missing: Sequence[Missing], there: int) -> tuple[MapAnnotation, ...]:
    if not missing:
        return ()
    lacking = (("Missing field", f"{one.name} (image {one.image}): {one.reason}") for one in missing)
    return (MapAnnotation(NAMESPACE, (("Fields asked for", str(there + len(missing))), ("Fields there", str(there)), *lacking)),)


def _put(folder: Path, key: str, content: bytes) -> None:
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _zip(folder: Path, path: Path) -> None:
    """Put a store into a zip, its root first, a file at a time."""
    archive = Zip(path)
    try:
        keys = sorted(
            (file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()), key=lambda key: (key not in _ROOT_FILES, key)
        )
        for key in keys:
            archive.put(key, (folder / key).read_bytes())
        archive.finish()
    finally:
        archive.close()
