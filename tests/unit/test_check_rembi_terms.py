"""Terms and compounds in a sheet that a person has filled in, right and wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import lm_check
from lightmicroscopy.metadata.check import check
from lightmicroscopy.metadata.findings import Finding
from lightmicroscopy.metadata.rembi.sheet import row_of, values_of, write_sheet

from .sheets import FILLED

WATER, WATER_KEY = "InChI=1S/H2O/h1H2", "XLYOFNOQVPJJNP-UHFFFAOYSA-N"
ETHANOL_KEY = "LFQSCWFLJHTTHZ-UHFFFAOYSA-N"


def written(folder: Path, table: str = "biosample", **values: str) -> Path:
    first, *rest = values_of(FILLED.rows(table))
    path = folder / "sheet.yaml"
    write_sheet(replace(FILLED, tables={**FILLED.tables, table: tuple(map(row_of, [{**first, **values}, *rest]))}), path)
    return path


def told(folder: Path, rule: str, table: str = "biosample", **values: str) -> list[Finding]:
    return [one for one in check([written(folder, table, **values)], ["rembi"]).findings if one.rule == rule]


@pytest.mark.parametrize(
    ("table", "field", "value"),
    [
        ("biosample", "organism", "Mus musculus (NCBITaxon:10090)"),
        ("biosample", "organism", "mouse (NCBITaxon_10090)"),
        ("biosample", "organism", "http://purl.obolibrary.org/obo/NCBITaxon_9606"),
        ("biosample", "cell_line", "HeLa (EFO:0001185)"),
        ("acquisition", "imaging_method", "confocal microscopy (FBbi:00000251)"),
        ("study", "study_type", "high content screen (EFO:0007550)"),
        ("specimen", "signal_contrast_mechanism", "GFP (S65T); Alexa Fluor 488 (A-11001)"),
        ("specimen", "preparation_method", "see protocol 10.1000/182"),
    ],
)
def test_right_terms_raise_no_alarm(tmp_path: Path, table: str, field: str, value: str) -> None:
    assert told(tmp_path, "rembi.term", table, **{field: value}) == []


@pytest.mark.parametrize(
    ("table", "field", "value", "severity", "words", "fix"),
    [
        ("biosample", "organism", "mouse", "warning", "has no identifier of NCBITaxon", "NCBITaxon:10090"),
        ("biosample", "organism", "mouse (NCBITaxon:9606)", "error", "Homo sapiens", "NCBITaxon:10090"),
        ("biosample", "cell_line", "HeLa (EFO:0001158)", "error", "the name beside it is “HeLa”", "EFO:0001185"),
        ("biosample", "cell_line", "HeLa (CVCL_0030)", "info", "there is none of CVCL, so that it could not be checked", "--ontology-lookup"),
        ("biosample", "cell_line", "HeLa (CLO:0003684)", "info", "there is none of CLO, so that it could not be checked", "--ontology-lookup"),
        ("biosample", "cell_line", "human (NCBITaxon:9606)", "error", "here EFO is wanted", "EFO"),
        ("biosample", "organism", "mouse (EFO:0001185)", "error", "here NCBITaxon is wanted", "NCBITaxon:10090"),
        ("biosample", "cell_line", "HeLa", "info", "has no identifier of EFO", "EFO:0001185"),
        ("acquisition", "imaging_method", "confocal microscopy (FBbi:251)", "info", "is understood as FBbi:00000251", "FBbi:00000251"),
        ("acquisition", "imaging_method", "confocal microscopy (FBbi:99999999)", "error", "There is no FBbi:99999999", "FBbi:"),
        ("biosample", "organism", "mice", "warning", "has no identifier of NCBITaxon", "NCBITaxon:10090"),
        (
            "biosample",
            "organism",
            "Homo sapiens (NCBITaxon:96060)",
            "warning",
            "which has “Homo sapiens” under another identifier",
            "NCBITaxon:9606 ",
        ),
        ("biosample", "organism", "Foo bar (NCBITaxon:123456789)", "info", "could not be checked", "--ontology-file"),
        ("specimen", "signal_contrast_mechanism", "GFP (FBbi:99999999)", "error", "There is no FBbi:99999999", "FBbi:"),
        (
            *("study_component", "analysis_method", "Light-sheet microscopy (http://edamontology.org/topic_Light-sheet_microscopy)", "info"),
            *("has no stable identifiers", "Keep “Light-sheet microscopy” beside it"),
        ),
        ("acquisition", "imaging_method", "confocal microscopy (FBbi:00000251); confocal", "warning", "“confocal” has no identifier", "FBbi:"),
    ],
)
def test_doubtful_terms_are_told_with_the_right_one(tmp_path: Path, table: str, field: str, value: str, severity: str, words: str, fix: str) -> None:
    (finding,) = told(tmp_path, "rembi.term", table, **{field: value})
    assert words in finding.message
    assert fix in finding.fix
    assert finding.severity == severity
    assert finding.location.startswith(f"sheet {table}, ")


@pytest.mark.parametrize(
    "values",
    [
        {"compound_inchi": WATER},
        {"compound_inchikey": WATER_KEY},
        {"compound_inchi": WATER, "compound_inchikey": WATER_KEY},
        {"compound_inchi": WATER, "compound_inchikey": f"{ETHANOL_KEY}; {WATER_KEY}"},
        {"compound": "nocodazole"},
    ],
)
def test_right_compounds_raise_no_alarm(tmp_path: Path, values: dict[str, str]) -> None:
    assert told(tmp_path, "rembi.compound", **values) == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"compound_inchi": "H2O"}, "is no InChI"),
        ({"compound_inchikey": "XLYOFNOQVPJJNP"}, "is no InChIKey"),
        ({"compound_inchi": WATER, "compound_inchikey": ETHANOL_KEY}, "is not the InChIKey of"),
        ({"compound_inchi": WATER, "compound_inchikey": f"{ETHANOL_KEY}; {ETHANOL_KEY}"}, "None of the 2 InChIKeys"),
    ],
)
def test_wrong_compounds_are_errors(tmp_path: Path, values: dict[str, str], words: str) -> None:
    (finding,) = told(tmp_path, "rembi.compound", **values)
    assert words in finding.message
    assert finding.severity == "error"


def test_a_full_ontology_that_is_not_there_is_told_and_does_not_pass(tmp_path: Path) -> None:
    sheet, table = written(tmp_path, organism="mouse (NCBITaxon:9606)"), tmp_path / "findings.tsv"
    gone = tmp_path / "gone.ontology"
    assert lm_check.main(["--sheet", str(sheet), "--profile", "rembi", "--ontology-file", str(gone), "--table", str(table), "--quiet"]) == 0
    (line,) = [line for line in table.read_text(encoding="utf-8").splitlines() if "\trembi.term\t" in line]
    assert "\tnot-run\t" in line
    assert "gone.ontology" in line


def test_terms_are_looked_up_in_the_suite_again_after_a_run_with_other_ontologies(tmp_path: Path) -> None:
    gone, before = str(tmp_path / "gone.ontology"), tmp_path / "before"
    before.mkdir()
    lm_check.main(["--sheet", str(written(before)), "--profile", "rembi", "--ontology-file", gone, "--table", str(tmp_path / "t.tsv"), "--quiet"])
    (finding,) = told(tmp_path, "rembi.term", organism="mouse (NCBITaxon:9606)")
    assert finding.severity == "error"
