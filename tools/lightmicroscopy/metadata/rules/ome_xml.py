"""Rules on OME-XML: the schema, and what a schema cannot see."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from ..findings import Problem, Subject, rule
from ..ome_units import NOT_LENGTHS, spell_unit
from ..ome_xml import NAMESPACE, children, local_name
from ._views import OME_MODEL, SCHEMA, document, elements, listed, place, series_of, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

_BITS = {"bit": 1, "int8": 8, "uint8": 8, "int16": 16, "uint16": 16, "int32": 32, "uint32": 32, "float": 32, "double": 64, "complex": 64}
_BITS["double-complex"] = 128
_LONGEST_SIZE = 18
_RELEASE = re.compile(r"https?://www\.openmicroscopy\.org/(?:Schemas/OME/(\d{4}-\d{2})|XMLschemas/OME/(FC)/ome\.xsd)")
_RELEASED = ("FC", "2007-06", "2008-02", "2008-09", "2009-09", "2010-04", "2010-06", "2011-06", "2012-06", "2013-06", "2015-01", "2016-06")
"""Releases of the OME schema, the oldest first. Source: the schemas shipped with Bio-Formats."""
_WORDS_SHOWN = 16
_SCHEMA_WORDS = tuple(
    (re.compile(pattern, re.DOTALL), sentence)
    for pattern, sentence in (
        (r"key-sequence|identity-constraint|unique identity|keyref|precomputed value", ""),
        (
            r"Element '(\w+)', attribute '(\w+)': \[facet 'enumeration'\] The value '(.*?)' is not an element of the set",
            "{1} of {0} is “{2}”, which is none of the words OME-XML allows there.",
        ),
        (
            r"Element '(\w+)': \[facet 'enumeration'\] The value '(.*?)' is not an element of the set",
            "{0} is “{1}”, which is none of the words allowed there.",
        ),
        (
            r"Element '(\w+)', attribute '(\w+)': \[facet 'pattern'\] The value '(.*?)' is not accepted",
            "{1} of {0} is “{2}”, which is not of the form the schema demands.",
        ),
        (r"Element '(\w+)', attribute '(\w+)': \[facet '\w+'\] The value '(.*?)'(.*)", "{1} of {0} is “{2}”, which is outside of what is allowed."),
        (
            r"Element '(\w+)', attribute '(\w+)': '(.*?)' is not a valid value of the (?:\w+ )?(?:atomic|local atomic|union|list) type",
            "{1} of {0} is “{2}”, which is not a value of the kind it should be.",
        ),
        (
            r"Element '(\w+)': '(.*?)' is not a valid value of the (?:\w+ )?(?:atomic|local atomic|union|list) type",
            "{0} is “{1}”, which is not a value of the kind it should be.",
        ),
        (r"Element '(\w+)', attribute '(\w+)': The attribute '\w+' is not allowed", "{0} has an attribute {1}, which OME-XML does not know."),
        (r"Element '(\w+)': The attribute '(\w+)' is required but missing", "{0} lacks its attribute {1}."),
        (
            r"Element '(\w+)': This element is not expected\. Expected is (?:one of )?\( (.*) \)",
            "{0} stands where it may not: here OME-XML wants {1}.",
        ),
        (r"Element '(\w+)': This element is not expected", "{0} stands where it may not."),
        (r"Element '(\w+)': Missing child element\(s\)\. Expected is (?:one of )?\( (.*) \)", "{0} is incomplete: it lacks {1}."),
    )
)


def root_is_parsed(subject: Subject) -> bool:
    """Whether the OME-XML can be read; raises `CannotRun` if not."""
    document(subject)
    return True


@rule(
    "ome.readable",
    severity="error",
    title="The OME-XML can be read.",
    why="Software that cannot read the OME-XML loses all of it: order of planes, sizes, channels, times.",
    fix="Write the file again with the software that made it, or repair the XML and put it back (for instance with tiffcomment of Bio-Formats).",
    source=OME_MODEL,
    needs="ome-xml",
)
def _readable(subject: Subject) -> Iterator[Problem]:
    from ...errors import SuiteError

    try:
        found = subject.ome
    except SuiteError as error:
        yield Problem(str(error))
        return
    if local_name(found.root) != "OME":
        yield Problem(f"The outermost element of the XML is {local_name(found.root)}, not OME.", "/")
    elif not found.images and found.binary_only is None:
        yield Problem("The OME-XML describes no image at all.", "/OME")


@rule(
    "ome.schema",
    severity="error",
    title="The OME-XML is valid by the schema of 2016-06, to which older ones are brought first.",
    why="Strict readers refuse invalid OME-XML, lenient ones drop what they do not understand: either way something is lost, often unnoticed.",
    fix="Correct the named element; converting the file with this suite writes OME-XML that is valid.",
    source="https://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd",
    needs="ome-xml",
    applies=lambda subject: document(subject).root.tag == f"{{{NAMESPACE}}}OME" or _release(document(subject).root) in _RELEASED,
)
def _schema(subject: Subject) -> Iterator[Problem]:
    from ..ome_older import as_2016
    from ..ome_schema import each_schema_error

    root = document(subject).root
    older = root.tag != f"{{{NAMESPACE}}}OME"
    if older:
        release = _release(root)
        root = as_2016(root, "2003-FC" if release == "FC" else release)
    told: set[tuple[str, str]] = set()
    for line, path, message in each_schema_error(root):
        sentence = plain_words(message)
        # One mistake in a type is told twice by the validator, and IDs have rules of their own.
        if sentence and (path, sentence) not in told:
            told.add((path, sentence))
            if older:
                # A transform may have made it so, and lines are those of what it made.
                yield Problem(f"Brought to the schema 2016-06: {sentence}", path, _series_in(path), severity="warning")
            else:
                yield Problem(sentence, f"{path} (line {line})" if line else path, _series_in(path))


def _release(root: etree._Element) -> str:
    """Name the schema that a document says it follows; empty where that is none of OME's."""
    found = _RELEASE.fullmatch(_namespace(root).rstrip("/"))
    return next((part for part in found.groups() if part), "") if found else ""


