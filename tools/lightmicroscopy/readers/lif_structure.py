"""The structure of Leica's files: an XML header, and blocks of memory that it refers to by their names.

A LIF is one header and any number of blocks; a LOF one block and its header; XLEF, XLCF and XLIF are the header alone, whose
pixels lie in other files. Numbers are little-endian, texts UTF-16. Each part begins with the byte 0x70, three zeros and the
length of what follows, and each field in it with 0x2A.

Source: Leica Microsystems, "Leica Image File Formats - LIF, XLEF, XLLF, LOF", version 3.2 of 2016, chapters 2 and 3. That the
size of a block is stored in 4 bytes up to version 1 of the header and in 8 from version 2, and that zeros may follow the last
block, is as in Bio-Formats' LIFReader and in liffile.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import LimitError, UnreadableError
from ..metadata.safe_xml import LARGEST, parse_xml

if TYPE_CHECKING:
    from lxml import etree

    from .files import RandomFile

Kind = Literal["LIF", "LOF", "XML"]

_PART = 0x70
_FIELD = 0x2A
_OBJECT = "LMS_Object_File"
_HEADERS = ("LMSDataContainerHeader", "LMSDataContainerEnhancedHeader")
_MOST_BLOCKS = 1_000_000
_LONGEST_NAME = 4096
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_REFERENCE = re.compile(r"&#(?:x0*(?:[0-8bcBCef]|1[0-9a-fA-F])|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]));")
"""References to characters that XML does not allow, which Leica's software writes now and then."""
_SNIFFED = 2048


@dataclass(frozen=True, slots=True)
class Block:
    """One block of memory in a file; `size` is what its header says, which a cut file does not hold."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Structure:
    """What a file consists of: its header, its blocks by their names, and sentences on what is wrong with it."""

    kind: Kind
    root: etree._Element
    blocks: dict[str, Block]
    warnings: tuple[str, ...] = ()

    @property
    def only_block(self) -> Block | None:
        """The block of a LOF, whose name nothing refers to."""
        return next(iter(self.blocks.values()), None)


def looks_like(head: bytes) -> Kind | None:
    """Tell from its beginning whether a file is one of Leica's."""
    if len(head) >= 13 and head[:4] == b"\x70\0\0\0" and head[8] == _FIELD:
        text = head[13:_SNIFFED].decode("utf-16-le", "replace")
        return "LOF" if text.startswith(_OBJECT) else "LIF" if text.lstrip("\ufeff \r\n\t").startswith("<") else None
    text = _head_text(head[:_SNIFFED]).lstrip("\ufeff \r\n\t")
    return "XML" if text.startswith("<") and any(f"<{name}" in text for name in _HEADERS) else None


