"""Multi-well plates of Zeiss CZI: which scene was taken in which well.

A scene names the shape of the carrier it lies in (``Shape`` with RowIndex and ColumnIndex from 1) or, in older files, the tile
region it was made from, which names its well as ``row-column``. Bio-Formats takes the wells of the experiment in their order
instead, whichever were acquired.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..image import Plate, Well, WellField
from .czi_xml import find, number_of, text_of
from .ome_xml import children

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lxml import etree

    from .czi_mapping import CziMetadata

_WELL: Final = re.compile(r"([1-9]\d{0,2})-([1-9]\d{0,2})")
_LARGEST: Final = 1000
_HOLDER: Final = "Metadata/Experiment/ExperimentBlocks/AcquisitionBlock/SubDimensionSetups/RegionsSetup/SampleHolder"


def read_plates(found: CziMetadata, scenes: Sequence[int | None]) -> tuple[Plate, ...]:
    """The plate the scenes were taken on, or none.

    Parameters
    ----------
    scenes
        The scene of every series.
    """
    holder = _holder(found.root)
    regions = _regions(holder)
    places = {index: place for index, scene in found.scenes.items() if (place := _place(scene.element, regions)) is not None}
    wells: dict[tuple[int, int], list[WellField]] = {}
    for series, scene_number in enumerate(scenes):
        place = places.get(scene_number or 0)
        if place is not None:
            wells.setdefault(place, []).append(WellField(series))
    if not wells:
        return ()
    template = find(holder, "Template")
    rows, columns = (int(number_of(text_of(template, name)) or 0) for name in ("ShapeRows", "ShapeColumns"))
    rows, columns = max(rows, *(row + 1 for row, _ in wells)), max(columns, *(column + 1 for _, column in wells))
    if max(rows, columns) > _LARGEST:
        return ()
    name = template.get("Name", "").strip() if template is not None else ""
    return (Plate(name or "Plate", rows, columns, tuple(Well(*place, tuple(wells[place])) for place in sorted(wells))),)


def _holder(root: etree._Element | None) -> etree._Element | None:
    known = find(root, _HOLDER)
    if known is not None or root is None:
        return known
    experiment = find(root, "Metadata/Experiment")
    return next(iter(experiment.iter("{*}SampleHolder", "SampleHolder")), None) if experiment is not None else None


def _regions(holder: etree._Element | None) -> Mapping[str, str]:
    """The well of each tile region and of each array of positions, by its id."""
    found = {}
    for group, kind in (
        ("TileRegions", "TileRegion"),
        ("SingleTileRegionArrays", "SingleTileRegionArray"),
        ("SingleTileRegions", "SingleTileRegion"),
    ):
        for region in children(find(holder, group), kind):
            well = text_of(region, "TemplateShapeId")
            for one in (region, *(inner for inner in region.iter("SingleTileRegion"))):
                if well and one.get("Id"):
                    found[one.get("Id", "")] = well
    return found


def _place(scene: etree._Element | None, regions: Mapping[str, str]) -> tuple[int, int] | None:
    shape = find(scene, "Shape")
    row, column = (number_of(text_of(shape, name)) for name in ("RowIndex", "ColumnIndex"))
    if row is not None and column is not None and 1 <= row <= _LARGEST and 1 <= column <= _LARGEST:
        return int(row) - 1, int(column) - 1
    well = _WELL.fullmatch(regions.get(text_of(scene, "RegionId") or "", ""))
    return (int(well[1]) - 1, int(well[2]) - 1) if well else None
