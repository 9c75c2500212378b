"""A sheet for images says what they know, and nothing that they do not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import tifffile

from lightmicroscopy.inspection import inspect
from lightmicroscopy.metadata.rembi.match import match_images
from lightmicroscopy.metadata.rembi.prefill import Draft
from lightmicroscopy.metadata.rembi.sheet import Row, Sheet, read_sheet, row_of
from lightmicroscopy.metadata.rembi.validate import validate

from .sheets import texts_of, written

Filled = Callable[..., Sheet]


@pytest.fixture
def filled(root: Path) -> Filled:
    """Make a sheet for files of the test data, or add them to one."""

    def make(*names: str, begun: Sheet | None = None) -> Sheet:
        draft = Draft(begun)
        for item in inspect([root / "test-data" / name for name in names]):
            draft.add(item)
        return draft.sheet("sheet")

    return make


def only(sheet: Sheet, table: str) -> dict[str, str]:
    (row,) = sheet.rows(table)
    return texts(row)


def texts(row: Row) -> dict[str, str]:
    return {name: cell.text for name, cell in row.cells.items()}


def test_an_image_fills_in_all_that_it_knows(filled: Filled) -> None:
    assert only(filled("cells.ome.tiff"), "image") == {
        "image": "cells.ome.tiff",
        "series": "0",
        "image_name": "cells",
        "study_component": "Study component 1",
        "specimen": "Specimen 1",
        "acquisition": "Acquisition 1",
        "channel_names": "DAPI; GFP",
        "channel_contents": "DAPI; EGFP",
        "excitation_nm": "358; 488",
        "emission_nm": "461; 509",
        "pixel_size_x_um": "0.325",
        "pixel_size_y_um": "0.325",
        "pixel_size_z_um": "1",
        "objective_model": "Example Optics Plan 20x/0.8",
        "objective_magnification": "20",
        "objective_na": "0.8",
        "objective_immersion": "Air",
        "acquisition_date": "2026-03-02T10:15:00",
        "description": "Drawn cells: nuclei (DAPI) and cytoplasm (GFP).",
        "format_compression": "OME-TIFF, Deflate, lossless",
        "dimension_extents": "X 128, Y 96, Z 3, C 2, T 1",
        "size_description": "41.6 × 31.2 × 3 µm",
    }


def test_how_it_was_taken_is_a_row_of_its_own(filled: Filled) -> None:
    assert only(filled("cells.ome.tiff"), "acquisition") == {
        "name": "Acquisition 1",
        "instrument": "Example Optics Model 1 (inverted); objective Example Optics Plan 20x/0.8 (20×, NA 0.8, Air); detector Example Cameras C1",
        "parameters": "DAPI: excitation 358 nm, emission 461 nm, exposure 50 ms, WideField\n"
        "GFP: excitation 488 nm, emission 509 nm, exposure 200 ms, WideField",
    }


@pytest.mark.parametrize(("seconds", "said"), [("1", "1000 ms"), ("0.0123456", "12.3 ms"), ("12.3456", "12300 ms"), ("1e-6", "0.001 ms")])
def test_an_exposure_is_written_as_people_write_it(root: Path, tmp_path: Path, seconds: str, said: str) -> None:
    document = tifffile.tiffcomment(root / "test-data" / "cells.ome.tiff")
    image = Path(shutil.copy(root / "test-data" / "cells.ome.tiff", tmp_path))
    tifffile.tiffcomment(image, document.replace('ExposureTime="0.05"', f'ExposureTime="{seconds}"').encode())
    draft = Draft()
    for inspected in inspect([image]):
        draft.add(inspected)
    assert f"exposure {said}" in draft.sheet("sheet").rows("acquisition")[0].text("parameters")


def test_a_picture_that_knows_nothing_leaves_the_cells_empty(filled: Filled) -> None:
    sheet = filled("photo.jpg")
    assert set(only(sheet, "image")) <= {
        "image",
        "series",
        "image_name",
        "study_component",
        "specimen",
        "acquisition",
        "format_compression",
        "dimension_extents",
    }
    assert only(sheet, "image")["format_compression"] == "JPEG, JPEG, lossy"
    assert only(sheet, "acquisition") == {"name": "Acquisition 1"}


def test_images_taken_alike_share_a_row_and_others_have_their_own(filled: Filled) -> None:
    sheet = filled("positions.nd2", "project.lif", "cells.ome.tiff")
    assert [row.text("acquisition") for row in sheet.rows("image")] == [
        "Acquisition 1",
        "Acquisition 2",
        "Acquisition 2",
        "Acquisition 3",
        "Acquisition 4",
    ]
    assert sheet.named("acquisition")["Acquisition 3"].text("imaging_method") == "confocal microscopy (FBbi:00000251)"


def test_a_new_sheet_holds_together(filled: Filled, tmp_path: Path) -> None:
    sheet = filled("positions.nd2", "project.lif", "stack.czi")
    read = read_sheet(written(sheet, tmp_path / "sheet.xlsx"))
    assert read.problems == ()
    assert match_images(read, [(row.text("image"), int(row.text("series"))) for row in sheet.rows("image")]).problems == ()
    assert only(read, "specimen") == {"name": "Specimen 1", "biosample": "Biosample 1"}


def test_a_stack_taken_downwards_has_a_distance_between_its_planes(filled: Filled) -> None:
    for row in filled("positions.nd2", "stack.czi", "padded.ims").rows("image"):
        value = row.number_of("pixel_size_z_um")
        assert value is None or value > 0


def annotated(folder: Path, name: str, *pairs: tuple[str, str]) -> Path:
    """Write an image with key-value pairs."""
    import numpy as np
    import tifffile

    path = folder / name
    told = "".join(f'<M K="{key}">{value}</M>' for key, value in pairs)
    xml = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8"'
        ' SizeX="4" SizeY="4" SizeC="1" SizeZ="1" SizeT="1"><Channel ID="Channel:0:0"/><TiffData/></Pixels><AnnotationRef ID="Annotation:0"/></Image>'
        f'<StructuredAnnotations><MapAnnotation ID="Annotation:0" Namespace="openmicroscopy.org/mapr/organism"><Value>{told}</Value></MapAnnotation>'
        "</StructuredAnnotations></OME>"
    )
    tifffile.imwrite(path, np.zeros((4, 4), np.uint8), description=xml, metadata=None)
    return path


def test_annotations_that_tell_of_the_sample_fill_in_a_biosample_for_each(tmp_path: Path) -> None:
    mouse = ("Organism", "Mus musculus")
    files = [
        annotated(tmp_path, "a.ome.tif", mouse),
        annotated(tmp_path, "b.ome.tif", ("Organism", "Homo sapiens"), ("Cell Line", "HeLa")),
        annotated(tmp_path, "c.ome.tif", mouse, ("Gene Symbol", "Sox1")),
        annotated(tmp_path, "d.ome.tif", mouse, ("Organism", "Homo sapiens")),
        annotated(tmp_path, "e.ome.tif", ("organism", "Unicornus")),
    ]
    draft = Draft()
    for item in inspect(files):
        draft.add(item)
    sheet = draft.sheet("sheet")
    assert [texts(row) for row in sheet.rows("biosample")] == [
        {"name": "Biosample 1", "organism": "Mus musculus (NCBITaxon:10090)"},
        {"name": "Biosample 2", "organism": "Homo sapiens (NCBITaxon:9606)", "cell_line": "HeLa"},
        {"name": "Biosample 3"},
        {"name": "Biosample 4", "organism": "Unicornus"},
    ]
    assert [row.text("specimen") for row in sheet.rows("image")] == ["Specimen 1", "Specimen 2", "Specimen 1", "Specimen 3", "Specimen 4"]
    assert [row.text("biosample") for row in sheet.rows("specimen")] == [f"Biosample {number}" for number in (1, 2, 3, 4)]
    assert list(validate(sheet)) == []


def test_an_unreadable_file_has_no_row(filled: Filled) -> None:
    sheet = filled("cells.ome.tiff", "not_an_image.txt")
    assert [row.text("image") for row in sheet.rows("image")] == ["cells.ome.tiff"]


@pytest.fixture
def begun(filled: Filled, tmp_path: Path) -> Sheet:
    """A sheet for two files in which a person has written something."""
    sheet = filled("cells.ome.tiff", "project.lif")
    tables = dict(sheet.tables)
    tables["biosample"] = (row_of({"name": "HeLa", "organism": "Homo sapiens (NCBITaxon:9606)"}),)
    tables["specimen"] = (row_of({"name": "Slide", "biosample": "HeLa"}),)
    tables["acquisition"] = tuple(
        row_of(texts(row) | {"name": row.text("name").replace("Acquisition", "Way")} | ({"parameters": "as always"} if not number else {}))
        for number, row in enumerate(sheet.rows("acquisition"))
    )
    changes = {"specimen": "Slide", "image_name": "my own name", "pixel_size_x_um": "0.33"}
    tables["image"] = tuple(
        row_of(texts(row) | changes | {"acquisition": row.text("acquisition").replace("Acquisition", "Way"), "channel_names": ""})
        for row in sheet.rows("image")
    )
    return read_sheet(written(Sheet("begun", tables), tmp_path / "begun.xlsx"))


def test_what_a_person_wrote_stays_and_empty_cells_are_filled(filled: Filled, begun: Sheet) -> None:
    sheet = filled("cells.ome.tiff", "project.lif", begun=begun)
    first = sheet.rows("image")[0]
    assert (first.text("image_name"), first.text("pixel_size_x_um"), first.text("specimen")) == ("my own name", "0.33", "Slide")
    assert first.text("channel_names") == "DAPI; GFP"
    assert len(sheet.rows("image")) == 3
    for table in ("biosample", "specimen", "acquisition"):
        assert texts_of(sheet)[table] == texts_of(begun)[table]


def test_what_a_person_said_of_the_specimen_is_not_overruled_by_what_its_images_know(filled: Filled, begun: Sheet) -> None:
    slide = row_of({"name": "Slide", "biosample": "HeLa", "channel_content": "nuclei; tubulin"})
    rows = [texts(row) for row in begun.rows("image")]
    tables = {"specimen": (slide,), "image": tuple(row_of(row | {"channel_contents": ""}) for row in rows[1:])}
    sheet = filled("cells.ome.tiff", "project.lif", begun=Sheet("begun", {**begun.tables, **tables}))
    assert {row.text("specimen") for row in sheet.rows("image")} == {"Slide"}
    assert not any(row.text("channel_contents") for row in sheet.rows("image"))
    without = filled("cells.ome.tiff", begun=Sheet("begun", {**begun.tables, "image": ()}))
    assert [row.text("channel_contents") for row in without.rows("image")] == ["DAPI; EGFP"]


def test_new_images_get_rows_after_those_that_were_there(filled: Filled, begun: Sheet) -> None:
    sheet = filled("positions.nd2", begun=begun)
    assert [row.text("image") for row in sheet.rows("image")] == ["cells.ome.tiff", "project.lif", "project.lif", "positions.nd2", "positions.nd2"]
    new = sheet.rows("image")[-1]
    assert (new.text("study_component"), new.text("specimen"), new.text("acquisition")) == ("Study component 1", "Slide", "Acquisition 1")
    assert list(validate(sheet)) == []


def test_new_images_taken_like_old_ones_belong_to_the_row_that_a_person_has_named(filled: Filled, begun: Sheet, root: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copy(root / "test-data" / "cells.ome.tiff", tmp_path / "again.ome.tiff"))
    draft = Draft(begun)
    for item in inspect([root / "test-data" / "cells.ome.tiff", copy]):
        draft.add(item)
    sheet = draft.sheet("sheet")
    assert [row.text("acquisition") for row in sheet.rows("image") if row.text("image") == "again.ome.tiff"] == ["Way 1"]
    assert (draft.added, draft.kept) == (1, 1)


def test_where_there_are_several_specimens_a_new_image_is_of_none_of_them_yet(filled: Filled, begun: Sheet) -> None:
    two = Sheet("two", {**begun.tables, "specimen": (*begun.rows("specimen"), row_of({"name": "Second", "biosample": "HeLa"}))})
    new = filled("positions.nd2", begun=two).rows("image")[-1]
    assert new.text("specimen") == ""


def test_a_row_about_all_series_of_an_image_stays_the_only_one(filled: Filled) -> None:
    begun = Sheet("begun", {"image": (row_of({"image": "project.lif", "description": "all alike"}),)})
    assert texts_of(filled("project.lif", begun=begun))["image"] == [{"image": "project.lif", "description": "all alike"}]


def test_rows_that_are_wrong_are_kept_for_the_person_to_mend(filled: Filled) -> None:
    rows = (
        row_of({"image": "cells.ome.tiff", "series": "0"}),
        row_of({"image": "cells.ome.tiff", "series": "0", "qc_info": "x"}),
        row_of({"qc_info": "y"}),
    )
    sheet = filled("cells.ome.tiff", begun=Sheet("begun", {"image": rows}))
    assert [row.text("qc_info") for row in sheet.rows("image")] == ["", "x", "y"]
    assert sheet.rows("image")[0].text("channel_names") == "DAPI; GFP"
