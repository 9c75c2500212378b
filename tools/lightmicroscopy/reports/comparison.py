"""Reports of a comparison: one line for each series, and a page."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ..compare import SELECTION, Comparison, Row
from ..compare_accepted import ACCEPTED, Accepted
from ..compare_levels import LEVEL, NOT_JUDGED
from ..compare_many import OF_NONE
from ..compare_pixels import PIXELS
from ..provenance import now
from .page import render
from .tables import write_text
from .words import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

DETAILED = 200
"""Pairs with a section of their own, those that differ first; the table holds all."""
PLANES_SHOWN = 20
NAMED = 5
MISSING, STRANGE, IDENTICAL = "in no copy", "not in the original", "identical"
NOT_CHOSEN = "not chosen for the copies, as they record"
_COUNT = re.compile(r"\b[0-9]{4,}(?= pixels)|\b[0-9]{4,}(?= of [0-9]+ pixels)")


@dataclass(frozen=True, slots=True)
class Compared:
    """A series and its copy, or one of them without the other."""

    anchor: str
    original: str
    copy: str
    series: str
    rows: tuple[Row, ...]

    @property
    def name(self) -> str:
        """What the original calls the series."""
        named = next((row for row in self.rows if row.what in ("name", "series", "label map")), None)
        return (named.original_value or named.copy_value) if named else ""

    @property
    def title(self) -> str:
        """The series and the file it is in; of none, the copy or what stands for it."""
        name = _short(self.name)
        if not self.series:
            return ": ".join(part for part in (self.copy or self.original, name) if part)
        place = f"series {self.series}" if self.series.isdecimal() else self.series
        return f"{self.original}, {place}{f': {name}' if name else ''}"

    @property
    def part(self) -> str:
        """The part of the series that the copy records to hold, where it was compared with that."""
        return next((row.copy_value for row in self.rows if row.what == SELECTION and row.equal == "accepted"), "")

    @property
    def pixels(self) -> Row | None:
        """The row of all pixels, where they were compared."""
        return next((row for row in self.rows if row.what == PIXELS), None)

    @property
    def planes(self) -> list[Row]:
        """Rows of the planes that differ."""
        return [row for row in self.rows if row.what.startswith(f"{PIXELS} ")]

    @property
    def levels(self) -> list[Row]:
        """Rows of the smaller resolution levels of the copy."""
        return [row for row in self.rows if row.what.startswith(LEVEL)]

    @property
    def wrong_levels(self) -> list[Row]:
        """Those that do not show what full resolution does."""
        return [row for row in self.levels if row.differs]

    @property
    def full_only(self) -> bool:
        """Whether there are smaller levels that could not be judged."""
        return any(row.copy_value.startswith(NOT_JUDGED) for row in self.levels)

    @property
    def fields(self) -> list[Row]:
        """Rows that are not about pixel values, nor about what they are compared with."""
        about = [row for row in self.rows if not row.what.startswith((PIXELS, LEVEL))]
        return [row for row in about if row.differs or row.what != SELECTION]

    @property
    def unlike(self) -> list[Row]:
        """Fields that differ and should not."""
        return [row for row in self.fields if row.differs]

    @property
    def alike(self) -> list[Row]:
        """Fields that are the same."""
        return [row for row in self.fields if row.equal == "true"]

    @property
    def accepted(self) -> list[Row]:
        """Fields that are expected to differ."""
        return [row for row in self.fields if row.accepted]

    @property
    def is_pair(self) -> bool:
        """Whether there was something on both sides."""
        return not any(row.what in ("series", "label map", "file") for row in self.rows)

    @property
    def grave(self) -> bool:
        """Whether pixels differ, or could not be compared."""
        return any(row.is_grave for row in self.rows)

    @property
    def said(self) -> str:
        """What there is to say of the pixels, in a few words."""
        if not self.is_pair:
            row = self.rows[0]
            missing = NOT_CHOSEN if row.equal == "accepted" else MISSING if row.equal == "only-original" else STRANGE
            return (row.copy_value or row.original_value) if row.what == "file" else missing
        row = self.pixels or Row("", "", "", "", "", "not compared", "true")
        if self.pixels is None or row.equal != "true":
            return counts_grouped(row.copy_value)
        wrong = self.wrong_levels
        return f"{IDENTICAL} at full resolution, but {_told(wrong[0])}{' …' if len(wrong) > 1 else ''}" if wrong else IDENTICAL

    @property
    def same_at_full(self) -> bool:
        """Whether pixels of full resolution are the same, whatever the levels are."""
        return self.pixels is not None and self.pixels.equal == "true"


@dataclass(frozen=True, slots=True)
class OneOriginal:
    """What there is to say of one of several originals."""

    name: str
    format: str
    pairs: list[Compared]

    @property
    def lost(self) -> str:
        """Why it could not be read; empty if it could."""
        return "" if self.format else next((pair.said for pair in self.pairs if not pair.copy), "not read")

    @property
    def identical(self) -> int:
        """How many series have a copy with the same pixels, and none with others."""
        return len({pair.series for pair in self.pairs if pair.said == IDENTICAL} - {pair.series for pair in self.pairs if pair.grave})

    @property
    def series(self) -> int:
        """How many series it has, less those that were not chosen for the copies."""
        return len({pair.series for pair in self.pairs if pair.series and pair.said != NOT_CHOSEN})

    @property
    def in_part(self) -> bool:
        """Whether copies hold only a part of it, as they record."""
        return any(pair.part or pair.said == NOT_CHOSEN for pair in self.pairs)

    @property
    def copies(self) -> int:
        """How many copies of it there are."""
        return len({pair.copy for pair in self.pairs if pair.copy})

    @property
    def unlike(self) -> int:
        """How many fields differ and should not."""
        return sum(len(pair.unlike) for pair in self.pairs if pair.is_pair)


def _short(text: str) -> str:
    return f"{text[:200]}…" if len(text) > 200 else text


def counts_grouped(text: str) -> str:
    """Write large counts of pixels in a sentence as people read them: 1 of 70,680 pixels."""
    return _COUNT.sub(lambda found: f"{int(found[0]):,}" if len(found[0]) < 30 else found[0], text)


def _told(row: Row) -> str:
    return f"{row.what.removesuffix(' pixels')}: {row.copy_value}"


def compared(rows: Sequence[Row]) -> list[Compared]:
    """Group rows by what was compared with what, in that order."""
    groups = groupby(rows, key=lambda row: (row.original, row.copy, row.series, row.what if row.what in ("series", "file") and row.copy else ""))
    return [Compared(f"pair-{number}", *key[:3], tuple(group)) for number, (key, group) in enumerate(groups, 1)]


def summary(comparison: Comparison) -> Iterator[str]:
    """One line for each series: are the pixels the same, and how many fields are not."""
    for pair in compared(comparison.rows):
        place = f"{pair.original or pair.copy}{f' : {pair.series}' if pair.series else ''}"
        if not pair.is_pair:
            yield _of_one_side(pair, place)
            continue
        fields = f"{plural(len(pair.alike), 'field')} the same"
        if pair.accepted:
            fields += f", {len(pair.accepted)} different as expected"
        if pair.unlike:
            named = ", ".join(row.what for row in pair.unlike[:NAMED])
            fields += f", {len(pair.unlike)} different ({named}{' …' if len(pair.unlike) > NAMED else ''})"
        levels = "" if pair.same_at_full or not pair.wrong_levels else f"; {_told(pair.wrong_levels[0])}"
        said = pair.said if "pixels" in pair.said else f"pixels {pair.said}"
        part = f" (compared with the part {pair.part}, as the copy records)" if pair.part else ""
        yield f"{place} — {pair.copy}{part}: {said}{levels}; {fields}"


def _of_one_side(pair: Compared, place: str) -> str:
    name = f" ({_short(pair.name)})" if pair.name else ""
    if pair.said == STRANGE:
        return f"{pair.copy}: the series {_short(pair.name) or 'without a name'} is {STRANGE}"
    which = f"{place}{name} — {pair.copy}" if pair.copy and pair.original else f"{place}{name}"
    own = pair.copy or pair.original
    # Sentences about a file that cannot be read begin with its name.
    return f"{which}{pair.said.removeprefix(own)}" if own and pair.said.startswith(f"{own} ") else f"{which}: {pair.said}"


def write_html(comparison: Comparison, path: Path, *, parameters: Sequence[tuple[str, str]] = ()) -> None:
    """Write the comparison as one HTML page.

    Raises
    ------
    UnwritableError
        If it cannot be written.
    """
    write_text(path, page(comparison, parameters=parameters))


def page(comparison: Comparison, *, parameters: Sequence[tuple[str, str]] = ()) -> Iterator[str]:
    """Make the page, in pieces."""
    found = compared(comparison.rows)
    pairs = [pair for pair in found if pair.is_pair]
    shown = sorted(found, key=lambda pair: (not pair.grave, not pair.unlike))[:DETAILED]
    return render(
        "comparison.html",
        {
            "comparison": comparison,
            "title": _title(comparison),
            "verdict": verdict(comparison),
            "notes": comparison.notes,
            "found": found,
            "originals": [OneOriginal(name, kind, [pair for pair in found if pair.original == name]) for name, kind in comparison.formats.items()],
            "pairs": pairs,
            "identical": sum(pair.said == IDENTICAL for pair in pairs),
            "unlike": sum(len(pair.unlike) for pair in pairs),
            "fields": sum(len(pair.fields) for pair in pairs),
            "accepted": _accepted(found),
            "detailed": shown,
            "linked": {pair.anchor for pair in shown},
            "grouped": counts_grouped,
            "planes_shown": PLANES_SHOWN,
            "parameters": parameters,
            "date": now(),
        },
    )


def _title(comparison: Comparison) -> str:
    """Name what is compared, in few words."""
    originals, copies = list(comparison.formats) or [comparison.original], comparison.copies
    copied = _short(copies[0]) if len(copies) == 1 else f"{len(copies)} copies"
    if len(originals) == 1:
        return f"{_short(originals[0])} and {copied}"
    return f"{_short(originals[0])}, {plural(len(originals) - 1, 'other original')} and {copied}"


def verdict(comparison: Comparison) -> str:
    """One sentence for the top of the page."""
    found = compared(comparison.rows)
    pairs = [pair for pair in found if pair.is_pair]
    unlike = sum(bool(pair.unlike) and not pair.grave for pair in pairs)
    told = Counter(pair.said for pair in found)
    originals = "originals" if len(comparison.formats) > 1 else "original"
    counted = (
        (len(comparison.lost), "original cannot be read", "originals cannot be read"),
        (len(comparison.unreadable), "copy cannot be read", "copies cannot be read"),
        (told[OF_NONE], "copy is of none of the originals", "copies are of none of the originals"),
        (told[MISSING], f"series of the {originals} is in no copy", f"series of the {originals} are in no copy"),
        (told[STRANGE], f"series of the copies is not in the {originals}", f"series of the copies are not in the {originals}"),
        (
            sum(pair.grave and not _only_levels(pair) for pair in pairs),
            "series does not have the original's pixels",
            "series do not have the original's pixels",
        ),
        (
            sum(map(_only_levels, pairs)),
            "series has smaller resolution levels that do not show it",
            "series have smaller resolution levels that do not show them",
        ),
        (unlike, f"series has{_more(pairs)} other metadata", f"series have{_more(pairs)} other metadata"),
    )
    parts = [f"{count} {one if count == 1 else many}" for count, one, many in counted if count]
    partly = _partly(found, pairs, originals)
    said = " ".join(filter(None, ("; ".join(parts) + "." if parts else "", partly)))
    if not pairs:
        return said or "There was nothing to compare."
    if any(pair.grave or pair.unlike for pair in pairs) or told[STRANGE]:
        return said
    pixel = "pixel of full resolution" if any(pair.full_only for pair in pairs) else "pixel"
    of_part = " of it" if partly else ""
    same = f"every {pixel} and every field{of_part} is the same"
    if not all(pair.pixels for pair in pairs):
        same = f"every field{of_part} is the same; pixels were not compared"
    but = ", apart from what is expected to differ" if any(pair.accepted for pair in pairs) else ""
    one = len({(pair.original, pair.copy) for pair in pairs}) == 1
    which = f"{'copy' if one else 'copies'} that could be compared" if parts else "copy" if one else "copies"
    if partly:
        less = f" {'It does' if one else 'They do'} not hold the whole of the {originals}." if _holds_less(found) else ""
        return f"{said} The {which} {'is' if one else 'are'} true to that part: {same}{but}.{less}"
    return f"{said} The {which} {'is' if one else 'are'} true: {same}{but}.".strip()


def _partly(found: Sequence[Compared], pairs: Sequence[Compared], originals: str) -> str:
    """Say that copies were compared with a part of the original, and with which; empty if with all of it."""
    parts = list(dict.fromkeys(pair.part for pair in pairs if pair.part))
    count = len({(pair.original, pair.series) for pair in pairs if pair.part and pair.series.isdecimal()})
    which = f" ({_short(parts[0])})" if len(parts) == 1 else ""
    said = [f"{count} series of the {originals} {'was' if count == 1 else 'were'} compared in part{which}"] if parts else []
    there = {(pair.original, pair.series) for pair in found if pair.series.isdecimal() and pair.original}
    chosen = len(there - {(pair.original, pair.series) for pair in found if pair.said == NOT_CHOSEN})
    if chosen < len(there):
        said.append(f"{chosen} of {len(there)} series of the {originals} {'was' if chosen == 1 else 'were'} chosen")
    copies = "copy records" if len({(pair.original, pair.copy) for pair in pairs}) == 1 else "copies record"
    return f"{'; '.join(said)}, as the {copies}." if said else ""


def _holds_less(found: Sequence[Compared]) -> bool:
    """Whether some of the original is in no copy."""
    whole = {(pair.original, pair.series) for pair in found if pair.is_pair and not pair.part}
    return any((pair.original, pair.series) not in whole for pair in found if pair.series and pair.original)


def _only_levels(pair: Compared) -> bool:
    """Whether nothing is grave about a series but its smaller levels."""
    return pair.grave and all(row.what.startswith(LEVEL) for row in pair.rows if row.is_grave)


def _more(pairs: Sequence[Compared]) -> str:
    """Say of series with other metadata that their pixels are fine, where they were compared."""
    return " the same pixels but" if any(pair.unlike and not pair.grave and pair.said == IDENTICAL for pair in pairs) else ""


def _accepted(found: Sequence[Compared]) -> list[tuple[Accepted, int, int]]:
    """Each accepted difference that occurred, with in how many series and fields it did."""
    fields: Counter[str] = Counter()
    series: dict[str, set[str]] = {}
    for pair in found:
        for row in pair.accepted:
            if row.accepted is not None:
                fields[row.accepted.name] += 1
                series.setdefault(row.accepted.name, set()).add(pair.anchor)
    return [(kind, len(series[kind.name]), fields[kind.name]) for kind in ACCEPTED if fields[kind.name]]
