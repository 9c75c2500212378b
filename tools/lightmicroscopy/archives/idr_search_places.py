"""Where the hits of the search engine lie: it knows numbers of wells, and not which wells they are."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ..errors import SuiteError
from .idr_walk import Container, Found, well_of, wells_of
from .ordered import in_order
from .untrusted import LARGEST_ID, line, whole

if TYPE_CHECKING:
    from .idr import Idr

FEW_WELLS: Final = 8
"""Of one plate: up to so many are asked for one by one, more with the list of all its wells."""
_Wells = Mapping[int, tuple[str, int]]

log = logging.getLogger("lightmicroscopy")


def found_of(hit: Mapping[str, Any]) -> Found:
    """Read a hit of the search engine; what it does not say is unknown."""
    numbers = {kind: whole(hit.get(f"{kind}_id"), 1, LARGEST_ID) for kind in ("project", "screen", "dataset", "plate", "well")}
    names = {kind: line(hit.get(f"{kind}_name")) for kind in ("project", "screen", "dataset", "plate")}
    kind = next((kind for kind in ("project", "screen", "dataset", "plate") if numbers[kind] is not None), "")
    return Found(
        int(hit["id"]),
        line(hit.get("name")),
        container=Container(kind, numbers[kind] or 0, names[kind]) if kind else Container(),
        dataset_id=numbers["dataset"],
        dataset=names["dataset"],
        plate_id=numbers["plate"],
        plate=names["plate"],
        well_id=numbers["well"],
    )


def with_wells(idr: Idr, hits: Sequence[Found]) -> list[Found]:
    """Give hits with the names of their wells and their fields; a well that cannot be had stays unknown, and is told."""
    wanted: dict[int, set[int]] = {}
    for hit in hits:
        if hit.plate_id is not None and hit.well_id is not None and not hit.well:
            wanted.setdefault(hit.plate_id, set()).add(hit.well_id)
    tasks: list[tuple[str, int]] = []
    for plate, wells in wanted.items():
        tasks += [("plate", plate)] if len(wells) > FEW_WELLS else [("well", well) for well in sorted(wells)]
    known: dict[int, tuple[str, int]] = {}
    for (kind, number), found in in_order(tasks, lambda task: _wells(idr, *task)):
        if isinstance(found, SuiteError):
            log.warning("Which wells the images of %s %d are in is left out: %s", kind, number, found)
        else:
            known |= found
    return [replace(hit, well=known[hit.image][0], field=known[hit.image][1]) if hit.image in known else hit for hit in hits]


def _wells(idr: Idr, kind: str, number: int) -> _Wells:
    wells = wells_of(idr, number) if kind == "plate" else [well_of(idr.described("well", number))]
    return {image: (name, field) for _, name, images in wells for field, image in enumerate(images) if image is not None}
