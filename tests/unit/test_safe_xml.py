"""XML from anywhere: what is accepted, and what is refused before it can do harm."""

from __future__ import annotations

import pytest

from lightmicroscopy.errors import LimitError, UnreadableError
from lightmicroscopy.metadata import safe_xml
from lightmicroscopy.metadata.safe_xml import parse_xml, stream_xml

LAUGHS = b"""<?xml version="1.0"?><!-- a --><!DOCTYPE OME [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><OME Name="&b;">&b;</OME>"""


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(LAUGHS, id="entities that multiply"),
        pytest.param(b'<!DOCTYPE OME SYSTEM "http://example.org/evil.dtd"><OME/>', id="a document type from the network"),
        pytest.param(b'<!DOCTYPE OME [<!ENTITY x SYSTEM "file:///etc/passwd">]><OME>&x;</OME>', id="an entity that names a local file"),
        pytest.param(LAUGHS.decode().encode("utf-16"), id="entities hidden in UTF-16"),
        pytest.param(b"\xef\xbb\xbf" + LAUGHS, id="entities behind a byte order mark"),
    ],
)
def test_a_document_type_is_refused(document: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"evil\.ome declares a document type"):
        parse_xml(document, "evil.ome")


@pytest.mark.parametrize("document", [b"", b"<OME", b"<OME></Image>", b"plain text", b"<OME>\xff</OME>", b"\xff\xfe<"])
def test_what_is_not_well_formed_is_refused_by_name(document: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"The XML of broken\.ome"):
        parse_xml(document, "broken.ome")


def test_an_encoding_that_could_hide_markup_is_refused() -> None:
    with pytest.raises(UnreadableError, match="UTF-7"):
        parse_xml(b'<?xml version="1.0" encoding="UTF-7"?><OME/>', "x.ome")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "cp500"])
def test_a_document_type_cannot_hide_in_an_encoding_that_is_not_declared(encoding: str) -> None:
    with pytest.raises(UnreadableError, match="does not begin with '<' in UTF-8"):
        parse_xml((LAUGHS.decode() + "<!-- the last byte may be cut off -->").encode(encoding), "evil.ome")


def test_more_than_the_limit_is_refused_unparsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_xml, "LARGEST", 20)
    with pytest.raises(LimitError, match="27 bytes"):
        parse_xml(b"<OME>" + b"a" * 16 + b"</OME>", "big.ome")


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"<OME/>\0\0", id="padded with NUL as in a TIFF description"),
        pytest.param('<?xml version="1.0" encoding="UTF-16"?><OME a="µ"/>'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'<?xml version="1.0" encoding="ISO-8859-1"?><OME a="\xb5"/>', id="Latin-1"),
        pytest.param(b"<OME>&lt;!DOCTYPE&gt; <![CDATA[<!DOCTYPE x>]]></OME>", id="a document type as mere text"),
    ],
)
def test_honest_documents_are_read(document: bytes) -> None:
    assert parse_xml(document, "x.ome").tag == "OME"


@pytest.mark.parametrize("document", [LAUGHS, LAUGHS.decode().encode("utf-16"), b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'])
def test_a_document_that_is_read_bit_by_bit_has_no_document_type_either(document: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"evil\.xml declares a document type"):
        list(stream_xml(document, "evil.xml", "OME", "a"))


@pytest.mark.parametrize("document", [b"", b"<a><row>1</row>", b"<a><row>1</row></b>", b"<a><row>&x;</row></a>", b"<a><row>\xff</row></a>"])
def test_a_document_that_breaks_off_or_goes_wrong_is_refused_where_it_does(document: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"The XML of broken\.xml is not well-formed"):
        list(stream_xml(document, "broken.xml", "row"))


def test_elements_come_one_by_one_and_what_was_seen_is_gone() -> None:
    document = (
        b"<a xmlns='urn:x'>" + b"".join(b"<row n='%d'><c>%d</c><c>x</c></row><!-- no row -->" % (number, number) for number in range(5)) + b"</a>"
    )
    seen = []
    for row in stream_xml(document, "rows.xml", "row"):
        seen.append((row.get("n"), row.findtext("{*}c")))
        before = list(row.itersiblings(preceding=True))
        assert len(before) <= 1, "rows that were seen would fill the memory"
        assert not any(len(seen_row) for seen_row in before)
    assert seen == [(str(number), str(number)) for number in range(5)]


def test_more_tags_than_a_document_may_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_xml, "MARKUP", 10)
    with pytest.raises(LimitError, match="has 11 tags"):
        list(stream_xml(b"<a>" + b"<b/>" * 9 + b"</a>", "many.xml", "row"))
