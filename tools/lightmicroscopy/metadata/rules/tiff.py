"""Rules on TIFF files: OME-XML against the pages that are there, and how pixels are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ...errors import SuiteError
from ...readers.files import RandomFile
from ...readers.tiff_structure import MAX_IFDS, Scanner
from ..findings import CannotRun, Problem, Subject, rule
from ._views import OME_TIFF, document, is_tiff, listed, says_ome, series, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ...readers.tiff_structure import Ifd
    from ..ome_read import OmeImage

Key = TypeVar("Key", int, str)
_LARGE_PLANE = 4096
_WIDTH, _HEIGHT = 256, 257
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ORDERS = frozenset({"XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC"})


@dataclass(frozen=True, slots=True)
class Block:
    """One TiffData: a run of planes in the raster order of its image, and the run of pages that hold them."""

    image: int
    location: str
    """Where it stands in the OME-XML."""
    planes: tuple[int, int]
    pages: tuple[int, int]
    file: str
    """Name of another file, or empty for the file under check."""


def is_tiff_file(path: Path) -> bool:
    """Whether it is a file that begins as a TIFF does."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(4) in _MAGIC


def first_tiff(subject: Subject) -> Path | None:
    """The file under check if it is a TIFF, else the first of the set that it describes; ``None`` if there is none."""
    files = subject.dataset.files if subject.dataset is not None else ()

    def find() -> Path | None:
        return next((path for path in (subject.path, *files) if is_tiff_file(path)), None)

    return subject.shared.get("first tiff", find)


def pages(subject: Subject, name: str = "") -> list[Ifd]:
    """Pages of the file under check, or of another file of its set."""
    path = subject.path if name else (first_tiff(subject) or subject.path)
    if name:
        files = subject.dataset.files if subject.dataset else ()
        found = next((file for file in files if file.name == name), None)
        if found is None:
            raise CannotRun(f"{name}, which the OME-XML refers to, was not given.")
        path = found

    def scan() -> list[Ifd]:
        file = RandomFile(path)
        try:
            return Scanner(file).scan()
        finally:
            file.close()

    return subject.shared.get(f"pages {name}", scan)