def _namespace(root: etree._Element) -> str:
    return str(root.tag or "").rpartition("}")[0].lstrip("{")


def plain_words(message: str) -> str:
    """Say in plain words what libxml2 says about a schema error; empty for what other rules say better."""
    for pattern, sentence in _SCHEMA_WORDS:
        found = pattern.search(message)
        if found:
            words = sentence.format(*(shorten(part or "") for part in found.groups()))
            return words + _allowed(*found.groups()[:2]) if "enumeration" in pattern.pattern else words
    return message


def _allowed(element: str, attribute: str) -> str:
    """The words an attribute may have, where they are few enough to read."""
    from ..ome_schema import allowed_words

    words = sorted(allowed_words(element, attribute))
    return f" Allowed are {', '.join(words)}." if 0 < len(words) <= _WORDS_SHOWN else ""


def _series_in(path: str) -> int | None:
    found = re.match(r"/OME/Image(?:\[(\d+)\])?(?:/|$)", path)
    return int(found[1] or 1) - 1 if found else None


@rule(
    "ome.schema-version",
    severity="info",
    title="The OME-XML follows the current schema, 2016-06.",
    why="Older OME-XML is still read by most software, but means some things differently (units, for one, came with 2015-01).",
    fix="Nothing must be done. Converting the file with this suite writes OME-XML of 2016-06.",
    source="https://ome-model.readthedocs.io/en/stable/schemas/index.html",
    needs="ome-xml",
    applies=root_is_parsed,
)
def _schema_version(subject: Subject) -> Iterator[Problem]:
    root = document(subject).root
    namespace, year = _namespace(root), _release(root)
    if not namespace:
        yield Problem("The OME-XML does not say which schema it follows: it has no namespace.", "/OME", severity="warning")
    elif namespace == NAMESPACE:
        return
    elif year in _RELEASED:
        yield Problem(f"The OME-XML follows an older schema, {year}.", "/OME")
    elif year > _RELEASED[-1]:
        yield Problem(f"The OME-XML says that it follows the schema {year}, newer than 2016-06, the newest known here.", "/OME", severity="warning")
    else:
        yield Problem(f"The OME-XML follows a schema that was never released: {shorten(namespace)}", "/OME", severity="warning")


