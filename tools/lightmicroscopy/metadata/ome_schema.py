"""The OME schema of 2016-06: validation, and the words its enumerations allow.

The schema is the file ``ome-2016-06.xsd`` that ships inside the ome-types package. The package itself is not imported:
that takes a second.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import cast

from lxml import etree

from ..errors import SuiteError, UnreadableError
from .safe_xml import parse_xml

FILE = "ome-2016-06.xsd"
_XSD = {"xsd": "http://www.w3.org/2001/XMLSchema"}
_NAMESPACES = re.compile(r"\{[^{}]*\}")
_DANGLING = re.compile(r"Element '([^']+)': No match found for key-sequence \['(.*?)'\] of keyref")
_REPEATED = ("{*}Plane", "{*}TiffData")
_FIRST = 1000
_lock = Lock()


class SchemaMissingError(SuiteError):
    """The OME schema is not installed."""


def schema_file() -> Path:
    """Find the schema.

    Raises
    ------
    SchemaMissingError
        If the ome-types package, which holds it, is not installed.
    """
    spec = find_spec("ome_types")
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        file = Path(folder) / FILE
        if file.is_file():
            return file
    raise SchemaMissingError(f"The OME schema ({FILE}) was not found. Install the ome-types package, which holds it.")


@cache
def _document() -> etree._Element:
    root = etree.fromstring(schema_file().read_bytes(), etree.XMLParser(no_network=True, resolve_entities=False))
    # The schema imports the XML namespace's own from the W3C's server without using it.
    for element in root.findall("xsd:import", _XSD):
        root.remove(element)
    return root


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(_document())


def schema_errors(document: etree._Element | bytes) -> list[tuple[int, str, str]]:
    """Validate OME-XML.

    Parameters
    ----------
    document
        The root element, or the bytes of the document.

    Returns
    -------
    list of (int, str, str)
        Line (0 if unknown), path of the element, and what is wrong, without namespaces; empty if the document is valid.

    Raises
    ------
    SchemaMissingError
        If the schema is not installed.
    """
    if isinstance(document, bytes):
        try:
            document = parse_xml(document, "the OME-XML")
        except UnreadableError as error:
            return [(0, "/", str(error))]
    return list(each_schema_error(document))


def each_schema_error(document: etree._Element) -> Iterator[tuple[int, str, str]]:
    """Yield the errors of `schema_errors` one by one: to say where one is takes as long as its element has siblings.

    For the same reason libxml2 takes time with the square of the planes that are wrong. If the first thousand of them have as
    many errors, those are all that is given.
    """
    short = beginning(document)
    entries = _log(document if short is None else short)
    if short is not None and len(entries) >= _FIRST:
        document = short
    elif short is not None:
        entries = _log(document)
    return ((entry.line, _path(document, entry), _NAMESPACES.sub("", entry.message)) for entry in entries)


def beginning(document: etree._Element) -> etree._Element | None:
    """Copy a document with its first thousand planes only; ``None`` if there are not many more."""
    if sum(1 for _ in document.iter(*_REPEATED)) <= 2 * _FIRST:
        return None
    return _trimmed(document)


def _trimmed(element: etree._Element, depth: int = 2) -> etree._Element:
    """Copy an element without the planes after the first thousand, which are never copied."""
    attributes = {str(key): str(value) for key, value in element.attrib.items()}
    copied = etree.Element(element.tag, attributes, nsmap=cast("dict[str, str]", element.nsmap))
    copied.text, copied.tail = element.text, element.tail
    seen: Counter[str] = Counter()
    for child in element:
        name = etree.QName(child).localname if isinstance(child.tag, str) else ""
        seen[name] += 1
        if depth and name in ("Image", "Pixels"):
            copied.append(_trimmed(child, depth - 1))
        elif name not in ("Plane", "TiffData") or seen[name] <= _FIRST:
            copied.append(deepcopy(child))
    return copied


def raw_errors(document: etree._Element) -> list[tuple[str, str]]:
    """Return (XPath, message) of each error, as libxml2 gives them."""
    return [(entry.path or "", entry.message) for entry in _log(document)]


def _log(document: etree._Element) -> list[etree._LogEntry]:
    schema = _schema()
    # A validator keeps its errors in itself.
    with _lock:
        return [] if schema.validate(document) else _entries(schema.error_log)


def _entries(log: etree._ListErrorLog) -> list[etree._LogEntry]:
    return list(log)


def _path(document: etree._Element, entry: etree._LogEntry) -> str:
    """Turn ``/*/*[3]/*`` into ``/OME/Image[2]/Pixels``."""
    # libxml2 gives no path to references that lead nowhere, but names them.
    dangling = _DANGLING.match(entry.message)
    found = [item for item in document.iter(dangling[1]) if item.get("ID") == dangling[2]] if dangling else elements_at(document, entry.path or "")
    if not found:
        return entry.path or "/"
    element: etree._Element | None = found[0]
    steps: list[str] = []
    while element is not None:
        name = etree.QName(element).localname
        parent = element.getparent()
        same = [] if parent is None else parent.findall(str(element.tag))
        steps.append(name if len(same) <= 1 else f"{name}[{same.index(element) + 1}]")
        element = parent
    return "/" + "/".join(reversed(steps))


def elements_at(document: etree._Element, path: str) -> list[etree._Element]:
    """Elements at a path that the validator gave; none if it leads nowhere."""
    if not path:
        return []
    # Such paths use the prefixes of the document, which may be declared anywhere in it.
    prefixes = {prefix: uri for item in document.iter(etree.Element) for prefix, uri in item.nsmap.items() if prefix} if ":" in path else None
    try:
        nodes = document.getroottree().xpath(path, namespaces=prefixes)
    except etree.XPathError:
        return []
    return [item for item in nodes if isinstance(item, etree._Element)] if isinstance(nodes, list) else []


@cache
def allowed_words(element: str, attribute: str) -> frozenset[str]:
    """Return the words an attribute may have; empty if it is no enumeration, or the schema does not know it.

    Examples
    --------
    >>> sorted(allowed_words("Arc", "Type"))
    ['Hg', 'HgXe', 'Other', 'Xe']
    """
    root = _document()
    for declared in root.iterfind(f".//xsd:element[@name='{element}']//xsd:attribute[@name='{attribute}']", _XSD):
        words = declared.findall(".//xsd:enumeration", _XSD)
        named = declared.get("type")
        if not words and named:
            words = root.findall(f"xsd:simpleType[@name='{named}']//xsd:enumeration", _XSD)
        return frozenset(word.get("value", "") for word in words)
    return frozenset()