def _planes(image: OmeImage) -> int:
    channels = len(image.samples_per_pixel) or image.size_c
    if sum(image.samples_per_pixel) != image.size_c and image.samples_per_pixel:
        channels = max(1, image.size_c // max(image.samples_per_pixel))
    return image.size_t * channels * image.size_z


def _blocks(subject: Subject) -> list[Block]:
    return subject.shared.get(
        "blocks", lambda: [block for index, image in enumerate(document(subject).images) for block in _of_image(subject, index, image)]
    )


def _by_image(subject: Subject) -> dict[int, list[Block]]:
    """Blocks of each image that has any."""
    return subject.shared.get("blocks by image", lambda: _grouped((block.image, block) for block in _blocks(subject)))


def _grouped(pairs: Iterable[tuple[Key, Block]]) -> dict[Key, list[Block]]:
    groups: dict[Key, list[Block]] = {}
    for key, block in pairs:
        groups.setdefault(key, []).append(block)
    return groups


def _pixels_place(subject: Subject, index: int) -> str:
    return f"/OME/Image[{index + 1}]/Pixels" if len(document(subject).images) > 1 else "/OME/Image/Pixels"


def _of_image(subject: Subject, index: int, image: OmeImage) -> Iterator[Block]:
    own = document(subject).uuid
    channels = max(1, _planes(image) // max(1, image.size_t * image.size_z))
    sizes = {"Z": image.size_z, "C": channels, "T": image.size_t}
    order = image.dimension_order if image.dimension_order in _ORDERS else "XYZCT"
    total = _planes(image)
    # Under whatever name it is called, a file that was opened alone holds all of its planes.
    alone = subject.dataset is not None and len(subject.dataset.files) == 1 and _little(subject.path) is not None
    for number, stated in enumerate(image.tiff_data):
        other = stated.file_name and stated.uuid != own and stated.file_name != subject.path.name
        elsewhere = stated.file_name or "" if other and not alone else ""
        at = {"Z": stated.first_z or 0, "C": stated.first_c or 0, "T": stated.first_t or 0}
        first, stride = 0, 1
        for axis in order[2:]:
            first += at[axis] * stride
            stride *= sizes[axis]
        if any(at[axis] >= sizes[axis] for axis in sizes):
            first = total
        page = stated.ifd or 0
        count = stated.plane_count
        if count is None:
            count = 1 if stated.ifd is not None else min(total - first, _count(subject, elsewhere))
        location = f"{_pixels_place(subject, index)}/TiffData" + (f"[{number + 1}]" if len(image.tiff_data) > 1 else "")
        yield Block(index, location, (first, first + max(0, count)), (page, page + max(0, count)), elsewhere)


def _count(subject: Subject, name: str) -> int:
    try:
        return len(pages(subject, name))
    except (SuiteError, CannotRun):
        return MAX_IFDS


def _has_tiff_data(subject: Subject) -> bool:
    """Whether there are TiffData elements and the pages they speak of, in this file or others of its set."""
    opened = subject.dataset is not None or (subject.path.is_file() and _little(subject.path) is not None)
    return opened and not subject.is_zarr and any(image.tiff_data for image in document(subject).images)


def _little(path: Path) -> bool | None:
    """Byte order of a TIFF; ``None`` for any other file."""
    with path.open("rb") as stream:
        return {b"II": True, b"MM": False}.get(stream.read(2))


def _own_pages(subject: Subject) -> bool:
    return _has_tiff_data(subject) and _little(subject.path) is not None


@rule(
    "tiff.page-missing",
    severity="error",
    title="Every page the OME-XML speaks of is in the file.",
    why="Planes whose page is missing cannot be read; software shows them black or refuses the file.",
    fix="The file was cut off or its pages were removed: copy it again from its source, or correct TiffData.",
    source=f"{OME_TIFF}#the-tiffdata-element",
    needs="ome-xml",
    applies=_has_tiff_data,
)
def _page_missing(subject: Subject) -> Iterator[Problem]:
    if any(not block.file for block in _blocks(subject)) and _little(subject.path) is None:
        raise CannotRun("The OME-XML does not say which file holds its planes.")
    for block in _blocks(subject):
        present = len(pages(subject, block.file))
        if block.pages[1] > present:
            which = f"page {block.pages[0]}" if block.pages[1] - block.pages[0] == 1 else f"pages {block.pages[0]} to {block.pages[1] - 1}"
            where = shorten(block.file) if block.file else "the file"
            message = f"TiffData refers to {which} (counted from 0), but {where} has only {present} page{'s' if present != 1 else ''}."
            yield Problem(message, block.location, block.image)


@rule(
    "tiff.plane-twice",
    severity="error",
    title="Every plane is stored in one page only.",
    why="Where two pages claim to be the same plane, software takes one of them, and not always the same one.",
    fix="Correct FirstZ, FirstC, FirstT and PlaneCount of the TiffData elements.",
    source=f"{OME_TIFF}#the-tiffdata-element",
    needs="ome-xml",
    applies=_has_tiff_data,
)
def _plane_twice(subject: Subject) -> Iterator[Problem]:
    for index, mine in _by_image(subject).items():
        for earlier, later in _overlapping((block.planes, block) for block in mine):
            shared = min(earlier.planes[1], later.planes[1]) - later.planes[0]
            count = f"{shared} plane{'s' if shared != 1 else ''}"
            yield Problem(f"Two TiffData elements claim the same {count}; the other is {earlier.location}.", later.location, index)


@rule(
    "tiff.page-twice",
    severity="warning",
    title="Every page holds one plane only.",
    why="One page standing for two planes is right only if the two are truly the same picture; mostly it is a mistake in the numbers.",
    fix="Correct IFD and PlaneCount of the TiffData elements.",
    source=f"{OME_TIFF}#the-tiffdata-element",
    needs="ome-xml",
    applies=_has_tiff_data,
)
def _page_twice(subject: Subject) -> Iterator[Problem]:
    for name, there in _grouped((block.file, block) for block in _blocks(subject)).items():
        for earlier, later in _overlapping((block.pages, block) for block in there):
            message = f"Page {later.pages[0]}{f' of {shorten(name)}' if name else ''} stands for two planes; the other is in {earlier.location}."
            yield Problem(message, later.location, later.image)


def _overlapping(runs: Iterable[tuple[tuple[int, int], Block]]) -> Iterator[tuple[Block, Block]]:
    reach, widest = -1, None
    for (start, stop), block in sorted(runs, key=lambda run: run[0]):
        if stop <= start:
            continue
        if widest is not None and start < reach:
            yield widest, block
        if stop > reach:
            reach, widest = stop, block


@rule(
    "tiff.plane-without-data",
    severity="error",
    title="Every plane the sizes promise has its page.",
    why="Planes without pixels are black in most software, and nobody can tell whether they were lost or never taken.",
    fix="Correct SizeZ, SizeC and SizeT, or the TiffData elements; if the acquisition was stopped early, say so in the description.",
    source=f"{OME_TIFF}#the-tiffdata-element",
    needs="ome-xml",
    applies=_has_tiff_data,
)
def _plane_without_data(subject: Subject) -> Iterator[Problem]:
    for index, image in enumerate(document(subject).images):
        total, covered, reach = _planes(image), 0, 0
        mine = _by_image(subject).get(index, [])
        for start, stop in sorted(block.planes for block in mine):
            covered += max(0, min(stop, total) - max(start, reach))
            reach = max(reach, min(stop, total))
        beyond = [block for block in mine if block.planes[1] > total]
        if beyond:
            message = f"A TiffData element reaches beyond the {_count_of(total, 'plane')} that SizeZ, SizeC and SizeT make."
            yield Problem(message, beyond[0].location, index)
        if covered < total:
            message = f"Image {index} has {_count_of(total, 'plane')}, but TiffData gives pages to only {covered} of them."
            yield Problem(message, _pixels_place(subject, index), index)


def _count_of(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


@rule(
    "tiff.page-unused",
    severity="info",
    title="Every page of the file is described.",
    why="Pages the OME-XML does not speak of (a thumbnail, a label picture, lost planes) are invisible to most software.",
    fix="Check with a TIFF viewer what they show. If they matter, describe them.",
    source=f"{OME_TIFF}#the-tiffdata-element",
    needs="ome-xml",
    applies=_own_pages,
)
def _page_unused(subject: Subject) -> Iterator[Problem]:
    there = pages(subject)
    used, reach = 0, 0
    for start, stop in sorted(block.pages for block in _blocks(subject) if not block.file):
        used += max(0, min(stop, len(there)) - max(start, reach))
        reach = max(reach, min(stop, len(there)))
    unused = len(there) - used - sum(page.reduced for page in there)
    if unused > 0:
        yield Problem(f"{unused} of the file's {len(there)} pages {'is' if unused == 1 else 'are'} not described by the OME-XML.")


@rule(
    "tiff.size-differs",
    severity="error",
    title="Width and height in the OME-XML are those of the pages.",
    why="Software that trusts the wrong one of them shears the picture or reads beyond its end.",
    fix="Write the file again with its true sizes. It often happens when an image was cropped or scaled without touching the metadata.",
    source=f"{OME_TIFF}#the-tiffdata-element",
    needs="ome-xml",
    applies=_own_pages,
)
def _size_differs(subject: Subject) -> Iterator[Problem]:
    there = pages(subject)
    little = _little(subject.path)
    for index, image in enumerate(document(subject).images):
        first = next((block for block in _by_image(subject).get(index, []) if not block.file and block.pages[0] < len(there)), None)
        if first is None:
            continue
        tags = {
            code: int.from_bytes(value, "little" if little else "big")
            for code, _, value in there[first.pages[0]].signature
            if code in (_WIDTH, _HEIGHT)
        }
        stored = (tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0))
        if stored != (image.size_x, image.size_y):
            message = f"The OME-XML says {image.size_x} × {image.size_y} pixels, but the page has {stored[0]} × {stored[1]}."
            yield Problem(message, _pixels_place(subject, index), index)


@rule(
    "tiff.ome-missing",
    severity="error",
    title="A file called OME-TIFF has OME-XML.",
    why="Without the OME-XML in its first page the file is a plain TIFF: which page is which channel, plane or time is lost.",
    fix="Go back to the original and convert it again; if it is gone, describe the image anew. Renaming a TIFF to .ome.tiff does not make it one.",
    source=OME_TIFF,
    applies=lambda subject: is_tiff(subject) and says_ome(subject.name),
)
def _ome_missing(subject: Subject) -> Iterator[Problem]:
    if subject.ome_xml is None:
        yield Problem("The name says OME-TIFF, but the first page has no OME-XML in its description.", "page 0, ImageDescription")


@rule(
    "ome.file-missing",
    severity="info",
    title="The files the OME-XML speaks of were given with it.",
    why="Metadata without its pixels can be checked only in part.",
    fix="To check everything, give all files of the set at once.",
    source=f"{OME_TIFF}#multi-file-ome-tiff",
    needs="ome-xml",
    applies=lambda subject: subject.dataset is None and subject.unreadable is None,
)
def _file_missing(subject: Subject) -> Iterator[Problem]:
    found = document(subject)
    if found.binary_only is not None:
        name = found.binary_only.metadata_file or "another file"
        yield Problem(f"The metadata are in {shorten(name)}; this document only points there.", "/OME/BinaryOnly")
    names = sorted({block.file_name for image in found.images for block in image.tiff_data if block.file_name})
    if names:
        yield Problem(f"Only the metadata were checked; the pixels are in {len(names)} other file{'s' if len(names) > 1 else ''}: {listed(names)}.")


def _has_large_planes(subject: Subject) -> bool:
    return is_tiff(subject) and any(image.shape.y * image.shape.x > _LARGE_PLANE**2 for image in subject.opened.images)


@rule(
    "tiff.no-pyramid",
    severity="info",
    title="Large planes have smaller versions.",
    why="To show an overview of a large plane without a pyramid, a viewer must read all of it.",
    fix="Converting the file with this suite adds a pyramid.",
    source=f"{OME_TIFF}#sub-resolutions",
    applies=_has_large_planes,
)
def _no_pyramid(subject: Subject) -> Iterator[Problem]:
    for image in subject.opened.images:
        if image.shape.y * image.shape.x > _LARGE_PLANE**2 and len(image.levels) == 1:
            yield Problem(f"Series {image.series} has planes of {image.shape.x} × {image.shape.y} pixels and no pyramid.", series=image.series)


@rule(
    "tiff.not-tiled",
    severity="info",
    title="Large planes are stored in tiles.",
    why="To show a detail of a large plane stored in long strips, a viewer must read across the whole width.",
    fix="Converting the file with this suite stores it in tiles.",
    source="https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf",
    applies=_has_large_planes,
)
def _not_tiled(subject: Subject) -> Iterator[Problem]:
    for image in subject.opened.images:
        shape, unit = image.shape, image.levels[0].pixels.unit
        if shape.y * shape.x > _LARGE_PLANE**2 and unit.x >= shape.x:
            yield Problem(f"Series {image.series} has planes of {shape.x} × {shape.y} pixels, not stored in tiles.", series=image.series)


@rule(
    "tiff.ome-unused",
    severity="error",
    title="The OME-XML fits the pixels.",
    why="Where the two contradict each other, the metadata cannot be trusted, and software falls back to plain TIFF or fails.",
    fix="Correct what the other findings name; best by converting the original again.",
    source=OME_TIFF,
    applies=lambda subject: is_tiff(subject) and subject.ome_xml is not None,
)
def _ome_unused(subject: Subject) -> Iterator[Problem]:
    if subject.opened.ome is None:
        reasons = subject.opened.warnings
        yield Problem(reasons[0] if reasons else "The OME-XML in the file does not fit its pixels; the file was read as a plain TIFF.")
        return
    try:
        described = len(document(subject).images)
    except CannotRun:
        return
    if described and len(series(subject)) != described:
        yield Problem(f"The OME-XML describes {described} images, but {len(series(subject))} could be read.")
