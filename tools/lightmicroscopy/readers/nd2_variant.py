"""ND2's trees of named values, from their binary form (version 3) or from XML (version 2), into dictionaries and lists.

The binary form is a sequence of items: a byte for the type, a byte for the length of the name in UTF-16 units, the name, and
the value. A level (type 11) holds items of its own and is followed by eight bytes for each of them. Items without names are a
list. ``L`` marks a tree packed with Deflate. Structure after the nd2 package of T. Lambert.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

from ..errors import LimitError, UnreadableError
from ..metadata.safe_xml import parse_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml import etree

LARGEST: Final = 128 << 20
"""Bytes of a tree, unpacked."""
MOST_ITEMS: Final = 2_000_000
_DEEPEST: Final = 60
_STRING, _BYTES, _LEVEL, _PACKED = 8, 9, 11, 0x4C
_PACKED_HEAD: Final = 12
_NUMBERS: Final = {
    1: struct.Struct("<?"),
    2: struct.Struct("<i"),
    3: struct.Struct("<I"),
    4: struct.Struct("<q"),
    5: struct.Struct("<Q"),
    6: struct.Struct("<d"),
    7: struct.Struct("<Q"),
}
_LEVEL_HEAD: Final = struct.Struct("<IQ")
_LENGTH: Final = struct.Struct("<Q")
_TYPES: Final = frozenset((*_NUMBERS, _STRING, _BYTES, _LEVEL))
Tree = dict[str, Any]


class _Malformed(Exception):
    """What is wrong with a tree."""


def decode_tree(data: bytes, source: str) -> Tree:
    """Decode one chunk.

    Parameters
    ----------
    source
        What errors call it.

    Returns
    -------
    dict
        Names to values: numbers, strings, bytes, trees, or lists of them.

    Raises
    ------
    UnreadableError
        If it is damaged.
    LimitError
        If it unpacks to more than `LARGEST` bytes or `MOST_ITEMS` items.
    """
    if data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        tree = _from_xml(data, source)
    else:
        try:
            tree = _Decoder(source).items(memoryview(data), 0)
        except (_Malformed, struct.error, UnicodeDecodeError, zlib.error) as error:
            raise UnreadableError(f"{source} is damaged: its metadata cannot be decoded ({error}). Copy or upload the file again.") from error
    return tree if isinstance(tree, dict) else {"": tree}


class _Decoder:
    """One chunk; counts what it unpacks."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.room = LARGEST
        self.left = MOST_ITEMS

    def items(self, data: memoryview, depth: int, most: int | None = None) -> Tree | list[Any]:
        """Decode items until the data end, or there are `most` of them."""
        if depth > _DEEPEST:
            raise _Malformed(f"more than {_DEEPEST} levels within each other")
        if len(data) and data[0] == _PACKED:
            return self._packed(data, depth)
        named: Tree = {}
        unnamed: list[Any] = []
        at = 0
        while at < len(data) and (most is None or most > 0):
            self.left -= 1
            if self.left < 0:
                raise LimitError(f"{self.source} has more than {MOST_ITEMS:,} items of metadata. Check where the file comes from.")
            name, value, at = self._item(data, at, depth)
            if name:
                named[name] = value
            else:
                unnamed.append(value)
            most = None if most is None else most - 1
        if unnamed and named:
            named[""] = unnamed
        return unnamed if unnamed and not named else named

    def _item(self, data: memoryview, at: int, depth: int) -> tuple[str, Any, int]:
        start = at
        kind, units = data[at], data[at + 1] if at + 1 < len(data) else 0
        at += 2
        name = bytes(data[at : at + 2 * units]).decode("utf-16-le").rstrip("\0")
        at += 2 * units
        if at > len(data):
            raise _Malformed("a name is cut off")
        if kind in _NUMBERS:
            number = _NUMBERS[kind]
            return name, number.unpack_from(data, at)[0], at + number.size
        if kind == _STRING:
            stop = _end_of_text(data, at)
            return name, bytes(data[at:stop]).decode("utf-16-le", "replace"), stop + 2
        if kind == _BYTES:
            stop = at + 8 + _LENGTH.unpack_from(data, at)[0]
            if stop > len(data):
                raise _Malformed(f"the bytes of {name!r} are cut off")
            return name, self._bytes(data[at + 8 : stop], depth), stop
        if kind == _LEVEL:
            count, length = _LEVEL_HEAD.unpack_from(data, at)
            stop = start + length
            if not at + _LEVEL_HEAD.size <= stop <= len(data):
                raise _Malformed(f"the level {name!r} is cut off")
            return name, self.items(data[at + _LEVEL_HEAD.size : stop], depth + 1, count), stop + 8 * count
        raise _Malformed(f"an item of the unknown type {kind}")

    def _packed(self, data: memoryview, depth: int) -> Tree | list[Any]:
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(data[_PACKED_HEAD:], self.room + 1)
        self.room -= len(plain)
        if self.room < 0:
            raise LimitError(f"{self.source} has metadata that unpack to more than {LARGEST:,} bytes. Check where the file comes from.")
        if not unpacker.eof:
            raise _Malformed("packed metadata are cut off")
        return self.items(memoryview(plain), depth + 1)

    def _bytes(self, data: memoryview, depth: int) -> Any:
        """Bytes, or the tree they hold."""
        if _looks_like_a_tree(data):
            try:
                tree = self.items(data, depth + 1)
            except (_Malformed, struct.error, UnicodeDecodeError, zlib.error):
                return bytes(data)
            if tree:
                return tree
        return bytes(data)


