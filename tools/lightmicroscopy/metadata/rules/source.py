"""Rules on what kind of source this is, and what has been lost before it came here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...palette import ramp_color
from ..findings import Problem, Subject, rule
from ..sources import came_from, changed, unsaid
from ._views import SCHEMA, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIFF6 = "https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf"


@rule(
    "source.metadata-free",
    severity="warning",
    title="The format can carry microscopy metadata.",
    why="Formats made for pictures, not for microscopy, have no place for what the pixels mean.",
    fix="Go back to the file of the microscope if it still exists. If not, enter what is known before sharing the image.",
    source="https://doi.org/10.1038/s41592-021-01326-w",
)
def _metadata_free(subject: Subject) -> Iterator[Problem]:
    sentence = unsaid(subject.format)
    if sentence:
        yield Problem(sentence)


@rule(
    "source.lossy",
    severity="warning",
    title="Pixel values are as they were measured.",
    why="Lossy compression changes pixel values, most of all faint structures and edges: intensities must not be measured in them.",
    fix="Use the original file for any measurement. What compression has removed cannot be brought back by converting.",
    source="https://doi.org/10.1038/s41592-021-01326-w",
)
def _lossy(subject: Subject) -> Iterator[Problem]:
    for image in (*subject.opened.images, *subject.opened.labels):
        sentence = changed(image)
        if sentence:
            yield Problem(sentence, series=image.series, severity="error" if image.kind == "label" else None)


@rule(
    "source.lossy-origin",
    severity="warning",
    title="The image comes from one that had its values as measured, and its metadata.",
    why="A converted image looks like an original. What its source had lost is lost here too, and most of what it could not say is missing.",
    fix="Convert the file of the microscope instead, if it still exists. If not, say when you share the image what it was made from.",
    source="https://doi.org/10.1038/s41592-021-01326-w",
    applies=lambda subject: any(came_from(image) for image in subject.opened.images),
)
def _lossy_origin(subject: Subject) -> Iterator[Problem]:
    for image in subject.opened.images:
        for name, kind, lossy in came_from(image):
            origin = f"Series {image.series} was converted from {shorten(name) or 'a file'}{f' ({shorten(kind)})' if kind else ''}"
            if lossy:
                yield Problem(f"{origin}, in which lossy compression had changed the pixel values.", series=image.series)
                break
            if unsaid(kind):
                yield Problem(f"{origin}. {unsaid(kind)}", series=image.series, severity="info")


@rule(
    "source.white-is-zero",
    severity="info",
    title="Higher values are brighter.",
    why="Some software inverts such images on opening and some does not, so the same file gives different numbers.",
    fix="Nothing must be done; this suite keeps the values as stored. Know it when you compare intensities between programs.",
    source=_TIFF6,
)
def _white_is_zero(subject: Subject) -> Iterator[Problem]:
    for image in subject.opened.images:
        if image.white_is_zero:
            notes = tuple(note for note in image.warnings if "MINISWHITE" in note)
            message = f"In series {image.series} zero is white (photometric interpretation WhiteIsZero)."
            yield Problem(message, series=image.series, about=notes, precision=1)


@rule(
    "source.indexed",
    severity="info",
    title="Pixel values are intensities or labels, not numbers in a colour table.",
    why="In an image with a colour table the values are positions in the table: means, thresholds and intensities of them have no meaning.",
    fix="If it is a screenshot or figure, use the original. If the values are intensities shown in false colour, the table can be ignored.",
    source=_TIFF6,
)
def _indexed(subject: Subject) -> Iterator[Problem]:
    for image in subject.opened.images:
        tables = [channel.lut for channel in image.metadata.channels if channel.lut]
        # A table that only tints (green for GFP) leaves the values what they are: intensities.
        if image.kind == "indexed" and not (tables and all(ramp_color(table) for table in tables)):
            yield Problem(f"Series {image.series} stores positions in a colour table.", series=image.series)


@rule(
    "source.planes-missing",
    severity="warning",
    title="Every plane of the image is in the file.",
    why="Planes that a file announces and does not hold have no values: they are read as one number, and a measurement takes it for black. "
    "Some microscopes leave out planes on purpose, as when not every channel has all detectors; others were stopped, or the file was cut.",
    fix="Leave these planes out of measurements. If they ought to be there, look whether the acquisition was stopped, and get the file again.",
    source=SCHEMA,
)
def _planes_missing(subject: Subject) -> Iterator[Problem]:
    for image in subject.opened.images:
        for note in image.warnings:
            if "not in the file; the" in note:
                yield Problem(note, image.path or "", image.series, about=(note,), precision=1)


@rule(
    "source.reader-note",
    severity="warning",
    title="The file could be read without doubt.",
    why="Where a file is unclear or contradicts itself, other software may read it differently.",
    fix="Compare with what the acquisition software shows.",
    source="https://bio-formats.readthedocs.io/en/stable/",
)
def _reader_note(subject: Subject) -> Iterator[Problem]:
    dataset = subject.opened
    if dataset.ome is not None or subject.ome_xml is None:
        yield from (Problem(sentence, about=(sentence,)) for sentence in dataset.warnings)
    for image in (*dataset.images, *dataset.labels):
        # A rule that knows what such a note means is about the same sentence.
        yield from (Problem(sentence, image.path or "", image.series, severity="info", about=(sentence,)) for sentence in image.warnings)
