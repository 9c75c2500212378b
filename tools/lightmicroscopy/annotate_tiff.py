"""Annotating an OME-TIFF, or all files of a set: copies whose descriptions are changed and whose pixels are not touched."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .annotate_ome import CONVERT, Edited, Record, add_record, edit_ome, new_uuid, places_of, serialise
from .errors import LimitError, UnreadableError, UnwritableError
from .metadata.ngff_units import micrometres
from .metadata.ome_xml import children
from .metadata.safe_xml import LARGEST, parse_xml
from .readers.files import RandomFile
from .readers.tiff import is_ome_xml
from .readers.tiff_structure import Scanner
from .writers.atomic import new_outputs, refuse_existing
from .writers.copies import copy_file
from .writers.tiff_description import write_described_copy
from .writers.tiff_resolution import rescale_resolution

if TYPE_CHECKING:
    from lxml import etree

    from .image import Dataset
    from .metadata.changes import SeriesChanges

_TIFF: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_UUID: Final = re.compile(r"urn:uuid:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_LONGEST_OTHER: Final = 1 << 20
"""Bytes of the description of a file that leaves its metadata to another one of its set."""


Sizes = tuple[float, float]


@dataclass(frozen=True)
class Copied:
    """What was written.

    Attributes
    ----------
    paths
        The file that has the metadata, then the others of its set.
    changed
        By series, what was not so already.
    """

    paths: tuple[Path, ...]
    bytes: int
    changed: Mapping[int, list[str]]
    losses: tuple[str, ...] = ()


@dataclass
class _Member:
    """One file of a set, and what becomes of its description."""

    path: Path
    is_tiff: bool
    xml: bytes
    uuid: str = ""
    edited: Edited | None = None
    description: bytes | None = None
    """The new one; ``None`` leaves the file as it is."""


def annotate_tiff(
    dataset: Dataset, wanted: Mapping[int, SeriesChanges], output: Path, record: Record, progress: Callable[[int], None] | None = None
) -> Copied:
    """Write annotated copies of an OME-TIFF and the other files of its set, under their names.

    Parameters
    ----------
    wanted
        What is to be set, by series.
    output
        Folder for the copies.

    Raises
    ------
    UsageError
        If a file of one of these names is there already.
    UnwritableError
        If the metadata cannot be changed, or a copy cannot be written.
    """
    if dataset.ome is None:
        raise UnwritableError(f"{dataset.location.name} is a {dataset.format} without OME-XML. {CONVERT}")
    places = places_of(dataset)
    members = [_member(path) for path in dict.fromkeys(dataset.files or (dataset.location.path,))]
    for member in members:
        refuse_existing(output / member.path.name)
        if _describes(member):
            member.edited = edit_ome(member.xml, dataset, wanted, member.path.name, places)
    main = next((member for member in members if member.edited is not None), None)
    if main is None or main.edited is None:
        raise UnreadableError(f"{dataset.location.name} says that it is OME-TIFF, but none of its files describes its images. Ask for them again.")
    if main.edited.is_changed:
        _redescribe(members, dataset, main.edited.changed, record, places)
    sizes = _pixel_sizes(dataset, wanted) if main.edited.is_changed else None
    total = sum(member.path.stat().st_size for member in members)
    most = total + sum(len(member.description or b"") for member in members)
    # The file with the metadata gets its name last, so that a set is not taken for whole before it is.
    order = sorted(members, key=lambda member: member is main)
    with new_outputs([output / member.path.name for member in order], most_bytes=most) as temporaries:
        for member, temporary in zip(order, temporaries, strict=True):
            _write(member, temporary, progress)
            if sizes is not None and member.is_tiff:
                rescale_resolution(temporary, *sizes)
    paths = tuple(output / member.path.name for member in reversed(order))
    losses = tuple(dict.fromkeys(loss for member in members if member.edited for loss in member.edited.losses)) if main.edited.is_changed else ()
    return Copied(paths, sum(path.stat().st_size for path in paths), main.edited.changed, losses)


def why_ome_is_unused(dataset: Dataset) -> str:
    """Say why a TIFF with OME-XML was opened as one without; empty for every other file."""
    path = dataset.location.path
    with path.open("rb") as stream:
        if stream.read(4) not in _TIFF:
            return ""
    member = _member(path)
    if not is_ome_xml(member.xml):
        return ""
    try:
        parse_xml(member.xml, dataset.location.name)
    except (UnreadableError, LimitError) as error:
        return (
            f"{dataset.location.name} is OME-TIFF with OME-XML that cannot be read, and so cannot be changed. {error} "
            "Or convert it with Convert microscopy images, which leaves that OME-XML out, and annotate the copy."
        )
    return f"{dataset.warnings[0]} {CONVERT}" if dataset.warnings else ""


def _pixel_sizes(dataset: Dataset, wanted: Mapping[int, SeriesChanges]) -> tuple[Sizes, Sizes] | None:
    """Pixel size along x and y that all images had and will have; ``None`` if it stays, or they are not alike in it."""
    found = set()
    for image in dataset.images:
        known = (image.metadata.pixel_size_x, image.metadata.pixel_size_y)
        x, y = (None if size is None else micrometres(size) for size in known)
        if x is None or y is None or min(x, y) <= 0:
            return None
        sizes = wanted[image.series].pixel_sizes if image.series in wanted else {}
        found.add(((x, y), (sizes.get("x", x), sizes.get("y", y))))
    before, after = next(iter(found))
    return (before, after) if len(found) == 1 and before != after else None


def _member(path: Path) -> _Member:
    with path.open("rb") as stream:
        is_tiff = stream.read(4) in _TIFF
    if not is_tiff:
        if path.stat().st_size > LARGEST:
            raise UnreadableError(f"{path.name} is an XML file of more than {LARGEST:,} bytes. Check where it comes from.")
        return _with_uuid(_Member(path, is_tiff, path.read_bytes()))
    file = RandomFile(path)
    try:
        scanner = Scanner(file)
        return _with_uuid(_Member(path, is_tiff, scanner.description(scanner.first).rstrip(b"\0")))
    finally:
        file.close()


def _with_uuid(member: _Member) -> _Member:
    root = _root(member)
    found = None if root is None else _UUID.fullmatch((root.get("UUID") or "").strip())
    member.uuid = found[0] if found else ""
    return member


def _root(member: _Member) -> etree._Element | None:
    """Root of a member's OME-XML; ``None`` if its description is something else."""
    try:
        return parse_xml(member.xml, member.path.name) if member.xml.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") else None
    except UnreadableError:
        return None


