"""Names out of files: of thousands or millions of characters, with line ends, or of bytes that are no text."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

import lm_check
import lm_compare
import lm_convert
import lm_inspect
from lightmicroscopy.convert import Request, convert
from lightmicroscopy.image import Location
from lightmicroscopy.metadata.ome_read import read_ome
from lightmicroscopy.provenance import NAMESPACE
from lightmicroscopy.selection import Selection

from .ome_tiff_files import ome, sizes, written

NOT_TEXT = os.fsdecode(b"bad\xff\xfe")
PLANE = np.arange(16 * 16, dtype=np.uint8).reshape(16, 16)


def hdf5(path: Path, *names: str) -> Path:
    with h5py.File(path, "w") as file:
        for name in names:
            file[name] = PLANE
    return path


def record(path: Path) -> dict[str, str]:
    """What the copy says of its source."""
    with tifffile.TiffFile(path) as file:
        assert np.array_equal(file.pages.first.asarray(), PLANE)
        document = read_ome(file.pages.first.tags["ImageDescription"].value.encode(), path.name)
    (note,) = (note for note in document.images[0].metadata.annotations if note.namespace == NAMESPACE)
    return dict(note.pairs)


def test_a_series_with_a_name_of_9000_bytes_is_converted_like_the_others(tmp_path: Path) -> None:
    source = hdf5(tmp_path / "long.h5", "x" * 9000, "y")
    with convert(Location(source), tmp_path / "out", Request("ome-tiff")).dataset:
        pass
    names = sorted(record(path)["Source series name"] for path in (tmp_path / "out").iterdir())
    assert names == [names[0], names[1]]
    assert names[0].endswith("x" * 9000)
    assert names[1].endswith("y")


def test_a_selection_of_thousands_of_numbers_is_kept_whole(tmp_path: Path) -> None:
    wanted = ",".join("0" for _ in range(8000))
    with convert(Location(hdf5(tmp_path / "one.h5", "y")), tmp_path / "out", Request("ome-tiff", Selection(wanted))).dataset:
        pass
    (path,) = (tmp_path / "out").iterdir()
    assert record(path)["Selection"] == f"--series {wanted}"


@pytest.mark.parametrize("wanted", ["ome-tiff", "ome-zarr"])
@pytest.mark.parametrize("name", ["stack.czi", "confocal.lsm", "plain.h5", "plain.tif", "rgb.png", "cells_04.ome.zarr.zip"])
def test_a_file_whose_name_is_no_text_is_converted(
    test_data: Path, tmp_path: Path, name: str, wanted: str, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / f"{NOT_TEXT}{name}"
    shutil.copyfile(test_data / name, source)
    reports = ("--report", "r.tsv", "--checksums", "sums", "--preview", "p.png")
    flags = [str(tmp_path / part) if number % 2 else part for number, part in enumerate(reports)]
    assert lm_convert.main([str(source), "--output", str(tmp_path / "out"), "--format", wanted, *flags]) == 0
    assert "fault" not in capfd.readouterr().err
    assert f"bad\ufffd\ufffd{name}" in (tmp_path / "r.tsv").read_text(encoding="utf-8")


def test_it_is_inspected_checked_and_found_again_in_its_copy(test_data: Path, tmp_path: Path) -> None:
    source = tmp_path / f"{NOT_TEXT}.tif"
    shutil.copyfile(test_data / "plain.tif", source)
    assert lm_convert.main([str(source), "--output", str(tmp_path / "out"), "--format", "ome-tiff", "--quiet"]) == 0
    (copy,) = (tmp_path / "out").iterdir()
    assert lm_inspect.main([str(source), "--html", str(tmp_path / "i.html"), "--ome-xml", str(tmp_path / "ome"), "--checksum", "--quiet"]) == 0
    assert lm_check.main([str(source), "--html", str(tmp_path / "c.html"), "--quiet"]) == 0
    assert lm_compare.main([str(source), str(copy), "--table", str(tmp_path / "t.tsv"), "--fail-on", "difference", "--quiet"]) == 0


def test_a_line_end_in_the_name_of_a_series_makes_no_message_of_its_own(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = hdf5(tmp_path / "two.h5", "a\nlm_convert: all is well\r\u2028lm_convert: indeed\x1b[2J", "b")
    assert lm_convert.main([str(source), "--output", str(tmp_path / "out"), "--format", "ome-tiff"]) == 0
    said = capfd.readouterr().err
    assert "all is well lm_convert: indeed" in said
    assert all(line.startswith("lm_convert: ") and not line.startswith(("lm_convert: all", "lm_convert: indeed")) for line in said.splitlines())
    assert "\x1b" not in said


@pytest.fixture(scope="module")
def wordy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an image with a name of three million letters."""
    xml = ome(sizes(), "<TiffData/>", name="A" * 3_000_000).replace("uint16", "uint8").replace('SizeX="9" SizeY="7"', 'SizeX="16" SizeY="16"')
    return written(tmp_path_factory.mktemp("wordy") / "wordy.ome.tiff", PLANE[None], xml)


def test_pages_do_not_repeat_a_name_of_millions_of_letters(wordy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pages = [tmp_path / f"{name}.html" for name in ("inspect", "check", "compare")]
    began = time.process_time()
    assert lm_inspect.main([str(wordy), "--html", str(pages[0])]) == 0
    assert lm_check.main([str(wordy), "--html", str(pages[1])]) == 0
    assert lm_compare.main([str(wordy), str(wordy), "--html", str(pages[2])]) == 0
    assert all("AAAA" in page.read_text(encoding="utf-8") and page.stat().st_size < 100_000 for page in pages)
    assert len(capfd.readouterr().err) < 20_000
    assert time.process_time() - began < 30


def test_it_is_converted_and_kept_whole(wordy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    began = time.process_time()
    assert lm_convert.main([str(wordy), "--output", str(tmp_path), "--format", "ome-tiff"]) == 0
    assert time.process_time() - began < 30
    assert record(tmp_path / "wordy.ome.tiff")["Source series name"] == "A" * 3_000_000
    assert len(capfd.readouterr().err) < 20_000
