"""Reading Zeiss CZI's XML: places in it, numbers, and all of it as pairs."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final

from ..image import Quantity
from .ome_xml import all_text, first_child, put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

Table = tuple[tuple[str, str], ...]
"""Rows of (element or @attribute of CZI, separated by | where one stands in for the other; attribute of OME)."""

_LONGEST: Final = 4096
_MOST: Final = 20_000


def find(element: etree._Element | None, path: str) -> etree._Element | None:
    """The first descendant along a path of local names."""
    for name in path.split("/"):
        element = first_child(element, name)
    return element


def text_of(element: etree._Element | None, path: str) -> str | None:
    """The text of the first descendant along a path; None where there is none."""
    return all_text(find(element, path))


def number_of(text: str | None) -> float | None:
    """A finite number; None for anything else."""
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def value_of(element: etree._Element | None, places: str) -> str | None:
    """What stands in the first of those places that is not empty."""
    for place in places.split("|"):
        value = (element.get(place[1:], "").strip() if element is not None else "") if place.startswith("@") else text_of(element, place)
        if value:
            return value
    return None


def mapped(element: etree._Element | None, target: etree._Element, table: Table) -> etree._Element:
    """Give an element of OME the attributes that a table takes from one of CZI."""
    for places, attribute in table:
        put(target, attribute, value_of(element, places))
    return target


def quantity_of(text: str | None, unit: str) -> Quantity | None:
    """A number with its unit."""
    value = number_of(text)
    return None if value is None else Quantity(value, unit)


def flat(root: etree._Element | None) -> Iterator[tuple[str, str]]:
    """The XML as (path, value) pairs, the first 20,000; siblings of one name are numbered."""
    if root is None:
        return
    count = 0
    waiting = [(child, child.tag) for child in reversed(root) if isinstance(child.tag, str)]
    while waiting and count < _MOST:
        element, path = waiting.pop()
        shown = path.removeprefix("Metadata|")
        for name, value in element.attrib.items():
            if str(value).strip():
                yield f"{shown}|{name!s}", str(value)[:_LONGEST]
                count += 1
        inner = [child for child in element if isinstance(child.tag, str)]
        text = (element.text or "").strip()
        if text:
            yield shown, text[:_LONGEST]
            count += 1
        names = Counter(child.tag for child in inner)
        seen: dict[str, int] = {}
        paths = []
        for child in inner:
            seen[child.tag] = seen.get(child.tag, 0) + 1
            paths.append((child, f"{path}|{child.tag}{f' #{seen[child.tag]}' if names[child.tag] > 1 else ''}"))
        waiting += reversed(paths)
