"""No report takes the place of a file that says how the call is meant: flags, ontologies, addresses of services."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lm_annotate
import lm_check
import lm_compare
import lm_describe
import lm_inspect


@pytest.mark.parametrize("tool", ["check", "inspect", "compare", "describe", "annotate"])
def test_the_file_of_flags_is_not_replaced(tmp_path: Path, test_data: Path, tool: str) -> None:
    image, sheet, params = test_data / "cells.ome.tiff", test_data / "annotation_sheet.yaml", tmp_path / "params.json"
    params.write_text("{}")
    ran = {
        "check": lambda: lm_check.main([str(image), "--params", str(params), "--table", str(params)]),
        "inspect": lambda: lm_inspect.main([str(image), "--params", str(params), "--table", str(params)]),
        "compare": lambda: lm_compare.main([str(image), str(image), "--params", str(params), "--table", str(params)]),
        "describe": lambda: lm_describe.main(["--read-sheet", str(sheet), "--params", str(params), "--table", str(params)]),
        "annotate": lambda: lm_annotate.main(
            [str(image), "--sheet", str(sheet), "--output", str(tmp_path / "out"), "--params", str(params), "--table", str(params)]
        ),
    }[tool]()
    assert ran == 2
    assert params.read_text() == "{}"


def test_an_ontology_is_not_replaced(tmp_path: Path, test_data: Path) -> None:
    ontology = tmp_path / "full.ontology"
    ontology.write_bytes(b"terms")
    assert lm_check.main([str(test_data / "cells.ome.tiff"), "--ontology-file", str(ontology), "--table", str(ontology)]) == 2
    assert ontology.read_bytes() == b"terms"


def test_the_addresses_of_services_are_not_replaced(tmp_path: Path, test_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = tmp_path / "endpoints.json"
    endpoints.write_text(json.dumps({"user_agent": "me"}))
    monkeypatch.setenv("LIGHTMICROSCOPY_ENDPOINTS", str(endpoints))
    assert lm_check.main([str(test_data / "cells.ome.tiff"), "--json", str(endpoints)]) == 2
    assert json.loads(endpoints.read_text()) == {"user_agent": "me"}
