"""What several rules look at: the series of an input however it was read, places in OME-XML, addresses of specifications."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast

from ...errors import SuiteError
from ..findings import CannotRun, Subject
from ..ome_xml import local_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from ...image import ImageMetadata, Shape
    from ..ome_read import OmeDocument

SCHEMA = "https://www.openmicroscopy.org/Schemas/Documentation/Generated/OME-2016-06/ome_xsd.html"
OME_TIFF = "https://ome-model.readthedocs.io/en/stable/ome-tiff/specification.html"
OME_MODEL = "https://ome-model.readthedocs.io/en/stable/ome-xml/index.html"


@dataclass(frozen=True, slots=True)
class Series:
    """One series as the rules see it, from an opened image or from OME-XML alone."""

    index: int
    name: str
    shape: Shape
    kind: str
    metadata: ImageMetadata

    @property
    def called(self) -> str:
        """How sentences call it."""
        return f"Series {self.index} “{shorten(self.name)}”" if self.name else f"Series {self.index}"

    @property
    def mentioned(self) -> str:
        """The same inside a sentence."""
        return self.called.replace("Series", "series", 1)


def series(subject: Subject) -> tuple[Series, ...]:
    """Every series of a subject."""
    return subject.shared.get("series", lambda: tuple(_series(subject)))


def _series(subject: Subject) -> Iterator[Series]:
    from ...image import Shape

    if subject.dataset is not None:
        for image in subject.dataset.images:
            yield Series(image.series, image.name, image.shape, image.kind, image.metadata)
        return
    for index, described in enumerate(document(subject).images):
        samples = max(described.samples_per_pixel or (1,))
        shape = Shape(described.size_t, max(1, described.size_c // samples), described.size_z, described.size_y, described.size_x, samples)
        yield Series(index, described.name, shape, described.kind or ("rgb" if samples > 1 else "intensity"), described.metadata)


def document(subject: Subject) -> OmeDocument:
    """The parsed OME-XML, for rules that cannot do without; where it cannot be parsed, `ome.readable` is what says so."""
    try:
        return subject.ome
    except SuiteError as error:
        raise CannotRun("The OME-XML cannot be read.") from error


def elements(subject: Subject, *names: str) -> Iterator[etree._Element]:
    """Every element of the OME-XML of those local names."""
    wanted = set(names)
    return (element for element in document(subject).root.iter("{*}*") if local_name(element) in wanted)


def place(element: etree._Element) -> str:
    """Where an element stands, as a path of local names: ``/OME/Image[2]/Pixels``. Counted from 1, as XPath does."""
    steps = []
    at: etree._Element | None = element
    while at is not None:
        before, after = _siblings(at)
        steps.append(f"{local_name(at)}[{before + 1}]" if before + after else local_name(at))
        at = at.getparent()
    return "/" + "/".join(reversed(steps))


def _siblings(element: etree._Element) -> tuple[int, int]:
    """How many siblings of its name stand before and after an element."""
    before, after = _counters()
    name = local_name(element)
    return int(cast("float", before(element, name=name))), int(cast("float", after(element, name=name)))


@cache
def _counters() -> tuple[etree.XPath, etree.XPath]:
    from lxml import etree

    same = "[local-name() = $name]"
    return etree.XPath(f"count(preceding-sibling::*{same})"), etree.XPath(f"count(following-sibling::*{same})")


def series_of(element: etree._Element) -> int | None:
    """Index of the Image that an element belongs to; ``None`` outside of any."""
    at: etree._Element | None = element
    while at is not None and local_name(at) != "Image":
        at = at.getparent()
    return None if at is None or at.getparent() is None else _siblings(at)[0]


def size_along(index: int, axis: str) -> str:
    """Key of findings about the size of a pixel, plane or time step of a series."""
    return f"size of series {index} along {axis}"


def channel_name(index: int, channel: int) -> str:
    """Key of findings about the name of a channel of a series."""
    return f"name of channel {channel} of series {index}"


def shorten(text: str, most: int = 60) -> str:
    """Cut a text in the middle to fit a sentence."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-most // 3 :]}"


def listed(values: list[str] | tuple[str, ...], most: int = 5) -> str:
    """Join a few values for a sentence, counting the rest."""
    shown = ", ".join(shorten(value) for value in values[:most])
    return shown if len(values) <= most else f"{shown} and {len(values) - most} more"


def is_ome_tiff(subject: Subject) -> bool:
    """Whether this is an OME-TIFF that could be opened."""
    return subject.format.startswith("OME-TIFF")


def is_tiff(subject: Subject) -> bool:
    """Whether this is any TIFF that could be opened."""
    return "TIFF" in subject.format


def says_ome(name: str) -> bool:
    """Whether a file name claims to be OME-TIFF."""
    return name.lower().endswith((".ome.tif", ".ome.tiff", ".ome.tf2", ".ome.tf8", ".ome.btf"))


def has_series(subject: Subject) -> bool:
    """Whether there are series: opened ones, or those the OME-XML of a file that cannot be opened describes."""
    if subject.dataset is None and subject.ome_xml is None:
        return False
    try:
        return bool(series(subject))
    except CannotRun:
        return False
