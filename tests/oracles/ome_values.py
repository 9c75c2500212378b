"""What an OME-XML document says in each field, normalised, and how what two documents say stands to each other.

Both programs' OME-XML is read by this code, so that a fault of it cannot favour either.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, Literal

from lxml import etree

from .bioformats import LENGTHS, OME, TIMES
from .ome_fields import FIELDS, LIGHTS, NOT_COMPARED, Field, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    Element = etree._Element

WHITE: Final = -1
BITS: Final = {"bit": 1, "float": 32, "double": 64, "complex": 64, "double-complex": 128} | {
    f"{sign}int{bits}": bits for sign in ("", "u") for bits in (8, 16, 32)
}
NOTHING: Final = {"Other", "Unknown"}
OWN_NAMESPACES: Final = ("lightmicroscopy/", "openmicroscopy.org/OriginalMetadata", "openmicroscopy.org/PyramidResolution")
MODULO: Final = "openmicroscopy.org/omero/dimension/modulo"

_UNITS: Final[dict[str, tuple[str, dict[str, float]]]] = {
    "length": ("µm", LENGTHS),
    "position": ("reference frame", LENGTHS),
    "wavelength": ("nm", {unit: factor * 1e3 for unit, factor in LENGTHS.items()}),
    "time": ("s", TIMES),
    "power": ("mW", {"mW": 1.0, "W": 1e3, "µW": 1e-3, "kW": 1e6}),
    "volts": ("V", {"V": 1.0, "mV": 1e-3, "kV": 1e3}),
    "degrees": ("°C", {"°C": 1.0}),
    "millibars": ("mbar", {"mbar": 1.0, "hPa": 1.0, "bar": 1e3, "Pa": 1e-2, "kPa": 10.0}),
}
_TOLERANCE: Final = {"length": 1e-6, "position": 1e-6, "time": 1.1e-3}
_DIGITS: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Document:
    """An OME-XML document and what its ids refer to."""

    root: Element
    parts: dict[str, Element]

    @classmethod
    def parse(cls, xml: bytes) -> Document:
        """Read a document."""
        root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True))
        return cls(root, {part.get("ID"): part for part in root.iter(f"{OME}*") if part.get("ID") and not local(part).endswith(("Ref", "Settings"))})

    @property
    def images(self) -> list[Element]:
        """The images, in their order."""
        return self.root.findall(f"{OME}Image")

    def referred(self, element: Element | None, *names: str) -> Element | None:
        """What the first of some children refers to."""
        refs = [] if element is None else [ref for name in names for ref in element.findall(f"{OME}{name}")]
        return self.parts.get(refs[0].get("ID", "")) if refs else None

    def instrument(self, image: Element) -> Element | None:
        """The instrument that an image refers to."""
        return self.referred(image, "InstrumentRef")


def local(element: Element) -> str:
    """An element's name without its namespace."""
    return etree.QName(element).localname


def _channels(image: Element) -> list[Element]:
    return image.findall(f"{OME}Pixels/{OME}Channel")


def _planes(document: Document, image: Element) -> list[Element | None]:
    """The elements of all planes of the image, z fastest, then c, then t; None where there is none."""
    pixels = image.find(f"{OME}Pixels")
    assert pixels is not None
    found = {tuple(int(plane.get(f"The{axis}", "0")) for axis in "TCZ"): plane for plane in pixels.findall(f"{OME}Plane")}
    t, z = (int(pixels.get(f"Size{axis}", "1")) for axis in "TZ")
    return [found.get((at, c, height)) for at in range(t) for c in range(len(_channels(image))) for height in range(z)]


def _filters(document: Document, channel: Element, role: str) -> Element | None:
    """The first filter of a role in the light path of a channel, or in its filter set."""
    direct = document.referred(channel.find(f"{OME}LightPath"), role)
    return direct if direct is not None else document.referred(document.referred(channel, "FilterSetRef"), role)


def _instrument_parts(*names: str) -> Callable[[Document, Element], list[Element | None]]:
    def parts(document: Document, image: Element) -> list[Element | None]:
        instrument = document.instrument(image)
        return [] if instrument is None else [part for part in instrument if local(part) in names]

    return parts


def _of_channels(find: Callable[[Document, Element], Element | None]) -> Callable[[Document, Element], list[Element | None]]:
    return lambda document, image: [find(document, channel) for channel in _channels(image)]


def _samples(document: Document, image: Element) -> list[Element | None]:
    """The well samples that show an image."""
    refs = document.root.iter(f"{OME}ImageRef")
    return [ref.getparent() for ref in refs if ref.get("ID") == image.get("ID") and local(ref.getparent()) == "WellSample"]


