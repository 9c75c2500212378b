"""Rules on OME-TIFFs of several files, on what they are called, and on files beyond 4 GiB."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...errors import SuiteError
from ...readers.files import RandomFile
from ...readers.tiff_structure import Scanner
from ..findings import Problem, Subject, rule
from ..ome_xml import children
from ..safe_xml import parse_xml
from ._views import OME_TIFF, document, is_ome_tiff, is_tiff, shorten
from .tiff import first_tiff, is_tiff_file

if TYPE_CHECKING:
    from pathlib import Path

    from lxml import etree

_SET = f"{OME_TIFF}#multi-file-ome-tiff"
_UUID = re.compile(rb"""<(?:[\w.-]+:)?OME\b[^>]*?\bUUID\s*=\s*["']([^"']{1,100})["']""")
_ONLY = re.compile(rb"<(?:[\w.-]+:)?BinaryOnly\b([^>]*)>")
_ATTRIBUTE = re.compile(rb"""\b(MetadataFile|UUID)\s*=\s*["']([^"']{1,1000})["']""")
_HEAD = 1 << 16
_FOUR_GIB = 1 << 32
_COMPARED = 3
"""Descriptions of a set that are parsed to be compared: each may be as long as the set is large."""


def _descriptions(subject: Subject) -> dict[Path, bytes]:
    """The beginning of the OME-XML in each TIFF of the set."""
    return subject.shared.get("tiff descriptions", lambda: {path: _description(path)[:_HEAD] for path in _members(subject)})


def _members(subject: Subject) -> list[Path]:
    files = subject.dataset.files if subject.dataset is not None else ()
    return [path for path in files or (subject.path,) if is_tiff_file(path)]


def _description(path: Path) -> bytes:
    file = RandomFile(path)
    try:
        scanner = Scanner(file)
        return scanner.description(scanner.first)
    except SuiteError:
        return b""
    finally:
        file.close()


def _is_set(subject: Subject) -> bool:
    return is_ome_tiff(subject) and len(subject.opened.files) > 1


@rule(
    "tiff.uuid-differs",
    severity="error",
    title="Every file of the set has the UUID by which the OME-XML calls it.",
    why="Where the UUID is another, the file was exchanged or written again: its pixels may not be those that the metadata describe.",
    fix="Get the files of the set from one export. If one was converted anew, convert all of them.",
    source=_SET,
    applies=lambda subject: is_ome_tiff(subject) and any(block.uuid for image in document(subject).images for block in image.tiff_data),
)
def _uuid_differs(subject: Subject) -> Iterator[Problem]:
    by_name = {path.name: data for path, data in _descriptions(subject).items()}
    stated = {(block.file_name, block.uuid) for image in document(subject).images for block in image.tiff_data if block.uuid and block.file_name}
    for name, uuid in sorted(stated, key=str):
        data = by_name.get(str(name), b"")
        found = _UUID.search(data)
        own = found[1].decode("utf-8", "replace") if found else None
        # A file that only points to another has no UUID of its own.
        if own is None and data and not _ONLY.search(data):
            message = f"The OME-XML calls {shorten(str(name))} by the UUID {shorten(str(uuid))}, but the file has none."
            yield Problem(message, "TiffData/UUID", severity="warning")
        elif own is not None and own != uuid:
            yield Problem(f"{shorten(str(name))} has the UUID {shorten(own)}, but the OME-XML calls it {shorten(str(uuid))}.", "TiffData/UUID")


@rule(
    "tiff.set-disagrees",
    severity="error",
    title="The files of the set describe the same images (tested on some).",
    why="Which description counts then depends on which file is opened first.",
    fix="Get the files of the set from one export, and do not rename files of other sets into it.",
    source=_SET,
    applies=_is_set,
)
def _set_disagrees(subject: Subject) -> Iterator[Problem]:
    wanted = _summary(document(subject).root)
    having = [path for path, data in _descriptions(subject).items() if data and not _ONLY.search(data)]
    for path in dict.fromkeys(having[round(number * (len(having) - 1) / (_COMPARED - 1))] for number in range(_COMPARED)) if having else ():
        try:
            found = _summary(parse_xml(_description(path), path.name))
        except SuiteError as error:
            yield Problem(str(error), path.name)
            continue
        if found != wanted:
            yield Problem(f"{shorten(path.name)} describes {_said(found)}, but the set is read as {_said(wanted)}.", path.name)


def _summary(root: etree._Element) -> list[tuple[str, ...]]:
    """Sizes and type of every image."""
    names = ("SizeX", "SizeY", "SizeZ", "SizeC", "SizeT", "Type")
    return [tuple(pixels.get(name, "") for name in names) for image in children(root, "Image") for pixels in children(image, "Pixels")]


def _said(images: list[tuple[str, ...]]) -> str:
    if len(images) == 1:
        return f"an image of {' × '.join(images[0][:5])} (X Y Z C T)"
    return f"{len(images)} images"


@rule(
    "tiff.companion-differs",
    severity="error",
    title="Files without metadata of their own name the file that has them.",
    why="A file that points to another set is read with that set's metadata, or not at all.",
    fix="Set MetadataFile and UUID of BinaryOnly to the name and the UUID of the companion file.",
    source=_SET,
    applies=lambda subject: is_ome_tiff(subject) and any(_ONLY.search(data) for data in _descriptions(subject).values()),
)
def _companion_differs(subject: Subject) -> Iterator[Problem]:
    own = document(subject).uuid
    names = {path.name for path in subject.opened.files}
    for path, data in _descriptions(subject).items():
        only = _ONLY.search(data)
        said = {key.decode(): value.decode("utf-8", "replace") for key, value in _ATTRIBUTE.findall(only[1])} if only else {}
        if only and own is not None and said.get("UUID") not in (None, own):
            message = f"{shorten(path.name)} says that its metadata are in the file {shorten(said['UUID'])}, but the set's are {shorten(own)}."
            yield Problem(message, "BinaryOnly")
        elif only and said.get("MetadataFile") and re.split(r"[\\/]", said["MetadataFile"])[-1] not in names:
            message = f"{shorten(path.name)} says that its metadata are in {shorten(said['MetadataFile'])}, which is not a file of this set."
            yield Problem(message, "BinaryOnly", severity="warning")


@rule(
    "tiff.file-renamed",
    severity="warning",
    title="Files are called as the OME-XML calls them.",
    why="The files of a set find each other by these names: renamed, they can no longer be opened together.",
    fix="Give the file its old name back, or convert it again under the new one.",
    source=_SET,
    applies=is_ome_tiff,
)
def _renamed(subject: Subject) -> Iterator[Problem]:
    for note in subject.opened.warnings:
        if "it was renamed" in note:
            yield Problem(note, "TiffData/UUID", about=(note,), precision=1)
    own = document(subject).uuid
    names = {path.name for path in subject.opened.files}
    stated = {block.file_name for image in document(subject).images for block in image.tiff_data if block.uuid is not None and block.uuid == own}
    for name in sorted(name for name in stated if name and re.split(r"[\\/]", name)[-1] not in names):
        message = f"The OME-XML calls this file “{shorten(name)}”. It was found by its UUID, by which other software may not look for it."
        fix = None if len(names) > 1 else "A file that is whole by itself is read under any name: nothing needs to be done."
        yield Problem(message, "TiffData/UUID", severity="info", fix=fix)


@rule(
    "tiff.beyond-4-gib",
    severity="error",
    title="A file of more than 4 GiB is a BigTIFF.",
    why="Addresses in a TIFF that is no BigTIFF end at 4 GiB: what lies behind cannot be found, or only by guessing.",
    fix="Write the file again as BigTIFF; converting it with this suite does so where it is needed.",
    source="https://www.awaresystems.be/imaging/tiff/bigtiff.html",
    needs="path",
    applies=lambda subject: first_tiff(subject) is not None,
)
def _beyond(subject: Subject) -> Iterator[Problem]:
    for path in _members(subject):
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(4)
        if size > _FOUR_GIB and head in (b"II*\0", b"MM\0*"):
            yield Problem(f"{shorten(path.name)} has {size:,} bytes and is no BigTIFF.", "byte 2")


@rule(
    "tiff.big-name",
    severity="info",
    title="A name that says BigTIFF is that of one.",
    why="Software that goes by .ome.tf2, .ome.tf8 or .ome.btf expects a BigTIFF.",
    fix="Name it .ome.tiff, which either kind may have.",
    source=f"{OME_TIFF}#ome-tiff-file-extensions",
    needs="path",
    applies=lambda subject: first_tiff(subject) is not None and subject.name.lower().endswith((".ome.tf2", ".ome.tf8", ".ome.btf")),
)
def _big_name(subject: Subject) -> Iterator[Problem]:
    path = first_tiff(subject)
    if path is None:
        return
    with path.open("rb") as stream:
        head = stream.read(4)
    if head not in (b"II+\0", b"MM\0+"):
        yield Problem(f"{shorten(subject.name)} is named as a BigTIFF, but is a TIFF of the common kind.", "byte 2")


@rule(
    "tiff.type-differs",
    severity="error",
    title="Pixel type and samples in the OME-XML are those of the pages.",
    why="Software that trusts the OME-XML reads the bytes of one type as another: numbers become noise, or the file is refused.",
    fix="Write the file again. It often happens when an image was changed to another bit depth without touching the metadata.",
    source=f"{OME_TIFF}#the-tiffdata-element",
    applies=lambda subject: is_tiff(subject) and subject.dataset is not None and subject.dataset.ome is not None,
)
def _type_differs(subject: Subject) -> Iterator[Problem]:
    for image in subject.opened.images:
        for note in image.warnings:
            if " is declared " in note and ("its pages are" in note or "its pages hold" in note or "one bit per pixel" in note):
                yield Problem(note, "Pixels", image.series, about=(note,), precision=1)
