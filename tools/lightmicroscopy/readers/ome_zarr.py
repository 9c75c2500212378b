"""OME-Zarr (NGFF) 0.1 to 0.5, in a folder or a zip: images, bioformats2raw layouts, plates, label maps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..errors import LimitError, UnreadableError
from ..image import Dataset, Image, Location, Plate, Well, WellField
from ..metadata.ngff_read import Multiscale, field_number, ome_attributes, read_multiscale, read_plate, version_of
from ..names import without_extension
from .zarr_array import read_json, read_layout
from .zarr_metadata import folded_axes, lost_of_label, merge, own_metadata, usable_levels
from .zarr_source import AXES, ZarrArray, ZarrPixels
from .zarr_store import METADATA_LIMIT, Store, folder_root, open_store

if TYPE_CHECKING:
    from pathlib import Path

    from ..metadata.ome_read import OmeDocument, OmeImage
    from .remote_plate import ChosenImages

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
OME_XML = "OME/METADATA.ome.xml"
_LAYOUT = 3
IMAGES = 100_000
"""Series, wells or fields of a plate, and label maps of a store accepted."""
LABELS = 1_000
"""Label maps of one image accepted."""


def sniff(path: Path, head: bytes) -> bool:
    """Whether it is a folder with Zarr metadata at its top, or any zip."""
    return folder_root(path) is not None if path.is_dir() else head.startswith(_ZIP)


def open_dataset(location: Location) -> Dataset:
    """Open a store, that of the location itself where it has one.

    Raises
    ------
    UnreadableError
        If it is no OME-Zarr, is damaged, or of a version or kind that is not read.
    LimitError
        If its members, chunks or arrays are absurdly large or many.
    """
    store = location.store or open_store(location.path)
    try:
        if location.store is None:
            return _Reader(store, location).dataset()
        from .remote_plate import ChosenImages, with_plate

        return with_plate(_Reader(store, location, ChosenImages.of(location)).dataset())
    except BaseException:
        store.close()
        raise


@dataclass(frozen=True, slots=True)
class Group:
    """A Zarr group and its attributes."""

    path: str
    zarr_format: int
    attributes: Mapping[str, Any]

    @property
    def ome(self) -> Mapping[str, Any]:
        """NGFF's part of the attributes."""
        return ome_attributes(self.attributes)

    def below(self, path: str) -> str:
        """Join a path relative to this group."""
        return f"{self.path}/{path}" if self.path else path


def read_group(store: Store, path: str) -> Group | None:
    """Read a group; ``None`` if there is none at that path."""
    below = f"{path}/" if path else ""
    v3 = read_json(store, f"{below}zarr.json")
    if v3 is not None and v3.get("node_type") == "group":
        attributes = v3.get("attributes")
        return Group(path, 3, attributes if isinstance(attributes, Mapping) else {})
    attributes = read_json(store, f"{below}.zattrs")
    if attributes is None and store.size(f"{below}.zgroup") is None:
        return None
    return Group(path, 2, attributes or {})