def _describes(member: _Member) -> bool:
    root = _root(member)
    return root is not None and next(children(root, "Image"), None) is not None


def _redescribe(members: list[_Member], dataset: Dataset, changed: Mapping[int, list[str]], record: Record, places: Mapping[int, int]) -> None:
    """Write the new descriptions: with a record of the change, and with new UUIDs for all files, by which they refer to each other."""
    for member in members:
        if member.edited is not None:
            add_record(member.edited, record, dataset.location.name, changed, places)
    digest = next(serialise(member.edited.root) for member in members if member.edited is not None)
    # A file with other content must not have the identifier of the first: both may be around.
    renewed = {member.uuid: new_uuid(member.uuid, digest) for member in members if member.uuid}
    for member in members:
        if member.edited is not None:
            _renew(member.edited.root, renewed)
            member.description = serialise(member.edited.root)
        elif len(member.xml) <= _LONGEST_OTHER:
            text = member.xml
            for old, new in renewed.items():
                text = text.replace(old.encode(), new.encode())
            member.description = text if text != member.xml else None


def _renew(root: etree._Element, renewed: Mapping[str, str]) -> None:
    for element in _with_uuids(root):
        if (old := (element.get("UUID") or "").strip()) in renewed:
            element.set("UUID", renewed[old])
        if (old := (element.text or "").strip()) in renewed:
            element.text = renewed[old]


def _with_uuids(root: etree._Element) -> Iterator[etree._Element]:
    yield root
    yield from root.iter("{*}UUID", "{*}BinaryOnly")


def _write(member: _Member, target: Path, progress: Callable[[int], None] | None) -> None:
    if member.description is None:
        copy_file(member.path, target, progress)
    elif member.is_tiff:
        write_described_copy(member.path, target, member.description, progress)
    else:
        with target.open("xb") as file:
            file.write(member.description)
