"""Where the images of a dataset lie in a store."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..metadata import ngff
from ..names import sanitise, unique

if TYPE_CHECKING:
    from ..image import Dataset, Image, Plate
    from .options import NgffVersion


@dataclass(frozen=True)
class Layout:
    """Paths of images and label maps, in the dataset's order, and the groups around them.

    Attributes
    ----------
    fields
        For a plate: paths and acquisitions of the fields of every well.
    """

    paths: tuple[str, ...]
    label_paths: tuple[str, ...]
    plates: tuple[Plate, ...] = ()
    fields: tuple[tuple[str, tuple[tuple[str, int | None], ...]], ...] = ()
    losses: tuple[str, ...] = ()

    def groups(self, version: NgffVersion) -> dict[str, dict[str, Any]]:
        """Attributes of every group that is no image, by path, the root first."""
        groups: dict[str, dict[str, Any]] = {}
        if self.paths != ("",):
            groups[""] = _merged(ngff.layout_attributes(version), *(ngff.plate_attributes(plate, version) for plate in self.plates))
        groups["OME"] = ngff.series_attributes(self.paths, version) if self.paths != ("",) else {}
        for well, fields in self.fields:
            groups.setdefault(well.partition("/")[0], {})
            groups[well] = ngff.well_attributes(fields, version)
        for parent in dict.fromkeys(path.rpartition("/")[0] for path in self.label_paths):
            names = [path.rpartition("/")[2] for path in self.label_paths if path.rpartition("/")[0] == parent]
            groups[parent] = ngff.labels_attributes(names, version)
        return groups


def _merged(first: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    """Join attributes; what stands under ``ome`` is joined there."""
    out = dict(first)
    for other in others:
        for key, value in other.items():
            out[key] = {**out[key], **value} if isinstance(value, dict) and isinstance(out.get(key), dict) else value
    return out


def lay_out(dataset: Dataset) -> Layout:
    """Decide where everything lies: one image at the root, several under numbers, the fields of a plate under their wells.

    Fields keep their own numbers. A single field is an image at the root.
    """
    images = dataset.images
    plate, losses = _usable_plate(dataset)
    if plate is not None:
        paths, fields = _plate_paths(images, plate)
        return Layout(paths, _label_paths(dataset, paths), (plate,), fields, losses)
    paths = ("",) if len(images) == 1 else tuple(str(number) for number in range(len(images)))
    return Layout(paths, _label_paths(dataset, paths), losses=losses)


def _usable_plate(dataset: Dataset) -> tuple[Plate | None, tuple[str, ...]]:
    """The plate of the store, if there is exactly one and it has a place for every image."""
    if not dataset.plates or not dataset.plate_layout or len(dataset.images) == 1:
        # The OME-XML still says which wells they come from.
        return None, ()
    name, instead = dataset.location.name, "the images are written as series, and only the OME-XML names their wells"
    if len(dataset.plates) > 1:
        return None, (f"{name}: a store holds one plate, and this has {len(dataset.plates)}; {instead}.",)
    places = Counter(field.series for well in dataset.plates[0].wells for field in well.fields)
    if any(places[image.series] != 1 for image in dataset.images):
        return None, (f"{name}: not every image lies in exactly one well of the plate; {instead}.",)
    return dataset.plates[0], ()


def _plate_paths(images: tuple[Image, ...], plate: Plate) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[tuple[str, int | None], ...]], ...]]:
    present = {image.series for image in images}
    place: dict[int, str] = {}
    wells = []
    for well in plate.wells:
        kept = replace(well, fields=tuple(field for field in well.fields if field.series in present))
        path = ngff.well_path(plate, well.row, well.column)
        numbered = sorted(zip(kept.numbers, kept.fields, strict=True), key=lambda pair: pair[0])
        wells.append((path, tuple((str(number), field.acquisition) for number, field in numbered)))
        place |= {field.series: f"{path}/{number}" for number, field in numbered}
    return tuple(place[image.series] for image in images), tuple(wells)


def _label_paths(dataset: Dataset, paths: tuple[str, ...]) -> tuple[str, ...]:
    """``labels/<name>`` below the image a label map belongs to; names are the source's where it had any."""
    parents = {image.series: path for image, path in zip(dataset.images, paths, strict=True)}
    out: dict[int, str] = {}
    for series in dict.fromkeys(label.label_of for label in dataset.labels):
        numbers = [number for number, label in enumerate(dataset.labels) if label.label_of == series]
        names = unique([sanitise((dataset.labels[number].path or dataset.labels[number].name).rpartition("/")[2]) for number in numbers])
        parent = parents.get(series, paths[0]) if series is not None else paths[0]
        out |= {number: "/".join(part for part in (parent, "labels", name) if part) for number, name in zip(numbers, names, strict=True)}
    return tuple(out[number] for number in range(len(dataset.labels)))