def _head_text(head: bytes) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", "replace")
    return head[: len(head) // 2 * 2].decode("utf-16-le", "replace") if head[1:2] == b"\0" else head.decode("utf-8", "replace")


def read_structure(file: RandomFile) -> Structure:
    """Read the header and find the blocks.

    Raises
    ------
    UnreadableError
        If the header is cut off or damaged.
    LimitError
        If the header is longer than is accepted.
    """
    kind = looks_like(file.read(0, _SNIFFED))
    if kind is None:
        raise _damaged(file, "it does not begin as a Leica file does")
    if kind == "XML":
        return Structure(kind, _parse_file(file), {})
    if kind == "LOF":
        return _read_lof(file)
    text, at = _text_part(file, 0, "header")
    root = _parse(text, file)
    blocks, warnings = _find_blocks(file, at, _version(root))
    return Structure(kind, root, blocks, warnings)


def _read_lof(file: RandomFile) -> Structure:
    _, at = _text_part(file, 0, "header")
    fields = file.read(at, 19)
    if len(fields) < 19:
        raise UnreadableError(f"{file.name} is truncated: it ends before its pixels. Copy or upload it again.")
    if fields[0] != _FIELD or fields[5] != _FIELD or fields[10] != _FIELD:
        raise _damaged(file, "the fields after its first are not those of a LOF")
    block = Block(at + 19, struct.unpack_from("<Q", fields, 11)[0])
    if block.offset + block.size > file.size:
        raise UnreadableError(f"{file.name} is truncated: its header, which comes after the pixels, is missing. Copy or upload it again.")
    text, _ = _text_part(file, block.offset + block.size, "header")
    root = _parse(text, file)
    return Structure("LOF", root, {"": block})


def _text_part(file: RandomFile, at: int, what: str) -> tuple[str, int]:
    """One part that holds a text; gives it and where the next part begins."""
    head = file.read(at, 13)
    if len(head) < 13:
        raise UnreadableError(f"{file.name} is truncated: its {what} is missing. Copy or upload it again.")
    part, _, field, length = struct.unpack("<IIBI", head)
    if part != _PART or field != _FIELD:
        raise _damaged(file, f"its {what} does not begin as it should")
    if at + 13 + 2 * length > file.size:
        raise UnreadableError(f"{file.name} is truncated: its {what} ends before it is complete. Copy or upload it again.")
    if 2 * length > 2 * LARGEST:
        raise LimitError(
            f"The header of {file.name} is {2 * length:,} bytes long; at most {2 * LARGEST:,} are accepted. Check where the file comes from."
        )
    return file.read(at + 13, 2 * length).decode("utf-16-le", "replace"), at + 13 + 2 * length


def _parse_file(file: RandomFile) -> etree._Element:
    if file.size > 2 * LARGEST:
        raise LimitError(f"{file.name} is an XML file of {file.size:,} bytes; at most {2 * LARGEST:,} are accepted. Check where it comes from.")
    data = file.read(0, file.size)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    elif data[1:2] == b"\0":
        text = data.decode("utf-16-le", "replace")
    else:
        text = data.decode("utf-8-sig", "replace")
    return _parse(text, file)


def _parse(text: str, file: RandomFile) -> etree._Element:
    text = text.strip("\ufeff\0 \r\n\t")
    if text.startswith("<?xml"):
        text = text.partition("?>")[2]
    if text.lstrip().startswith("<Data>"):
        # Older LOF files begin with what belongs inside.
        text = f'<LMSDataContainerHeader Version="2"><Element Name="">{text}</Element></LMSDataContainerHeader>'
    root = parse_xml(_NO_REFERENCE.sub("", _NO_XML.sub("", text)).encode(), file.name)
    if root.tag not in _HEADERS:
        raise _damaged(file, f"its header is a {str(root.tag)[:40]!r}, not one of Leica's")
    return root


def _version(root: etree._Element) -> int:
    text = root.get("Version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 2


def _find_blocks(file: RandomFile, at: int, version: int) -> tuple[dict[str, Block], tuple[str, ...]]:
    blocks: dict[str, Block] = {}
    for _ in range(_MOST_BLOCKS):
        if at >= file.size or file.read(at, 4) == b"\0\0\0\0":
            return blocks, ()
        found = _block_head(file, at, version)
        if found is None:
            rest = (
                f"After {len(blocks)} of its blocks, at byte {at:,}, {file.name} does not go on as a Leica file does; what comes after that is lost."
            )
            return blocks, (rest,)
        name, block = found
        # Of two with one name the first counts, so that none can be slipped under another's.
        blocks.setdefault(name, block)
        at = block.offset + block.size
    raise LimitError(f"{file.name} has more than {_MOST_BLOCKS:,} blocks. Check where it comes from.")


def _block_head(file: RandomFile, at: int, version: int) -> tuple[str, Block] | None:
    head = file.read(at, 22)
    if len(head) < 18 or head[:4] != b"\x70\0\0\0" or head[8] != _FIELD:
        return None
    wide = len(head) == 22 and head[17] == _FIELD
    narrow = head[13] == _FIELD
    if not wide and not narrow:
        return None
    if narrow and not (wide and version >= 2):
        size, length, start = struct.unpack_from("<I", head, 9)[0], struct.unpack_from("<I", head, 14)[0], at + 18
    else:
        size, length, start = struct.unpack_from("<Q", head, 9)[0], struct.unpack_from("<I", head, 18)[0], at + 22
    if length > _LONGEST_NAME or start + 2 * length > file.size:
        return None
    name = file.read(start, 2 * length).decode("utf-16-le", "replace").strip("\0")
    return name, Block(start + 2 * length, size)


def _damaged(file: RandomFile, what: str) -> UnreadableError:
    return UnreadableError(f"{file.name} is damaged: {what}. Copy or upload it again.")
