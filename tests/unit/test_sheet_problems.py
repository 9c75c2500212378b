"""Mistakes of people, each told with the sheet, row and column it is in, and with what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.metadata.rembi.fields import MODULES, TABLES, all_fields, field, fields_of
from lightmicroscopy.metadata.rembi.found import document_of, findings_of
from lightmicroscopy.metadata.rembi.match import match_images
from lightmicroscopy.metadata.rembi.sheet import Sheet, SheetProblem, read_sheet, row_of
from lightmicroscopy.metadata.rembi.validate import missing, validate
from lightmicroscopy.metadata.rules import catalogue

from .sheets import FILLED, changed, written

MISTAKES = [
    ("study", 0, {"release_date": "30.06.2027"}, "B8", "sheet.not-a-date", "no date"),
    ("study", 0, {"release_date": "2027-02-30"}, "B8", "sheet.not-a-date", "no date"),
    ("study", 0, {"licence": "GPL"}, "B7", "sheet.not-a-choice", "Choose CC0 or CC BY 4.0"),
    ("biosample", 2, {"name": "HeLa wild type"}, "A4", "sheet.name-twice", "name of row 2"),
    ("biosample", 2, {"organism": "mouse"}, "A4", "sheet.name-missing", "no name"),
    ("specimen", 0, {"biosample": "HeLa wildtype"}, "B2", "sheet.unknown-reference", "Did you mean “HeLa wild type”?"),
    ("specimen", 0, {"biosample": "HeLa wild type; mouse"}, "B2", "sheet.unknown-reference", "“mouse”"),
    ("image", 0, {"acquisition": "confocal"}, "F2", "sheet.unknown-reference", "“confocal”"),
    ("image", 0, {"pixel_size_x_um": "0.325 µm"}, "L2", "sheet.not-a-number", "without a unit"),
    ("image", 0, {"pixel_size_x_um": "1,024"}, "L2", "sheet.not-a-number", "read in two ways"),
    ("image", 0, {"pixel_size_x_um": "0"}, "L2", "sheet.number-out-of-range", "more than 0"),
    ("image", 0, {"excitation_nm": "405; blue"}, "J2", "sheet.not-a-number", "“blue” is no number"),
    ("image", 0, {"series": "first"}, "B2", "sheet.not-a-number", "“first” is no number"),
    ("image", 0, {"series": "1.5"}, "B2", "sheet.number-out-of-range", "no number of a series"),
    ("image", 1, {"image": "one.czi", "series": "0"}, "A3", "sheet.image-twice", "Row 2 is about series 0 of “one.czi” already"),
    ("image", 1, {"image": "one.czi", "series": ""}, "A3", "sheet.image-twice", "Row 2 is about “one.czi” already"),
    ("image", 2, {"specimen": "Dish 1"}, "A4", "sheet.image-missing", "which image"),
]


@pytest.mark.parametrize(("table", "row", "values", "place", "rule", "told"), MISTAKES)
def test_a_mistake_is_told_with_its_cell(tmp_path: Path, table: str, row: int, values: dict[str, str], place: str, rule: str, told: str) -> None:
    (problem,) = read_sheet(written(changed(table, row, values), tmp_path / "sheet.xlsx")).problems
    assert (problem.sheet, f"{problem.column}{problem.row}", problem.rule, problem.severity) == (table, place, rule, "error")
    assert told in f"{problem.message} {problem.fix}"


@pytest.mark.parametrize("file", ["sheet.tsv", "sheet.zip", "sheet.yaml"])
@pytest.mark.parametrize(("table", "row", "values", "place", "rule", "told"), MISTAKES)
def test_the_same_mistake_is_found_in_every_format(
    tmp_path: Path, file: str, table: str, row: int, values: dict[str, str], place: str, rule: str, told: str
) -> None:
    (problem,) = read_sheet(written(changed(table, row, values), tmp_path / file)).problems
    assert (problem.sheet, problem.rule) == (table, rule)
    assert problem.row > 0


@pytest.mark.parametrize(
    ("values", "series"),
    [({"pixel_size_x_um": "0,325"}, "0"), ({"excitation_nm": "405; ; 561"}, "0"), ({"series": "0.0"}, "0"), ({"contrast_inversion": "no"}, "0")],
)
def test_what_people_may_write_is_no_mistake(values: dict[str, str], series: str) -> None:
    assert list(validate(changed("image", 0, values))) == []


def test_a_name_with_a_semicolon_can_be_referred_to() -> None:
    sheet = changed("biosample", 0, {"name": "wild type; starved"})
    rows = (row_of({"name": "Dish 1", "biosample": "wild type; starved"}), row_of({"name": "Dish 2", "biosample": "wild type\\; starved"}))
    assert list(validate(Sheet("s", {**sheet.tables, "specimen": rows}))) == []


def test_a_mistake_in_yaml_has_a_line_and_a_field(tmp_path: Path) -> None:
    path = written(changed("study", 0, {"licence": "GPL"}), tmp_path / "sheet.yaml")
    (problem,) = read_sheet(path).problems
    assert path.read_text(encoding="utf-8").splitlines()[problem.row - 1].strip() == "licence: GPL"
    assert problem.location == f"sheet study, line {problem.row}, field licence"


def test_five_thousand_wrong_references_are_all_told() -> None:
    images = tuple(row_of({"image": f"{number}.czi", "specimen": f"Dish {number % 50} x"}) for number in range(5000))
    sheet = Sheet("s", {**FILLED.tables, "image": images})
    assert sum(problem.rule == "sheet.unknown-reference" for problem in validate(sheet)) == 5000


def test_a_complete_sheet_lacks_nothing(tmp_path: Path) -> None:
    assert list(missing(read_sheet(written(FILLED, tmp_path / "sheet.xlsx")))) == []


@pytest.mark.parametrize(
    ("table", "field_id"),
    [(one.sheet, one.id) for one in all_fields() if one.marked and not (one.group == "author" and one.id == "author_email")],
)
def test_an_empty_cell_that_is_asked_for_is_told_with_who_asks(table: str, field_id: str) -> None:
    sheet = changed(table, 0, {field_id: ""})
    if field_id == "image":
        assert {problem.rule for problem in validate(sheet)} == {"sheet.image-missing"}
        return
    told = [problem for problem in missing(sheet) if problem.sheet == table]
    assert len(told) == 1
    assert f"'{field(table, field_id).title}'" in told[0].message
    assert "required by" in told[0].message
    assert told[0].severity == "warning"


def test_whose_word_it_is_that_a_field_is_required_is_said() -> None:
    assert field("study", "title").required_by == "the BioImage Archive's REMBI model 1.5 and its template BioImages.v5"
    assert field("study", "licence").required_by == "the BioImage Archive’s template BioImages.v5"
    assert field("image", "specimen").required_by == "this sheet"
    assert field("study", "study_type").required_by == ""


def test_part_of_a_group_asks_for_the_rest_of_it() -> None:
    told = {problem.message for problem in missing(changed("study", 1, {"publication_doi": "10.1000/x", "author_last_name": ""}))}
    assert any("'Publication: title' is empty" in message for message in told)
    assert any("'Author: last name' is empty" in message for message in told)
    assert not any("Grant" in message for message in told)
    correlation = {problem.message for problem in missing(changed("study_component", 0, {"correlation_fiducials": "beads"}))}
    assert any("spatial and temporal alignment" in message for message in correlation)


def test_one_author_who_can_be_asked_is_enough() -> None:
    assert list(missing(changed("study", 1, {"author_email": ""}))) == []
    (problem,) = missing(changed("study", 0, {"author_email": ""}))
    assert "'Author: e-mail' of 2 of the authors is empty" in problem.message


def test_many_empty_cells_of_a_column_are_told_once() -> None:
    images = tuple(row_of({"image": f"{number}.czi"}) for number in range(1000))
    told = [problem for problem in missing(Sheet("s", {**FILLED.tables, "image": images})) if problem.sheet == "image"]
    assert [problem.column for problem in told] == ["D", "E", "F"]
    assert all("in 999 more rows" in problem.message for problem in told)


def test_an_empty_sheet_lacks_a_row_of_each_kind() -> None:
    told = {problem.sheet for problem in missing(Sheet("s"))}
    assert told == set(TABLES)


def test_every_module_and_field_of_rembi_has_its_place() -> None:
    found = {(one.module, one.rembi) for one in all_fields() if one.rembi}
    assert {module: sum(of == module for of, _ in found) for module in MODULES} == {
        "Study": 3,
        "Study component": 2,
        "Biosample": 6,
        "Specimen": 6,
        "Image acquisition": 2,
        "Image data": 9,
        "Image correlation": 4,
        "Analyzed data": 3,
    }


def test_fields_have_names_and_titles_of_their_own() -> None:
    for table in TABLES:
        ids = [one.id for one in fields_of(table)]
        titles = [one.title.casefold() for one in fields_of(table)]
        assert len(set(ids)) == len(ids)
        assert len(set(titles)) == len(titles)
        assert all(one.target in TABLES for one in fields_of(table) if one.kind == "reference")
        assert all(one.choices for one in fields_of(table) if one.kind == "choice")


def test_images_and_rows_find_each_other_by_name_and_series() -> None:
    matching = match_images(FILLED, [("one.czi", 0), ("two.czi", 0), ("two.czi", 1)])
    assert matching.problems == ()
    assert {key: row.text("specimen") for key, row in matching.rows.items()} == {
        ("one.czi", 0): "Dish 1",
        ("two.czi", 0): "Dish 2",
        ("two.czi", 1): "Dish 2",
    }


def test_a_name_that_a_history_has_changed_is_still_known() -> None:
    sheet = changed("image", 0, {"image": "One image (1).czi"})
    assert ("One_image_1_.czi", 0) in match_images(sheet, [("One_image_1_.czi", 0), ("two.czi", 0)]).rows


@pytest.mark.parametrize(
    ("images", "rule", "told"),
    [
        ([("one.czi", 0)], "sheet.row-without-image", "No image that was given is called “two.czi”"),
        ([("one.czi", 0), ("two_.czi", 0)], "sheet.row-without-image", "Did you mean “two_.czi”?"),
        ([("one.czi", 1), ("two.czi", 0)], "sheet.row-without-image", "“one.czi” has no series 0, only 1"),
        ([("one.czi", 0), ("two.czi", 0), ("three.czi", 0)], "sheet.image-without-row", "Series 0 of “three.czi” has no row"),
        ([("one.czi", 0), ("one.czi", 0), ("two.czi", 0)], "sheet.two-images-of-one-name", "Two images that were given are called “one.czi”"),
        ([("ONE.czi", 0), ("One.czi", 0), ("two.czi", 0)], "sheet.row-without-image", "“one.czi” can be each of 2 images"),
    ],
)
def test_what_has_no_counterpart_is_told_on_both_sides(images: list[tuple[str, int]], rule: str, told: str) -> None:
    problems = [problem for problem in match_images(FILLED, images).problems if problem.rule == rule]
    assert any(told in f"{problem.message} {problem.fix}" for problem in problems)


def test_an_image_that_was_given_and_cannot_be_read_is_not_said_to_be_missing() -> None:
    (problem,) = match_images(FILLED, [("one.czi", 0)], {"two.czi"}).problems
    assert problem.message == "“two.czi” was given, but cannot be read."
    assert problem.location == "sheet image"


@pytest.mark.parametrize("written", ["z1.ome.tiff", "Z1.OME.tiff", "set.companion.ome"])
def test_a_row_about_a_file_of_a_set_is_about_the_set(written: str) -> None:
    sheet = changed("image", 0, {"image": written})
    members = [("z0.ome.tiff", "set.companion.ome"), ("z1.ome.tiff", "set.companion.ome")]
    matching = match_images(sheet, [("set.companion.ome", 0), ("two.czi", 0)], (), members)
    assert matching.problems == ()
    assert set(matching.rows) == {("set.companion.ome", 0), ("two.czi", 0)}


def test_a_file_that_two_sets_have_by_one_name_is_of_neither() -> None:
    members = [("one.czi", "a.companion.ome"), ("one.czi", "b.companion.ome")]
    problems = match_images(FILLED, [("a.companion.ome", 0), ("b.companion.ome", 0), ("two.czi", 0)], (), members).problems
    assert problems[0].message == "“one.czi” can be each of 2 images: a.companion.ome, b.companion.ome."


@pytest.mark.parametrize(
    ("text", "rule", "location", "told"),
    [
        (
            "image:\n- image: a.czi\nimage:\n- image: b.czi\n",
            "sheet.unknown-sheet",
            "sheet image, line 3, field image",
            "The table image is there twice",
        ),
        ("[image]\nImage\tSeries\na.czi\t0\n[image]\nImage\nb.czi\n", "sheet.unknown-sheet", "sheet image, row 4, column A", "is there twice"),
        (
            "image:\n- image: a.czi\n  series: '0'\n  series: '1'\n",
            "sheet.column-twice",
            "sheet image, line 4, field series",
            "'series' is there twice",
        ),
        ("image:\n- image: a.czi\n  series:\n  Series: '1'\n", "sheet.column-twice", "sheet image, line 4, field Series", "'Series' is there twice"),
        ("study:\n  title:\n  title: B\n", "sheet.column-twice", "sheet study, line 3, field title", "'title' is there twice"),
        (
            "study:\n  authors:\n  - last_name: A\n  authors:\n  - email: b@c.de\n",
            "sheet.column-twice",
            "sheet study, line 4, field authors",
            "'authors' is there twice",
        ),
    ],
)
def test_what_is_there_twice_is_told_and_the_first_is_read(tmp_path: Path, text: str, rule: str, location: str, told: str) -> None:
    (tmp_path / "sheet").write_text(text)
    sheet = read_sheet(tmp_path / "sheet")
    (problem,) = (problem for problem in sheet.problems if problem.rule == rule)
    assert (problem.severity, problem.location) == ("error", location)
    assert told in problem.message
    assert "b" not in "".join(row.text("image") for row in sheet.rows("image"))
    assert all(row.text("series") != "1" and not row.text("title") and not row.text("author_email") for rows in sheet.tables.values() for row in rows)


def test_cells_without_end_are_told_shortly() -> None:
    name = "x" * 130
    rows = [
        row_of({"image": f"{name}{end}", "series": series})
        for end in ("y" * 100_000, "z" * 100_000)
        for series in ("0", "0", "s" * 100_000, "s" * 100_000)
    ]
    sheet = Sheet("sheet", {"image": tuple(rows)})
    problems = [*validate(sheet), *match_images(sheet, [(f"{name}.tiff", 0)]).problems]
    assert {problem.rule for problem in problems} >= {"sheet.image-twice", "sheet.not-a-number"}
    assert max(len(problem.message) for problem in problems) < 500


def test_two_rows_of_one_image_are_told() -> None:
    sheet = changed("image", 1, {"image": "one.czi"})
    (problem,) = match_images(sheet, [("one.czi", 0)]).problems
    assert problem.rule == "sheet.image-twice"


def test_thousands_of_images_without_a_row_are_told_in_some_lines() -> None:
    problems = match_images(Sheet("s"), [(f"{number}.czi", 0) for number in range(5000)]).problems
    assert len(problems) == 21
    assert "4980 more images" in problems[-1].message


def test_findings_are_sorted_by_gravity_sheet_row_and_column_and_told_once() -> None:
    problems = [
        SheetProblem("image", 3, "AA", "d", ""),
        SheetProblem("image", 3, "B", "c", ""),
        SheetProblem("study", 9, "B", "w", "", "sheet.formula", "warning"),
        SheetProblem("biosample", 2, "A", "b", ""),
        SheetProblem("biosample", 2, "A", "b", ""),
    ]
    assert [finding.message for finding in findings_of(FILLED, problems)] == ["b", "c", "d", "w"]
    assert [problem["message"] for problem in document_of(FILLED, problems)["problems"]] == ["w", "b", "c", "d"]


def test_every_rule_that_a_sheet_can_break_is_listed_with_its_reason(root: Path) -> None:
    sources = (root / "tools" / "lightmicroscopy" / "metadata" / "rembi").glob("*.py")
    used = {name for file in sources for name in re.findall(r'"(sheet\.[a-z-]+)"', file.read_text(encoding="utf-8"))}
    rules = {rule.id: rule for rule in catalogue(["rembi"]) if rule.id.startswith("sheet.")}
    assert used == set(rules)
    assert all(text.endswith(".") for rule in rules.values() for text in (rule.title, rule.why, rule.fix))


def test_the_json_says_what_every_row_says_and_where_it_stands(tmp_path: Path) -> None:
    document = document_of(read_sheet(written(FILLED, tmp_path / "sheet.xlsx")), [])
    assert document["tables"]["biosample"][1] == {
        "row": 3,
        "values": {"name": "HeLa treated", "organism": "Homo sapiens (NCBITaxon:9606)", "biological_entity": "HeLa cells"},
    }


@pytest.mark.parametrize("mark", [";", ","])
def test_a_sheet_saved_as_csv_is_told_so(test_data: Path, tmp_path: Path, mark: str) -> None:
    saved = tmp_path / "sheet.csv"
    saved.write_text((test_data / "rembi_mistakes.tsv").read_text(encoding="utf-8").replace("\t", mark), encoding="utf-8")
    with pytest.raises(UnreadableError, match=r"sheet\.csv has semicolons or commas where a sheet has tabs.*Save it as XLSX"):
        read_sheet(saved)


@pytest.mark.parametrize("mark", [";", ","])
def test_a_single_table_saved_as_csv_is_told_so_and_yaml_with_such_marks_is_none(tmp_path: Path, mark: str) -> None:
    saved = tmp_path / "image.tsv"
    saved.write_text("Image,Series,Image name,Study component\ncells.ome.tiff,0,cells,all\n".replace(",", mark), encoding="utf-8")
    with pytest.raises(UnreadableError, match=r"image\.tsv has semicolons or commas"):
        read_sheet(saved)
    listed = tmp_path / "sheet.yaml"
    listed.write_text(
        f"image:\n- image: a.tif\n  channel_names: DAPI{mark} GFP{mark} RFP\n  description: one{mark} two{mark} three\n", encoding="utf-8"
    )
    assert [row.text("image") for row in read_sheet(listed).rows("image")] == ["a.tif"]


@pytest.mark.parametrize(
    ("written_so", "fix"), [("31.12.2027", "2027-12-31"), ("12/31/2027", "2027-12-31"), ("5-5-2027", "2027-05-05"), ("3.4.2027", "year-month-day")]
)
def test_a_day_that_can_be_read_in_one_way_only_is_told_as_it_should_be_written(written_so: str, fix: str) -> None:
    (problem,) = [found for found in validate(changed("study", 0, {"release_date": written_so})) if found.rule == "sheet.not-a-date"]
    assert fix in problem.fix
