"""What a script is told about where terms are looked up."""

from __future__ import annotations

import argparse
import json
import logging
from logging.handlers import BufferingHandler
from pathlib import Path

import pytest

from lightmicroscopy.errors import SuiteError
from lightmicroscopy.metadata.ontologies.install import install
from lightmicroscopy.ontology_flags import add_ontologies, lookup_of

from .http_servers import reply, reply_json, serving


def parsed(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_ontologies(parser)
    return parser.parse_args(given)


@pytest.fixture
def penguins(tmp_path: Path) -> Path:
    source, made = tmp_path / "a.obo", tmp_path / "a.ontology"
    source.write_text(
        'data-version: 1\n\n[Term]\nid: NCBITaxon:9238\nname: Pygoscelis adeliae\nsynonym: "Adelie penguin" EXACT []\n', encoding="utf-8"
    )
    install(source, made, "NCBITaxon")
    return made


def test_without_flags_the_lists_of_the_suite_are_used_and_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(reply_json({})) as server:
        monkeypatch.setenv("LIGHTMICROSCOPY_ENDPOINTS", json.dumps({"ontology_lookup": server.url}))
        with lookup_of(parsed()) as lookup:
            assert lookup.suggest("mouse")[0].term.curie == "NCBITaxon:10090"
            assert lookup.suggest("Adelie penguin") == ()
        assert server.requests == []


def test_a_full_ontology_that_is_named_is_used(penguins: Path) -> None:
    with lookup_of(parsed("--ontology-file", str(penguins))) as lookup:
        assert lookup.suggest("Adelie penguin")[0].term.curie == "NCBITaxon:9238"
        assert lookup.suggest("confocal", "FBbi")[0].term.curie == "FBbi:00000251"


def test_a_full_ontology_that_is_not_there_is_told(tmp_path: Path) -> None:
    with lookup_of(parsed("--ontology-file", str(tmp_path / "gone.ontology"))) as lookup, pytest.raises(SuiteError, match=r"gone\.ontology"):
        lookup.suggest("mouse")


def test_the_service_is_asked_where_it_is_wished(monkeypatch: pytest.MonkeyPatch) -> None:
    element = {"iri": "http://purl.obolibrary.org/obo/NCBITaxon_9238", "label": ["Pygoscelis adeliae"]}
    with serving(reply_json({"elements": [element]})) as server:
        monkeypatch.setenv("LIGHTMICROSCOPY_ENDPOINTS", json.dumps({"ontology_lookup": f"{server.url}/ols4/api"}))
        with lookup_of(parsed("--ontology-lookup")) as lookup:
            assert [one.term.curie for one in lookup.suggest("Adelie penguin", "NCBITaxon")] == ["NCBITaxon:9238"]
        assert len(server.requests) == 1


def test_a_service_that_fails_is_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = BufferingHandler(10)
    monkeypatch.setattr(logging.getLogger("lightmicroscopy"), "handlers", [kept])
    with serving(reply(b"", 500)) as server:
        monkeypatch.setenv("LIGHTMICROSCOPY_ENDPOINTS", json.dumps({"ontology_lookup": f"{server.url}/ols4/api"}))
        with lookup_of(parsed("--ontology-lookup")) as lookup:
            for name in ("Adelie penguin", "king penguin", "emperor penguin"):
                assert lookup.suggest(name, "NCBITaxon") == ()
        assert len(server.requests) == 1
    (warning,) = [record for record in kept.buffer if record.levelno >= logging.WARNING]
    assert "was not asked any further" in warning.getMessage()
