"""Ways to break OME-XML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random

from lxml import etree

from .meant import meant_of_xml
from .model import Base, Content, Kind, Mutation

Write = Callable[[bytes], Content]
"""Makes the content of a base with other OME-XML."""
_NUMBERS = ("-1", "0", "1e12", "7.5")
_UNITS = ("furlong", "m", "pixel", "")
_WHOLE_THINGS = ("Channel", "TiffData", "Plane", "Well", "WellSample", "Image", "Objective", "Label")
_FOREIGN = "XMLAnnotation"


def mutations(base: Base, xml: bytes, write: Write, random: Random, most: int) -> Iterator[Mutation]:
    """At most so many mutations of each kind, chosen by a seeded generator."""
    by_kind: dict[Kind, list[Mutation]] = {}
    root = etree.fromstring(xml)
    elements = [element for element in root.iter() if isinstance(element.tag, str) and not _is_foreign(element)]
    numbers = {element: number for number, element in enumerate(root.iter())}
    for element in elements:
        for kind, attribute, what, change in _changes(element, random):
            by_kind.setdefault(kind, []).append(_mutation(base, xml, write, numbers[element], element, kind, attribute, what, change))
    for kind in sorted(by_kind):
        found = by_kind[kind]
        random.shuffle(found)
        yield from found[:most]


def _is_foreign(element: etree._Element) -> bool:
    """Whether it is inside an annotation of other XML, but for Modulo."""
    above = [name(each) for each in element.iterancestors()]
    return _FOREIGN in above and "Modulo" not in [name(element), *above]


def name(element: etree._Element) -> str:
    """Name without its namespace."""
    return etree.QName(element).localname


Change = Callable[[etree._Element], None]


def _mutation(
    base: Base, xml: bytes, write: Write, number: int, element: etree._Element, kind: Kind, attribute: str, what: str, change: Change
) -> Mutation:
    def content() -> Content:
        root = etree.fromstring(xml)
        change(next(each for index, each in enumerate(root.iter()) if index == number))
        return write(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))

    where = "/".join([*reversed([name(each) for each in element.iterancestors()]), name(element)]) + (f"@{attribute}" if attribute else "")
    return Mutation(base, kind, where, what, meant_of_xml(kind, name(element), attribute), content)


def _set(attribute: str, value: str) -> Change:
    return lambda element: element.set(attribute, value)


def _unset(attribute: str) -> Change:
    def change(element: etree._Element) -> None:
        del element.attrib[attribute]

    return change


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _twice(element: etree._Element) -> None:
    element.addnext(deepcopy(element))


def _exchange(element: etree._Element) -> None:
    following = element.getnext()
    if following is not None:
        following.addnext(element)


def _changes(element: etree._Element, random: Random) -> Iterator[tuple[Kind, str, str, Change]]:
    if element.getparent() is not None:
        yield "count" if name(element) in _WHOLE_THINGS else "remove", "", "taken out", _remove
        if element.get("ID") is not None or name(element) in _WHOLE_THINGS:
            yield "duplicate", "", "is there twice", _twice
        following = element.getnext()
        if following is not None and following.tag != element.tag:
            yield "order", "", f"stands behind {name(following)}", _exchange
    for key, value in element.attrib.items():
        attribute = str(key)
        if "}" in attribute or attribute in ("namespace",):
            continue
        yield from _of_attribute(element, attribute, str(value), random)


def _of_attribute(element: etree._Element, attribute: str, value: str, random: Random) -> Iterator[tuple[Kind, str, str, Change]]:
    if attribute.endswith("Unit"):
        unit = random.choice(_UNITS)
        yield "unit", attribute, f"became “{unit}”" if unit else "taken out", _set(attribute, unit) if unit else _unset(attribute)
        return
    yield "remove", attribute, "taken out", _unset(attribute)
    if attribute == "ID":
        if name(element).endswith(("Ref", "Settings")) or name(element) in ("Pump", "Leader"):
            yield "dangling", attribute, f"became {value}99", _set(attribute, f"{value}99")
            return
        yield "dangling", attribute, f"became {value}98", _set(attribute, f"{value}98")
        yield "value", attribute, "became “?”", _set(attribute, "?")
        return
    if _is_number(value):
        yield "type", attribute, "became “abc”", _set(attribute, "abc")
        number = random.choice([number for number in _NUMBERS if float(number) != float(value)])
        yield "value", attribute, f"became {number}", _set(attribute, number)
        if attribute.startswith(("Size", "PlaneCount", "The", "First", "IFD", "Row", "Column", "SamplesPerPixel", "End")) and value.isdigit():
            yield "count", attribute, "is one more", _set(attribute, str(int(value) + 1))
    else:
        yield "value", attribute, "became “Nonsense?”", _set(attribute, "Nonsense?")


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