def _end_of_text(data: memoryview, at: int) -> int:
    """Where the NUL that ends a UTF-16 text is."""
    step = 4096
    for start in range(at, len(data), step):
        part = bytes(data[start : start + step])
        found = part.find(b"\0\0")
        while found % 2 and found >= 0:
            found = part.find(b"\0\0", found + 1)
        if found >= 0:
            return start + found
    raise _Malformed("a text has no end")


def _looks_like_a_tree(data: memoryview) -> bool:
    if len(data) < 4:
        return False
    if data[0] == _PACKED:
        return bytes(data[_PACKED_HEAD : _PACKED_HEAD + 1]) == b"\x78"
    end = 2 + 2 * data[1]
    return data[0] in _TYPES and data[1] > 1 and len(data) > end and bytes(data[end - 2 : end]) == b"\0\0"


_LISTED: Final = frozenset({"no_name", "BinaryItem", "TextInfoItem", "Wavelength", "MinSrc", "MaxSrc"})
"""Elements of which several stand side by side."""
_UNFIT: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def _from_xml(data: bytes, source: str) -> Tree | list[Any]:
    try:
        root = parse_xml(data, source)
    except UnreadableError:
        # Older files hold names typed in another encoding, and control characters, which XML forbids.
        root = parse_xml(_UNFIT.sub(b"", data.decode("utf-8", "ignore").encode()), source)
    tree = _element(root, 0, source)
    if isinstance(tree, list) and len(tree) == 1:
        # What a variant holds without a name is the tree itself.
        tree = tree[0]
    return tree if isinstance(tree, (dict, list)) else {"": tree}


def _element(element: etree._Element, depth: int, source: str) -> Any:
    if depth > _DEEPEST:
        raise UnreadableError(f"{source} is damaged: its metadata are more than {_DEEPEST} levels deep.")
    kind, value = element.get("runtype"), element.get("value")
    if value is not None and (kind is None or kind in _CASTS):
        return _cast(kind, value)
    named: Tree = {}
    unnamed: list[Any] = []
    for child in element:
        if not isinstance(child.tag, str):
            continue
        inner = _element(child, depth + 1, source)
        if child.tag in _LISTED:
            unnamed.append(inner)
        else:
            named[child.tag] = inner
    if unnamed and named:
        named[""] = unnamed
    return unnamed if unnamed and not named else named


def _whole(text: str) -> int | str:
    return int(text) if re.fullmatch(r"[+-]?\d{1,20}", text.strip()) else text


def _float(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


_CASTS: Final[Mapping[str, Callable[[str], Any]]] = {
    "bool": lambda text: text.strip().lower() in ("true", "1"),
    "lx_int32": _whole,
    "lx_int64": _whole,
    "lx_uint32": _whole,
    "lx_uint64": _whole,
    "double": _float,
    "float": _float,
    "CLxStringW": str,
    "CLxByteArray": str,
    "unknown": str,
}


def _cast(kind: str | None, text: str) -> Any:
    return _CASTS[kind or "unknown"](text)


def branch(tree: Any, *path: str) -> Tree:
    """Follow names down a tree; an empty tree where there is nothing."""
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree if isinstance(tree, dict) else {}


def entries(tree: Any) -> list[Any]:
    """The values of a list, or of a tree whose names only number them, in that order."""
    if isinstance(tree, dict):
        own = tree.get("")
        return own if isinstance(own, list) else list(tree.values())
    return tree if isinstance(tree, list) else []


def number(tree: Any, name: str) -> float | None:
    """A finite number of a tree; None if it has none of that name."""
    value = tree.get(name) if isinstance(tree, dict) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < float("inf") else None


def whole(tree: Any, name: str) -> int | None:
    """A whole number of a tree."""
    value = tree.get(name) if isinstance(tree, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def text(tree: Any, name: str) -> str | None:
    """A text of a tree, without blanks around it; None if it is empty."""
    value = tree.get(name) if isinstance(tree, dict) else None
    return value.strip() or None if isinstance(value, str) else None
