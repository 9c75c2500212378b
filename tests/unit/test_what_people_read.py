"""What the pages, pictures and messages of an inspection and a check say to people."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lxml import html

import lm_check
import lm_inspect
from lightmicroscopy.image import Channel, Dataset, Image, ImageMetadata, Instrument, Location, Modulo, Quantity
from lightmicroscopy.image_metadata import Objective
from lightmicroscopy.inputs import names_of
from lightmicroscopy.inspection import Input, Original, image_warnings, instrument, made_by, objective, titles
from lightmicroscopy.metadata.input_facts import SeriesFacts
from lightmicroscopy.reports import preview
from lightmicroscopy.reports.findings_html import pixel_size
from lightmicroscopy.reports.inspection import Page, _facts, z_step
from lightmicroscopy.reports.tables import files_written
from lightmicroscopy.reports.thumbnail import thumbnail
from lightmicroscopy.reports.words import plural

from .memory_image import memory_image

EMISSION = Modulo("T", "lambda", 550.0, 740.0, 10.0, "nm", description="emission wavelength")
RED, TRANSMITTED = Channel(color=-16776961), Channel(contrast_method="Phase")


def image(*, t: int = 1, c: int = 1, z: int = 1, name: str = "cells", series: int = 0, **metadata: object) -> Image:
    made = memory_image(np.arange(t * c * z * 64, dtype=np.uint16).reshape(t, c, z, 8, 8, 1), name=name, series=series)
    return replace(made, metadata=replace(made.metadata, **metadata))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("t", "modulo", "sentence"),
    [
        (20, EMISSION, "T is not time here but emission wavelength, 550 to 740 nm in steps of 10."),
        (40, EMISSION, "T holds time and, within it, emission wavelength, 550 to 740 nm in steps of 10."),
        (4, Modulo("T", "phase", 0.0, 3.0, 1.0), "T is not time here but phase (4 steps)."),
        (4, Modulo("T", "angle"), "T is not time here but angle."),
    ],
)
def test_nobody_takes_a_folded_dimension_for_time(t: int, modulo: Modulo, sentence: str) -> None:
    assert image_warnings(image(t=t, modulo=(modulo,))) == (sentence,)


def test_what_the_reader_said_of_a_folded_dimension_is_not_said_again() -> None:
    told = "Its dimension 'emission wavelength' of 20 was folded into T (of 20 in all), as Bio-Formats does."
    assert image_warnings(replace(image(t=20, modulo=(EMISSION,)), warnings=(told,))) == (told,)


@pytest.mark.parametrize(
    ("maker", "model", "name"),
    [
        ("Nikon", "Nikon Ti", "Nikon Ti"),
        ("Nikon", "Ti", "Nikon Ti"),
        ("Leica", "Leicaesque", "Leica Leicaesque"),
        ("Leica  Microsystems", "HC PL APO CS2    63x", "Leica Microsystems HC PL APO CS2 63x"),
        ("Zeiss", "zeiss", "zeiss"),
        (None, "Ti", "Ti"),
        ("Nikon", None, "Nikon"),
        (None, None, ""),
    ],
)
def test_a_maker_is_named_once_and_spaces_are_single(maker: str | None, model: str | None, name: str) -> None:
    assert made_by(maker, model) == name
    lens = Objective("Objective:0", model, maker)
    known = image(instrument=Instrument("Instrument:0", model, maker, objectives=(lens,)))
    assert (instrument(known), objective(known)) == (name, name)


def test_series_of_one_name_are_told_apart_by_their_index() -> None:
    names = ["tile", "tile", "overview", ""]
    assert titles("a.lif", [image(name=name, series=number) for number, name in enumerate(names)]) == [
        "a.lif: series 0 tile",
        "a.lif: series 1 tile",
        "a.lif: overview",
        "a.lif: series 3",
    ]
    assert titles("a.lif", [image()]) == ["a.lif"]


def test_the_folder_one_stands_in_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert names_of([Path()]) == [tmp_path.name]


def test_a_step_downwards_is_a_length_and_a_direction() -> None:
    assert z_step(Quantity(-6.227615, "µm")) == "6.228 µm, downwards"
    assert z_step(Quantity(0.5, "µm")) == "0.5 µm"
    facts = SeriesFacts(0, "", "intensity", "ZYX", 8, 8, 3, 1, 1, "uint8", 1, "4 µm", "4 µm", "-6.2 µm", (), "", False)
    assert pixel_size(facts) == "4 × 4 × 6.2 µm"


@pytest.mark.parametrize(
    ("channels", "remark"),
    [
        ((Channel(), Channel()), "colours chosen here"),
        ((RED, Channel()), "colour chosen here for one channel"),
        ((RED, TRANSMITTED), ""),
        ((RED, RED), ""),
        ((RED, Channel(), Channel()), "colours chosen here for 2 channels"),
        ((Channel(),), ""),
    ],
)
def test_the_caption_says_for_how_many_channels_colours_were_chosen(channels: tuple[Channel, ...], remark: str) -> None:
    assert thumbnail(image(c=len(channels), channels=channels))[2] == remark


def test_help_says_how_many_series_the_sheet_holds_and_shows_examples() -> None:
    for script in (lm_inspect, lm_check):
        text = script.parser().format_help()
        assert f"the first {preview.LIMIT} series" in " ".join(text.split())
        assert re.search(rf"examples:\n  {script.PROGRAM} ", text)


def test_every_example_of_the_help_is_understood() -> None:
    for script in (lm_inspect, lm_check):
        lines = [line for line in script.parser().format_help().splitlines() if line.startswith(f"  {script.PROGRAM} ")]
        assert lines
        for line in lines:
            assert script.parser().parse_args(line.split()[1:]).input


@pytest.mark.parametrize("script", [lm_inspect, lm_check])
def test_the_files_written_are_named_at_the_end_and_not_when_quiet(
    script: object, test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main, page = script.main, str(tmp_path / "page.html")  # type: ignore[attr-defined]
    main([str(test_data / "cells.ome.tiff"), "--html", page])
    said = capsys.readouterr().err.splitlines()
    assert said[-1].endswith(f"Written: {page}")
    assert any("1 input" in line and "1 inputs" not in line for line in said)
    main([str(test_data / "cells.ome.tiff"), "--html", page, "--quiet"])
    assert capsys.readouterr().err == ""


def test_nothing_is_said_to_be_written_where_nothing_was_wanted() -> None:
    assert files_written((None, None)) == ""
    assert files_written((Path("a.tsv"), None), 1, Path("xml")) == "Written: a.tsv, 1 OME-XML document in xml"


def test_the_pages_are_titled_after_their_inputs_and_pictures_are_described(test_data: Path, tmp_path: Path) -> None:
    inputs = [str(test_data / name) for name in ("project.lif", "cells.ome.tiff")]
    for script, kind in ((lm_inspect, "what is in these images"), (lm_check, "metadata check")):
        script.main([*inputs, "--html", str(tmp_path / "page.html"), "--quiet"])
        page = html.fromstring((tmp_path / "page.html").read_text(encoding="utf-8"))
        assert page.findtext(".//title") in {f"{first} and 1 more: {kind}" for first in ("project.lif", "cells.ome.tiff")}
        for picture in page.iter("img"):
            assert re.match(r"(project\.lif|cells\.ome\.tiff), (Series|Label map) .*middle z plane", picture.get("alt") or "")


def test_counts_agree_with_their_words() -> None:
    assert [plural(count, word) for count, word in ((1, "input"), (2, "input"), (0, "error"), (1, "series"))] == [
        "1 input",
        "2 inputs",
        "0 errors",
        "1 series",
    ]


def test_a_z_step_of_one_plane_is_not_shown() -> None:
    size = Quantity(2.0, "µm")
    assert dict(_facts(image(pixel_size_z=size)))["z step"] == ""
    assert dict(_facts(image(z=2, pixel_size_z=size)))["z step"] == "2 µm"
    assert dict(_facts(replace(image(z=2), metadata=ImageMetadata())))["z step"] == "unknown"


@pytest.mark.parametrize(("original", "key", "person"), [("keep", True, True), ("scrub", True, False), ("drop", False, False)])
def test_the_page_shows_the_sources_own_metadata_only_as_far_as_asked(tmp_path: Path, original: Original, key: bool, person: bool) -> None:
    page = Page(original=original)
    pairs = (("Gain", "fourteen"), ("UserName", "marie"))
    made = image(original=pairs)
    page.add(Input("a.czi", tmp_path, 1, Dataset(Location(tmp_path / "a.czi"), "Zeiss CZI", (made,))))
    page.write(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert ("fourteen" in text, "marie" in text) == (key, person)
