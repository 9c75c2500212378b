"""Texts of inputs that are made to mislead: on pages they are seen for what they are, and prefixes of XML stop nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import etree

import lm_check
import lm_inspect
from lightmicroscopy.metadata.ome_repair import repair
from lightmicroscopy.metadata.ome_schema import schema_errors
from lightmicroscopy.metadata.ome_xml import NAMESPACE

from .check_examples import ome_xml

TURNED = "cells\u202exslx.exe"
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("script", [lm_check, lm_inspect])
def test_a_page_holds_no_control_characters_and_nothing_that_turns_its_text(script: object, tmp_path: Path, test_data: Path) -> None:
    image = tmp_path / f"{TURNED}\x1b[31m\x07.ome.tiff"
    image.write_bytes((test_data / "cells.ome.tiff").read_bytes())
    named = tmp_path / "named.xml"
    named.write_text(ome_xml(data="<MetadataOnly/>", pixels="").replace('Name="cells"', f'Name="{TURNED}"'), encoding="utf-8")
    assert script.main([str(image), str(named), "--html", str(tmp_path / "page.html"), "--quiet"]) == 0  # type: ignore[attr-defined]
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not UNSEEN.search(page)
    assert "cells\N{REPLACEMENT CHARACTER}xslx.exe␛[31m␇.ome.tiff" in page


@pytest.mark.parametrize("declared", ["on the root", "where it is used"])
def test_what_a_prefix_hides_is_found_and_taken_out(declared: str) -> None:
    outside, inside = ('xmlns:a="urn:a"', "") if declared == "on the root" else ("", 'xmlns:a="urn:a"')
    strange = f"<a:Mine {inside}><a:Own/></a:Mine>"
    text = ome_xml(data="<MetadataOnly/>", inside=strange).replace("<OME ", f"<OME {outside} ")
    root = etree.fromstring(text.encode())
    assert [path for _, path, _ in schema_errors(root)] == ["/OME/Image/Mine"]
    valid, losses = repair(root)
    assert valid
    assert losses == ("Mine of the source does not fit OME-XML 2016-06 and was left out.",)


def test_ome_itself_may_have_a_prefix() -> None:
    text = ome_xml(data="<MetadataOnly/>", inside="<Own/>").replace(f'xmlns="{NAMESPACE}"', f'xmlns:OME="{NAMESPACE}"')
    text = re.sub(r"<(/?)(?=[A-Z])", r"<\1OME:", text)
    root = etree.fromstring(text.encode())
    assert repair(root) == (True, ("Own of the source does not fit OME-XML 2016-06 and was left out.",))
