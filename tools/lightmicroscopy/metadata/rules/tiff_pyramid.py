"""Rules on the pyramids of TIFF files: smaller versions of every plane, in its SubIFDs, that are made from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...errors import SuiteError
from ...readers.files import RandomFile
from ...readers.tiff_structure import HEIGHT, WIDTH, Scanner
from ..findings import Problem, Subject, rule
from ._pyramids import SAMPLE, Sample, differences, samples
from ._views import OME_TIFF, is_tiff
from .tiff import first_tiff, pages

if TYPE_CHECKING:
    from ...image import Image
    from ...readers.tiff_structure import Ifd

_PYRAMID = f"{OME_TIFF}#sub-resolutions"
_BITS, _FORMAT, _SAMPLES = 258, 339, 277
_KINDS = {1: "unsigned", 2: "signed", 3: "floating point"}


def _has_subifds(subject: Subject) -> bool:
    # What keeps the pages from being listed is told by the reader.
    with suppress(SuiteError):
        return first_tiff(subject) is not None and any(page.subifds for page in pages(subject))
    return False


@rule(
    "tiff.subifds-uneven",
    severity="warning",
    title="Every plane has equally many smaller versions.",
    why="A level is there only if all planes have it: software leaves out the others, or shows a plane at the wrong size.",
    fix="Converting the file with this suite makes the pyramid of every plane anew.",
    source=_PYRAMID,
    needs="path",
    applies=_has_subifds,
)
def _uneven(subject: Subject) -> Iterator[Problem]:
    # Pages of another size are of another image, or a thumbnail.
    by_size: dict[tuple[int, int], Counter[int]] = {}
    for page in pages(subject):
        if not page.reduced:
            by_size.setdefault(_size(page, subject), Counter())[len(page.subifds)] += 1
    for (width, height), counts in by_size.items():
        if len(counts) > 1:
            said = ", ".join(f"{number} with {count}" for count, number in sorted(counts.items(), reverse=True))
            yield Problem(f"Of the pages of {width} × {height} pixels, not all have the same number of smaller versions: {said}.")


def _size(page: Ifd, subject: Subject) -> tuple[int, int]:
    return _number(page, WIDTH, subject), _number(page, HEIGHT, subject)


def _number(page: Ifd, code: int, subject: Subject, default: int = 0) -> int:
    """First value of a tag that is a whole number."""
    found = next((entry for entry in page.signature if entry[0] == code), None)
    if found is None:
        return default
    size = {1: 1, 3: 2, 16: 8}.get(found[1], 4)
    return int.from_bytes(found[2][:size], _endian(subject))


def _endian(subject: Subject) -> Any:
    return subject.shared.get("tiff endian", lambda: _read_endian(subject))


def _read_endian(subject: Subject) -> str:
    path = first_tiff(subject)
    if path is None:
        return "little"
    with path.open("rb") as stream:
        return "big" if stream.read(2) == b"MM" else "little"


def _pyramids(subject: Subject) -> list[tuple[Ifd, list[Ifd]]]:
    """The first, middle and last page that has smaller versions, with these."""
    path = first_tiff(subject)
    having = [page for page in pages(subject) if page.subifds]
    if path is None or not having:
        return []

    def read() -> list[tuple[Ifd, list[Ifd]]]:
        file = RandomFile(path)
        try:
            scanner = Scanner(file)
            chosen = {index: having[index] for index in (0, len(having) // 2, len(having) - 1)}
            return [(page, [scanner.at(offset, page.index) for offset in page.subifds]) for page in chosen.values()]
        finally:
            file.close()

    return subject.shared.get("tiff pyramids", read)


@rule(
    "tiff.pyramid-shapes",
    severity="error",
    title="Smaller versions of a plane are smaller one after another, and of its type.",
    why="Viewers choose a version by its size; one that is not smaller, or of another type or shape, is shown wrongly or left out.",
    fix="Converting the file with this suite makes the pyramid anew.",
    source=_PYRAMID,
    needs="path",
    applies=_has_subifds,
)
def _shapes(subject: Subject) -> Iterator[Problem]:
    told: set[str] = set()
    for page, smaller in _pyramids(subject):
        for number, (before, level) in enumerate(zip([page, *smaller], smaller, strict=False), 1):
            where = f"page {page.index}, SubIFD {number - 1}"
            for sentence in _faults(page, before, level, number, subject):
                if sentence not in told:
                    told.add(sentence)
                    yield Problem(sentence, where)


def _faults(page: Ifd, before: Ifd, level: Ifd, number: int, subject: Subject) -> Iterator[str]:
    full, last, own = (_size(each, subject) for each in (page, before, level))
    if not (own[0] <= last[0] and own[1] <= last[1] and own != last):
        yield f"Version {number} of a plane has {own[0]} × {own[1]} pixels, not smaller than {last[0]} × {last[1]} before."
    elif (
        min(own) > 0
        and abs(full[0] / own[0] * own[1] - full[1]) > 1.5 * full[1] / own[1]
        and abs(full[1] / own[1] * own[0] - full[0]) > 1.5 * (full[0] / own[0])
    ):
        yield f"Version {number} of a plane has {own[0]} × {own[1]} pixels, other proportions than {full[0]} × {full[1]}."
    if _type(level, subject) != _type(page, subject):
        yield f"Version {number} of a plane is {_type(level, subject)}, but the plane {_type(page, subject)}."


def _type(page: Ifd, subject: Subject) -> str:
    kind = _number(page, _FORMAT, subject, 1)
    samples_there = _number(page, _SAMPLES, subject, 1)
    name = f"{_number(page, _BITS, subject, 1)} bits {_KINDS.get(kind, f'of format {kind}')}"
    return name if samples_there == 1 else f"{samples_there} samples of {name}"


@rule(
    "tiff.subifd-flag",
    severity="info",
    title="Smaller versions are marked as such.",
    why="Software that does not know pyramids tells by that mark (NewSubfileType 1) that they are no images of their own.",
    fix="Nothing must be done for software that knows OME-TIFF. Converting the file with this suite sets the mark.",
    source=_PYRAMID,
    needs="path",
    applies=_has_subifds,
)
def _flag(subject: Subject) -> Iterator[Problem]:
    unmarked = sum(not level.reduced for _, smaller in _pyramids(subject) for level in smaller)
    if unmarked:
        yield Problem(f"{unmarked} of the SubIFDs that were looked at are not marked as smaller versions.", "NewSubfileType")


def _has_levels(subject: Subject) -> bool:
    return is_tiff(subject) and any(len(image.levels) > 1 for image in subject.opened.images)


def _samples_of(image: Image) -> Iterator[Sample]:
    return samples([level.pixels for level in image.levels])


@rule(
    "tiff.pyramid-content",
    severity="warning",
    title="Smaller versions of a plane show the same image (tested on samples).",
    why="What a viewer shows from afar would not be what is measured close up.",
    fix="Converting the file with this suite makes the pyramid anew.",
    source=_PYRAMID,
    applies=_has_levels,
)
def _content(subject: Subject) -> Iterator[Problem]:
    for image in subject.opened.images:
        for level, unlike in differences(_samples_of(image), lossy=image.lossy).items():
            sentence = f"Series {image.series} {unlike} at level {level} than at level {level - 1}, in a sample of {SAMPLE} × {SAMPLE} pixels."
            yield Problem(sentence, f"SubIFD {level - 1}", image.series)


@rule(
    "tiff.label-averaged",
    severity="error",
    title="Smaller versions of label maps hold only labels of the full one (tested on samples).",
    why="Averaging makes labels that belong to no object, or to another one: the mean of objects 2 and 8 is object 5.",
    fix="Make the pyramid anew by taking single pixels, as this suite does with --label.",
    source=_PYRAMID,
    applies=lambda subject: _has_levels(subject) and any(image.kind == "label" for image in subject.opened.images),
)
def _averaged(subject: Subject) -> Iterator[Problem]:
    for image in subject.opened.images:
        strange: dict[int, list[Any]] = {}
        for sample in _samples_of(image) if image.kind == "label" else ():
            if sample.strange.size:
                strange.setdefault(sample.level, list(sample.strange[:3]))
        for level, labels in strange.items():
            shown = ", ".join(str(value) for value in labels)
            sentence = f"Series {image.series} has labels at level {level} that are not there at level {level - 1} (such as {shown})."
            yield Problem(sentence, f"SubIFD {level - 1}", image.series)
