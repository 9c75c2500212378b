"""Copies that hold a part of their original: the part that they record is what they are compared with.

What a copy records is text from a file: it is read by the parser of the command line's flags, of bounded length, and never
excuses a pixel: it only says which pixels of the original to compare with.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NoReturn

from . import flags
from .errors import SuiteError, UsageError
from .provenance import SOURCE, SOURCE_SUM, checksum_of_source, records_of
from .selection import select, select_series

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .compare_pairs import Held
    from .image import Dataset, Image
    from .selection import Selection

EVERYTHING: Final = "everything"
LONGEST: Final = 20_000
"""Characters of a selection that are read; thousands of series take a few."""
_STEPS: Final = 16
"""Copies of copies that are followed back."""
_MOSAICS: Final = ("as-stored", "fuse", "tiles")
_FLAG: Final = re.compile(r"(?:^| )--(series|channel|z|t|region|center|level|project) ")


@dataclass(frozen=True, slots=True)
class Part:
    """What of the original a copy is to be compared with.

    Attributes
    ----------
    image
        That part; the original itself where the copy holds all of it, or where the part cannot be taken.
    told
        The part in words; empty for the whole.
    failure
        What the copy records, and why it cannot be taken of this original.
    """

    image: Image
    told: str = ""
    failure: str = ""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


@lru_cache(maxsize=256)
def read_selection(text: str) -> Selection:
    """Read a selection as `Selection.describe` writes it.

    Raises
    ------
    UsageError
        If it is none.
    """
    first, *pieces = _FLAG.split(text) if len(text) <= LONGEST else [text]
    parser = _Parser(add_help=False, allow_abbrev=False)
    flags.add_selection(parser)
    selection = flags.selection_of(parser.parse_args([f"--{flag}={value}" for flag, value in zip(pieces[::2], pieces[1::2], strict=True)]))
    if first or selection.describe() != text:
        raise UsageError("what the copy records is no selection as this suite writes it")
    return selection


def recorded_selections(image: Image, source: str, known: int) -> tuple[str, ...]:
    """List what was selected of `source` on the way to this copy, step by step; empty if this suite did not make it.

    Parameters
    ----------
    known
        Records that `source` has itself; those of a copy follow them.
    """
    records = records_of(image)
    own = records[known : known + 1]
    named = [number for number, record in enumerate(records) if record.get(SOURCE) == source]
    if own and (not named or own[0].get(SOURCE) == source):
        return tuple(record.get("Selection", EVERYTHING) for record in records[known:])
    return tuple(record.get("Selection", EVERYTHING) for record in records[named[-1] :]) if named else ()


def record_count(dataset: Dataset) -> int:
    """Count how many conversions a dataset itself records."""
    return len(records_of(dataset.images[0])) if dataset.images else 0


def recorded_mosaic(image: Image) -> str:
    """How the tiles of a mosaic were read when this copy was made; empty if it is not known."""
    records = records_of(image)
    found = records[-1].get("Parameter mosaic", "as-stored") if records else ""
    return found if found in _MOSAICS else ""


def recorded_sums(image: Image) -> frozenset[str]:
    """SHA-256 of all that a copy was made from, step by step; empty if this suite did not make it."""
    return frozenset(record[SOURCE_SUM] for record in records_of(image) if record.get(SOURCE_SUM))


def part_of(original: Image, selections: Sequence[str], *, is_label: bool = False) -> Part:
    """Take the part of a series that a copy of it records."""
    image, told = original, []
    for text in selections[:_STEPS]:
        if text == EVERYTHING:
            continue
        try:
            selection = replace(read_selection(text), series="all")
            if is_label:
                selection = replace(selection, channels=(), project="")
            cut = select(image, selection)
        except SuiteError as error:
            reason = str(error).rstrip(".")
            sentence = f"this part cannot be taken of the original here ({reason}). Give the file that the copy was made from."
            return Part(original, failure=f"{text[:200]}: {sentence}")
        if cut is not image:
            told.append(in_words(selection))
        image = cut
    return Part(image, "; of that ".join(told))


def in_words(selection: Selection) -> str:
    """Write a selection within a series for people."""
    named = [("channel", channel.removeprefix("index:")) for channel in selection.channels]
    named += [("z", selection.z), ("t", selection.t), ("region", selection.region), ("region around the centre", selection.center)]
    named += [("resolution level", str(selection.level) if selection.level else "")]
    parts = [f"{what} {value}" for what, value in named if value]
    return ", ".join([*parts, "projected over z"] if selection.project else parts)


def chosen_series(original: Dataset, held: Sequence[Held]) -> frozenset[int]:
    """Find the series that the copies together should hold: those that were chosen, as all of them record, else every one."""
    every = frozenset(image.series for image in original.images)
    found: set[int] = set()
    seen: set[tuple[str, ...]] = set()
    for item in held:
        if not item.selections:
            return every
        if item.selections in seen:
            continue
        try:
            chosen = [text if text == EVERYTHING else read_selection(text).series for text in item.selections]
            if any(series not in ("all", EVERYTHING) for series in chosen[1:]):
                # Of a copy of a copy that number is the copy's; only its own series is known of the original.
                found.update({item.recorded[0]} if item.recorded else every)
                continue
            found.update(image.series for image in select_series(original.images, "all" if chosen[0] == EVERYTHING else chosen[0]))
        except UsageError:
            return every
        seen.add(item.selections)
    return frozenset(found) if held else every


def other_mosaics(mosaic: str, made: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Sentences about copies, given with how mosaics were read for them, that this could make unlike their original."""
    for other in _MOSAICS:
        names = list(dict.fromkeys(name for name, how in made if how == other != mosaic))
        if names:
            which = f"{names[0]} was" if len(names) == 1 else f"{names[0]} and {len(names) - 1} more copies were"
            yield f"{which} made with --mosaic {other}, but here the original is read with --mosaic {mosaic}. Compare with --mosaic {other}."


def others_made(original: Dataset, made: Sequence[tuple[str, frozenset[str]]]) -> Iterator[str]:
    """Say of which copies, given with the checksums of what they were made from, the original here is not among that."""
    if not any(sums for _, sums in made):
        return
    try:
        own = checksum_of_source(original)
    except OSError:
        # Who reads its pixels says so.
        return
    # What was made of the same file as the original itself, such as an annotated copy of a converted one, names that file.
    related = {own, *(recorded_sums(original.images[0]) if original.images else ())}
    names = list(dict.fromkeys(name for name, sums in made if sums and not related & sums)) if own else []
    if names:
        which = f"{names[0]} records" if len(names) == 1 else f"{names[0]} and {len(names) - 1} more copies record"
        yield (
            f"{which} another original: that had other bytes (SHA-256) than {original.location.name}. "
            "They were compared all the same. Was the original changed since, or is this another of the same name?"
        )
