"""From a sheet to what is set: the right rows, numbers that are numbers, and pairs under the namespaces of the field."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest

from lightmicroscopy.errors import UsageError
from lightmicroscopy.metadata.changes import ChannelChanges, ObjectiveChanges, SeriesChanges
from lightmicroscopy.metadata.sheet_changes import changes_of


@dataclass(frozen=True)
class Cell:
    text: str
    sheet: str = "image"
    row: int = 2
    column: str = "C"


@dataclass(frozen=True)
class Row:
    cells: dict[str, Cell]

    def text(self, field_id: str) -> str:
        return self.cells[field_id].text.strip() if field_id in self.cells else ""

    def values(self, field_id: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(field_id).split(";")) if self.text(field_id) else ()

    def number_of(self, field_id: str) -> float | None:
        text = self.text(field_id)
        return float(text) if re.fullmatch(r"-?[0-9.]+(e[0-9]+)?", text) else None


@dataclass(frozen=True)
class Sheet:
    tables: dict[str, tuple[Row, ...]] = field(default_factory=dict)
    name: str = "sheet.xlsx"


def rows(*texts: dict[str, str]) -> tuple[Row, ...]:
    return tuple(Row({name: Cell(text) for name, text in row.items()}) for row in texts)


def sheet(*images: dict[str, str], **tables: dict[str, str]) -> Sheet:
    return Sheet({"image": rows(*images)} | {name: rows(row) for name, row in tables.items()})


def first(one: Sheet, channels: tuple[str, ...] = ("", "")) -> SeriesChanges:
    return changes_of(one, one.tables["image"][0], "a.tif, series 0", channels)


def changes(*, channels: tuple[str, ...] = ("",), **texts: str) -> SeriesChanges:
    return first(sheet({"image": "a.tif"} | texts), channels)


def test_a_row_becomes_values_in_the_terms_of_ome() -> None:
    found = changes(
        channels=("", "", ""),
        image_name="Position 1",
        description="HeLa",
        pixel_size_x_um="0.325",
        time_increment_s="1e1",
        channel_names="DAPI; ; GFP",
        emission_nm="461;;509.5",
        objective_model="Plan",
        objective_na=" 1.4 ",
        objective_immersion="Oil",
    )
    assert found == SeriesChanges(
        image_name="Position 1",
        description="HeLa",
        pixel_size_x_um=0.325,
        time_increment_s=10,
        channels=(ChannelChanges("DAPI", emission_nm=461), ChannelChanges(), ChannelChanges("GFP", emission_nm=509.5)),
        objective=ObjectiveChanges("Plan", None, 1.4, "Oil"),
    )


def test_empty_cells_set_nothing() -> None:
    assert changes(pixel_size_x_um=" ", channel_names="", objective_model="").is_empty


@pytest.mark.parametrize("text", ["0.325 µm", "0,325", "nan", "inf", "1_000", "٣", "=1/2"])
def test_what_is_no_number_is_named_with_its_place(text: str) -> None:
    with pytest.raises(UsageError, match=r"“Pixel size x \(µm\)” \(sheet image, row 2, column C\) is '.*', which is no number\."):
        changes(pixel_size_x_um=text)


@pytest.mark.parametrize("text", ["488; blue", "488 nm"])
def test_a_wavelength_that_is_no_number_is_named(text: str) -> None:
    with pytest.raises(UsageError, match=r"“Excitation .*” \(sheet image, row 2, column C\) is '.*', which is no number"):
        changes(excitation_nm=text, channels=("",) * len(text.split(";")))


def test_numbers_of_channels_that_differ_are_an_error() -> None:
    told = r"“Emission .*” \(sheet image, row 2, column C\) has 3 values, and a\.tif, series 0 has 2 channels\. .* semicolons"
    with pytest.raises(UsageError, match=told):
        changes(channel_names="DAPI; GFP", emission_nm="1;2;3", channels=("", ""))


@pytest.mark.parametrize(("content", "channels"), [("DNA; tubulin", 1), ("DNA; tubulin", 4), ("DNA", 2)])
def test_labels_of_a_specimen_are_not_written_into_an_image_with_other_channels(content: str, channels: int) -> None:
    described = sheet({"image": "a.tif", "specimen": "dish"}, specimen={"name": "dish", "channel_content": content})
    with pytest.raises(
        UsageError, match=r"“Channel - content” \(sheet specimen, .* values?, and a\.tif, series 0 has \d channels?\. .* specimens of their own"
    ):
        first(described, ("",) * channels)


def test_labels_are_written_beside_the_names_that_the_image_has() -> None:
    described = sheet({"image": "a.tif", "specimen": "dish"}, specimen={"name": "dish", "channel_content": "DNA; tubulin"})
    (bulk, *_) = first(described, ("DAPI", "")).annotations
    assert bulk.pairs == (("Channels", "DAPI:DNA;Channel 1:tubulin"),)


def test_references_lead_to_the_biosample_and_its_organism() -> None:
    found = first(
        sheet(
            {"image": "a.tif", "specimen": "dish", "acquisition": "confocal", "study_component": "main", "channel_names": "DAPI; GFP"},
            study_component={"name": "main", "description": "all of it"},
            specimen={"name": "dish", "biosample": "cells", "preparation_method": "PFA; 4 %", "channel_content": "DNA; tubulin"},
            biosample={"name": "cells", "organism": "Homo sapiens (NCBITaxon:9606)", "cell_line": "HeLa (EFO:0001185)", "intrinsic_variable": "a; b"},
            acquisition={"name": "confocal", "imaging_method": "confocal microscopy (FBbi:00000251)"},
        )
    )
    assert {note.namespace: note.pairs for note in found.annotations} == {
        "openmicroscopy.org/mapr/organism": (("Organism", "Homo sapiens"),),
        "openmicroscopy.org/mapr/cell_line": (("Cell Line", "HeLa"),),
        "openmicroscopy.org/omero/bulk_annotations": (("Channels", "DAPI:DNA;GFP:tubulin"),),
        "galaxy-light-microscopy/rembi/study-component": (("Study component", "main"), ("Study component description", "all of it")),
        "galaxy-light-microscopy/rembi/biosample": (
            ("Identity", "cells"),
            ("Organism", "Homo sapiens (NCBITaxon:9606)"),
            ("Intrinsic variable", "a"),
            ("Intrinsic variable", "b"),
            ("Cell line", "HeLa (EFO:0001185)"),
        ),
        "galaxy-light-microscopy/rembi/specimen": (
            ("Specimen", "dish"),
            ("Preparation method", "PFA; 4 %"),
            ("Channel - content", "DAPI: DNA"),
            ("Channel - content", "GFP: tubulin"),
        ),
        "galaxy-light-microscopy/rembi/image-acquisition": (
            ("Image acquisition", "confocal"),
            ("Imaging method", "confocal microscopy (FBbi:00000251)"),
        ),
    }


def test_what_a_row_says_of_its_channels_comes_before_what_the_specimen_says() -> None:
    found = first(
        sheet({"image": "a.tif", "specimen": "dish", "channel_contents": "; actin"}, specimen={"name": "dish", "channel_content": "DNA; tubulin"})
    )
    assert ("Channel - content", "Channel 1: actin") in found.annotations[-1].pairs
    assert "DNA" not in str(found.annotations)


@pytest.mark.parametrize("table", ["specimen", "study_component", "acquisition"])
def test_a_reference_that_leads_nowhere_is_named(table: str) -> None:
    told = rf"sheet\.xlsx: {table} 'gone', which “.*” \(sheet image, row 2, column C\) refers to, is not in the sheet {table}"
    with pytest.raises(UsageError, match=told):
        changes(**{table: "gone"})
