"""Making carried metadata valid: what the schema of 2016-06 does not allow is taken out, and said."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from .ome_carry import REFERENCES, kind_of
from .ome_schema import elements_at, raw_errors
from .ome_xml import local_name

_ATTRIBUTE: Final = re.compile(r"attribute '(?:\{[^}]*\})?([\w:.-]+)'")
_ESSENTIAL: Final = {"OME": "", "Image": "OME", "Pixels": "Image", "Channel": "Pixels", "TiffData": "Pixels", "MetadataOnly": "Pixels"}
"""What an image cannot be without, and where it stands."""
_REQUIRED: Final = frozenset({"ID", "DimensionOrder", "Type", "SizeX", "SizeY", "SizeZ", "SizeC", "SizeT"})
_ROUNDS: Final = 60
_SHOWN: Final = 40


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
        _drop_dangling(root)
    return False, tuple(losses)


def _drop_dangling(root: etree._Element) -> None:
    """Remove references to what is gone.

    The schema's own rule for references to ROIs does not work, its path lacking a namespace.
    """
    there = {
        (kind_of(item), item.get("ID")) for item in root.iter(etree.Element) if item.get("ID") is not None and local_name(item) not in REFERENCES
    }
    for item in list(root.iter(etree.Element)):
        kind = REFERENCES.get(local_name(item))
        parent = item.getparent()
        if kind is not None and parent is not None and (kind, item.get("ID")) not in there:
            parent.remove(item)
        annotator = item.get("Annotator")
        if annotator is not None and ("Experimenter", annotator) not in there:
            del item.attrib["Annotator"]


def _find(root: etree._Element, path: str) -> etree._Element | None:
    found = elements_at(root, path)
    return found[0] if found else None


def _take_out(element: etree._Element, message: str) -> str | None:
    name = local_name(element)
    named = _ATTRIBUTE.search(message)
    parent = element.getparent()
    essential = _ESSENTIAL.get(name) == ("" if parent is None else local_name(parent))
    if "Character content" in message and "is not allowed" in message:
        element.text = None
        for child in element:
            child.tail = None
        return f"Text the source has inside {name} is not allowed in OME-XML 2016-06 and was left out."
    if "Element content is not allowed" in message and not essential:
        element[:] = []
        return f"What the source has inside {name} is not allowed in OME-XML 2016-06 and was left out."
    attribute = next((str(key) for key in element.attrib if named and str(key).rpartition("}")[2] == named[1]), None)
    if attribute is not None and not (essential and attribute in _REQUIRED) and attribute != "ID":
        value = str(element.attrib.pop(attribute))[:_SHOWN]
        return f"{name} {attribute} {value!r} of the source is not allowed in OME-XML 2016-06 and was left out."
    if essential or parent is None:
        return None
    parent.remove(element)
    return f"{name} of the source does not fit OME-XML 2016-06 and was left out."
