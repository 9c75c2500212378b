"""The only place where XML is parsed: no entities, no document types, no network, no unbounded text."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from lxml import etree

from ..errors import LimitError, UnreadableError

LARGEST = 128 * 1024 * 1024
"""Bytes of XML accepted at once. OME-XML of 100,000 planes with their positions takes about 30 MB."""

MARKUP = 8_000_000
"""Opening and closing tags accepted in a document that is streamed."""

_DECLARATION = re.compile(r"^<\?xml[^>]*\?>")
_ENCODING = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ASCII_LIKE = re.compile(r"utf-?8|us-ascii|ascii|iso-8859-\d+|latin-?1|windows-125\d")


def parse_xml(data: bytes, source: str) -> etree._Element:
    """Parse XML that nobody vouches for.

    Parameters
    ----------
    data
        The document. Trailing NUL bytes, as TIFF descriptions have them, are ignored.
    source
        The name by which errors call it.

    Raises
    ------
    LimitError
        If it is larger than `LARGEST`.
    UnreadableError
        If it is not well-formed, or declares a document type (and so might define entities).
    """
    data = _checked(data, source)
    # huge_tree lifts libxml2's own 10 MB limit on a text node, which long plane tables exceed; LARGEST takes its place.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _malformed(source, error) from error


def stream_xml(data: bytes, source: str, *tags: str) -> Iterator[etree._Element]:
    """Parse XML that nobody vouches for, an element at a time: a document of many rows takes no more memory than its bytes.

    Parameters
    ----------
    data, source
        As for `parse_xml`, which says what is refused.
    tags
        Names of the elements wanted, in any namespace. Each is empty again once the next is asked for.

    Raises
    ------
    LimitError
        If it has more than `MARKUP` tags: those of other elements stay in memory.
    """
    data = _checked(data, source)
    if (count := data.count(b"<")) > MARKUP:
        raise LimitError(f"The XML of {source} has {count:,} tags; at most {MARKUP:,} are accepted. Check where the file comes from.")
    names = [f"{{*}}{tag}" for tag in tags]
    try:
        events = etree.iterparse(
            io.BytesIO(data), tag=names, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_comments=True
        )
        for _, element in events:
            yield element
            element.clear(keep_tail=False)
            parent = element.getparent()
            while parent is not None and element.getprevious() is not None:
                del parent[0]
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _malformed(source, error) from error


def _malformed(source: str, error: Exception) -> UnreadableError:
    # What lxml says as a whole ends in "(<string>, line 1)", which no reader can use.
    told = error.msg if isinstance(error, etree.XMLSyntaxError) else error
    return UnreadableError(f"The XML of {source} is not well-formed ({told}). Ask for the file again or repair its metadata.")


def _checked(data: bytes, source: str) -> bytes:
    if len(data) > LARGEST:
        raise LimitError(f"The XML of {source} is {len(data):,} bytes long; at most {LARGEST:,} are accepted. Check where the file comes from.")
    data = _as_plain_bytes(data, source).strip(b"\0 \r\n\t")
    if not _begins_as_ascii(data):
        # libxml2 would recognise UTF-16, UTF-32 or EBCDIC by itself, and a document type in it would go unseen here.
        raise UnreadableError(f"The XML of {source} is not well-formed: it does not begin with '<' in UTF-8. Ask for it again, or save it as UTF-8.")
    # libxml2 expands entities inside attributes whatever it is told, so a document type is refused before it sees one.
    if _declares_document_type(data):
        raise UnreadableError(
            f"The XML of {source} declares a document type, which microscopy metadata never need and which can be an attack. Remove its <!DOCTYPE …>."
        )
    return data


def refuse_disguised(head: bytes, source: str) -> None:
    """Refuse a document, too large to be parsed at once, by its beginning: what `parse_xml` refuses, and what is no UTF-8.

    Parameters
    ----------
    head
        The first bytes, enough to hold all that may stand before the root element.
    source
        The name by which errors call it.

    Raises
    ------
    UnreadableError
        If it does not begin as XML in UTF-8, if it may hold a document type, or if the root element is not there yet.
    """
    plain = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    declared = _ENCODING.match(plain)
    if not _begins_as_ascii(plain) or (declared and not _ASCII_LIKE.fullmatch(declared[1].decode().lower())):
        raise UnreadableError(f"{source} is not XML in UTF-8. Ask for the file again, or save it as UTF-8.")
    if _declares_document_type(plain):
        raise UnreadableError(f"{source} declares a document type, which can be an attack. Remove its <!DOCTYPE …>, or use the file's OBO form.")
    if _first_markup(plain) < 0:
        raise UnreadableError(f"The XML of {source} does not begin within its first {len(head):,} bytes. Check where the file comes from.")


def _as_plain_bytes(data: bytes, source: str) -> bytes:
    """Bring the document into an encoding in which its markup is ASCII."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise UnreadableError(f"The XML of {source} is not valid UTF-16. Ask for the file again or repair its metadata.") from error
        return _DECLARATION.sub("", text, count=1).encode()
    declared = _ENCODING.match(data.lstrip(b"\0 \r\n\t"))
    if declared and not _ASCII_LIKE.fullmatch(declared[1].decode().lower()):
        raise UnreadableError(f"The XML of {source} is in the encoding {declared[1].decode()}, which is not accepted. Save it as UTF-8.")
    return data


def _begins_as_ascii(data: bytes) -> bool:
    head = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith(b"<") and head[1:2] != b"\0"


def _declares_document_type(data: bytes) -> bool:
    """Whether a DOCTYPE stands before the root element, which is the only place where one is legal."""
    at = _first_markup(data)
    return at >= 0 and data.startswith(b"<!", at)


def _first_markup(data: bytes) -> int:
    """Where the first thing begins that is neither comment nor processing instruction: the root element or a DOCTYPE; -1 if nowhere."""
    at = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    while True:
        at = data.find(b"<", at)
        if at < 0:
            return -1
        if data.startswith(b"<!--", at):
            at, skip = data.find(b"-->", at), 3
        elif data.startswith(b"<?", at):
            at, skip = data.find(b"?>", at), 2
        else:
            return at
        if at < 0:
            return -1
        at += skip
