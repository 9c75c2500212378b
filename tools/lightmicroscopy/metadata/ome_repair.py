"""Making carried metadata valid: what the schema of 2016-06 does not allow is taken out, and said."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from .ome_schema import raw_errors
from .ome_xml import local_name

_ATTRIBUTE: Final = re.compile(r"attribute '(?:\{[^}]*\})?([\w:.-]+)'")
_ESSENTIAL: Final = frozenset({"OME", "Image", "Pixels", "Channel", "TiffData", "MetadataOnly", "Plane"})
_REQUIRED: Final = frozenset({"ID", "DimensionOrder", "Type", "SizeX", "SizeY", "SizeZ", "SizeC", "SizeT"})
_ROUNDS: Final = 60


def repair(root: etree._Element) -> tuple[bool, tuple[str, ...]]:
    """Take out whatever makes a document invalid, except what an image cannot be without.

    Returns
    -------
    bool
        Whether the document is valid now.
    tuple of str
        What was taken out: one sentence each, the same only once.
    """
    losses: dict[str, None] = {}
    for _ in range(_ROUNDS):
        errors = raw_errors(root)
        if not errors:
            return True, tuple(losses)
        # All are found before any is taken out, because paths count siblings.
        found = [(element, message) for path, message in errors if (element := _find(root, path)) is not None]
        taken = [loss for element, message in found if (loss := _take_out(element, message)) is not None]
        losses.update(dict.fromkeys(taken))
        if not taken:
            break
    return False, tuple(losses)


def _find(root: etree._Element, path: str) -> etree._Element | None:
    found = root.getroottree().xpath(path) if path else []
    return found[0] if isinstance(found, list) and found and isinstance(found[0], etree._Element) else None


def _take_out(element: etree._Element, message: str) -> str | None:
    name = local_name(element)
    named = _ATTRIBUTE.search(message)
    attribute = next((key for key in element.attrib if named and str(key).rpartition("}")[2] == named[1]), None)
    if attribute is not None and not (name in _ESSENTIAL and attribute in _REQUIRED) and attribute != "ID":
        value = str(element.attrib.pop(attribute))
        return f"{name} {attribute} {value!r} of the source is not allowed in OME-XML 2016-06 and was left out."
    parent = element.getparent()
    if name in _ESSENTIAL or parent is None:
        return None
    parent.remove(element)
    return f"{name} of the source does not fit OME-XML 2016-06 and was left out."