def _above(document: Document, image: Element, steps: int) -> list[Element | None]:
    found = _samples(document, image)
    for _ in range(steps):
        found = [None if element is None else element.getparent() for element in found]
    return found


def _one(element: Element | None) -> list[Element | None]:
    return [element]


SCOPES: Final[dict[str, Callable[[Document, Element], list[Element | None]]]] = {
    "image": lambda _, image: [image],
    "pixels": lambda _, image: _one(image.find(f"{OME}Pixels")),
    "plane": _planes,
    "channel": lambda _, image: [*_channels(image)],
    "channel's detector": _of_channels(lambda document, channel: document.referred(channel, "DetectorSettings")),
    "channel's light": _of_channels(lambda document, channel: document.referred(channel, "LightSourceSettings")),
    "channel's excitation filter": _of_channels(lambda document, channel: _filters(document, channel, "ExcitationFilterRef")),
    "channel's emission filter": _of_channels(lambda document, channel: _filters(document, channel, "EmissionFilterRef")),
    "channel's dichroic": _of_channels(lambda document, channel: _filters(document, channel, "DichroicRef")),
    "objective": lambda document, image: _one(document.referred(image, "ObjectiveSettings")),
    "microscope": lambda document, image: _instrument_parts("Microscope")(document, image)[:1],
    "all detectors": _instrument_parts("Detector"),
    "all lights": _instrument_parts(*LIGHTS),
    "all filters": _instrument_parts("Filter"),
    "all dichroics": _instrument_parts("Dichroic"),
    "all filter sets": _instrument_parts("FilterSet"),
    "experimenter": lambda document, image: _one(document.referred(image, "ExperimenterRef")),
    "plate": lambda document, image: _above(document, image, 2),
    "well": lambda document, image: _above(document, image, 1),
    "well sample": _samples,
}
"""Which elements a field of a scope is read from, for one image."""


Said = dict[str, list[tuple[Any, ...]]]
"""What is said of every image, by the names of the fields."""


def said(*documents: Document) -> Said:
    """What documents say of all their images together.

    What is said of the whole document, such as its projects, and has no field of its own, is one value for all.
    """
    images = [(document, image) for document in documents for image in document.images]
    found = {field.name: [values(document, image, field) for document, image in images] for field in FIELDS if field.scope != "all of the document"}
    return found | {"anything else": [tuple(sorted({text for document in documents for text in _unlisted(document)}))]}


def values(document: Document, image: Element, field: Field) -> tuple[Any, ...]:
    """The values of a field for one image, normalised; None where there is none."""
    if field.path == "ROI":
        return tuple(_shapes(document, image))
    if field.scope in ("all modulo", "all annotations"):
        return tuple(_annotations(document, image, modulo=field.scope == "all modulo"))
    found = tuple(_value(element, field) for element in SCOPES[field.scope](document, image))
    return found if field.each else tuple(sorted((value for value in found if value is not None), key=str))


def _value(element: Element | None, field: Field) -> Any:
    *place, last = field.path.split("/")
    if last.startswith("@"):
        inner = _inner(element, place, field)
        found = None if inner is None else normal(inner.get(last[1:]), field.kind, inner.get(f"{last[1:]}Unit"))
        return None if inner is not None and field.kind == "bits" and found == BITS[inner.get("Type", "")] else found
    inner = _inner(element, [*place, last], field)
    return None if inner is None else normal(inner.text, field.kind, None)


def _inner(element: Element | None, place: list[str], field: Field) -> Element | None:
    """The element at a place, which the scope has led to a part of."""
    if element is None:
        return None
    name = "LightSource" if local(element) in LIGHTS else local(element)
    below = place[len(place) - place[::-1].index(name) :]
    for step in below:
        element = element.find(f"{OME}{step}") if element is not None else None
    return element


def normal(text: str | None, kind: Kind, unit: str | None) -> Any:
    """A value as it is compared; None if it says nothing."""
    text = (text or "").strip()
    if not text or (kind == "word" and text in NOTHING):
        return None
    if kind in ("text", "word"):
        return text
    if kind == "date":
        return text[:19]
    if kind in ("whole", "bits", "colour"):
        number = int(text)
        return None if kind == "colour" and number == WHITE else number
    value = float(text)
    if kind == "number":
        return value
    default, factors = _UNITS[kind]
    factor = factors.get(unit or default)
    return f"{value:.9g} {unit or default}" if factor is None else value * factor


def _shapes(document: Document, image: Element) -> Iterator[str]:
    for ref in image.findall(f"{OME}ROIRef"):
        roi = document.parts.get(ref.get("ID", ""))
        for shape in [] if roi is None else roi.iterfind(f"{OME}Union/*"):
            kept = sorted(
                (name, value) for name, value in shape.attrib.items() if name not in ("ID", "FillColor", "StrokeColor") and "Unit" not in name
            )
            yield f"{local(shape)} {' '.join(f'{name}={_plain(value)}' for name, value in kept)}"


