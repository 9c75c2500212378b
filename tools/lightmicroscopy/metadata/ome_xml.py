"""Small things every part of the OME mapping needs: local names, lenient reading, strict writing of attributes."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, cast

from lxml import etree

from ..image import Quantity
from .ome_units import Kind, spell_unit, to_nanometres, to_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NAMESPACE: Final = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
NSMAP: Final = cast("Mapping[str, str]", {None: NAMESPACE})  # the stubs do not know that a default namespace has no prefix
MODULO_NAMESPACE: Final = "http://www.openmicroscopy.org/Schemas/Additions/2011-09"
SCHEMA_LOCATION: Final = f"{NAMESPACE} {NAMESPACE}/ome.xsd"
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DATE_TIME: Final = re.compile(
    r"-?\d{4,9}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-](0\d|1[0-3]):[0-5]\d|[+-]14:00)?"
)
_SHOWN = 40
_LONGEST_INTEGER = 18


def local_name(element: etree._Element) -> str:
    """Return an element's name without its namespace; empty for comments and processing instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: etree._Element | None, *names: str) -> Iterator[etree._Element]:
    """Iterate over the child elements of those local names (all elements if none is named)."""
    if element is None:
        return
    for child in element:
        name = local_name(child)
        if name and (not names or name in names):
            yield child


def first_child(element: etree._Element | None, *names: str) -> etree._Element | None:
    """Return the first child element of one of those names."""
    return next(children(element, *names), None)


def all_text(element: etree._Element | None) -> str | None:
    """Return an element's text, stripped; None if there is no element or no text."""
    if element is None:
        return None
    return "".join(str(part) for part in element.itertext()).strip() or None


def xml_text(text: str) -> str:
    """Replace the characters XML 1.0 cannot hold (control characters, lone surrogates) by U+FFFD.

    A carriage return becomes a line feed: it would be written as a character reference, which Bio-Formats cannot read.
    """
    return _FORBIDDEN.sub("\ufffd", text).replace("\r\n", "\n").replace("\r", "\n")


def attribute_text(text: str) -> str:
    """Make text fit for an attribute: as `xml_text`, and line breaks and tabs become spaces, as parsers make them."""
    return xml_text(text).replace("\n", " ").replace("\t", " ")


def is_date_time(text: str) -> bool:
    """Whether the schema accepts it as a moment."""
    return bool(_DATE_TIME.fullmatch(text))


