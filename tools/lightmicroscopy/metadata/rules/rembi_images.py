"""Rules on REMBI sheets and images together: which row is about which image, and whether both say the same."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..documents.content import shorten
from ..findings import REMBI, Problem, Together, rule
from ..rembi.compare import differences, empty, title_of
from ..rembi.fields import field
from ..rembi.match import match_images
from ..sheet_changes import APART, ONE_EACH, by_channel
from .rembi_sheet import SOURCE, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..rembi.compare import Told, What
    from ..rembi.sheet import Row, Sheet, SheetProblem
    from ..sheet_changes import ByChannel, Cell

_NAMED: Final = 3
_OME: Final = "https://www.openmicroscopy.org/Schemas/Documentation/Generated/OME-2016-06/ome.html"


@dataclass(frozen=True, slots=True)
class Matched:
    """A sheet, the row of each image in it, and what does not match."""

    name: str
    sheet: Sheet
    rows: tuple[tuple[str, Told, Row], ...]
    problems: tuple[SheetProblem, ...]
    taken: frozenset[tuple[str, int]]


def _both(together: Together) -> bool:
    return bool(together.of_kind("sheet")) and any(item.told for item in together.images)


def matched(together: Together) -> list[Matched]:
    """Match every sheet; what another sheet has a row for lacks none."""
    images = [(item.name, told) for item in together.images for told in item.told]
    unreadable = {item.name for item in together.inputs if item.kind == "unknown"}
    known = {(name, told.series): told for name, told in images}
    members = [(member, item.name) for item in together.images for member in item.members]
    found = []
    for item in together.of_kind("sheet"):
        matching = match_images(item.document, ((name, told.series) for name, told in images), unreadable, members)
        rows = tuple((name, known[name, series], row) for (name, series), row in matching.rows.items())
        found.append(Matched(item.name, item.document, rows, matching.problems, frozenset(matching.rows)))
    return found


@rule(
    "sheet.row-without-image",
    severity="error",
    title="Every row is about an image that was given.",
    why="A row about another image says nothing, and the image it was meant for stays undescribed.",
    fix="Give that image too, or correct its name, or take the row out.",
    source=SOURCE,
    profiles=(REMBI,),
    needs="together",
    applies=_both,
)
def _row_without_image(together: Together) -> Iterator[Problem]:
    for one in matched(together):
        for problem in one.problems:
            if problem.rule == "sheet.row-without-image":
                yield Problem(problem.message, problem.location, input=one.name, fix=problem.fix)


@rule(
    "sheet.image-without-row",
    severity="error",
    title="Every image that was given has a row.",
    why="An image without a row is not described.",
    fix="Add a row for it to the sheet; lm_describe --from-sheet does.",
    source=SOURCE,
    profiles=(REMBI,),
    needs="together",
    applies=_both,
)
def _image_without_row(together: Together) -> Iterator[Problem]:
    taken = {key for one in matched(together) for key in one.taken}
    sheets = ", ".join(item.name for item in together.of_kind("sheet"))
    lacking = {item.name: [told.series for told in item.told if (item.name, told.series) not in taken] for item in together.images}
    total = sum(map(len, lacking.values()))
    if total:
        message = (
            f"{total} series of images {'has' if total == 1 else 'have'} no row: {_names([name for name, series in lacking.items() if series])}."
        )
        for item in together.of_kind("sheet")[:1]:
            yield Problem(message, "sheet image", input=item.name)
    for item in together.images:
        if lacking[item.name]:
            which = "No series" if len(lacking[item.name]) == len(item.told) else f"Series {_numbers(lacking[item.name])}"
            has = "has a row" if which == "No series" else "has no row" if len(lacking[item.name]) == 1 else "have no row"
            only = lacking[item.name][0] if len(lacking[item.name]) == 1 else None
            yield Problem(f"{which} of {item.name} {has} in {sheets}.", series=only, input=item.name)


@rule(
    "sheet.image-twice",
    severity="error",
    title="No two rows are about one image.",
    why="If they differ, nobody knows which is right.",
    fix="Keep one row for each series of an image.",
    source=SOURCE,
    profiles=(REMBI,),
    needs="together",
    applies=lambda together: bool(together.of_kind("sheet")),
)
def _image_twice(together: Together) -> Iterator[Problem]:
    found = matched(together)
    owners: dict[tuple[str, int], str] = {}
    for one in found:
        told: set[int] = set()
        for problem in (*one.sheet.problems, *one.problems):
            if problem.rule != "sheet.image-twice":
                continue
            if problem.row not in told:
                told.add(problem.row)
                yield Problem(problem.message, problem.location, input=one.name, fix=problem.fix)
            if problem.image:
                message = f"Series {problem.series} of {problem.image} has more than one row in {one.name}; {problem.location} is one of them."
                yield Problem(message, series=problem.series, input=problem.image)
        for name, known, row in one.rows:
            other = owners.setdefault((name, known.series), one.name)
            if other != one.name:
                message = f"Series {known.series} of {name} has a row in {other} already."
                yield Problem(message, place("image", [row.number]), input=one.name)
                yield Problem(f"It has a row in {other}, and one in {one.name}.", series=known.series, input=name)


@rule(
    "sheet.two-images-of-one-name",
    severity="error",
    title="Every image that was given has a name of its own.",
    why="A row about one of two images with one name may be about either.",
    fix="Give each a name of its own, so that the sheet can tell them apart.",
    source=SOURCE,
    profiles=(REMBI,),
    needs="together",
    applies=_both,
)
def _two_images_of_one_name(together: Together) -> Iterator[Problem]:
    for one in matched(together)[:1]:
        for problem in one.problems:
            if problem.rule == "sheet.two-images-of-one-name":
                yield Problem(problem.message, problem.location, input=one.name, fix=problem.fix)
                yield Problem(problem.message, series=problem.series, input=problem.image, fix=problem.fix)


def _compared(what: What) -> Callable[[Together], Iterator[Problem]]:
    """Make the rule that tells one kind of difference: once for all rows and images in which the same two values meet."""

    def compare(together: Together) -> Iterator[Problem]:
        for one in matched(together):
            yield from _unlike(what, one)

    return compare


def _unlike(what: What, one: Matched) -> Iterator[Problem]:
    alike: dict[tuple[str, str, str], list[tuple[str, Row]]] = defaultdict(list)
    for name, told, row in one.rows:
        for found in differences(row, told):
            if found.what == what:
                alike[found.field, found.sheet, found.image].append((f"{name}, series {told.series}", row))
    for (field_id, stated, known), places in alike.items():
        says = f"{stated} value{'s' if stated != '1' else ''}" if what == "channel-count" else f"“{shorten(stated)}”"
        has = f"{known} channel{'s' if known != '1' else ''}" if what == "channel-count" else f"“{shorten(known)}”"
        of = f"{len(places)} images" if len(places) > 1 else "the image"
        message = f"“{title_of(field_id)}” is {says} in the sheet, and {has} in {of} ({_names([name for name, _ in places])})."
        fix = ONE_EACH if what == "channel-count" else None
        yield Problem(message, _place([row for _, row in places], field_id), input=one.name, fix=fix)


def _of_specimens(one: Matched) -> Iterator[Problem]:
    """Find values that a specimen has for each channel where its images have more or fewer."""
    known = one.sheet.named("specimen")
    unlike: dict[tuple[int, str, int], tuple[ByChannel, dict[str, list[int]]]] = {}
    for name, told, row in one.rows:
        for cell in by_channel(row, (known[value] for value in row.values("specimen") if value in known)):
            if cell.table == "specimen" and len(cell.values) != told.channels:
                _, images = unlike.setdefault((_spot(cell).row, cell.field, told.channels), (cell, {}))
                images.setdefault(name, []).append(told.series)
    for (_, field_id, channels), (cell, images) in unlike.items():
        values, many = len(cell.values), sum(map(len, images.values()))
        has = f"{channels} channel{'s' if channels != 1 else ''}"
        of = f"{many} of its images have" if many > 1 else "its image has"
        names = _names([f"{name}, series {number}" for name, series in images.items() for number in series])
        message = f"“{field('specimen', field_id).title}” has {values} value{'s' if values != 1 else ''}, and {of} {has} ({names})."
        yield Problem(message, place("specimen", [_spot(cell).row], _spot(cell).column), input=one.name, fix=f"{ONE_EACH} {APART}")


@rule(
    "rembi.specimen-channels",
    severity="error",
    title="What a specimen says of its channels is said of as many as its images have.",
    why="Values and channels go together by their order: an image with more or fewer channels would be given the labels of another.",
    fix=f"{ONE_EACH} {APART}",
    source=SOURCE,
    profiles=(REMBI,),
    needs="together",
    applies=_both,
)
def _specimen_channels(together: Together) -> Iterator[Problem]:
    for one in matched(together):
        yield from _of_specimens(one)


def compared(name: str, sheet: Sheet, rows: tuple[tuple[str, Told, Row], ...]) -> Iterator[tuple[str, Problem]]:
    """Hold a sheet against what the images of its rows tell, outside a check.

    Parameters
    ----------
    name
        What the sheet is called.
    rows
        Name of each image, what one of its series tells, and the row about it.

    Yields
    ------
    tuple of str and Problem
        Id of the rule, and what it found.
    """
    one = Matched(name, sheet, rows, (), frozenset())
    for what, _, _ in _DIFFERENCES:
        yield from ((f"rembi.{what}", problem) for problem in _unlike(what, one))
    yield from (("rembi.specimen-channels", problem) for problem in _of_specimens(one))


_FIX: Final = "Find out which is right. Correct the sheet, or write the sheet's values into a copy of the image with lm_annotate."
_DIFFERENCES: Final[tuple[tuple[What, str, str], ...]] = (
    ("pixel-size", "Sheet and images agree on pixel sizes.", "Every length, area and volume that is measured hangs on it: one of the two is wrong."),
    ("time-increment", "Sheet and images agree on time increments.", "Speeds and rates hang on it: one of the two is wrong."),
    ("dimension-extents", "Sheet and images agree on dimension extents.", "The row may be about another image, or a part of this one."),
    (
        "channel-count",
        "A row has a value for each channel of its image.",
        "Values and channels go together by their order; where one is missing, the others slip.",
    ),
    ("channel-names", "Sheet and images agree on channel names.", "Channels in the wrong order are taken for one another."),
    ("wavelengths", "Sheet and images agree on wavelengths.", "By its wavelengths a reader knows what a channel shows."),
    ("objective", "Sheet and images agree on the objective.", "Resolution and pixel size hang on it."),
    (
        "format",
        "Sheet and images agree on format and compression.",
        "The images may have been converted since the sheet was made, or the row is about another.",
    ),
)
for _what, _title, _why in _DIFFERENCES:
    rule(
        f"rembi.{_what}",
        severity="error" if _what == "pixel-size" else "warning",
        title=_title,
        why=_why,
        fix=_FIX,
        source=_OME if _what == "pixel-size" else SOURCE,
        profiles=(REMBI,),
        needs="together",
        applies=_both,
    )(_compared(_what))


@rule(
    "rembi.known-but-empty",
    severity="info",
    title="What the images know stands in the sheet.",
    why="Who reads the sheet alone does not see it.",
    fix="Let lm_describe --from-sheet fill in what the images know; it leaves what is there as it is.",
    source=SOURCE,
    profiles=(REMBI,),
    needs="together",
    applies=_both,
)
def _known_but_empty(together: Together) -> Iterator[Problem]:
    for one in matched(together):
        lacking: dict[str, list[tuple[str, Row]]] = defaultdict(list)
        for name, told, row in one.rows:
            for field_id in empty(row, told):
                lacking[field_id].append((name, row))
        for field_id, places in lacking.items():
            of = f"{len(places)} images know" if len(places) > 1 else "the image knows"
            message = f"“{title_of(field_id)}” is empty, and {of} it ({_names([name for name, _ in places])})."
            yield Problem(message, _place([row for _, row in places], field_id), input=one.name)


def _spot(cell: ByChannel) -> Cell:
    return cell.row.cells[cell.field]


def _place(rows: list[Row], field_id: str) -> str:
    column = next((row.cells[field_id].column for row in rows if field_id in row.cells), "")
    return place("image", [row.number for row in rows], column)


def _names(names: list[str]) -> str:
    unlike = list(dict.fromkeys(names))
    return ", ".join(unlike[:_NAMED]) + (f" and {len(unlike) - _NAMED} more" if len(unlike) > _NAMED else "")


def _numbers(series: list[int]) -> str:
    from .rembi_sheet import spans

    return spans(sorted(series))
