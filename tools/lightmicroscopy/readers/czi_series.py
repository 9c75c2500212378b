"""Which subblocks of a CZI make up which series, plane and resolution level.

Scenes, acquisition blocks and views are series of their own, and so are channels of another pixel type. Rotations, illuminations
and phases are folded into Z, C and T as Bio-Formats folds them: the folded dimension counts slowest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from ..errors import LimitError, UnreadableError
from ..image import Modulo, Shape, TilePosition
from .czi_blocks import PixelType, pixel_type
from .czi_directory import packed
from .czi_places import covers, groups_of, one_acquisition, wandering

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .czi_directory import Directory

Mosaic = Literal["as-stored", "fuse", "tiles"]
_MAX_PLANES: Final = 2_000_000
_MANY_MISSING: Final = 10_000
_MAX_EXTENT: Final = 1 << 31
_SPARSE: Final = 1000
_FREE_AREA: Final = 1 << 30
_FINER: Final = 0.75
"""Subblocks stored with more pixels than they cover (a reconstruction at a finer grid) are a series of their own."""
_LOOKED_AT: Final = 1000
_SAMPLE: Final = 64
_SMALL: Final = 16
_MOST_REDUCED: Final = 1 << 16
_TYPES_OF_MODULO: Final = {"rotation": ("angle", "rotation"), "illumination": ("other", "illumination")}
"""OME's type of a folded dimension, and what Zeiss calls it where that is another word."""


@dataclass(frozen=True, slots=True)
class Dimensions:
    """How the dimensions of a file become T, C and Z, the same for all its series.

    Attributes
    ----------
    times
        Coordinates along T in their order.
    c, z
        Number of channels and slices.
    phases, illuminations, rotations
        What is folded into T, C and Z.
    """

    times: tuple[int, ...]
    c: int
    z: int
    phases: int = 1
    illuminations: int = 1
    rotations: int = 1

    @property
    def planes(self) -> int:
        """Planes of all channels together."""
        return len(self.times) * self.c * self.z * self.phases * self.illuminations * self.rotations

    def modulo(self, channels: int, labels: Mapping[str, tuple[str, ...]]) -> tuple[Modulo, ...]:
        """What was folded, as OME says it. The step is that of Bio-Formats: from one folded element to the next in planes."""
        folded: tuple[tuple[Literal["Z", "C", "T"], str, int, int], ...] = (
            ("Z", "rotation", self.rotations, self.z),
            ("C", "illumination", self.illuminations, channels),
            ("T", "phase", self.phases, len(self.times)),
        )
        found = []
        for along, kind, count, size in folded:
            told = labels.get(kind, ())
            type_, description = _TYPES_OF_MODULO.get(kind, (kind, None))
            if count > 1:
                found.append(Modulo(along, type_, 0, size * (count - 1), size, labels=told if len(told) == count else (), description=description))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class LevelBlocks:
    """The subblocks of one level, sorted by plane and painting order.

    Attributes
    ----------
    rows
        Their rows in the directory.
    plane
        The plane each belongs to, counted t, c, z with z fastest.
    x, y, width, height
        Where each lies in the level, in its pixels.
    """

    scale: float
    shape: Shape
    rows: NDArray[Any]
    plane: NDArray[Any]
    x: NDArray[Any]
    y: NDArray[Any]
    width: NDArray[Any]
    height: NDArray[Any]

    def of_plane(self, plane: int) -> slice:
        """Its subblocks."""
        return slice(int(np.searchsorted(self.plane, plane)), int(np.searchsorted(self.plane, plane, side="right")))