@dataclass
class _Reader:
    """Walks one store, collecting images and label maps."""

    store: Store
    location: Location
    chosen: ChosenImages | None = None
    images: list[Image] = field(default_factory=list)
    labels: list[Image] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    document: OmeDocument | None = None
    ome_source: bytes | None = None
    series_paths: tuple[str, ...] = ()
    in_document: dict[int, int] = field(default_factory=dict)
    """Number in the OME-XML of each image."""
    version: str = ""

    def dataset(self) -> Dataset:
        root = self._root()
        self.version, warning = version_of(root.attributes, root.zarr_format, self.store.name)
        self.warnings += [warning] if warning else []
        self.series_paths = self._listed_series()
        self._read_ome_xml()
        plates: tuple[Plate, ...] = ()
        is_plate = "plate" in root.ome
        if is_plate:
            plates = (self._plate(root),)
        elif "multiscales" in root.ome:
            self._image(root, self._ome_image(root.path, 0, 0), 0)
        else:
            self._series(root)
        if not is_plate and self.document is not None:
            plates = self._plates_once()
        return Dataset(
            location=self.location,
            format=f"OME-Zarr {self.version}",
            images=tuple(self.images),
            labels=tuple(self.labels),
            plates=plates,
            plate_layout=is_plate or not plates,
            ome=self.document.root if self.document else None,
            ome_source=self.ome_source,
            files=() if self.location.store is not None else (self.location.path,),
            warnings=tuple(dict.fromkeys(self.warnings)),
            close_files=self.store.close,
        )

    def _root(self) -> Group:
        name = self.store.name
        if read_json(self.store, ".zarray") is not None or (read_json(self.store, "zarr.json") or {}).get("node_type") == "array":
            raise UnreadableError(
                f"{name} is a bare Zarr array without OME-Zarr metadata, so that its axes are unknown. Give the group that holds it."
            )
        root = read_group(self.store, "")
        if root is None:
            if self.location.url is not None and read_json(self.store, "zarr.json") is None:
                raise UnreadableError(
                    f"There is no OME-Zarr at {self.location.url}: none of zarr.json, .zattrs and .zgroup is there. "
                    "Check the address; it is that of the folder that holds one of these."
                )
            raise UnreadableError(f"{name} is not a Zarr group: its zarr.json says neither group nor array. Ask for the store again.")
        if {"multiscales", "plate"} & root.ome.keys():
            return root
        if (layout := root.ome.get("bioformats2raw.layout")) is not None:
            if layout != _LAYOUT:
                self.warnings.append(f"Its bioformats2raw.layout is {str(layout)[:40]!r}; it is read as {_LAYOUT}.")
            return root
        if "well" in root.ome or "labels" in root.ome:
            what = "one well of a plate" if "well" in root.ome else "a group of label maps"
            raise UnreadableError(f"{name} is {what}, cut out of its OME-Zarr. Give the whole store.")
        version_of(root.attributes, root.zarr_format, name)
        raise UnreadableError(
            f"{name} is a Zarr group but not an OME-Zarr: its attributes have none of 'multiscales', 'plate' and 'bioformats2raw.layout'. "
            "Give a folder that has one, for instance one further down."
        )

    def _listed_series(self) -> tuple[str, ...]:
        group = read_group(self.store, "OME")
        series = group.ome.get("series") if group else None
        if not isinstance(series, list):
            return ()
        self._limit(len(series), IMAGES, "series")
        paths = tuple(path.strip("/") for path in series if isinstance(path, str))
        if len(set(paths)) < len(paths):
            twice = next(path for path, count in Counter(paths).items() if count > 1)
            raise UnreadableError(f"{self.store.name} lists its series {twice} more than once. Repair the 'series' of its group OME.")
        return paths

    def _limit(self, count: int, most: int, what: str) -> None:
        if count > most:
            raise LimitError(f"{self.store.name} lists {count:,} {what}; at most {most:,} are read. Split the store.")

    def _series(self, root: Group) -> None:
        paths = self.series_paths or tuple(self._numbered())
        if not paths:
            raise UnreadableError(f"{self.store.name} is of the bioformats2raw layout but holds no image (no group 0). Ask for the store again.")
        for position, path in enumerate(paths if self.chosen is None else self.chosen.whole(paths)):
            if self.chosen is not None and position not in self.chosen:
                continue
            group = self._group(root.below(path))
            if group is None or "multiscales" not in group.ome:
                self.warnings.append(f"Its series {path} is listed but not there.")
                continue
            # A series that is not there leaves its number free: the others are known by theirs.
            self._image(group, self._ome_image(path, position, position), position)
        if not self.images:
            raise UnreadableError(
                f"{self.store.name} lists {len(paths)} series, none of which is there. Check that the upload or copy was completed."
            )

    def _numbered(self) -> Iterator[str]:
        index = 0
        while (group := self._group(str(index))) is not None and "multiscales" in group.ome:
            yield str(index)
            index += 1
            self._limit(index, IMAGES, "series")

    def _group(self, path: str) -> Group | None:
        group = read_group(self.store, path)
        if group is not None and self.version and "multiscales" in group.ome:
            stated, warning = version_of(group.attributes, group.zarr_format, f"{self.store.name}, group {path}")
            self.warnings += [warning] if warning else []
            if not self.images:
                self.version = stated
        return group

    def _plate(self, root: Group) -> Plate:
        info = read_plate(root.ome["plate"] if isinstance(root.ome["plate"], Mapping) else {}, self.store.name)
        self._limit(len(info.wells), IMAGES, "wells")
        if self.chosen is not None:
            self.chosen.fields(root.below(path) for path, _, _ in info.wells)
        wells = tuple(Well(row, column, tuple(self._fields(root.below(path)))) for path, row, column in info.wells)
        if self.chosen is not None:
            self.chosen.refuse_missing()
        if not self.images:
            raise UnreadableError(
                f"{self.store.name} is a plate of {len(info.wells)} wells, none of which has an image. Check that the upload or copy was completed."
            )
        known = self.document.plates[0] if self.document and self.document.plates else None
        return Plate(
            name=info.name or (known.name if known else without_extension(self.store.name)),
            rows=info.rows,
            columns=info.columns,
            wells=wells,
            acquisitions=info.acquisitions,
            row_naming=info.row_naming,
            column_naming=info.column_naming,
        )

    def _fields(self, path: str) -> Iterator[WellField]:
        well = read_group(self.store, path)
        block = well.ome.get("well") if well else None
        entries = block.get("images") if isinstance(block, Mapping) else None
        if well is None or not isinstance(entries, list):
            self.warnings.append(f"Its well {path} is listed but not there.")
            return
        self._limit(len(self.images) + len(entries), IMAGES, "fields")
        for entry in entries:
            if self.chosen is not None and self.chosen.complete:
                return
            image_path = entry.get("path") if isinstance(entry, Mapping) else None
            group = self._group(well.below(image_path.strip("/"))) if isinstance(image_path, str) else None
            if group is None or "multiscales" not in group.ome or not isinstance(image_path, str):
                self.warnings.append(f"The field {image_path} of its well {path} is listed but not there.")
                continue
            series = len(self.images) if self.chosen is None else self.chosen.number()
            if self.chosen is not None and series not in self.chosen:
                continue
            run = entry.get("acquisition")
            ome_image = self._ome_image(group.path, series, series)
            positions = self._well_position(series) if ome_image else {}
            yield WellField(series, run if isinstance(run, int) else None, index=field_number(image_path), **positions)
            self._image(group, ome_image, series)

    def _well_position(self, series: int) -> dict[str, Any]:
        for plate in self.document.plates if self.document else ():
            for well in plate.wells:
                for known in well.fields:
                    if known.series == self.in_document.get(series):
                        return {"position_x": known.position_x, "position_y": known.position_y}
        return {}

    def _plates_once(self) -> tuple[Plate, ...]:
        """Plates that images of this store, which is none, were taken out of."""
        from ..metadata.ome_plates import renumbered

        position = {index: series for series, index in self.in_document.items()}
        plates = renumbered(self.document.plates if self.document else (), position)
        return tuple(plate for plate in plates if any(well.fields for well in plate.wells))

    def _image(self, group: Group, ome_image: OmeImage | None, series: int) -> None:
        stem = without_extension(self.store.name)
        image = self._open_image(group, series, ome_image, f"{stem} {group.path}" if group.path else stem)
        self.images.append(image)
        labels = read_group(self.store, group.below("labels"))
        listed = labels.ome.get("labels") if labels else None
        names = listed if isinstance(listed, list) else []
        if labels is not None and not isinstance(listed, list):
            self.warnings.append(f"Its group {labels.path} does not list its label maps, which were left out.")
        self._limit(len(names), LABELS, f"label maps of image {series}")
        self._limit(len(self.labels) + len(names), IMAGES, "label maps")
        for name in names:
            below = self._group(labels.below(name.strip("/"))) if labels and isinstance(name, str) else None
            if below is None or "multiscales" not in below.ome:
                self.warnings.append(f"Its label map {name} is listed but not there.")
                continue
            label = self._open_image(below, len(self.labels), None, name)
            self.labels.append(replace(label, kind="label", label_of=series))

    def _open_image(self, group: Group, series: int, ome_image: OmeImage | None, default_name: str) -> Image:
        source = f"{self.store.name}, group {group.path}" if group.path else self.store.name
        multiscale, sources = open_levels(self.store, group, source)
        levels, left_out = usable_levels(sources, multiscale)
        layout = sources[0].array.layout
        metadata, warnings = own_metadata(group.ome, multiscale, sources[0])
        image = Image(
            name=multiscale.name or default_name,
            series=series,
            levels=levels,
            axes=folded_axes(multiscale),
            kind="label" if "image-label" in group.ome else "intensity",
            fill_value=layout.fill.item(),
            metadata=metadata,
            compression=layout.compression,
            lossy=any("jpeg" in codec or "jpg" in codec for codec in layout.codecs),
            path=group.path,
            warnings=(*multiscale.warnings, *warnings, *left_out, *lost_of_label(group.ome)),
        )
        return image if ome_image is None else merge(image, ome_image, multiscale)

    def _read_ome_xml(self) -> None:
        from ..metadata.ome_read import read_ome

        self.ome_source = self.store.get(OME_XML, METADATA_LIMIT * 8)
        if self.ome_source is None:
            return
        # Broken OME-XML costs its metadata, not the pixels; the check tool reports it in full from `ome_source`.
        with suppress(UnreadableError):
            self.document = read_ome(self.ome_source, f"{self.store.name}, {OME_XML}")
        if self.document is None:
            self.warnings.append(f"Its {OME_XML} cannot be read and is left aside.")

    def _ome_image(self, path: str, position: int, series: int) -> OmeImage | None:
        if self.document is None:
            return None
        index = self.series_paths.index(path) if path in self.series_paths else position
        self.in_document[series] = index
        return self.document.images[index] if index < len(self.document.images) else None


