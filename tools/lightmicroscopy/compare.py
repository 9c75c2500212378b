"""Are these copies the same as the original? Pixels plane by plane, metadata field by field."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from . import readers
from .compare_accepted import Accepted, Difference, accepted
from .compare_fields import described_alike, same, shown
from .compare_levels import LEVEL, judged_levels
from .compare_pairs import Held, Pair, pairs
from .compare_part import (
    EVERYTHING,
    chosen_series,
    other_mosaics,
    others_made,
    part_of,
    record_count,
    recorded_mosaic,
    recorded_selections,
    recorded_sums,
)
from .compare_pixels import PIXELS, planar, unlike_planes
from .compare_place import described_place
from .errors import SuiteError
from .inputs import Given, location_of, names_of
from .provenance import SOURCE, records_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from .image import Dataset, Image, Location

OPEN_COPIES: Final = 16
"""Copies that are open at once; a file of a thousand positions has a thousand copies."""
GRAVE: Final = (PIXELS, LEVEL, "size ", "pixel type", "series", "file", "label map")
"""How what concerns pixels begins: sizes and types, and series that are not there at all."""
SELECTION: Final = "selection"

Equal = Literal["true", "false", "only-original", "only-copy", "accepted"]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was compared.

    Attributes
    ----------
    what
        ``pixels``, ``pixels t=0 c=1 z=3``, ``level 1 size``, ``level 1 pixels``, or a field such as ``channel 0 name``.
    equal
        ``only-original`` and ``only-copy`` where the other lacks it; ``accepted`` where they are expected to differ: for a reason of
        its own, or because the copy records that it holds a part only.
    accepted
        That reason.
    """

    original: str
    copy: str
    series: str
    what: str
    original_value: str
    copy_value: str
    equal: Equal
    accepted: Accepted | None = None

    @property
    def differs(self) -> bool:
        """Whether this is a difference that is not expected."""
        return self.equal not in ("true", "accepted")

    @property
    def is_grave(self) -> bool:
        """Whether it is a difference of pixels, or of what must be there for them to be compared."""
        return self.differs and self.what.startswith(GRAVE)

    @property
    def is_part(self) -> bool:
        """Whether it says that a copy, as expected of it, does not hold all of the original."""
        return self.equal == "accepted" and (self.what == SELECTION or not self.copy)


@dataclass
class Comparison:
    """What came of a comparison: rows in the order in which things were compared, and copies that could not be read.

    Of several originals `formats` has the format of each by its name, empty for those in `lost`, which could not be read.
    """

    original: str
    format: str
    copies: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    formats: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)
    """All that was read, members of sets that were not given themselves among them."""
    notes: list[str] = field(default_factory=list)
    """What may be behind the differences, in sentences."""

    @property
    def compared(self) -> bool:
        """Whether there was anything to compare, and to compare with."""
        return len(self.unreadable) < len(self.copies) and (not self.formats or any(self.formats.values()))

    @property
    def in_part(self) -> int:
        """How many series of the originals no copy holds wholly, as the copies record."""
        parts = {(row.original, row.series, row.copy) for row in self.rows if row.is_part}
        held = {(row.original, row.series, row.copy) for row in self.rows if row.copy and row.original}
        return len({place[:2] for place in parts} - {place[:2] for place in held - parts})

    def table(self) -> Iterator[dict[str, object]]:
        """Rows of the comparison table, sorted by what was compared, one original after the other."""
        number = {row.series: int(row.series) if row.series.isdecimal() else -1 for row in self.rows}
        place = {name: position for position, name in enumerate(self.formats)}
        order = len(place)
        for row in sorted(self.rows, key=lambda row: (place.get(row.original, order), row.what, number[row.series], row.series, row.copy)):
            yield {name: getattr(row, name) for name in ("original", "copy", "series", "what", "original_value", "copy_value", "equal")}


