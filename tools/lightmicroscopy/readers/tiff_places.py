"""What is odd about where the pixels of TIFF pages are: signs of damage in pages that can be read all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from .files import RandomFile
    from .tiff_layout import Page

DISORDERED = "The tags of {where} are not in their order or of unknown types. The file may be damaged: compare its pixels with the original."
_MANY = 8
_MOST = 2_000_000
"""Strips and tiles that are compared with each other."""


def remarks(pages: Iterable[tuple[RandomFile, Page]]) -> Iterator[str]:
    """The first thing that is odd about any of the pages by itself, and the first about several of them together."""
    found = {id(page): (file, page) for file, page in pages}
    yield from list(filter(None, (remark(page, file) for file, page in found.values())))[:1]
    files = {id(file): file for file, _ in found.values()}
    for key, file in files.items():
        own = [page for other, page in found.values() if id(other) == key]
        if len(own) > 1 and (number := _crossing(own)) is not None:
            yield f"Pixels of page {number} of {file.name} lie partly in those of another page. It may be damaged: compare it with the original."
            return


def _crossing(pages: list[Page]) -> int | None:
    """One of several pages of which a strip or tile begins inside another page's."""
    if sum(len(page.offsets) for page in pages) > _MOST:
        return None
    places = [_places(page) for page in pages]
    offsets, sizes = (np.concatenate([place[part] for place in places]) for part in range(2))
    strip = overlapping(offsets, sizes)
    owners = np.repeat(np.arange(len(pages)), [len(place[0]) for place in places])
    return None if strip is None else pages[int(owners[strip])].index


def _places(page: Page) -> tuple[NDArray[Any], NDArray[Any]]:
    """Offset and bytes of each strip or tile; of plain strips, what their rows need."""
    layout, wanted = page.layout, page.layout.segments
    offsets = np.asarray(page.offsets[:wanted], np.int64)
    if not layout.raw or layout.tiled:
        return offsets, np.asarray(page.counts[:wanted], np.int64)
    rows = np.full(wanted, layout.segment_height, np.int64)
    rows[layout.down - 1 :: layout.down] = layout.height - (layout.down - 1) * layout.segment_height
    return offsets, rows * layout.row_bytes


def remark(page: Page, file: RandomFile) -> str:
    """What is odd about where the pixels of a page are, though they can be read; empty if nothing is."""
    layout, wanted = page.layout, page.layout.segments
    where = f"page {page.index} of {file.name}"
    if not page.ordered:
        return DISORDERED.format(where=where)
    if wanted == 1 and page.offsets[0]:
        # They are read nevertheless, as other readers do; pages of several strips that do so are refused by `check_page`.
        short = layout.raw and not layout.tiled and int(page.counts[0]) < layout.row_bytes * layout.height
        return f"P{where[1:]} states fewer bytes than its rows need; the rows were read from where they should be." if short else ""
    offsets, counts = np.asarray(page.offsets[:wanted], np.int64), np.asarray(page.counts[:wanted], np.int64)
    if not offsets.any():
        return f"No pixels of {where} are stored; they were read as {layout.nodata:g}. If something should be there, the file is damaged."
    empty = (offsets > 0) & (counts == 0)
    if empty.any():
        return (
            f"{int(empty.sum()):,} strips or tiles of {where} have a place but no bytes, as slide scanners write what they did not scan; they were "
            f"read as {layout.nodata:g}. If something should be there, the file is damaged."
        )
    number = _astray(page, offsets) if layout.raw and not layout.tiled else overlapping(offsets, counts)
    if number is None:
        return ""
    found = "does not lie where its neighbours do" if layout.raw else "lies partly in another one"
    return f"Strip or tile {number} of {where} {found}. The file may be damaged: compare its pixels with the original."


def _astray(page: Page, offsets: NDArray[Any]) -> int | None:
    """The only one of many plain strips that does not lie between its neighbours, which otherwise lie one behind the other."""
    layout = page.layout
    breaks = np.flatnonzero(np.diff(offsets) != layout.segment_height * layout.row_bytes)
    breaks = breaks[(breaks + 1) % layout.down != 0]
    if len(offsets) < _MANY or not offsets.all():
        return None
    if breaks.size == 2 and breaks[1] - breaks[0] == 1:
        return int(breaks[1])
    # Only the first or the last has neighbours on one side.
    return {0: 0, len(offsets) - 2: len(offsets) - 1}.get(int(breaks[0])) if breaks.size == 1 else None


def overlapping(offsets: NDArray[Any], counts: NDArray[Any]) -> int | None:
    """One of the strips or tiles that begins inside another; that several are one and the same is how writers save space."""
    if (offsets[:-1] + counts[:-1] <= offsets[1:]).all():
        return None
    there = np.flatnonzero((offsets > 0) & (counts > 0))
    order = there[np.lexsort((counts[there], offsets[there]))]
    starts, ends = offsets[order], np.maximum.accumulate(offsets[order] + counts[order])
    inside = np.flatnonzero((starts[1:] < ends[:-1]) & (starts[1:] != starts[:-1]))
    return int(order[inside[0] + 1]) if inside.size else None