@rule(
    "ome.duplicate-id",
    severity="error",
    title="Every ID is used once.",
    why="A reference to an ID that two elements share can be followed to the wrong one.",
    fix="Give each element its own ID and correct the references.",
    source="https://ome-model.readthedocs.io/en/stable/developers/id-and-lsid.html",
    needs="ome-xml",
    applies=root_is_parsed,
)
def _duplicate_id(subject: Subject) -> Iterator[Problem]:
    seen: dict[tuple[str, str], etree._Element] = {}
    for element in document(subject).root.iter("{*}*"):
        name, identifier = local_name(element), element.get("ID")
        if identifier is None or is_reference(name):
            continue
        first = seen.setdefault((name, identifier), element)
        if first is not element:
            yield Problem(f"Two {name} elements have the ID {shorten(identifier)}; the first is {place(first)}.", place(element), series_of(element))


@rule(
    "ome.dangling-reference",
    severity="error",
    title="Every reference leads to an element that is there.",
    why="A reference without a target has lost what it stood for: which objective, which light source, which experimenter.",
    fix="Add the missing element, or remove the reference. It often happens where metadata were copied in part from another file.",
    source="https://ome-model.readthedocs.io/en/stable/developers/id-and-lsid.html",
    needs="ome-xml",
    applies=lambda subject: any(is_reference(local_name(element)) for element in document(subject).root.iter("{*}*")),
)
def _dangling_reference(subject: Subject) -> Iterator[Problem]:
    root = document(subject).root
    known = {element.get("ID") for element in root.iter("{*}*") if not is_reference(local_name(element))}
    for element in root.iter("{*}*"):
        name, target = local_name(element), element.get("ID")
        if target is None or target in known or not is_reference(name):
            continue
        outside = target.startswith("urn:lsid:")
        message = f"{name} refers to {shorten(target)}, " + (
            "which is not in this file; it may exist elsewhere, but no software will look for it." if outside else "but no element has that ID."
        )
        yield Problem(message, place(element), series_of(element), severity="warning" if outside else None)


def is_reference(name: str) -> bool:
    """Whether elements of that name refer to another by its ID."""
    return name.endswith(("Ref", "Settings")) or name in ("Pump", "Leader", "Contact")


@rule(
    "ome.channel-count",
    severity="error",
    title="SizeC agrees with the channels that are described.",
    why="Where the number of channels is stated in two ways, software shows too many channels, too few, or the wrong names.",
    fix="Make the Channel elements (each counts for its SamplesPerPixel) add up to SizeC. Often a channel was cut out without touching the metadata.",
    source=f"{SCHEMA}#Pixels_SizeC",
    needs="ome-xml",
    applies=lambda subject: any(True for _ in elements(subject, "Channel")),
)
def _channel_count(subject: Subject) -> Iterator[Problem]:
    for pixels in elements(subject, "Pixels"):
        channels = list(children(pixels, "Channel"))
        size = whole_number(pixels.get("SizeC"))
        described = sum(whole_number(channel.get("SamplesPerPixel")) or 1 for channel in channels)
        if channels and size is not None and described != size:
            verb = "describes" if len(channels) == 1 else "describe"
            counted = f"{len(channels)} Channel element{'s' if len(channels) != 1 else ''}"
            samples = f" with {described} samples in all" if described != len(channels) else ""
            yield Problem(f"SizeC is {size}, but {counted}{samples} {verb} the channels.", place(pixels), series_of(pixels))


@rule(
    "ome.significant-bits",
    severity="error",
    title="SignificantBits fits the pixel type.",
    why="Display ranges are taken from the significant bits; a wrong number makes images look black or saturated.",
    fix="Set SignificantBits to the bits the camera delivers (12 or 14, say), at most those of the pixel type, or leave it out.",
    source=f"{SCHEMA}#Pixels_SignificantBits",
    needs="ome-xml",
    applies=lambda subject: any(pixels.get("SignificantBits") for pixels in elements(subject, "Pixels")),
)
def _significant_bits(subject: Subject) -> Iterator[Problem]:
    for pixels in elements(subject, "Pixels"):
        kind = (pixels.get("Type") or pixels.get("PixelType") or "").lower()
        stated = pixels.get("SignificantBits")
        bits, most = whole_number(stated), _BITS.get(kind)
        if stated is None or most is None:
            continue
        if bits is None or bits < 1:
            yield Problem(f"SignificantBits is {shorten(stated)}, which is no number of bits.", place(pixels), series_of(pixels))
        elif bits > most:
            yield Problem(f"SignificantBits is {bits}, but pixels of type {kind} have only {most}.", place(pixels), series_of(pixels))


