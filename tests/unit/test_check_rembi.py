"""REMBI sheets, images and both together: what is sound passes, and each mistake is told by the rule meant for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from lightmicroscopy import readers
from lightmicroscopy.inputs import location_of
from lightmicroscopy.metadata.check import Report, check
from lightmicroscopy.metadata.findings import Finding, Together, run_together
from lightmicroscopy.metadata.input_facts import InputFacts
from lightmicroscopy.metadata.rembi.compare import Told, differences, told_by
from lightmicroscopy.metadata.rembi.fields import fields_of
from lightmicroscopy.metadata.rembi.sheet import Row, Sheet, row_of, values_of
from lightmicroscopy.metadata.rules import catalogue

from .document_checks import TODAY, of
from .sheets import FILLED, written

CELLS = "cells.ome.tiff"
OTHER = {
    "study_type": "high content screen (EFO:0007550)",
    "general_dataset_info": "Three replicates",
    "acknowledgements": "The facility",
    "funding_statement": "Funded",
    "intrinsic_variable": "wild type",
    "extrinsic_variable": "none",
    "experimental_variables": "time",
    "experimental_status": "control",
    "location_within_biosample": "all of it",
    "growth_protocol": "Grown in a dish",
    "signal_contrast_mechanism": "fluorescence",
    "channel_content": "DAPI; GFP",
    "channel_biological_entity": "DNA; tubulin",
    "channel_biological_entities": "DNA; tubulin",
    "correlation_alignment": "None was needed",
    "correlation_fiducials": "none",
    "correlation_transformation": "identity",
    "correlation_related_images": "none",
    "analysis_result_type": "counts",
    "analysis_data_used": "all",
    "analysis_method": "Counted by hand",
    "image_processing_method": "none",
    "contrast_inversion": "no",
    "qc_info": "None",
    "type": "primary image",
    "time_increment_s": "1.5",
    "description": "Drawn",
}
"""What no image knows and no archive requires, so that nothing is left to recommend."""


@pytest.fixture
def image(test_data: Path) -> Path:
    return test_data / CELLS


@pytest.fixture
def told(image: Path) -> Told:
    with readers.open(location_of(image, ())) as dataset:
        return told_by(image.name, dataset)[0]


@pytest.fixture
def sound(told: Told) -> Sheet:
    """The filled sheet with a row of the image that says all there is to say."""
    tables = {table: list(values_of(FILLED.rows(table))) for table in FILLED.tables}
    tables["image"] = [{**told.values, "study_component": "Time series", "specimen": "Dish 1; Dish 2", "acquisition": "Confocal"}]
    for table, rows in tables.items():
        known = {one.id for one in fields_of(table)}
        for row in rows[:1] if table == "study" else rows:
            row.update({name: text for name, text in OTHER.items() if name in known and not row.get(name)})
    tables["study"][0]["release_date"] = "2027-06-30"
    return Sheet("sheet", {table: tuple(map(row_of, rows)) for table, rows in tables.items()})


def with_cell(sheet: Sheet, table: str, row: int, values: Mapping[str, str]) -> Sheet:
    rows = values_of(sheet.rows(table))
    rows.extend({} for _ in range(row + 1 - len(rows)))
    rows[row] |= values
    return Sheet(sheet.name, {**sheet.tables, table: tuple(map(row_of, rows))})


def report_of(sheet: Sheet, folder: Path, *images: Path, file: str = "sheet.xlsx") -> Report:
    return check([*images, written(sheet, folder / file)], ["rembi"], today=TODAY)


def found(sheet: Sheet, folder: Path, *images: Path) -> list[Finding]:
    return list(report_of(sheet, folder, *images).findings)


@pytest.mark.parametrize("file", ["sheet.xlsx", "sheet.tsv", "sheet.zip", "sheet.yaml", "sheet"])
def test_a_sound_sheet_has_no_findings_in_any_format(sound: Sheet, image: Path, tmp_path: Path, file: str) -> None:
    report = report_of(sound, tmp_path, image, file=file)
    assert [item.format for item in report.inputs][1:] == ["REMBI sheet"]
    assert [finding for finding in report.findings if finding.rule != "rembi.term"] == []
    assert {finding.severity for finding in report.findings} <= {"info", "warning"}


def test_rules_on_sheets_pass_and_are_counted_where_a_sheet_is_sound(sound: Sheet, image: Path, tmp_path: Path) -> None:
    report = report_of(sound, tmp_path, image)
    statuses = report.inputs[1].statuses
    for rule in catalogue(["rembi"]):
        if rule.id.startswith(("sheet.", "rembi.")) and rule.id not in (
            "rembi.term",
            "rembi.compound",
            "rembi.publication",
            "rembi.doi",
            "rembi.link",
        ):
            alone = rule.id in ("rembi.images-give", "rembi.images-lack", "rembi.only-people-know")
            assert statuses[rule.id] == ("not-applicable" if alone else "passed"), rule.id


WRONG = [
    ("image", {"pixel_size_x_um": "0.65"}, "rembi.pixel-size", "error", "column L", "“0.65” in the sheet, and “0.325” in the image"),
    ("image", {"pixel_size_z_um": "5"}, "rembi.pixel-size", "error", "column N", "“5”"),
    ("image", {"dimension_extents": "X 64, Y 48, Z 1, C 9, T 1"}, "rembi.dimension-extents", "warning", "row 2", "C 9"),
    ("image", {"dimension_extents": "9999 x 64"}, "rembi.dimension-extents", "warning", "row 2", "9999"),
    ("image", {"channel_names": "DAPI"}, "rembi.channel-count", "warning", "column G", "1 value in the sheet, and 2 channels"),
    ("image", {"channel_names": "GFP; DAPI"}, "rembi.channel-names", "warning", "column G", "GFP; DAPI"),
    ("image", {"excitation_nm": "561; 640"}, "rembi.wavelengths", "warning", "column J", "561; 640"),
    ("image", {"objective_magnification": "100"}, "rembi.objective", "warning", "row 2", "“100”"),
    ("image", {"objective_na": "0.3"}, "rembi.objective", "warning", "row 2", "“0.3”"),
    ("image", {"objective_immersion": "Glycerol"}, "rembi.objective", "warning", "row 2", "Glycerol"),
    ("image", {"objective_model": "Some other lens"}, "rembi.objective", "warning", "row 2", "Some other lens"),
    ("image", {"format_compression": "CZI, lossless"}, "rembi.format", "warning", "row 2", "CZI"),
    ("image", {"format_compression": "OME-TIFF, lossy"}, "rembi.format", "warning", "row 2", "lossy"),
    ("image", {"objective_model": ""}, "rembi.known-but-empty", "info", "row 2", "“Objective” is empty, and the image knows it"),
    ("image", {"image": "other.tiff"}, "sheet.row-without-image", "error", "row 2", "No image that was given is called “other.tiff”"),
    ("image", {"specimen": "Dish 3"}, "sheet.unknown-reference", "error", "column E", "“Dish 3”"),
    ("image", {"study_component": "Time"}, "sheet.unknown-reference", "error", "column D", "“Time”"),
    ("image", {"acquisition": "Widefield"}, "sheet.unknown-reference", "error", "column F", "“Widefield”"),
    ("image", {"specimen": "Dish 1"}, "rembi.unused-row", "warning", "sheet specimen, row 3", "“Dish 2”"),
    ("image", {"pixel_size_x_um": "much"}, "sheet.not-a-number", "error", "column L", "“much” is no number"),
    ("image", {"series": "-1"}, "sheet.number-out-of-range", "error", "column B", "no number of a series"),
    ("image", {"image": ""}, "sheet.image-missing", "error", "row 2", "which image"),
    ("image", {"qc_info": ""}, "rembi.recommended-empty", "info", "sheet image, row 2", "QC info"),
    ("specimen", {"biosample": "mouse"}, "sheet.unknown-reference", "error", "column B", "“mouse”"),
    ("specimen", {"preparation_method": ""}, "sheet.required-empty", "error", "sheet specimen, row 2, column E", "REMBI model 1.5"),
    ("biosample", {"name": "HeLa treated"}, "sheet.name-twice", "error", "row 3", "name of row 2"),
    ("biosample", {"name": ""}, "sheet.name-missing", "error", "row 2", "no name"),
    ("biosample", {"organism": ""}, "sheet.required-empty", "error", "sheet biosample, row 2, column B", "'Organism' is empty"),
    ("biosample", {"organism": "mouse (NCBITaxon:mouse1)"}, "rembi.term", "error", "row 2", "no identifier of NCBITaxon"),
    ("biosample", {"organism": "mouse"}, "rembi.term", "warning", "row 2", "“mouse” has no identifier"),
    ("biosample", {"intrinsic_variable": ""}, "rembi.recommended-empty", "info", "sheet biosample, row 2", "Intrinsic variable"),
    ("study_component", {"analysis_result_type": ""}, "rembi.recommended-empty", "info", "row 2", "Analysis: result type"),
    ("study_component", {"correlation_fiducials": ""}, "sheet.required-empty", "error", "row 2", "Correlation: fiducials used"),
    ("study_component", {"description": ""}, "sheet.required-empty", "error", "row 2, column B", "Study component description"),
    ("study", {"title": ""}, "sheet.required-empty", "error", "sheet study", "'Title' is empty"),
    ("study", {"licence": ""}, "sheet.required-empty", "warning", "sheet study", "the BioImage Archive’s template BioImages.v5"),
    ("study", {"study_type": ""}, "rembi.recommended-empty", "info", "sheet study", "Study type"),
    ("study", {"author_orcid": "0000-0002-1825-0098"}, "rembi.orcid", "error", "column B", "mistyped"),
    ("study", {"author_orcid": "me"}, "rembi.orcid", "error", "column B", "no ORCID iD"),
    ("study", {"author_organisation_ror": "https://ror.org/01xtthb57"}, "rembi.ror", "error", "column B", "check digits are wrong"),
    ("study", {"author_organisation_ror": "University of Oslo"}, "rembi.ror", "error", "column B", "no ROR identifier"),
    ("study", {"author_email": "ola(at)example.org"}, "rembi.e-mail", "error", "column B", "no e-mail address"),
    ("study", {"publication_title": "A", "publication_doi": "doi:10.1000/1"}, "rembi.doi", "error", "column B", "has the word DOI in it"),
    ("study", {"publication_title": "A", "publication_doi": "submitted"}, "rembi.doi", "warning", "column B", "none yet"),
    ("study", {"publication_title": "A", "publication_year": "27"}, "rembi.publication", "warning", "column B", "no year"),
    ("study", {"publication_title": "A", "publication_pubmed_id": "PMC1"}, "rembi.publication", "warning", "column B", "no PubMed identifier"),
    ("study", {"title": "Cells"}, "rembi.too-short", "warning", "column B", "has 5 characters; the BioImage Archive's model asks for 25"),
    ("study", {"description": "Cells on glass"}, "rembi.too-short", "warning", "column B", "The description of the study"),
    ("study", {"link_url": "here"}, "rembi.link", "error", "column B", "“here” is no address"),
    ("study", {"licence": "GPL"}, "rembi.licence", "error", "column B", "none that the BioImage Archive takes"),
    ("study", {"licence": "https://creativecommons.org/licenses/by/4.0/"}, "sheet.not-a-choice", "error", "column B", "not one of the choices"),
    ("study", {"release_date": "30.06.2027"}, "sheet.not-a-date", "error", "column B", "no date"),
    ("study", {"release_date": "2025-06-30"}, "rembi.release-date", "warning", "column B", "in the past"),
    ("study", {"release_date": "2099-06-30"}, "rembi.release-date", "warning", "column B", "two years ahead"),
]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("channel_content", "DAPI; GFP; Cy5", "3 values, and its image has 2 channels"), ("channel_biological_entity", "DNA", "1 value, and")],
)
def test_labels_of_a_specimen_for_other_channels_than_its_images_have(
    sound: Sheet, image: Path, tmp_path: Path, field: str, value: str, message: str
) -> None:
    bare = with_cell(sound, "image", 0, {"channel_contents": "", "channel_biological_entities": ""})
    fitting = with_cell(bare, "specimen", 0, {"channel_content": "DAPI; GFP", "channel_biological_entity": "DNA; tubulin"})
    assert not of(found(fitting, tmp_path, image), "rembi.specimen-channels")
    (tmp_path / "wrong").mkdir()
    (finding,) = of(found(with_cell(fitting, "specimen", 0, {field: value}), tmp_path / "wrong", image), "rembi.specimen-channels")
    assert (finding.severity, message in finding.message, finding.location[:22]) == ("error", True, "sheet specimen, row 2,")


@pytest.mark.parametrize(("table", "values", "rule", "severity", "place", "message"), WRONG)
def test_each_mistake_is_told_by_its_rule_and_with_its_place(
    sound: Sheet, image: Path, tmp_path: Path, table: str, values: dict[str, str], rule: str, severity: str, place: str, message: str
) -> None:
    telling = of(found(with_cell(sound, table, 0, values), tmp_path, image), rule)
    in_sheet = [finding for finding in telling if finding.input == "sheet.xlsx"]
    assert [finding.severity for finding in in_sheet] == [severity], in_sheet
    assert place in in_sheet[0].location
    assert message in in_sheet[0].message
    assert in_sheet[0].fix


RAW = [
    ("sheet.unknown-column", "warning", lambda text: text.replace("Description\t", "Colour of the lid\t", 1)),
    ("sheet.column-twice", "error", lambda text: text.replace("Study component description", "Name", 1)),
    ("sheet.column-missing", "error", lambda text: text.replace("Identity *", "Name of it")),
    ("sheet.too-many-values", "error", lambda text: text.replace("Keywords *\tmitosis; confocal", "Keywords *\tmitosis\tconfocal")),
    ("sheet.unknown-sheet", "warning", lambda text: text + "\n[lids]\nColour\nred\n"),
]


@pytest.mark.parametrize(("rule", "severity", "change"), RAW)
def test_a_sheet_that_a_spreadsheet_or_a_person_broke_is_told_so(sound: Sheet, tmp_path: Path, rule: str, severity: str, change: object) -> None:
    path = written(sound, tmp_path / "sheet.tsv")
    text = path.read_text(encoding="utf-8")
    broken = change(text)  # type: ignore[operator]
    assert broken != text
    path.write_text(broken, encoding="utf-8")
    telling = of(check([path], ["rembi"], today=TODAY).findings, rule)
    assert {finding.severity for finding in telling} == {severity}


def test_a_folder_without_one_of_its_tables_is_told_so(sound: Sheet, tmp_path: Path) -> None:
    folder = written(sound, tmp_path / "sheet")
    (folder / "biosample.tsv").unlink()
    findings = check([folder], ["rembi"], today=TODAY).findings
    (missing,) = of(findings, "sheet.sheet-missing")
    assert "biosample.tsv is missing" in missing.message
    # Each specimen refers to one of its rows, which is no mistake of its own.
    assert of(findings, "sheet.unknown-reference") == []


def test_formulas_and_errors_of_a_workbook_are_told_with_their_cells(tmp_path: Path) -> None:
    import xlsxwriter

    path = tmp_path / "sheet.xlsx"
    with xlsxwriter.Workbook(path) as book:
        page = book.add_worksheet("biosample")
        page.write_row(0, 0, ["Identity *", "Description", "Organism *"])
        page.write_row(1, 0, ["HeLa"])
        page.write_formula(1, 1, '=CONCATENATE("a","b")', None, "ab")
        page.write_formula(1, 2, "=1/0", None, "#DIV/0!")
        page.write_formula(2, 0, '="He"&"La"', None, "")
    findings = check([path], ["rembi"], today=TODAY).findings
    formula = of(findings, "sheet.formula")
    (unreadable,) = of(findings, "sheet.unreadable-cell")
    assert ("warning", "sheet biosample, row 2, column B") in {(finding.severity, finding.location) for finding in formula}
    assert ("error", "sheet biosample, row 3, column A") in {(finding.severity, finding.location) for finding in formula}
    assert (unreadable.severity, unreadable.location) == ("error", "sheet biosample, row 2, column C")


def test_a_sheet_nobody_filled_in_lacks_everything_that_is_required(tmp_path: Path) -> None:
    findings = found(Sheet("empty", {"study": (row_of({"title": "A title"}),)}), tmp_path)
    lacking = of(findings, "sheet.required-empty")
    told = " ".join(f"{finding.message} {finding.fix}" for finding in lacking)
    for table in ("study_component", "biosample", "specimen", "acquisition", "image"):
        assert f"The sheet {table} has no row yet." in told
    for title in ("Keywords", "Author: last name", "Organism", "Preparation method", "Imaging method", "Study component"):
        assert title in told


def test_the_same_gap_in_five_thousand_rows_is_one_finding_with_a_count(sound: Sheet, tmp_path: Path) -> None:
    one = values_of(sound.rows("image"))[0] | {"qc_info": "", "specimen": "", "acquisition": "Other", "pixel_size_x_um": "0.65"}
    rows = tuple(row_of(one | {"image": f"image {number}.tif", "series": "0"}) for number in range(5000))
    findings = found(Sheet("sheet", {**sound.tables, "image": rows}), tmp_path)
    (required,) = of(findings, "sheet.required-empty")
    (reference,) = of(findings, "sheet.unknown-reference")
    assert "and in 4999 more rows" in required.message
    assert ("The same is in 4999 more rows." in reference.message, reference.location) == (True, "sheet image, rows 2-5001, column F")
    assert [finding.location for finding in of(findings, "rembi.recommended-empty")] == ["sheet image, rows 2-5001"]
    assert len(findings) < 10


def facts_of(told: Told, count: int) -> tuple[InputFacts, ...]:
    return tuple(InputFacts(f"image {number}.tif", None, "image", told=(told,)) for number in range(count))


def together(told: Told, sheet: Sheet, count: int) -> Together:
    return Together((*facts_of(told, count), InputFacts("sheet.xlsx", None, "sheet", document=sheet)), TODAY)


def run(rule: str, inputs: Together) -> list[Finding]:
    (checked,) = [item for item in catalogue(["rembi"]) if item.id == rule]
    return run_together(checked, inputs, "rembi")[0]


def test_a_wrong_pixel_size_in_thousands_of_rows_is_one_error(sound: Sheet, told: Told) -> None:
    one = values_of(sound.rows("image"))[0] | {"pixel_size_x_um": "0.65", "objective_na": ""}
    rows = tuple(replace(row_of(one | {"image": f"image {number}.tif"}), number=number + 2) for number in range(3000))
    inputs = together(told, Sheet("sheet", {**sound.tables, "image": rows}), 3000)
    (wrong,) = run("rembi.pixel-size", inputs)
    assert (wrong.severity, wrong.location) == ("error", "sheet image, rows 2-3001")
    assert "“0.325” in 3000 images (image 0.tif, series 0, image 1.tif, series 0, image 2.tif, series 0 and 2997 more)" in wrong.message
    (note,) = run("rembi.known-but-empty", inputs)
    assert "3000 images know it" in note.message


def test_images_without_a_row_are_errors_of_the_sheet_and_of_each_image(sound: Sheet, image: Path, test_data: Path, tmp_path: Path) -> None:
    lacking = of(found(sound, tmp_path, image, test_data / "stack.czi"), "sheet.image-without-row")
    assert sorted(finding.input for finding in lacking) == ["sheet.xlsx", "stack.czi"]
    assert {finding.severity for finding in lacking} == {"error"}


def test_two_rows_of_one_image_are_errors_on_both_sides(sound: Sheet, image: Path, tmp_path: Path) -> None:
    again = with_cell(sound, "image", 1, values_of(sound.rows("image"))[0])
    twice = of(found(again, tmp_path, image), "sheet.image-twice")
    assert sorted(finding.input for finding in twice) == [CELLS, "sheet.xlsx"]
    assert "row 3" in next(finding.location for finding in twice if finding.input == "sheet.xlsx")


def test_two_rows_are_found_without_the_image_too(sound: Sheet, tmp_path: Path) -> None:
    again = with_cell(sound, "image", 1, values_of(sound.rows("image"))[0])
    (twice,) = of(found(again, tmp_path), "sheet.image-twice")
    assert twice.input == "sheet.xlsx"


def test_two_sheets_with_a_row_for_one_image_are_told(sound: Sheet, image: Path, tmp_path: Path) -> None:
    sheets = [written(sound, tmp_path / name) for name in ("one.yaml", "two.yaml")]
    twice = of(check([image, *sheets], ["rembi"], today=TODAY).findings, "sheet.image-twice")
    assert sorted(finding.input for finding in twice) == [CELLS, "two.yaml"]


def test_two_sheets_that_share_the_images_are_both_sound(sound: Sheet, image: Path, test_data: Path, tmp_path: Path) -> None:
    other = with_cell(sound, "image", 0, {"image": "stack.czi"})
    sheets = [written(sheet, tmp_path / name) for name, sheet in (("one.yaml", sound), ("two.yaml", other))]
    findings = check([image, test_data / "stack.czi", *sheets], ["rembi"], today=TODAY).findings
    assert not [finding for finding in findings if finding.rule in ("sheet.image-without-row", "sheet.row-without-image", "sheet.image-twice")]


def test_two_images_of_one_name_are_told(sound: Sheet, told: Told) -> None:
    facts = InputFacts(CELLS, None, "image", told=(told,))
    sheet = InputFacts("sheet.xlsx", None, "sheet", document=sound)
    telling = run("sheet.two-images-of-one-name", Together((facts, facts, sheet), TODAY))
    assert sorted(finding.input for finding in telling) == [CELLS, "sheet.xlsx"]


def test_a_row_of_an_image_that_cannot_be_read_is_told(sound: Sheet, tmp_path: Path, test_data: Path, image: Path) -> None:
    more = with_cell(sound, "image", 1, values_of(sound.rows("image"))[0] | {"image": "truncated.tif"})
    (wrong,) = of(found(more, tmp_path, image, test_data / "truncated.tif"), "sheet.row-without-image")
    assert "was given, but cannot be read" in wrong.message


@pytest.mark.parametrize(
    "values",
    [
        {"pixel_size_x_um": "0.33"},
        {"pixel_size_x_um": "0,325"},
        {"pixel_size_x_um": "3.25e-1"},
        {"channel_names": "dapi; gfp"},
        {"dimension_extents": "x=64"},
        {"format_compression": "TIFF or OME-TIFF"},
        {"format_compression": "as the microscope made it"},
        {"objective_immersion": "AIR"},
        {"excitation_nm": ""},
    ],
)
def test_what_means_the_same_is_no_difference(sound: Sheet, told: Told, values: dict[str, str]) -> None:
    alike = {**told.values, "dimension_extents": f"X {told.sizes[0]}", **values}
    if values.get("dimension_extents"):
        alike["dimension_extents"] = f"x={told.sizes[0]}"
    assert list(differences(row_of(alike), told)) == []


@pytest.mark.parametrize("text", ["0.3", "1", "0.34", "325"])
def test_a_pixel_size_rounded_too_far_is_a_difference(told: Told, text: str) -> None:
    assert [found.what for found in differences(row_of({"pixel_size_x_um": text}), told)] == ["pixel-size"]


def test_a_row_for_all_series_is_compared_with_each() -> None:
    row = Row(row_of({"image": "a.lif", "pixel_size_x_um": "0.5"}).cells, 2)
    series = tuple(Told(number, 1, (9, 9, 1, 1, 1), {"pixel_size_x_um": size}, ()) for number, size in enumerate(("0.5", "0.7")))
    inputs = Together(
        (InputFacts("a.lif", None, "image", told=series), InputFacts("s", None, "sheet", document=Sheet("s", {"image": (row,)}))), TODAY
    )
    (wrong,) = run("rembi.pixel-size", inputs)
    assert "a.lif, series 1" in wrong.message


def test_images_alone_say_what_they_give_and_lack_and_how_to_make_a_sheet(image: Path, test_data: Path) -> None:
    findings = check([image, test_data / "stack.czi"], ["rembi"]).findings
    assert {finding.severity for finding in findings} == {"info", "not-run"}
    give, lack, people = (of(findings, f"rembi.{name}") for name in ("images-give", "images-lack", "only-people-know"))
    assert any("Pixel size x (µm)" in finding.message for finding in give)
    assert any(finding.message.startswith("Objective (module Image acquisition) is unknown in 1 of 2 series: stack.czi") for finding in lack)
    assert any("Imaging method" in finding.message and "REMBI model 1.5" in finding.message for finding in lack)
    assert any("Biological entity" in finding.message for finding in people)
    assert all("lm_describe" in finding.fix for finding in (*give, *lack, *people))


def test_other_profiles_say_nothing_of_rembi(image: Path) -> None:
    findings = check([image], ["open-format", "bia"]).findings
    assert not [finding for finding in findings if finding.rule.startswith(("rembi.", "sheet."))]


def test_a_text_with_brackets_is_no_sheet(tmp_path: Path) -> None:
    path = tmp_path / "settings.ini"
    path.write_text("[laser]\npower=3\n[image]\nsize=4\n", encoding="utf-8")
    assert [finding.rule for finding in check([path], ["rembi"]).findings if finding.severity == "error"] == ["input.unreadable"]


def test_a_sheet_that_was_saved_as_csv_is_told_as_that(sound: Sheet, tmp_path: Path) -> None:
    text = written(sound, tmp_path / "sheet.tsv").read_text(encoding="utf-8")
    block = text[text.index("[image]") :].splitlines()[1:3]
    saved = tmp_path / "image.csv"
    saved.write_text("\n".join(line.replace(";", " ").replace("\t", ";") for line in block) + "\n", encoding="utf-8")
    told = [finding for finding in check([saved], ["rembi"], today=TODAY).findings if finding.severity == "error"]
    assert any("as spreadsheet programs write CSV. Save it as XLSX" in finding.message for finding in told), told


def test_a_table_of_others_in_csv_is_not_taken_for_a_sheet(tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("Name,Description,Files\na,b,c\n", encoding="utf-8")
    assert not any("CSV" in finding.message for finding in check([listed], ["rembi"], today=TODAY).findings)