def _plain(text: str) -> str:
    try:
        return f"{float(text):.9g}"
    except ValueError:
        return text.strip()


def _annotations(document: Document, image: Element, *, modulo: bool) -> Iterator[str]:
    """Texts of the annotations of an image, but for those that a program writes about its own work."""
    for ref in image.iter(f"{OME}AnnotationRef"):
        found = document.parts.get(ref.get("ID", ""))
        if found is None or found.get("Namespace", "").startswith(OWN_NAMESPACES) or (found.get("Namespace") == MODULO) is not modulo:
            continue
        if modulo:
            yield from (_modulo(part) for part in found.iter() if local(part).startswith("ModuloAlong"))
        else:
            pairs = [f"{pair.get('K')}={(pair.text or '').strip()}" for pair in found.iter(f"{OME}M")]
            yield f"{found.get('Namespace', '')} {'; '.join(pairs) or ' '.join(' '.join(found.itertext()).split())}"


def _modulo(part: Element) -> str:
    kept = [f"{name}={_plain(part.get(name, ''))}" for name in ("Type", "Start", "End", "Step", "Unit") if part.get(name)]
    return " ".join([local(part), *kept, *(label.text or "" for label in part)])


# Comparing

Verdict = Literal["", "same", "more", "missing", "different"]


def verdict(theirs: Sequence[tuple[Any, ...]], ours: Sequence[tuple[Any, ...]], field: Field) -> Verdict:
    """How what we say of all series stands to what Bio-Formats says.

    Empty if neither says anything; `more` if we say all that it says and more; `missing` if we are silent where it speaks.
    """
    pairs = list(zip(theirs, ours, strict=True))
    said = any(known(one) for one in theirs), any(known(one) for one in ours)
    if not all(said):
        return "more" if said[1] else "missing" if said[0] else ""
    return _places(pairs, field.kind) if field.each else _bags(pairs)


def _places(pairs: Sequence[tuple[tuple[Any, ...], tuple[Any, ...]]], kind: Kind) -> Verdict:
    """Verdict where each value has its place."""
    if any(len(other) != len(mine) for other, mine in pairs if known(other)):
        return "different"
    places = [place for other, mine in pairs for place in zip(other or (None,) * len(mine), mine, strict=True)]
    apart = [mine for other, mine in places if other is not None and not agree(other, mine, kind)]
    if apart:
        return "missing" if not known(apart) else "different"
    return "same" if all(mine is None or other is not None for other, mine in places) else "more"


def _bags(pairs: Sequence[tuple[tuple[Any, ...], tuple[Any, ...]]]) -> Verdict:
    """Verdict where the order means nothing."""
    bags = [tuple(Counter(_key(value) for value in side) for side in pair) for pair in pairs]
    if all(theirs <= ours for theirs, ours in bags):
        return "same" if all(theirs == ours for theirs, ours in bags) else "more"
    return "missing" if all(not ours - theirs for theirs, ours in bags) else "different"


def _key(value: Any) -> Any:
    return f"{value:.9g}" if isinstance(value, float) else value


def agree(theirs: Any, ours: Any, kind: Kind) -> bool:
    """Whether two values are the same."""
    if isinstance(theirs, float) and isinstance(ours, float):
        return math.isclose(theirs, ours, rel_tol=_DIGITS, abs_tol=_TOLERANCE.get(kind, _DIGITS))
    return bool(theirs == ours)


def known(values: Sequence[Any]) -> bool:
    """Whether anything is said."""
    return any(value is not None for value in values)


def _unlisted(document: Document) -> Iterator[str]:
    """Places of a document, with their text, that are neither compared nor listed as not compared."""
    covered = {field.path for field in FIELDS}
    for part in document.root:
        if local(part) not in ("ROI", "StructuredAnnotations"):
            yield from (f"{path} {_plain(text)}" for path, text in _paths(part, "") if path not in covered and not _left_out(path))


def _paths(element: Element, above: str) -> Iterator[tuple[str, str]]:
    """Every text below an element and in it, with its place."""
    name = above + ("LightSource" if local(element) in LIGHTS and above == "Instrument/" else local(element))
    yield from ((f"{name}/@{etree.QName(key).localname}", value) for key, value in element.attrib.items() if value.strip())
    if (element.text or "").strip():
        yield name, element.text or ""
    for child in element:
        yield from _paths(child, f"{name}/")


def _left_out(path: str) -> bool:
    return any(fnmatchcase(path, pattern) for pattern, _ in NOT_COMPARED)