@rule(
    "ome.pixel-size-invalid",
    severity="error",
    title="Pixel sizes are lengths above zero.",
    why="Scale bars, distances, areas and volumes are all computed from the pixel size.",
    fix="Correct the value, or remove it where the true size is not known: unknown is better than wrong.",
    source=f"{SCHEMA}#Pixels_PhysicalSizeX",
    needs="ome-xml",
    applies=lambda subject: any(pixels.get(f"PhysicalSize{axis}") is not None for pixels in elements(subject, "Pixels") for axis in "XYZ"),
)
def _pixel_size_invalid(subject: Subject) -> Iterator[Problem]:
    for pixels in elements(subject, "Pixels"):
        for axis in "XYZ":
            name = f"PhysicalSize{axis}"
            text = pixels.get(name)
            if text is None:
                continue
            stated = pixels.get(f"{name}Unit", "µm")
            unit = spell_unit(stated, "length")
            value = number(text)
            if value is None or value <= 0:
                yield Problem(f"{name} is {shorten(text)}, which is not a size.", place(pixels), series_of(pixels))
            elif unit is None:
                yield Problem(f"{name} is given in {shorten(stated)}, which is no unit of length.", place(pixels), series_of(pixels))
            elif unit in NOT_LENGTHS:
                message = f"{name} is given in the unit “{unit}”, which is not a length: the true size of a pixel is unknown."
                yield Problem(message, place(pixels), series_of(pixels), severity="warning")


@rule(
    "ome.plane-out-of-range",
    severity="error",
    title="Plane elements describe planes that exist, each once.",
    why="Times, exposures and stage positions attached to a wrong plane are wrong without anybody seeing it.",
    fix="Correct TheZ, TheC and TheT (counted from 0), or remove the Plane elements that are left over.",
    source=f"{SCHEMA}#Plane",
    needs="ome-xml",
    applies=lambda subject: any(True for _ in elements(subject, "Plane")),
)
def _plane_out_of_range(subject: Subject) -> Iterator[Problem]:
    for pixels in elements(subject, "Pixels"):
        sizes = {axis: whole_number(pixels.get(f"Size{axis}")) for axis in "ZCT"}
        seen: set[tuple[str | None, ...]] = set()
        for plane in children(pixels, "Plane"):
            position = tuple(plane.get(f"The{axis}") for axis in "ZCT")
            for axis, text in zip("ZCT", position, strict=True):
                at, size = whole_number(text), sizes[axis]
                if at is not None and size is not None and not 0 <= at < size:
                    message = f"A Plane stands at The{axis} = {at}, but Size{axis} is {size} (so 0 to {size - 1} are possible)."
                    yield Problem(message, place(plane), series_of(plane))
            if position in seen:
                where = ", ".join(f"The{axis} = {text}" for axis, text in zip("ZCT", position, strict=True))
                yield Problem(f"Two Plane elements describe the same plane: {where}.", place(plane), series_of(plane))
            seen.add(position)


@rule(
    "ome.plate-empty-reference",
    severity="warning",
    title="Every field of every well leads to an image.",
    why="A field without an image is either lost data or a plate layout that was not cut down with the data.",
    fix="Add the images, or remove the WellSample elements without one.",
    source=f"{SCHEMA}#WellSample",
    needs="ome-xml",
    applies=lambda subject: any(True for _ in elements(subject, "WellSample")),
)
def _plate_empty_reference(subject: Subject) -> Iterator[Problem]:
    empty = [sample for sample in elements(subject, "WellSample") if not any(True for _ in children(sample, "ImageRef"))]
    if empty:
        names = [sample.get("ID") or "without ID" for sample in empty]
        yield Problem(f"{len(empty)} field{'s have' if len(empty) > 1 else ' has'} no image: {listed(names)}.", place(empty[0]))


def whole_number(text: str | None) -> int | None:
    """Read a whole number of a length that is one; ``None`` for anything else."""
    value = (text or "").strip()
    return int(value) if value.lstrip("+-").isdecimal() and len(value) <= _LONGEST_SIZE else None


def number(text: str) -> float | None:
    """Read a finite number; ``None`` for anything else."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