def _first_path(ome: Mapping[str, Any]) -> str | None:
    with suppress(KeyError, IndexError, TypeError, AttributeError):
        path = ome["multiscales"][0]["datasets"][0]["path"]
        return path.strip("/") if isinstance(path, str) else None
    return None


def open_levels(store: Store, group: Group, source: str) -> tuple[Multiscale, tuple[ZarrPixels, ...]]:
    """Open every resolution level that an image group lists, those included that do not fit together.

    Parameters
    ----------
    store, group
        The store and a group of it that has ``multiscales``.
    source
        The name by which errors call it.

    Raises
    ------
    UnreadableError
        If a level is not there or is damaged, or the axes are not t c z y x.
    LimitError
        If there are too many levels, or their arrays are absurdly large.
    """
    first_path = _first_path(group.ome)
    first = read_layout(store, group.below(first_path)) if first_path else None
    multiscale = read_multiscale(group.ome, source, first.shape if first else None)
    axes = "".join(axis.name for axis in multiscale.axes) if multiscale.axes else AXES
    return multiscale, tuple(_pixels(store, group.below(level.path), axes, source) for level in multiscale.levels)


def _pixels(store: Store, path: str, axes: str, source: str) -> ZarrPixels:
    layout = read_layout(store, path)
    if layout is None:
        raise UnreadableError(f"{source} lists the resolution level {path}, where there is no array. Check that the upload or copy was completed.")
    if len(layout.shape) != len(axes):
        raise UnreadableError(f"{source}: the array {path} has {len(layout.shape)} dimensions, but its image {len(axes)} axes. Repair its 'axes'.")
    return ZarrPixels(ZarrArray(store, layout), axes)