@dataclass(frozen=True, slots=True)
class Series:
    """One series and its levels, the full one first.

    Attributes
    ----------
    scene, view, block
        Coordinates along S, V and B; None where the file has no such dimension.
    tile
        Number of the tile, where every tile is a series.
    channels
        Coordinates along C of its channels.
    scale
        Pixels of the full resolution per pixel of level 0: 1 but where only reduced or finer pixels are stored.
    """

    scene: int | None
    view: int | None
    block: int | None
    tile: int | None
    kind: PixelType
    channels: tuple[int, ...]
    scale: float
    levels: tuple[LevelBlocks, ...]
    dropped: tuple[LevelBlocks, ...] = ()
    """Incomplete levels, which are left out."""
    wandering: bool = False
    """Whether its planes lie in different places, but are shown one on another."""

    @property
    def missing(self) -> tuple[int, ...]:
        """Planes of each channel of which nothing is stored."""
        full = self.levels[0]
        stored = np.bincount(np.unique(full.plane) // full.shape.z % full.shape.c, minlength=full.shape.c)
        return tuple((full.shape.t * full.shape.z - stored).tolist())

    def tiles(self) -> tuple[TilePosition, ...]:
        """Tiles of the first stored plane, if it has several."""
        full = self.levels[0]
        first = full.of_plane(int(full.plane[0]))
        columns = (column[first].tolist() for column in (full.x, full.y, full.width, full.height))
        places = [TilePosition(x, y, width, height, order) for order, (x, y, width, height) in enumerate(zip(*columns, strict=True))]
        return tuple(places) if len(places) > 1 else ()


def find_series(directory: Directory, mosaic: Mosaic, name: str) -> tuple[Dimensions, tuple[Series, ...]]:
    """Sort all subblocks into series.

    Parameters
    ----------
    mosaic
        ``as-stored``: tiles are painted in the order in which they are stored, as Bio-Formats does; ``fuse``: in the order of
        their numbers, as ZEN does, and planes that wander are put in their places; ``tiles``: every tile is a series.
    name
        The file's, for errors.

    Raises
    ------
    UnreadableError
        If there are none, or their coordinates cannot be those of one image.
    LimitError
        If tiles lie so far apart that fusing them would give an image of almost nothing.
    """
    if not len(directory):
        raise UnreadableError(f"{name} holds no pixels: its directory is empty. Perhaps the acquisition was interrupted; ask for it again.")
    dimensions = _dimensions(directory, name)
    _check_ratios(directory, name)
    facts = _facts(directory, dimensions, mosaic, name)
    together = mosaic != "tiles" and one_acquisition(directory, dimensions.planes)
    groups = [np.arange(len(directory))] if together else groups_of(_keys(facts))
    return dimensions, tuple(series for rows in groups if (series := _series(facts, rows)) is not None)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is the same for all series of a file, found out once: a file may have a hundred thousand of them.

    Attributes
    ----------
    ratio
        Pixels of the full resolution for each stored pixel, of every subblock.
    full
        Whether any subblock is not reduced.
    alike
        Whether all are of one pixel type, and on one grid.
    named
        The dimensions that any subblock names.
    """

    directory: Directory
    dimensions: Dimensions
    mosaic: Mosaic
    name: str
    ratio: NDArray[Any]
    full: bool
    alike: bool
    named: frozenset[str]


def _facts(directory: Directory, dimensions: Dimensions, mosaic: Mosaic, name: str) -> _Facts:
    ratio = _ratios(directory)
    finer = ratio < _FINER
    alike = bool((directory.pixel_type == directory.pixel_type[0]).all() and (finer.all() or not finer.any()))
    named = frozenset(letter for letter, column in directory.named.items() if column.any())
    return _Facts(directory, dimensions, mosaic, name, ratio, bool((ratio < 1.5).any()), alike, named)


def outermost(directory: Directory, series: Sequence[Series]) -> list[int]:
    """Rows of the subblocks that the shapes of the series depend on, no more than some thousands."""
    rows = []
    for letter in "CZTHIRSBVM":
        rows += [int(directory.start[letter].argmin()), int(directory.start[letter].argmax())]
    for one in series[:_LOOKED_AT]:
        full = one.levels[0]
        rows += [int(full.rows[at]) for at in (full.x.argmin(), full.y.argmin(), (full.x + full.width).argmax(), (full.y + full.height).argmax())]
        # Damage can make a tile look like a reduced one.
        rows += [row for level in (*one.levels[1:], *one.dropped) for row in level.rows[:: max(1, len(level.rows) // _SAMPLE)].tolist()]
    return list(dict.fromkeys(rows))


def _dimensions(directory: Directory, name: str) -> Dimensions:
    sizes = {}
    for letter in "CZHIR":
        column = directory.start[letter]
        if column.min() < 0 or (column.max() >= _SPARSE and column.max() > _SPARSE * len(np.unique(column))):
            raise UnreadableError(
                f"{name} is damaged: its subblocks go from {column.min():,} to {column.max():,} along {letter}. Copy or upload it again."
            )
        sizes[letter] = int(column.max()) + 1
    times = np.unique(directory.start["T"])
    planes = len(times) * math.prod(sizes.values())
    if planes > _MAX_PLANES or planes > _MANY_MISSING + 100 * len(directory):
        raise UnreadableError(f"{name} claims {planes:,} planes but holds {len(directory):,} subblocks. It is damaged; copy or upload it again.")
    return Dimensions(tuple(map(int, times)), sizes["C"], sizes["Z"], sizes["H"], sizes["I"], sizes["R"])


def _ratios(directory: Directory) -> NDArray[Any]:
    """Pixels of the full resolution for each stored pixel."""
    x = directory.size["X"] / directory.stored["X"]
    y = directory.size["Y"] / directory.stored["Y"]
    return np.where(np.maximum(x, y) > 1, np.maximum(x, y), np.minimum(x, y))


def _check_ratios(directory: Directory, name: str) -> None:
    """Refuse subblocks reduced beyond reason, or not alike along X and Y where rounding does not explain it."""
    x, y = (directory.size[letter] / directory.stored[letter] for letter in "XY")
    small = np.minimum(directory.size["X"], directory.size["Y"]) < _SMALL
    if (np.maximum(x, y) > _MOST_REDUCED).any() or (~small & (np.abs(np.log2(x / y)) > 1)).any():
        raise UnreadableError(f"{name} is damaged: its directory gives a subblock an impossible size. Copy or upload it again.")


def _keys(facts: _Facts) -> list[NDArray[Any]]:
    """What tells series apart; in the order in which the series come by them, since the dimension that changes first counts fastest."""
    directory = facts.directory
    types = {
        int(code): rank for rank, code in enumerate(dict.fromkeys(directory.pixel_type[np.argsort(directory.start["C"], kind="stable")].tolist()))
    }
    kinds = np.zeros(len(directory), np.int64)
    for code, rank in types.items():
        kinds[directory.pixel_type == code] = rank
    columns = [directory.start[letter] for letter in "SBV"]
    first = [int(np.argmax(np.diff(column, prepend=column[0]) > 0)) or len(directory) for column in columns]
    slowest_first = [columns[at] for at in sorted(range(3), key=lambda at: -first[at])]
    tiles = [directory.start["M"], *_places(directory)] if facts.mosaic == "tiles" else []
    return [*slowest_first, kinds, facts.ratio < _FINER, *tiles]


def _places(directory: Directory) -> tuple[NDArray[Any], NDArray[Any]]:
    """Y and X of what has no tile number."""
    unnumbered = ~directory.named["M"]
    return np.where(unnumbered, directory.start["Y"], 0), np.where(unnumbered, directory.start["X"], 0)


def _series(facts: _Facts, rows: NDArray[Any]) -> Series | None:
    directory, mosaic = facts.directory, facts.mosaic
    ratio = facts.ratio[rows]
    smallest = ratio.min()
    if mosaic == "tiles":
        rows, ratio = rows[ratio < smallest * 1.5], ratio[ratio < smallest * 1.5]
        if smallest >= 1.5 and facts.full:
            # The reduced copies of a pyramid are no tiles.
            return None
    steps = _steps(ratio / smallest)
    kind = pixel_type(int(directory.pixel_type[rows[0]]), facts.name)
    channels = _channels(facts, rows)
    plane, counts = _planes(facts, rows, channels)
    shift = None
    if mosaic == "as-stored" and not steps.any():
        shift = wandering(
            plane, {letter: directory.start[letter][rows] for letter in "XY"}, {letter: directory.stored[letter][rows] for letter in "XY"}
        )
    base = float(smallest) if not 0.95 < smallest < 1.05 else 1.0
    extent = tuple(int((directory.start[letter][rows] + directory.size[letter][rows])[steps == 0].max()) for letter in "XY")
    origin = tuple(int(directory.start[letter][rows][steps == 0].min()) for letter in "XY")
    size = [high - low for low, high in zip(origin, extent, strict=True)]
    if shift is not None and len(np.unique(plane)) == len(rows):
        size = [int(directory.size[letter][rows[0]]) for letter in "XY"]
    levels = []
    for step in np.unique(steps):
        scale = base * float(_factor(ratio / smallest, steps, int(step)))
        own = steps == step
        width, height = (max(1, int(extent / scale)) for extent in size)
        shape = Shape(*counts, height, width, kind.samples)
        levels.append(_level(directory, rows[own], plane[own], shape, origin, shift, scale, mosaic))
    _check_extent(directory, levels[0], rows[steps == 0], facts.name)
    covering = [True, *(covers(level, levels[0]) for level in levels[1:])]
    kept, dropped = (tuple(level for level, whole in zip(levels, covering, strict=True) if whole == wanted) for wanted in (True, False))
    at = {letter: int(directory.start[letter][rows[0]]) if letter in facts.named else None for letter in "SVBM"}
    tile = (at["M"] if at["M"] is not None else 0) if mosaic == "tiles" else None
    return Series(at["S"], at["V"], at["B"], tile, kind, channels, base, kept, dropped, wandering=shift is not None)


def _steps(ratio: NDArray[Any]) -> NDArray[Any]:
    """Number of the level of each subblock: ZEN reduces by 2 or by 3 from level to level."""
    reduced = ratio[ratio >= 1.5]
    if not reduced.size:
        return np.zeros(len(ratio), np.int64)
    base = 3.0 if 2.5 < reduced.min() < 3.5 else 2.0
    steps: NDArray[Any] = np.rint(np.log(np.maximum(ratio, 1.0)) / math.log(base)).astype(np.int64)
    return steps


def _factor(ratio: NDArray[Any], steps: NDArray[Any], step: int) -> float:
    reduced = ratio[steps == 1]
    base = 3.0 if reduced.size and 2.5 < reduced.min() < 3.5 else 2.0
    return base**step


def _channels(facts: _Facts, rows: NDArray[Any]) -> tuple[int, ...]:
    """Channels of a series: all, unless others are of another pixel type, or on a finer grid (of localised molecules)."""
    if facts.alike:
        return tuple(range(facts.dimensions.c))
    return tuple(map(int, np.unique(facts.directory.start["C"][rows])))


def _planes(facts: _Facts, rows: NDArray[Any], channels: tuple[int, ...]) -> tuple[NDArray[Any], tuple[int, int, int]]:
    """Number of the plane of each subblock, and how many there are along T, C and Z."""
    dimensions = facts.dimensions
    start = {letter: facts.directory.start[letter][rows] for letter in "TCZHIR"}
    t = start["H"] * len(dimensions.times) + np.searchsorted(dimensions.times, start["T"])
    c = start["I"] * len(channels) + np.searchsorted(channels, start["C"])
    z = start["R"] * dimensions.z + start["Z"]
    sizes = (dimensions.phases * len(dimensions.times), dimensions.illuminations * len(channels), dimensions.rotations * dimensions.z)
    return (t * sizes[1] + c) * sizes[2] + z, sizes


def _level(
    directory: Directory,
    rows: NDArray[Any],
    plane: NDArray[Any],
    shape: Shape,
    origin: tuple[int, ...],
    shift: Mapping[str, NDArray[Any]] | None,
    scale: float,
    mosaic: Mosaic,
) -> LevelBlocks:
    rank = directory.start["M"][rows] if mosaic == "fuse" else np.arange(len(rows))
    order = np.lexsort((rank, plane))
    x, y = ((directory.start[letter][rows] - low - (0 if shift is None else shift[letter])) / scale for letter, low in zip("XY", origin, strict=True))
    return LevelBlocks(
        scale=scale,
        shape=shape,
        rows=rows[order],
        plane=plane[order],
        x=x.astype(np.int64)[order],
        y=y.astype(np.int64)[order],
        width=packed(directory.stored["X"][rows][order]),
        height=packed(directory.stored["Y"][rows][order]),
    )


def _check_extent(directory: Directory, full: LevelBlocks, rows: NDArray[Any], name: str) -> None:
    shape = full.shape
    stored = int((directory.stored["X"][rows].astype(np.int64) * directory.stored["Y"][rows]).sum())
    if max(shape.y, shape.x) >= _MAX_EXTENT or (shape.y * shape.x > _FREE_AREA and shape.y * shape.x > _SPARSE * stored):
        raise LimitError(
            f"{name} places its tiles over {shape.x:,} × {shape.y:,} pixels, almost all of which were never scanned. "
            "Read it with --mosaic tiles, which gives every tile as an image of its own."
        )
