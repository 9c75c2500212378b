"""Numbers and texts from Leica's XML, which may be missing, empty, or written with a comma."""

from __future__ import annotations

import math
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

_INTEGER = re.compile(r"\s*[+-]?\d{1,18}\s*")
_LONGEST = 4096
_LEFT_OUT = {"TimeStampList"}
_MOST = 20_000


def number(value: str | None) -> float | None:
    """A finite number, or None."""
    try:
        found = float((value or "").strip().replace(",", "."))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def positive(value: str | None) -> float | None:
    """A number above zero, or None: Leica's software writes zero for what it does not know."""
    found = number(value)
    return found if found is not None and found > 0 else None


def integer(value: str | None) -> int | None:
    """A whole number, or None."""
    return int(value) if value is not None and _INTEGER.fullmatch(value) else None


def text(value: str | None) -> str | None:
    """A text without blanks around it; None for an empty one and for the words that stand for nothing."""
    found = (value or "").strip()
    return None if found.lower() in ("", "none", "---", "n/a", "nan", "unknown", "not set") else found


def is_on(element: etree._Element, attribute: str) -> bool:
    """Whether a switch is on."""
    return (element.get(attribute) or "").strip().lower() in ("1", "true")


def first(element: etree._Element | None, path: str) -> etree._Element | None:
    """The first element at a path, or None."""
    return None if element is None else next(iter(element.iterfind(path)), None)


def flat(element: etree._Element) -> tuple[tuple[str, str], ...]:
    """Everything an element says, as pairs of a path and a value; time stamps, which the planes carry, left out."""
    pairs = []
    for key, value in _walk(element, ""):
        # Files of thousands of images say the same of most of them.
        pairs.append((sys.intern(key), sys.intern(value)))
        if len(pairs) >= _MOST:
            break
    return tuple(pairs)


def _walk(element: etree._Element, above: str) -> Iterator[tuple[str, str]]:
    stack = [(element, above)]
    while stack:
        node, path = stack.pop()
        if not isinstance(node.tag, str) or node.tag in _LEFT_OUT:
            continue
        here = f"{path}|{node.tag}" if path else node.tag
        # Records are told apart by what they call themselves.
        label = node.get("Identifier") or node.get("Description") or ""
        if label and node.get("Variant") is not None:
            yield f"{here}|{label}", (node.get("Variant") or "")[:_LONGEST]
        else:
            for key, value in node.attrib.items():
                yield f"{here}|{key!s}", str(value)[:_LONGEST]
        if node.text and node.text.strip():
            yield here, node.text.strip()[:_LONGEST]
        stack += [(child, here) for child in reversed(node)]
