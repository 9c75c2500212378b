"""The command line of ``scripts/galaxy.py``, before any Galaxy is made."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.accounts import workflow_files
from local.commands import check_archives, check_inputs, main, parse
from local.instance import Connection
from local.paths import LocalGalaxyError

WORKFLOWS = {path.parent.name: path for path in workflow_files()}


@pytest.fixture(autouse=True)
def _signals_as_they_were() -> Iterator[None]:
    """Give the process of the tests back what a command does with signals."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize(
    "words",
    [
        ["run", "idr-to-ome-zarr", "6001240", "9846137", "--live", "--set", "Resolution level=1"],
        ["run", "idr-to-ome-zarr", "--live", "6001240", "9846137", "--set", "Resolution level=1"],
        ["run", "idr-to-ome-zarr", "6001240", "--live", "--set", "Resolution level=1", "9846137"],
        ["run", "--live", "--set", "Resolution level=1", "idr-to-ome-zarr", "6001240", "9846137"],
    ],
)
def test_inputs_may_stand_before_and_behind_the_options(words: list[str]) -> None:
    options = parse(words)
    assert (options.workflow, options.inputs, options.live, options.settings) == (
        "idr-to-ome-zarr",
        ["6001240", "9846137"],
        True,
        ["Resolution level=1"],
    )


def test_tools_to_be_tested_may_stand_behind_the_options() -> None:
    assert parse(["test", "lm_check", "--name", "other", "lm_convert"]).targets == ["lm_check", "lm_convert"]


@pytest.mark.parametrize("words", [["run", "idr-to-ome-zarr", "--lively", "6001240"], ["serve", "something"], ["test", "--fast"]])
def test_what_is_not_understood_is_named_with_the_usage_of_its_command(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(words)
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert f"usage: galaxy.py {words[0]} " in said
    assert f"unrecognized arguments: {next(word for word in words[1:] if word in said)}" in said


def test_a_file_that_is_not_there_is_told_before_a_galaxy_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIGHTMICROSCOPY_LOCAL", str(tmp_path / "state"))
    missing = tmp_path / "none.czi"
    assert main(["run", "microscope-files-to-open-formats", str(missing)]) == 1
    assert capsys.readouterr().err == f"galaxy: The input {missing} does not exist.\n"
    assert not (tmp_path / "state").exists()


def test_ids_need_not_be_files(test_data: Path) -> None:
    check_inputs(WORKFLOWS["idr-to-ome-zarr"], ["6001240"])
    check_inputs(WORKFLOWS["microscope-files-to-open-formats"], [str(test_data / "cells.ome.tiff")])
    with pytest.raises(LocalGalaxyError, match="6001240 does not exist"):
        check_inputs(WORKFLOWS["microscope-files-to-open-formats"], ["6001240"])


@pytest.mark.parametrize(
    ("is_live", "wanted_live", "sentence"),
    [
        (True, False, "uses the live archives. Add --live to this command to use them too, or start another Galaxy with --name."),
        (False, True, "uses the sample archive. Stop it, or start another Galaxy with --name."),
    ],
)
def test_an_open_galaxy_that_uses_the_other_archives_is_not_taken(is_live: bool, wanted_live: bool, sentence: str) -> None:
    with pytest.raises(LocalGalaxyError) as caught:
        check_archives(Connection("http://127.0.0.1:8080", "", "", is_live), live=wanted_live)
    assert str(caught.value) == f"The Galaxy that is open at http://127.0.0.1:8080 {sentence}"
    check_archives(Connection("http://127.0.0.1:8080", "", "", is_live), live=is_live)
