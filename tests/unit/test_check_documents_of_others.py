"""Study files of the IDR, its templates, and submissions to the BioImage Archive, as they are: each has the findings that are listed here.

They are not part of this repository; where they are not beside it, these tests are skipped.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lightmicroscopy.metadata.check import check

from .document_checks import TODAY

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "facts" / "examples"
Expected = dict[str, int]


@pytest.fixture
def examples() -> Path:
    if not EXAMPLES.is_dir():
        pytest.skip("the examples of the archives are not part of this repository and lie beside it only on the maintainers' machines")
    return EXAMPLES


def severe(paths: list[Path], profile: str) -> Expected:
    """Count the errors and warnings of each rule."""
    report = check(paths, [profile], today=TODAY)
    assert not [finding for finding in report.findings if "an error of its own" in finding.message]
    return dict(Counter(f"{finding.severity} {finding.rule}" for finding in report.findings if finding.severity in ("error", "warning")))


LISTED: list[tuple[str, str, tuple[str, ...], Expected]] = [
    # Published by the IDR: the study files pass. That their curators' table is not there in the screen's case is a note about the inputs.
    ("the study file of idr0062", "idr", ("idr/idr0062-study.txt",), {"warning idr.parts": 1}),
    ("the study file of idr0001", "idr", ("idr/idr0001-study.txt",), {"warning idr.parts": 1, "warning idr.address": 1}),
    (
        "idr0062 with the table of its curators",
        "idr",
        ("idr/idr0062-study.txt", "idr/idr0062-experimentA-annotation.csv"),
        # Names of assays files that stem from the template; blanks at the end of descriptions.
        {"warning idr.named-file": 5, "warning idr.table-blanks": 21},
    ),
    (
        "the template for screens",
        "idr",
        ("idr_templates/idr0000-study_HCS.txt",),
        {
            "error idr.mandatory-key": 1,
            "error idr.mandatory-empty": 9,
            "error idr.component-count": 1,
            "error idr.component-number": 1,
            "error idr.organism-level": 1,
            "warning idr.hint-left": 19,
            "warning idr.key-spelling": 1,
            "warning idr.licence": 1,
            "warning idr.person": 3,
            "warning idr.parts": 1,
        },
    ),
    (
        "the template for experiments",
        "idr",
        ("idr_templates/idr0000-study_nonHCS.txt",),
        {
            "error idr.mandatory-key": 1,
            "error idr.mandatory-empty": 9,
            "error idr.component-count": 1,
            "error idr.component-number": 1,
            "error idr.organism-level": 1,
            "warning idr.hint-left": 21,
            "warning idr.licence": 1,
            "warning idr.person": 3,
            "warning idr.parts": 1,
        },
    ),
    ("the template of a library", "idr", ("idr_templates/idr0000-screenA-library.txt",), {"error idr.table-hint": 1, "warning idr.line-ends": 1}),
    ("the template of assays", "idr", ("idr_templates/idr0000-experimentB-assays.txt",), {"error idr.table-header": 1, "error idr.table-hint": 1}),
    (
        "the template of processed data of a screen",
        "idr",
        ("idr_templates/idr0000-screenA-processed.txt",),
        {"error idr.table-hint": 1, "warning idr.line-ends": 1},
    ),
    (
        "the template of processed data of an experiment",
        "idr",
        ("idr_templates/idr0000-experimentB-processed.txt",),
        {"error idr.table-header": 1, "error idr.table-rows": 1},
    ),
    ("the smallest submission of version 5", "bia", ("composed/pagetab_bioimages_v5_minimal.json",), {}),
    (
        # A test submission of version 4, with mistakes on purpose: invented ORCID iDs, sections without titles, attributes beyond the template.
        "a test submission of the BioImage Archive",
        "bia",
        (
            "bia/S-BIADTEST.json",
            "bia/file_list_study_component_1.json",
            "bia/file_list_study_component_2.json",
            "bia/file_list_annotations_1.json",
        ),
        {
            "error bia.orcid": 2,
            "error bia.field-missing": 2,
            "error bia.unknown-attribute": 2,
            "warning bia.affiliation": 1,
            "warning bia.choice": 1,
            "warning bia.list-directory": 1,
        },
    ),
    (
        # Another template, which asks for other sections.
        "a submission of the template Default",
        "bia",
        ("bia/S-BSSTTEST_files_direct.json",),
        {
            "warning bia.template": 1,
            "error bia.sections-missing": 4,
            "error bia.field-missing": 4,
            "error bia.unknown-attribute": 7,
        },
    ),
    ("file lists in JSON", "bia", ("bia/file_list_default.json", "bia/files_direct_default.json"), {}),
]


@pytest.mark.parametrize(("profile", "names", "expected"), [row[1:] for row in LISTED], ids=[row[0] for row in LISTED])
def test_an_example_has_the_findings_that_are_listed(examples: Path, profile: str, names: tuple[str, ...], expected: Expected) -> None:
    assert severe([examples / name for name in names], profile) == expected


def test_the_study_files_of_the_idr_hold_what_its_parser_wants(examples: Path) -> None:
    for name in ("idr0001", "idr0062"):
        (item,) = check([examples / "idr" / f"{name}-study.txt"], ["idr"], today=TODAY).inputs
        wanted = (
            "idr.mandatory-key",
            "idr.mandatory-empty",
            "idr.component-count",
            "idr.component-number",
            "idr.component-name",
            "idr.organism-level",
        )
        assert {rule: item.statuses[rule] for rule in wanted} == dict.fromkeys(wanted, "passed")


def test_what_the_templates_lack_is_told_with_how_to_mend_it(examples: Path) -> None:
    for name, kind in (("HCS", "Screen"), ("nonHCS", "Experiment")):
        findings = check([examples / "idr_templates" / f"idr0000-study_{name}.txt"], ["idr"], today=TODAY).findings
        (told,) = [finding for finding in findings if finding.rule == "idr.mandatory-key"]
        assert f"Add “{kind} Sample Type”" in told.fix


@pytest.mark.parametrize("name", ["composed/images_list.json", "composed/ols4_v2_entities.json", "bia/S-BIADTEST_INFO.json", "idr/idr_studies.tsv"])
def test_answers_of_services_are_no_documents(examples: Path, name: str) -> None:
    from lightmicroscopy.metadata.documents import read_document

    assert read_document(examples / name) is None
