"""Studies for the IDR: a sound one passes, and each mistake is told by the rule meant for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightmicroscopy.metadata.rules import catalogue
from scripts.test_data import documents

from .document_checks import ASSAYS, LIBRARY, PROCESSED, STUDY, Content, by_themselves, found, grave, of, replaced, study, whole_study

EXPERIMENT = (
    ("Study Screens Number", "Study Experiments Number"),
    ("Screen Technology Type\tcompound screen\n", ""),
    ("Screen Technology Type Term Source REF\tEFO\n", ""),
    ("Screen Technology Type Term Accession\tEFO_0007553\n", ""),
    ("Screen Type\tprimary screen\n", ""),
    ("Screen Type Term Source REF\tEFO\n", ""),
    ("Screen Type Term Accession\tEFO_0007556\n", ""),
    ("Library File Name\tidr0000-screenA-library.txt\n", "Experiment Assay File\tidr0000-experimentA-assays.txt\n"),
    ("Processed Data File Name\tidr0000-screenA-processed.txt\n", ""),
    ("IDR Screen", "IDR Experiment"),
    ("/screenA", "/experimentA"),
    ("Screen ", "Experiment "),
)
"""What makes an experiment of the screen."""
SECOND = documents.STUDY[documents.STUDY.index("Screen Number") : documents.STUDY.index("Library File Name")]
TWO = (
    ("Study Screens Number\t1", "Study Screens Number\t2"),
    ("Library File Name", SECOND.replace("Number\t1", "Number\t2").replace("screenA", "screenB") + "Library File Name"),
)
"""What adds another screen."""


def one(*changes: tuple[str, str]) -> dict[str, Content]:
    return whole_study(study=study(*changes))


def two(*changes: tuple[str, str]) -> dict[str, Content]:
    return whole_study(study=study(*TWO, *changes))


def library(*changes: tuple[str, str]) -> dict[str, Content]:
    return whole_study(library=replaced(documents.LIBRARY, *changes))


def processed(*changes: tuple[str, str]) -> dict[str, Content]:
    return whole_study(processed=replaced(documents.PROCESSED, *changes))


def assays(*changes: tuple[str, str]) -> dict[str, Content]:
    return {STUDY: study(*EXPERIMENT), ASSAYS: replaced(documents.ASSAYS, *changes)}


def many_wells(last: str) -> str:
    head, row = documents.LIBRARY.splitlines()[:2]
    wells = [f"{letter}{number}" for letter in "ABCDEFGH" for number in range(1, 13)]
    number = {well: str(place) for place, well in enumerate(wells, 1)}
    cells = row.split("\t")
    rows = ["\t".join([cells[0], well, number[well], *cells[3:]]) for well in wells[:-1]]
    return "\n".join([head, *rows, "\t".join([cells[0], last, "", *cells[3:]]), ""])


def test_a_sound_study_passes(tmp_path: Path) -> None:
    findings = found(tmp_path, whole_study(), "idr")
    assert by_themselves(findings) == []
    (told,) = findings
    assert (told.rule, told.severity) == ("idr.images-given", "not-run")


def test_a_sound_study_of_experiments_passes(tmp_path: Path) -> None:
    findings = by_themselves(found(tmp_path, assays(), "idr"))
    assert {finding.rule for finding in findings} == {"idr.parts"}
    assert {finding.severity for finding in findings} == {"info"}


def test_a_sound_study_of_two_screens_passes(tmp_path: Path) -> None:
    assert grave(found(tmp_path, two(), "idr")) == set()


def test_what_a_study_file_may_leave_empty_may_be_empty(tmp_path: Path) -> None:
    files = one(("Comment[IDR Study Accession]\tidr0000", "Comment[IDR Study Accession]\t"), ("\tidr0000-nordmann-drawing/screenA", "\t"))
    findings = by_themselves(found(tmp_path, files, "idr"))
    assert grave(findings) == set()
    assert {finding.rule for finding in findings} == {"idr.mandatory-empty"}


def test_lines_of_the_template_that_are_only_for_people_are_no_mistake(tmp_path: Path) -> None:
    more = (
        "Protocol Name\tgrowth\nProtocol Description\tcells grew\nPhenotype Name\tround\nPhenotype Term Source REF\tCMPO\nScreen Size\tPlates: \t1\n"
    )
    assert grave(found(tmp_path, one(("Library File Name", f"{more}Library File Name")), "idr")) == set()


MISTAKES: list[tuple[str, str, dict[str, Content]]] = [
    ("idr.encoding", "is not UTF-8", whole_study() | {STUDY: documents.STUDY.replace("Kari", "K\xe5ri").encode("latin-1")}),
    ("idr.encoding", "byte order mark", whole_study() | {STUDY: documents.STUDY.encode("utf-8-sig")}),
    ("idr.encoding", "UTF-16", whole_study() | {STUDY: documents.STUDY.encode("utf-16")}),
    ("idr.encoding", "is not UTF-8", whole_study() | {LIBRARY: documents.LIBRARY.replace("taxol", "\xb5").encode("latin-1")}),
    ("idr.line-ends", "carriage return", one(("\n", "\r"))),
    ("idr.line-ends", "carriage return", library(("\n", "\r"))),
    ("idr.study-file-name", "but the study is idr0000", {"study.txt": documents.STUDY}),
    ("idr.study-file-name", "but the study is idr0000", {"idr0001-study.txt": documents.STUDY}),
    *(
        ("idr.mandatory-key", f"“{key}” is missing", one((f"\n{key}\t", "\n# ")))
        for key in (
            "Comment[IDR Study Accession]",
            "Study Title",
            "Study Description",
            "Study Type",
            "Study Publication Title",
            "Study Author List",
            "Study Public Release Date",
            "Comment[IDR Screen Name]",
            "Screen Description",
            "Screen Sample Type",
            "Screen Imaging Method",
            "Screen Type",
        )
    ),
    *(
        ("idr.mandatory-key", f"“{key}” is missing", {STUDY: study(*EXPERIMENT, (f"\n{key}\t", "\n# "))})
        for key in ("Comment[IDR Experiment Name]", "Experiment Description", "Experiment Sample Type", "Experiment Imaging Method")
    ),
    (
        "idr.mandatory-key",
        "“Screen Description” is missing in Screen 2",
        two(
            (
                SECOND.replace("Number\t1", "Number\t2").replace("screenA", "screenB"),
                SECOND.replace("Number\t1", "Number\t2").replace("screenA", "screenB").replace("Screen Description", "# "),
            )
        ),
    ),
    ("idr.mandatory-empty", "“Study Title” is empty", one(("Study Title\tCells that were drawn by a program", "Study Title\t"))),
    ("idr.mandatory-empty", "hint of the template", one(("Study Title\tCells that were drawn by a program", "Study Title\t# fill in"))),
    ("idr.hint-left", "hint of the template", one(("Study Key Words\tmitosis", "Study Key Words\t# fill in"))),
    ("idr.key-spelling", "differs from “Study Title”", one(("Study Title\t", "Study title\t"))),
    ("idr.key-spelling", "differs from “Study Title”", one(("Study Title\t", "Study Title \t"))),
    ("idr.key-spelling", "differs from “Screen Type”", one(("Screen Type\t", "ScreenType\t"))),
    ("idr.key-spelling", "no tab between “Study Title”", one(("Study Title\t", "Study Title "))),
    ("idr.key-spelling", "no tab behind it", one(("Study Copyright\tNordmann et al", "Study Copyright"))),
    ("idr.key-spelling", "stands in old templates", one(("Term Source URI", "Term Source File"))),
    ("idr.key-unknown", "“Study Authors List” is no key", one(("Study Author List", "Study Authors List"))),
    ("idr.key-unknown", "“Colour” is no key", one(("Study Copyright", "Colour\tblue\nStudy Copyright"))),
    ("idr.key-unknown", "before the first", one(("Study Copyright", "Protocol Name\tgrowth\nStudy Copyright"))),
    ("idr.key-repeated", "is there 2 times", one(("Study Copyright\t", "Study Copyright\tNobody\nStudy Copyright\t"))),
    ("idr.key-repeated", "is there 2 times", one(("Screen Type\t", "Screen Type\tprimary screen\nScreen Type\t"))),
    ("idr.old-template", "lacks “Screen Sample Type”", one(("Screen Sample Type\tcell\n", ""))),
    ("idr.accession", "is no accession of the IDR", one(("Accession]\tidr0000", "Accession]\tIDR-12"))),
    (
        "idr.component-count",
        "neither a screen nor an experiment",
        one(("Screen Number\t1", "#"), ("Study Screens Number\t1", "Study Screens Number\t0")),
    ),
    ("idr.component-count", "says 2, but the file describes 1", one(("Study Screens Number\t1", "Study Screens Number\t2"))),
    ("idr.component-count", "does not say that there is 1", one(("Study Screens Number\t1\n", ""))),
    ("idr.component-count", "which is no number", one(("Study Screens Number\t1", "Study Screens Number\tone"))),
    ("idr.component-number", "where screen 1 is expected", one(("Screen Number\t1", "Screen Number\t2"))),
    ("idr.component-number", "is there twice", two(("Screen Number\t2", "Screen Number\t1"))),
    ("idr.component-number", "where screen 2 is expected", two(("Screen Number\t2", "Screen Number\t3"))),
    ("idr.component-number", "“A” is no number", one(("Screen Number\t1", "Screen Number\tA"))),
    ("idr.component-number", "There is no number", one(("Screen Number\t1", "Screen Number\t"))),
    ("idr.component-name", "is no name of a component", one(("idr0000-nordmann-drawing/screenA", "drawing"))),
    ("idr.component-name", "does not begin with the accession", one(("idr0000-nordmann-drawing/screenA", "idr0001-nordmann-drawing/screenA"))),
    ("idr.component-name", "is of another study", two(("idr0000-nordmann-drawing/screenB", "idr0000-hansen-drawing/screenB"))),
    ("idr.component-name", "Two components are called", two(("drawing/screenB", "drawing/screenA"))),
    ("idr.component-name", "is not screenA", one(("drawing/screenA", "drawing/first"))),
    ("idr.component-name", "has capital letters", one(("idr0000-nordmann-drawing/screenA", "idr0000-Nordmann-drawing/screenA"))),
    ("idr.organism-level", "at both levels", one(("Screen Type\t", "Screen Organism\tHomo sapiens\nScreen Type\t"))),
    ("idr.organism-level", "No organism is named", one(("Study Organism\tHomo sapiens", "Study Organism\t"))),
    (
        "idr.organism-level",
        "Screen 2 has no organism",
        two(("Study Organism\tHomo sapiens\n", ""), ("/screenA\n", "/screenA\nScreen Organism\tHomo sapiens\n")),
    ),
    ("idr.publications", "1 titles of publications, but 2 lists", one(("Nordmann O, Hansen K", "Nordmann O\tHansen K"))),
    ("idr.identifier", "is no PubMed ID", one(("Study PubMed ID\t12345678", "Study PubMed ID\tPMID12345678"))),
    ("idr.identifier", "is no PMC ID", one(("PMC1234567", "1234567"))),
    ("idr.identifier", "is no DOI", one(("https://doi.org/10.1234/drawn.2026", "doi 10.1234/drawn"))),
    ("idr.identifier", "is no DOI", one(("https://doi.org/10.1234/10000000", "on request"))),
    ("idr.identifier", "such as S-BIAD123", one(("Study DOI", "Study BioImage Archive Accession\tBIAD123\nStudy DOI"))),
    ("idr.identifier", "such as EMPIAR-10310", one(("Study DOI", "Study EMPIAR Accession\t10310\nStudy DOI"))),
    ("idr.term", "is no identifier of NCBITaxon", one(("NCBITaxon_9606", "human"))),
    ("idr.term", "is understood as FBbi:00000251", one(("FBbi_00000251", "FBbi_251"))),
    ("idr.term", "is a term of Experimental Factor Ontology", one(("Accession\tNCBITaxon_9606", "Accession\tEFO_0007550"))),
    ("idr.term", "has no identifier", one(("Accession\tNCBITaxon_9606", "Accession\t"))),
    ("idr.term", "does not say which ontology", one(("REF\tNCBITaxon", "REF\t"), ("NCBITaxon_9606", "9606"))),
    ("idr.term", "has 1 terms, but 2 sources or identifiers", one(("NCBITaxon_9606", "NCBITaxon_9606\tNCBITaxon_10090"))),
    ("idr.source-spelling", "the templates spell it wrong", one(("REF\tFBbi", "REF\tFbbi"))),
    ("idr.source-spelling", "is written NCBITaxon", one(("Term Source Name\tNCBITaxon", "Term Source Name\tNCBItaxon"))),
    ("idr.controlled-term", "is EFO_0007556 in the IDR's list", one(("EFO_0007556", "EFO_0007557"))),
    ("idr.release-date", "is no day", one(("Date\t2027-03-01", "Date\t01.03.2027"))),
    ("idr.release-date", "is no day", one(("Date\t2027-03-01", "Date\t2027-02-29"))),
    ("idr.licence", "none that the IDR takes", one(("License\tCC BY 4.0", "License\tCC BY-NC 4.0"))),
    ("idr.licence", "No licence is named", one(("License\tCC BY 4.0", "License\t"))),
    ("idr.licence", "has no address", one(("License URL\thttps://creativecommons.org/licenses/by/4.0/", "License URL\t"))),
    ("idr.licence", "of another", one(("licenses/by/4.0", "licenses/by-nc/4.0"))),
    ("idr.person", "Nobody's last name", one(("Last Name\tNordmann\tHansen", "Last Name\t"))),
    ("idr.person", "Nobody's e-mail address", one(("Email\tola@example.org\tkari@example.org", "Email\t"))),
    ("idr.person", "1 of 2 people", one(("First Name\tOla\tKari", "First Name\tOla"))),
    ("idr.person", "3 values for 2 people", one(("Roles\tsubmitter\tauthor", "Roles\tsubmitter\tauthor\tauthor"))),
    ("idr.person", "has more than one @", one(("ola@example.org", "ola@example.org@example.org"))),
    ("idr.person", "mistyped", one(("0000-0002-1825-0097", "0000-0002-1825-0079"))),
    ("idr.address", "is no whole address", one(("https://example.org/drawn", "www.example.org"))),
    ("idr.address", "3 ontologies, but 2 addresses", one(("\thttp://www.ebi.ac.uk/efo/\t", "\t"))),
    ("idr.table-name", "does not say its study", {STUDY: documents.STUDY, "library.txt": documents.LIBRARY}),
    ("idr.table-name", "has the columns of a library", {STUDY: documents.STUDY, PROCESSED: documents.LIBRARY}),
    ("idr.table-name", "end with .txt", {STUDY: documents.STUDY, LIBRARY.replace(".txt", ".tsv"): documents.LIBRARY}),
    ("idr.table-separator", "separated by commas", library((";", ":"), ("\t", ","))),
    ("idr.table-header", "Column 3 has no name", library(("Well Number", ""))),
    ("idr.table-header", "a program gave that name", library(("Well Number", "Unnamed: 2"))),
    ("idr.table-header", "2 columns are called", library(("Control Type", "Compound Name"))),
    ("idr.table-header", "hint of the template", assays(("Condition [drug]", "Condition [ # fill in]"))),
    ("idr.table-header", "names no columns", {STUDY: documents.STUDY, PROCESSED: "# fill in\n"}),
    ("idr.table-columns", "no column “Plate”", {STUDY: documents.STUDY, LIBRARY: documents.LIBRARY.replace("Plate\t", "Dish\t")}),
    ("idr.table-columns", "“Characteristics [Organism]”", library(("Characteristics [Organism]", "Organism"))),
    ("idr.table-columns", "or the like", library(("Compound Name", "Drug"))),
    ("idr.table-columns", "no column “Image File”", assays(("Image File\t", "File\t"))),
    ("idr.table-rows", "no row below", {STUDY: documents.STUDY, LIBRARY: documents.LIBRARY.splitlines()[0] + "\n"}),
    ("idr.table-rows", "has 8 cells, but there are 9", library(("nocodazole\t\t", "nocodazole\t"))),
    ("idr.table-rows", "has 10 cells, but there are 9", library(("nocodazole\t\t", "nocodazole\t\t\t"))),
    ("idr.table-rows", "is empty", library(("drawn\tB1", "\ndrawn\tB1"))),
    ("idr.table-blanks", "has a blank before or behind", library(("\tA2\t", "\tA2 \t"))),
    ("idr.table-blanks", "The name of column 2", library(("\tWell\t", "\tWell \t"))),
    ("idr.table-blanks", "blanks in it and nothing else", library(("nocodazole\t\t", "nocodazole\t \t"))),
    ("idr.table-hint", "line of hints", library(("drawn\tA1\t", "# the plate\t# the well\t\t\t\t\t\t\t\ndrawn\tA1\t"))),
    ("idr.table-hint", "is a hint", library(("\ttaxol", "\t# leave blank"))),
    ("idr.table-term", "is no identifier of NCBITaxon, in 4 rows", library(("NCBITaxon_9606", "human"))),
    ("idr.table-term", "has no identifier, in 4 rows", library(("NCBITaxon_9606", ""))),
    ("idr.organism-missing", "names no organism", library(("\t2\tHomo sapiens", "\t2\t"))),
    ("idr.control-type", "“mock” is no kind", library(("negative control", "mock"))),
    ("idr.channels", "does not say for each channel", library(("DAPI:DNA;GFP:tubulin", "DAPI / GFP"))),
    ("idr.phenotype", "“maybe”, neither yes nor no", processed(("\tyes\t", "\tmaybe\t"))),
    ("idr.phenotype", "“rounded cells” is named, but “Has Phenotype” is “no”", processed(("\tyes\t", "\tno\t"))),
    ("idr.phenotype", "is named, but “Has Phenotype” is empty", processed(("\tyes\t", "\t\t"))),
    ("idr.phenotype", "yes, but no phenotype is named", processed(("rounded cells", ""))),
    ("idr.row-twice", "says the same as line 2", processed(("drawn\tA1\tDMSO\t0.1\t\t\t\n", "drawn\tA1\tDMSO\t0.1\t\t\t\n" * 2))),
    ("idr.image-file", "names no image file", assays(("set 1\tcells_04.ome.zarr.zip", "set 1\t"))),
    ("idr.image-file", "place on a Windows computer", assays(("set 1\tcells_04.ome.zarr.zip", "set 1\tC:\\data\\cells_04.ome.zarr.zip"))),
    ("idr.well", "“1A” is no well", library(("\tA1\t", "\t1A\t"))),
    ("idr.well", "is on no plate", library(("drawn\tA1\t", "\tA1\t"))),
    ("idr.well", "names no well", library(("drawn\tA1\t1\t", "drawn\t\t\t"))),
    ("idr.well-repeated", "is in line 2 already", library(("\tA2\t2\t", "\tA01\t1\t"))),
    ("idr.well-spelling", "both “A1” and “A02”", library(("\tA2\t", "\tA02\t"))),
    ("idr.well-number", "by the other rows it is 13", library(("\t13\t", "\t31\t"))),
    ("idr.well-number", "is no number of a well", library(("\t13\t", "\tB1\t"))),
    ("idr.well-number", "on no plate", library(("\t2\t", "\t77\t"), ("\t13\t", "\t5\t"), ("\t14\t", "\t9\t"))),
    ("idr.plate-size", "on no plate that is sold", library(("\tB2\t", "\tB60\t"))),
    ("idr.plate-size", "outside the 96 wells", {STUDY: documents.STUDY, LIBRARY: many_wells("H21")}),
    ("idr.image-repeated", "in another row already", assays(("cells_05", "cells_04"), ("set 2", "set 1"))),
    ("idr.parts", "No study file", {LIBRARY: documents.LIBRARY}),
    ("idr.parts", "no library table was given", {STUDY: documents.STUDY, PROCESSED: documents.PROCESSED}),
    ("idr.parts", "no assays table was given", {STUDY: study(*EXPERIMENT)}),
    ("idr.parts", "No table of processed data", {STUDY: documents.STUDY, LIBRARY: documents.LIBRARY}),
    ("idr.parts", "Several study files", whole_study() | {"idr0001-study.txt": documents.STUDY}),
    ("idr.named-file", "which was not given", {STUDY: documents.STUDY, LIBRARY: documents.LIBRARY}),
    ("idr.named-file", "as library, but it is: processed", whole_study(library=documents.PROCESSED)),
    ("idr.same-study", "is of another study", whole_study() | {"idr0001-screenA-library.txt": documents.LIBRARY}),
    ("idr.same-study", "which the study does not have", whole_study() | {"idr0000-screenB-library.txt": documents.LIBRARY}),
    ("idr.processed-agrees", "Well C03 of plate drawn is not in the library", processed(("\tA2\t", "\tC3\t"))),
    ("idr.processed-agrees", "“aspirin” is not in the library's column", processed(("nocodazole", "aspirin"))),
    (
        "idr.processed-agrees",
        "No column links",
        processed(("Plate", "Dish"), ("\tWell", "\tPlace"), ("Compound Name", "Drug")),
    ),
]


@pytest.mark.parametrize(("rule", "words", "files"), MISTAKES, ids=[f"{rule}-{number}" for number, (rule, *_) in enumerate(MISTAKES)])
def test_a_mistake_is_told_by_the_rule_meant_for_it(tmp_path: Path, rule: str, words: str, files: dict[str, Content]) -> None:
    told = of(found(tmp_path, files, "idr"), rule)
    assert any(words in finding.message for finding in told), told
    assert all(finding.fix for finding in told)


WITH_IMAGES = {"idr.image-format", "idr.images-given"}


def test_every_rule_of_the_profile_has_a_mistake_that_it_finds() -> None:
    assert {rule.id for rule in catalogue(["idr"])} - {rule for rule, *_ in MISTAKES} == WITH_IMAGES


def test_the_line_that_the_template_lacks_is_told_with_how_to_add_it(tmp_path: Path) -> None:
    (told,) = of(found(tmp_path, one(("Screen Sample Type\tcell\n", "")), "idr"), "idr.mandatory-key")
    assert (
        told.fix
        == "The template lacks this line, and the parser wants it. Add “Screen Sample Type”, a tab, and what was imaged, such as cell or tissue."
    )
    assert told.location == "line 42, Screen Sample Type"


def test_a_line_before_the_number_of_its_screen_is_told_where_it_belongs(tmp_path: Path) -> None:
    files = one(("Screen Sample Type\tcell\n", ""), ("Screen Number\t1", "Screen Sample Type\tcell\nScreen Number\t1"))
    (told,) = of(found(tmp_path, files, "idr"), "idr.mandatory-key")
    assert told.fix == "Move line 42 below “Screen Number”, where the parser looks for it."


def test_wells_numbered_column_after_column_are_right_too(tmp_path: Path) -> None:
    wells = library(("\tA2\t2\t", "\tA2\t9\t"), ("\tB1\t13\t", "\tB1\t2\t"), ("\tB2\t14\t", "\tB2\t10\t"))
    assert by_themselves(found(tmp_path, wells, "idr")) == []


def test_a_whole_plate_passes(tmp_path: Path) -> None:
    files = whole_study(library=many_wells("H12"))
    assert not {"idr.plate-size", "idr.well", "idr.well-number"} & grave(found(tmp_path, files, "idr"))


def test_an_empty_well_needs_no_organism(tmp_path: Path) -> None:
    files = library(("\t2\tHomo sapiens\tNCBITaxon\tNCBITaxon_9606\tnocodazole\t\t", "\t2\t\t\t\tnocodazole\tempty well\t"))
    assert "idr.organism-missing" not in grave(found(tmp_path, files, "idr"))


def test_images_have_to_be_ome_zarr(tmp_path: Path, test_data: Path) -> None:
    images = [test_data / name for name in ("cells.ome.tiff", "cells_04.ome.zarr", "cells_05.ome.zarr.zip")]
    told = of(found(tmp_path, whole_study(), "idr", also=images), "idr.image-format")
    assert [(finding.input, finding.severity) for finding in told] == [("cells.ome.tiff", "error")]


def test_image_files_of_the_assays_are_looked_for_among_the_images(tmp_path: Path, test_data: Path) -> None:
    images = [test_data / "cells_04.ome.zarr.zip", test_data / "cells_05.ome.zarr.zip"]
    assert grave(found(tmp_path / "a", assays(), "idr", also=images)) == set()
    (missing,) = of(found(tmp_path / "b", assays(), "idr", also=images[:1]), "idr.images-given")
    assert (missing.severity, missing.input) == ("error", ASSAYS)
    assert missing.location == "line 3, column 10 (Image File)"
    (stranger,) = of(found(tmp_path / "c", assays(), "idr", also=[*images, test_data / "cells_03.ome.zarr.zip"]), "idr.images-given")
    assert stranger.input == "cells_03.ome.zarr.zip"


def test_wells_of_a_library_are_looked_for_in_the_plate(tmp_path: Path, test_data: Path) -> None:
    from lightmicroscopy import readers
    from lightmicroscopy.archives.wells import WellPlace
    from lightmicroscopy.image import Location

    plate = test_data / "plate_04.ome.zarr.zip"
    with readers.open(Location(plate)) as dataset:
        name = dataset.plates[0].name
        wells = {WellPlace(well.row, well.column).name for well in dataset.plates[0].wells}
    right = documents.LIBRARY.replace("drawn", name)
    rows = right.splitlines()
    assert {"A01", "B02"} <= wells
    assert of(found(tmp_path / "a", whole_study(library=right), "idr", also=[plate]), "idr.images-given") == []
    fewer = "\n".join([*rows[:-1], ""])
    (told,) = of(found(tmp_path / "b", whole_study(library=fewer), "idr", also=[plate]), "idr.images-given")
    assert "Well B02" in told.message
    assert "no row in the library" in told.message
    more = right + rows[-1].replace("B2\t14", "B3\t15") + "\n"
    (told,) = of(found(tmp_path / "c", whole_study(library=more), "idr", also=[plate]), "idr.images-given")
    assert "Well B03" in told.message
    assert "no image" in told.message
