"""Validation against the OME schema, without importing the package that ships it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lightmicroscopy.metadata import ome_schema
from lightmicroscopy.metadata.ome_schema import SchemaMissingError, allowed_words, schema_errors

from .ome_examples import SCREEN, pixels


def wrap(body: str) -> bytes:
    return f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{body}</OME>'.encode()


def test_a_valid_document_has_no_errors() -> None:
    assert schema_errors(SCREEN.encode()) == []


@pytest.mark.parametrize(
    ("body", "path", "word"),
    [
        (pixels('PhysicalSizeX="0"'), "/OME/Image/Pixels", "PhysicalSizeX"),
        (pixels('PhysicalSizeXUnit="um"'), "/OME/Image/Pixels", "PhysicalSizeXUnit"),
        (pixels(sizes='SizeX="4" SizeY="4" SizeZ="1" SizeC="1"'), "/OME/Image/Pixels", "SizeT"),
        (pixels() + pixels().replace("Pixels:0", "Pixels:1"), "/OME/Image[2]", "Image:0"),
        (pixels().replace("<Pixels", '<InstrumentRef ID="Instrument:0"/><Pixels'), "/OME/Image/InstrumentRef", "Instrument:0"),
    ],
)
def test_what_the_schema_forbids_is_found_where_it_stands(body: str, path: str, word: str) -> None:
    [(line, where, message)] = schema_errors(wrap(body))
    assert where == path
    assert word in message
    assert "{http" not in message
    assert line == 1


def test_xml_that_is_no_xml_is_one_error_and_no_exception() -> None:
    [(line, where, message)] = schema_errors(b"<OME")
    assert (line, where) == (0, "/")
    assert "not well-formed" in message


def test_the_package_that_ships_the_schema_is_not_imported() -> None:
    tools = Path(ome_schema.__file__).parents[2]
    code = "import sys; from lightmicroscopy.metadata.ome_schema import schema_errors; schema_errors(b'<OME/>'); print('ome_types' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tools, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_missing_schema_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delitem(sys.modules, "ome_types", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(SchemaMissingError, match="Install the ome-types package"):
        ome_schema.schema_file()


def test_the_words_of_an_enumeration_come_from_the_schema() -> None:
    assert allowed_words("Objective", "Immersion") == {"Oil", "Water", "WaterDipping", "Air", "Multi", "Glycerol", "Other"}
    assert "2x2" in allowed_words("DetectorSettings", "Binning")
    assert allowed_words("Image", "Name") == frozenset()
    assert allowed_words("Nonsense", "Type") == frozenset()


def _planes(wrong: set[int], count: int = 3000) -> bytes:
    exposure = " ExposureTime='x'"
    planes = "".join(f"<Plane TheZ='0' TheC='0' TheT='{t}'{exposure if t in wrong else ''}/>" for t in range(count))
    sizes = f'SizeX="4" SizeY="4" SizeZ="1" SizeC="1" SizeT="{count}"'
    return wrap(pixels(content=f"<MetadataOnly/>{planes}", sizes=sizes))


def test_the_last_of_many_planes_is_not_overlooked() -> None:
    (error,) = schema_errors(_planes({2999}))
    assert error[1] == "/OME/Image/Pixels/Plane[3000]"


def test_of_thousands_of_wrong_planes_the_first_are_told() -> None:
    found = schema_errors(_planes(set(range(3000))))
    assert len(found) == 1000
    assert [path for _, path, _ in found[:2]] == ["/OME/Image/Pixels/Plane[1]", "/OME/Image/Pixels/Plane[2]"]