def compare(
    original: Location,
    copies: Sequence[Given],
    *,
    pixels: bool = True,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Compare copies with their original.

    Parameters
    ----------
    original
        What was copied; its files are the members of its set.
    copies
        Files and stores, also on the web, that hold its series, in any order, split or not, once or several times. The members of a set
        may be among them.
    pixels
        Whether the pixels are compared too.
    threads
        Boxes of pixels that are read and compared at a time.
    progress
        Called with (bytes of the original's pixels compared, bytes to compare).

    Raises
    ------
    UnreadableError
        If the original cannot be opened. A copy that cannot is a row.
    """
    names = tuple(names_of(copies))
    with readers.open(original) as dataset, _Copies(copies) as opened:
        result = Comparison(dataset.location.name, dataset.format, names, files=set(dataset.files))
        held = list(_look(opened, names, result, record_count(dataset)))
        found = pairs(dataset, held)
        chosen = chosen_series(dataset, () if result.unreadable else held)
        work = _Work(dataset, opened, names, pixels, threads, _Sum(progress, _bytes(found)) if progress else None, chosen)
        unlike, failures = [], []
        for pair in found:
            rows = list(work.rows(pair))
            if pair.held and any(row.is_grave for row in rows):
                unlike.append((names[pair.held.copy], pair.held.mosaic))
            failures += [f"{row.copy} holds {row.copy_value}" for row in rows if row.what == SELECTION and row.differs]
            result.rows += rows
        made = [(names[item.copy], item.sums) for item in held]
        result.notes += [*dict.fromkeys(failures), *others_made(dataset, made), *other_mosaics(original.mosaic, unlike)]
        return result


def recorded_series(image: Image, source: str) -> tuple[int, str] | None:
    """Number and name of the series of `source` that this suite recorded when it wrote a copy.

    Of a copy of a copy the record that names `source` counts, else the last.
    """
    records = records_of(image)
    if not records:
        return None
    record = next((record for record in reversed(records) if record.get(SOURCE) == source), records[-1])
    number = record.get("Source series", "")
    return (int(number), record.get("Source series name", "")) if number.isascii() and number.isdigit() and len(number) < 10 else None


def record_of(image: Image, source: str) -> dict[str, str]:
    """All that this suite recorded when it made this copy of `source`; empty if it did not make it."""
    return next((record for record in reversed(records_of(image)) if record.get(SOURCE) == source), {})


class _Copies:
    """The copies, opened when they are needed and closed when others are."""

    def __init__(self, paths: Sequence[Given]) -> None:
        self.paths = tuple(paths)
        self.open: OrderedDict[int, Dataset] = OrderedDict()

    def __enter__(self) -> _Copies:
        return self

    def __exit__(self, *_: object) -> None:
        while self.open:
            self.open.popitem()[1].close()

    def __getitem__(self, number: int) -> Dataset:
        if number not in self.open:
            while len(self.open) >= OPEN_COPIES:
                self.open.popitem(last=False)[1].close()
            self.open[number] = readers.open(location_of(self.paths[number], self.paths))
        self.open.move_to_end(number)
        return self.open[number]

    def image(self, held: Held) -> Image:
        """Open what was found there."""
        dataset = self[held.copy]
        count = len(dataset.images)
        return dataset.images[held.position] if held.position < count else dataset.labels[held.position - count]


def _look(copies: _Copies, names: Sequence[str], result: Comparison, known: int) -> Iterator[Held]:
    members: set[Given] = set()
    for number, path in enumerate(copies.paths):
        if path in members:
            continue
        try:
            dataset = copies[number]
        except (SuiteError, OSError) as error:
            result.unreadable.append(str(error))
            result.rows.append(Row(result.original, names[number], "", "file", "", str(error), "false"))
            continue
        members.update(file for file in dataset.files if file != path)
        result.files.update(dataset.files)
        for position, image in enumerate((*dataset.images, *dataset.labels)):
            is_label = image.kind == "label"
            # A store records how it was made with its images, not once more with their label maps.
            recorder = next((other for other in dataset.images if image.label_of is not None and other.series == image.label_of), image)
            selections = recorded_selections(image, result.original, known) or recorded_selections(recorder, result.original, known)
            recorded, mosaic = recorded_series(image, result.original), recorded_mosaic(recorder)
            yield Held(number, position, image.name, is_label, recorded, selections, mosaic, recorded_sums(recorder))


@dataclass
class _Work:
    """Compares pair after pair."""

    original: Dataset
    copies: _Copies
    names: Sequence[str]
    pixels: bool
    threads: int
    progress: _Sum | None
    chosen: frozenset[int]
    """Series that the copies should hold."""

    def __post_init__(self) -> None:
        self.labels = {id(image) for image in self.original.labels}

    def rows(self, pair: Pair) -> Iterator[Row]:
        name = self.names[pair.held.copy] if pair.held else ""
        place = pair.original.series if pair.original else ""
        is_label = id(pair.original) in self.labels if pair.original else pair.held is not None and pair.held.is_label
        told = _Told(self.original.location.name, name, f"label {place}".strip() if is_label else str(place))
        if pair.original is None or pair.held is None:
            there = pair.original or pair.held
            what = "label map" if is_label else "series"
            not_chosen = pair.original is not None and (pair.original.label_of if is_label else pair.original.series) not in self.chosen
            equal: Equal | None = "accepted" if not_chosen else None
            yield told.row(what, there.name if pair.original and there else None, there.name if pair.held and there else None, equal)
            return
        try:
            copy = self.copies.image(pair.held)
        except (SuiteError, OSError, IndexError) as error:
            yield told.row("file", "", str(error), "false")
            return
        part = part_of(pair.original, pair.held.selections, is_label=is_label)
        told = _Told(told.original, told.copy, told.series, part.image, copy, record_of(copy, told.original))
        if part.told:
            yield told.row(SELECTION, EVERYTHING, part.told, "accepted")
        elif part.failure:
            yield told.row(SELECTION, EVERYTHING, part.failure, "false")
        if self.progress is not None:
            self.progress.total -= _size(pair.original) - _size(part.image)
        yield from self._compared(told, part.image, pair.held, copy)

    def _compared(self, told: _Told, original: Image, held: Held, copy: Image) -> Iterator[Row]:
        ours, theirs = planar(original), planar(copy)
        for axis, size, other in zip("TCZYX", ours, theirs, strict=True):
            yield told.row(f"size {axis}", size, other)
        if self.pixels:
            yield from self._pixels(told, original, copy)
        for level in judged_levels(copy, pixels=self.pixels):
            yield told.row(level.what, level.expected, level.found, "true" if level.fine else "false")
        yield told.row("pixel type", str(original.dtype), str(copy.dtype))
        fields, found = described_alike(original, copy)
        fields |= described_place(self.original, original)
        found |= described_place(self.copies[held.copy], copy)
        for name in [*fields, *(name for name in found if name not in fields)]:
            yield told.row(name, fields.get(name), found.get(name))

    def _pixels(self, told: _Told, original: Image, copy: Image) -> Iterator[Row]:
        count = f"{original.shape.pixels} pixels"
        if planar(original) != planar(copy):
            yield told.row(PIXELS, count, "not compared, since the sizes differ", "false")
            return
        try:
            whole = None
            for plane, difference in unlike_planes(original, copy, threads=self.threads, progress=self.progress):
                if plane is None:
                    whole = difference
                else:
                    t, c, z = plane
                    yield told.row(f"{PIXELS} t={t} c={c} z={z}", "", str(difference), "false")
            yield told.row(PIXELS, count, str(whole), "false" if whole is None or whole.differing else "true")
        except (SuiteError, OSError) as error:
            yield told.row(PIXELS, count, str(error), "false")
        finally:
            if self.progress is not None:
                self.progress.next_pair()


@dataclass(frozen=True, slots=True)
class _Told:
    """Makes the rows of one pair."""

    original: str
    copy: str
    series: str
    ours: Image | None = None
    theirs: Image | None = None
    record: dict[str, str] = field(default_factory=dict)

    def row(self, what: str, ours: Any, theirs: Any, equal: Equal | None = None) -> Row:
        """Compare two values, None for what is not there."""
        if equal is None:
            missing: Equal = "only-copy" if ours is None else "only-original"
            equal = missing if ours is None or theirs is None else "true" if same(ours, theirs) else "false"
        reason = None
        if equal != "true" and self.ours is not None and self.theirs is not None:
            reason = accepted(Difference(what, ours, theirs, self.ours, self.theirs, self.record))
        return Row(self.original, self.copy, self.series, what, shown(ours), shown(theirs), "accepted" if reason else equal, reason)


class _Sum:
    """Progress over all pairs, each of which counts from zero."""

    def __init__(self, tell: Callable[[int, int], None], total: int) -> None:
        self.tell, self.total = tell, total
        self.before = self.last = 0

    def __call__(self, done: int) -> None:
        self.last = self.before + done
        self.tell(self.last, self.total)

    def next_pair(self) -> None:
        self.before = self.last


def _bytes(found: Sequence[Pair]) -> int:
    return sum(_size(pair.original) for pair in found if pair.original and pair.held)


def _size(image: Image) -> int:
    return image.shape.pixels * image.dtype.itemsize
