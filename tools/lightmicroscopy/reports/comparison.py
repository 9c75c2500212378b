"""Reports of a comparison: one line for each series, and a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from ..compare import Comparison, Row
from ..compare_accepted import ACCEPTED, Accepted
from ..compare_levels import LEVEL, NOT_JUDGED
from ..compare_many import OF_NONE
from ..compare_pixels import PIXELS
from ..provenance import now
from .page import plural, render
from .tables import write_text

DETAILED = 200
"""Pairs with a section of their own, those that differ first; the table holds all."""
PLANES_SHOWN = 20
NAMED = 5
MISSING, STRANGE, IDENTICAL = "in no copy", "not in the original", "identical"


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
        """Rows that are not about pixel values."""
        return [row for row in self.rows if not row.what.startswith((PIXELS, LEVEL))]

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
        """Fields that differ as decided."""
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
            return (row.copy_value or row.original_value) if row.what == "file" else MISSING if row.equal == "only-original" else STRANGE
        row = self.pixels or Row("", "", "", "", "", "not compared", "true")
        if self.pixels is None or row.equal != "true":
            return row.copy_value
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
        """How many series it has."""
        return len({pair.series for pair in self.pairs if pair.series})

    @property
    def copies(self) -> int:
        """How many copies of it there are."""
        return len({pair.copy for pair in self.pairs if pair.copy})

    @property
    def unlike(self) -> int:
        """How many fields differ and should not."""
        return sum(len(pair.unlike) for pair in self.pairs if pair.is_pair)


def _told(row: Row) -> str:
    return f"{row.what.removesuffix(' pixels')}: {row.copy_value}"


def compared(rows: Sequence[Row]) -> list[Compared]:
    """Group rows by what was compared with what, in that order."""
    groups = groupby(rows, key=lambda row: (row.original, row.copy, row.series, row.what if row.what in ("series", "file") and row.copy else ""))
    return [Compared(f"pair-{number}", *key[:3], tuple(group)) for number, (key, group) in enumerate(groups, 1)]


def summary(comparison: Comparison) -> Iterator[str]:
    """One line for each series: are the pixels the same, and how many fields are not."""
    for pair in compared(comparison.rows):
        where = f"{pair.original or 'no original'}{f' : {pair.series}' if pair.series else ''} — {pair.copy or 'no copy'}"
        if not pair.is_pair:
            yield f"{where}: {pair.said}"
            continue
        fields = f"{plural(len(pair.alike), 'field')} the same"
        if pair.accepted:
            fields += f", {len(pair.accepted)} different as decided"
        if pair.unlike:
            named = ", ".join(row.what for row in pair.unlike[:NAMED])
            fields += f", {len(pair.unlike)} different ({named}{' …' if len(pair.unlike) > NAMED else ''})"
        levels = "" if pair.same_at_full or not pair.wrong_levels else f"; {_told(pair.wrong_levels[0])}"
        yield f"{where}: pixels {pair.said}{levels}; {fields}"


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
            "verdict": verdict(comparison),
            "found": found,
            "originals": [OneOriginal(name, kind, [pair for pair in found if pair.original == name]) for name, kind in comparison.formats.items()],
            "pairs": pairs,
            "identical": sum(pair.said == IDENTICAL for pair in pairs),
            "unlike": sum(len(pair.unlike) for pair in pairs),
            "fields": sum(len(pair.fields) for pair in pairs),
            "accepted": _accepted(found),
            "detailed": shown,
            "linked": {pair.anchor for pair in shown},
            "planes_shown": PLANES_SHOWN,
            "parameters": parameters,
            "date": now(),
        },
    )


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
    said = "; ".join(parts) + "." if parts else ""
    if not pairs:
        return said or "There was nothing to compare."
    if any(pair.grave or pair.unlike for pair in pairs) or told[STRANGE]:
        return said
    pixel = "pixel of full resolution" if any(pair.full_only for pair in pairs) else "pixel"
    same = f"every {pixel} and every field is the same" if all(pair.pixels for pair in pairs) else "every field is the same; pixels were not compared"
    but = ", apart from what was decided to differ" if any(pair.accepted for pair in pairs) else ""
    one = len({(pair.original, pair.copy) for pair in pairs}) == 1
    which = f"{'copy' if one else 'copies'} that could be compared" if parts else "copy" if one else "copies"
    return f"{said} The {which} {'is' if one else 'are'} true: {same}{but}.".strip()


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