class Values:
    """Reads attributes leniently: what is malformed is left out and noted, once for each kind of mistake.

    An attribute may also be a child element of the same name, as early OME-XML has it.
    """

    def __init__(self) -> None:
        self._notes: dict[tuple[str, str, str], list[str]] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each kind of value that was left out."""
        return tuple(
            f"{element} {name} {found[0]!r} {problem} and was left out" + (f" (as were {len(found) - 1} more)." if len(found) > 1 else ".")
            for (element, name, problem), found in self._notes.items()
        )

    def note(self, element: etree._Element, name: str, value: str, problem: str) -> None:
        """Note a value that was left out."""
        shown = value if len(value) <= _SHOWN else value[:_SHOWN] + "…"
        self._notes.setdefault((local_name(element), name, problem), []).append(shown)

    def text(self, element: etree._Element | None, *names: str) -> str | None:
        """Return the first of those attributes that is there and not empty."""
        if element is None:
            return None
        for name in names:
            value = element.get(name)
            if value is None and len(element):
                value = all_text(first_child(element, name))
            if value:
                return value
        return None

    def number(self, element: etree._Element | None, *names: str) -> float | None:
        """Return a finite number."""
        text = self.text(element, *names)
        if text is None or element is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value
        self.note(element, names[0], text, "is not a finite number")
        return None

    def integer(self, element: etree._Element | None, name: str, *, at_least: int | None = None) -> int | None:
        """Return a whole number."""
        text = self.text(element, name)
        if text is None or element is None:
            return None
        stripped = text.strip()
        if not re.fullmatch(r"[+-]?[0-9]+(\.0*)?", stripped) or len(stripped) > _LONGEST_INTEGER:
            self.note(element, name, text, "is not a whole number")
            return None
        value = int(stripped.partition(".")[0])
        if at_least is not None and value < at_least:
            self.note(element, name, text, f"is below {at_least}")
            return None
        return value

    def quantity(self, element: etree._Element | None, name: str, default_unit: str, kind: Kind) -> Quantity | None:
        """Return a number with its unit, `default_unit` where the attribute for it is absent."""
        value = self.number(element, name)
        if value is None or element is None:
            return None
        stated = element.get(name + "Unit")
        if stated is None:
            return Quantity(value, default_unit)
        unit = spell_unit(stated, kind)
        if unit is None:
            self.note(element, name + "Unit", stated, f"is no unit of {kind} (so the value is unknown)")
            return None
        return Quantity(value, unit)

    def nanometres(self, element: etree._Element | None, *names: str) -> float | None:
        """Return a wavelength in nanometres, its default unit."""
        for name in names:
            length = self.quantity(element, name, "nm", "length")
            if length is None or element is None:
                continue
            value = to_nanometres(length)
            if value is not None and value > 0:
                return value
            self.note(element, name, f"{length.value:g} {length.unit}", "is not a wavelength")
        return None

    def seconds(self, element: etree._Element | None, name: str) -> float | None:
        """Return a time in seconds, its default unit."""
        time = self.quantity(element, name, "s", "time")
        return None if time is None else to_seconds(time)


def number_text(value: float) -> str:
    """Write a number so that reading it gives the same number."""
    return repr(float(value))


def ome(name: str) -> str:
    """Return the qualified name of an element of OME 2016-06."""
    return f"{{{NAMESPACE}}}{name}"


def new(name: str, attributes: Iterable[tuple[str, str | None]] = (), text: str | None = None) -> etree._Element:
    """Make an element of OME 2016-06, leaving out attributes that are None."""
    element = etree.Element(ome(name), nsmap=NSMAP)
    for key, value in attributes:
        put(element, key, value)
    if text is not None:
        element.text = xml_text(text)
    return element


def put(element: etree._Element, name: str, value: str | float | bool | None) -> None:
    """Set an attribute, or remove it where the value is None or not finite."""
    if isinstance(value, float) and not math.isfinite(value):
        value = None
    if value is None:
        if name in element.attrib:
            del element.attrib[name]
    elif isinstance(value, bool):
        element.set(name, "true" if value else "false")
    elif isinstance(value, str):
        element.set(name, attribute_text(value))
    else:
        element.set(name, number_text(value) if isinstance(value, float) else str(value))


def put_positive(element: etree._Element, name: str, value: float | None) -> None:
    """Set an attribute that must be above zero, or remove it."""
    put(element, name, float(value) if value is not None and value > 0 else None)


def put_quantity(element: etree._Element, name: str, quantity: Quantity | None, kind: Kind) -> None:
    """Set an attribute and its unit, or remove both where the quantity is unknown or of no unit OME has."""
    unit = None if quantity is None else spell_unit(quantity.unit, kind)
    known = quantity is not None and unit is not None and math.isfinite(quantity.value)
    put(element, name, float(quantity.value) if quantity is not None and known else None)
    put(element, name + "Unit", unit if known else None)


def put_nanometres(element: etree._Element, name: str, value: float | None) -> None:
    """Set a wavelength, or remove it."""
    put_positive(element, name, value)
    put(element, name + "Unit", "nm" if name in element.attrib else None)


def put_seconds(element: etree._Element, name: str, value: float | None) -> None:
    """Set a time, or remove it."""
    put(element, name, None if value is None else float(value))
    put(element, name + "Unit", "s" if name in element.attrib else None)


def copy_as_2016(element: etree._Element) -> etree._Element:
    """Copy an element into the namespace of 2016-06, without comments; the content of XML annotations keeps its own.

    Works without recursion, because nesting is the file's choice.
    """
    root = _bare_copy(element, ome(local_name(element)))
    pending = [(element, root, False)]
    while pending:
        source, target, foreign = pending.pop()
        for child in source:
            name = local_name(child)
            if not name:
                _append_tail(target, child.tail)
                continue
            copied = _bare_copy(child, _foreign_tag(child) if foreign else ome(name))
            copied.tail = None if child.tail is None else xml_text(child.tail)
            target.append(copied)
            pending.append((child, copied, foreign or (name == "Value" and local_name(source) == "XMLAnnotation")))
    root.tail = None
    return root


def _foreign_tag(element: etree._Element) -> str:
    name = local_name(element)
    # Modulo has labels, and the schema would take them for ROIs of that name were they in OME's own namespace.
    in_ome = etree.QName(element).namespace == NAMESPACE
    return f"{{{MODULO_NAMESPACE}}}{name}" if in_ome and (name in ("Modulo", "Label") or name.startswith("ModuloAlong")) else str(element.tag)


def _bare_copy(element: etree._Element, tag: str) -> etree._Element:
    namespace = tag[1:].partition("}")[0] if tag.startswith("{") else None
    copied = etree.Element(tag, nsmap=cast("Mapping[str, str]", {None: namespace} if namespace else {}))
    for name, value in element.attrib.items():
        copied.set(name, attribute_text(str(value)))
    copied.text = None if element.text is None else xml_text(element.text)
    return copied


def _append_tail(parent: etree._Element, text: str | None) -> None:
    if not text:
        return
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + xml_text(text)
    else:
        parent.text = (parent.text or "") + xml_text(text)
