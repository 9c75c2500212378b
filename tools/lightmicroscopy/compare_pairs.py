"""Which series of the copies belongs to which of the original."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .image import Dataset, Image


@dataclass(frozen=True, slots=True)
class Held:
    """A series or label map of a copy, as it was found there."""

    copy: int
    """Which copy."""
    position: int
    """Place among the series of that copy, its label maps after them."""
    name: str
    is_label: bool
    recorded: tuple[int, str] | None
    """Number and name of the series it was made from, where this suite recorded them."""
    selections: tuple[str, ...] = ()
    """What was selected of the original on the way to it, where this suite recorded that."""
    mosaic: str = ""
    """How tiles of a mosaic were read for it, where this suite recorded that."""
    sums: frozenset[str] = frozenset()
    """SHA-256 of what it was made from, step by step, where this suite recorded them."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A series of the original and what should be the same; one of the two may be missing."""

    original: Image | None
    held: Held | None


def pairs(original: Dataset, held: Sequence[Held]) -> list[Pair]:
    """Find which series of the copies belongs to which of the original.

    By the source series that a copy of this suite records; else by name, where only one series has it; else by order.
    """
    everything = (*original.images, *original.labels)
    by_record = {(image.series, image.name): image for image in reversed(everything)}
    by_number = {image.series: image for image in original.images}
    names = Counter(image.name for image in everything)
    by_name = {image.name: image for image in everything if names[image.name] == 1}
    found: dict[Held, Image] = {}
    taken: set[tuple[int, int]] = set()

    def match(item: Held, image: Image | None) -> bool:
        if image is None or (item.copy, id(image)) in taken:
            return False
        found[item] = image
        taken.add((item.copy, id(image)))
        return True

    for item in held:
        if item.recorded and not match(item, by_record.get(item.recorded)) and not item.is_label:
            match(item, by_number.get(item.recorded[0]))
    for item in held:
        if item not in found:
            match(item, by_name.get(item.name))
    _by_order(original, held, found, match)
    matched = {id(image) for image in found.values()}
    order = {id(image): number for number, image in enumerate(everything)}
    result = [Pair(image, item) for item, image in found.items()] + [Pair(image, None) for image in everything if id(image) not in matched]
    result.sort(key=lambda pair: (order[id(pair.original)], pair.held.copy if pair.held else 0))
    return result + [Pair(None, item) for item in held if item not in found]


def _by_order(original: Dataset, held: Sequence[Held], found: dict[Held, Image], match: Callable[[Held, Image | None], bool]) -> None:
    """Pair what is left: what no copy has yet with what belongs nowhere yet, images with images."""
    for images, is_label in ((original.images, False), (original.labels, True)):
        of_copy: dict[int, list[Held]] = defaultdict(list)
        for item in held:
            if item.is_label == is_label:
                of_copy[item.copy].append(item)
        matched = {id(image) for image in found.values()}
        rest = [item for item in held if item.is_label == is_label and item not in found]
        for item, image in zip(rest, [image for image in images if id(image) not in matched], strict=False):
            match(item, image)
        # A second copy of everything, neither recorded nor named: its series stand in the same places.
        for items in of_copy.values():
            if len(items) == len(images):
                for item, image in zip(items, images, strict=True):
                    if item not in found:
                        match(item, image)
