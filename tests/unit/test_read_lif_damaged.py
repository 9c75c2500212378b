"""Leica files that are cut, contradict themselves or mean harm are refused in a sentence, and cost nothing."""

from __future__ import annotations

import re
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightmicroscopy import readers
from lightmicroscopy.errors import LimitError, SuiteError, UnreadableError
from lightmicroscopy.image import Dataset, Image, Location, Region
from lightmicroscopy.metadata import safe_xml
from lightmicroscopy.readers import lif_project, lif_structure, tiff_source

from .lif_files import LENGTHS, Made, block, header, lif, lof, text_part, write_lif, write_project

X, Y, Z, T, EMISSION, TILE = 1, 2, 3, 4, 5, 10
XY = [(X, 8), (Y, 6)]
MADE = Made("scan", [*XY, (Z, 3), (T, 2)], luts=("Red", "Green"))


def opened(path: Path) -> Dataset:
    return readers.open(Location(path, (path,)))


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def read(image: Image) -> bytes:
    source = image.levels[0].pixels
    return source.read(Region.whole(source.shape)).tobytes()


@pytest.mark.parametrize("keep", [20, 100, 1000])
def test_a_file_cut_in_its_header_is_refused(tmp_path: Path, keep: int) -> None:
    with pytest.raises(UnreadableError, match=r"cut\.lif is truncated: its header ends"):
        opened(written(tmp_path / "cut.lif", lif([MADE])[:keep]))


def test_a_file_that_is_refused_is_not_kept_open(tmp_path: Path) -> None:
    path = written(tmp_path / "cut.lif", lif([MADE])[:500])
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(UnreadableError, match=r"cut\.lif"):
        opened(path)
    assert sorted(Path("/proc/self/fd").iterdir()) == before


def test_pixels_that_are_cut_off_are_never_made_black(tmp_path: Path) -> None:
    whole = Made("first", XY)
    data = lif([whole, MADE])
    with opened(written(tmp_path / "cut.lif", data[:-10])) as dataset:
        first, cut = dataset.images
        assert read(first) == whole.values().tobytes()
        assert cut.warnings == ("cut.lif is cut off: a part of the pixels of scan is missing.",)
        with pytest.raises(UnreadableError, match=r"cut\.lif is truncated: pixels of scan are missing"):
            read(cut)
        cut.levels[0].pixels.read(Region.plane(cut.shape, 0, 0, 0))


def test_an_image_whose_block_is_gone_is_said_and_refused(tmp_path: Path) -> None:
    data = lif([Made("first", XY), MADE])
    with opened(written(tmp_path / "cut.lif", data[: -MADE.values().nbytes - 30])) as dataset:
        assert len(dataset.images) == 2
        assert any("scan are missing" in warning for warning in dataset.images[1].warnings)
        with pytest.raises(UnreadableError, match="are missing"):
            read(dataset.images[1])


def test_rubbish_between_blocks_is_said(tmp_path: Path) -> None:
    first, second = Made("a", XY), Made("b", XY)
    blocks = block(first.memory_id, first.values().tobytes()) + b"rubbish!" * 9 + block(second.memory_id, second.values().tobytes())
    with opened(written(tmp_path / "a.lif", text_part(header([first, second])) + blocks)) as dataset:
        assert read(dataset.images[0]) == first.values().tobytes()
        assert any("does not go on as a Leica file does" in warning for warning in dataset.warnings)
        with pytest.raises(UnreadableError, match="are missing"):
            read(dataset.images[1])


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('DimID="1" NumberOfElements="8"', 'DimID="1" NumberOfElements="80000000"', "declares"),
        ('DimID="3" NumberOfElements="3"', 'DimID="3" NumberOfElements="0"', "its z has 0 elements"),
        ('DimID="3" NumberOfElements="3"', 'DimID="3" NumberOfElements="-3"', "its z has -3 elements"),
        ('BytesInc="96"', 'BytesInc="0"', "lie 0 bytes apart"),
        ('BytesInc="96"', 'BytesInc="10"', "lie in one place"),
        ('BytesInc="48" BitInc="0"></Ch', 'BytesInc="0" BitInc="0"></Ch', "lie in one place"),
        ('BytesInc="48" BitInc="0"></Ch', 'BytesInc="-48" BitInc="0"></Ch', "declares"),
        ('BytesInc="48" BitInc="0"></Ch', 'BytesInc="48000" BitInc="0"></Ch', "declares"),
        ('DataType="0" ChannelTag="0" Resolution="8"', 'DataType="1" ChannelTag="0" Resolution="8"', "of one that is not read"),
        ("DimensionDescription", "Dimension", "0 dimensions"),
        ("ChannelDescription", "Channel", "0 channels"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(tmp_path: Path, old: str, new: str, why: str) -> None:
    xml = header([MADE])
    assert old in xml
    with pytest.raises(UnreadableError, match=why):
        opened(written(tmp_path / "a.lif", lif([MADE], xml=xml.replace(old, new))))


def test_one_image_that_makes_no_sense_costs_only_itself(tmp_path: Path) -> None:
    other = Made("other", [(X, 5), (Y, 4)])
    xml = header([MADE, other]).replace('DimID="1" NumberOfElements="8"', 'DimID="1" NumberOfElements="88"')
    with opened(written(tmp_path / "a.lif", lif([MADE, other], xml=xml))) as dataset:
        assert [image.name for image in dataset.images] == ["other"]
        assert dataset.images[0].series == 0
        assert any("One of its images was left out. scan is damaged" in warning for warning in dataset.warnings)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('DimID="3" NumberOfElements="3"', 'DimID="3" NumberOfElements="2"', "sizes may be wrong"),
        ('DimID="1" NumberOfElements', 'DimID="7" NumberOfElements', "no dimension x"),
        ('DimID="4" NumberOfElements', 'DimID="3" NumberOfElements', "a dimension twice"),
        ('<Memory Size="288"', '<Memory Size="280"', "its memory has 288"),
    ],
)
def test_a_doubtful_header_is_said(tmp_path: Path, old: str, new: str, why: str) -> None:
    xml = header([Made("scan", [*XY, (Z, 3), (T, 2)])])
    assert old in xml
    with opened(written(tmp_path / "a.lif", lif([Made("scan", [*XY, (Z, 3), (T, 2)])], xml=xml.replace(old, new)))) as dataset:
        assert any(why in warning for warning in dataset.images[0].warnings)


def test_an_image_without_pixels_is_left_out_and_counted(tmp_path: Path) -> None:
    empty = Made("empty", XY)
    xml = header([MADE, empty]).replace('<Memory Size="48"', '<Memory Size="0"')
    data = text_part(xml) + block(MADE.memory_id, MADE.values().tobytes()) + block(empty.memory_id, b"")
    with opened(written(tmp_path / "a.lif", data)) as dataset:
        assert [image.name for image in dataset.images] == ["scan"]
        assert any(warning.startswith("1 of the images named") for warning in dataset.warnings)


def test_recordings_of_photons_are_a_named_loss(tmp_path: Path) -> None:
    photons = '<Element Name="FLIM"><Data><SingleMoleculeDetection IsImage="true"/></Data><Memory Size="0" MemoryBlockID="f"/></Element>'
    xml = header([MADE]).replace("</Children></Element></LMS", f"{photons}</Children></Element></LMS")
    with opened(written(tmp_path / "a.lif", lif([MADE], xml=xml))) as dataset:
        assert len(dataset.images) == 1
        assert any("1 recordings of single photons" in warning for warning in dataset.warnings)


def test_a_file_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="holds no image that can be read"):
        opened(written(tmp_path / "a.lif", lif([], xml=header([]))))


@pytest.mark.parametrize("declaration", ['<!DOCTYPE a [<!ENTITY b "c">]>', '<!DOCTYPE a SYSTEM "http://host.invalid/x">'])
def test_a_document_type_is_refused(tmp_path: Path, declaration: str) -> None:
    with pytest.raises(UnreadableError, match=r"document type|not well-formed"):
        opened(written(tmp_path / "a.lif", lif([MADE], xml=declaration + header([MADE]))))


def test_characters_that_xml_does_not_allow_cost_nothing(tmp_path: Path) -> None:
    xml = header([MADE]).replace('TextDescription=""', 'TextDescription="a\x00b\x1f&#x1;c&#11;"')
    with opened(written(tmp_path / "a.lif", lif([MADE], xml=xml))) as dataset:
        assert dataset.images[0].metadata.description == "abc"


def test_a_header_larger_than_is_accepted_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (lif_structure, safe_xml):
        monkeypatch.setattr(module, "LARGEST", 1000)
    with pytest.raises(LimitError, match="at most"):
        opened(write_lif(tmp_path / "a.lif", MADE))


def test_more_series_than_anybody_has_are_refused(tmp_path: Path) -> None:
    made = Made("scan", [(X, 1), (Y, 1), (TILE, 200_000)])
    with pytest.raises(LimitError, match="more than 100,000 tiles"):
        opened(write_lif(tmp_path / "a.lif", made))


def test_tiles_that_lie_absurdly_far_apart_are_not_made_one_image(tmp_path: Path) -> None:
    places = '<Tile FieldX="0" FieldY="0" PosX="0" PosY="0"/><Tile FieldX="1" FieldY="0" PosX="5" PosY="5"/>'
    made = Made("scan", [*XY, (TILE, 2)], extra=f'<Attachment Name="TileScanInfo">{places}</Attachment>', lengths={**LENGTHS, X: 7e-6, Y: 5e-6})
    path = write_lif(tmp_path / "a.lif", made)
    with pytest.raises(LimitError, match="Leave the tiles as they are"):
        readers.open(Location(path, (path,), mosaic="fuse"))
    with opened(path) as dataset:
        assert len(dataset.images) == 2


@pytest.mark.parametrize("keep", [45, 60, 100, 400])
def test_a_lof_that_is_cut_is_refused(tmp_path: Path, keep: int) -> None:
    with pytest.raises(UnreadableError, match="truncated"):
        opened(written(tmp_path / "a.lof", lof(MADE)[:keep]))


def test_a_lof_that_claims_more_than_there_is_is_refused(tmp_path: Path) -> None:
    data = bytearray(lof(MADE))
    at = data.index(struct.pack("<Q", MADE.values().nbytes))
    data[at : at + 8] = struct.pack("<Q", 1 << 62)
    with pytest.raises(UnreadableError, match="truncated"):
        opened(written(tmp_path / "a.lof", bytes(data)))


@pytest.mark.parametrize("kind", ["lof", "tif"])
def test_a_missing_file_of_a_project_is_named(tmp_path: Path, kind: str) -> None:
    path = write_project(tmp_path / "project", MADE, kind=kind)
    gone = next(path.parent.glob("scan*"))
    gone.unlink()
    with pytest.raises(UnreadableError, match=re.escape(f"'{gone.name}' is not there")):
        opened(path)


def test_a_missing_part_of_a_project_is_named(tmp_path: Path) -> None:
    path = write_project(tmp_path / "project", MADE)
    (path.parent / "Metadata" / "scan.xlif").unlink()
    with pytest.raises(UnreadableError, match=r"'scan\.xlif' is not there"):
        opened(path)


@pytest.mark.parametrize("name", ["../../secret.lof", "..\\..\\secret.lof", "/etc/passwd.lof", "C:\\secret.lof", "file:///secret.lof"])
def test_a_project_opens_nothing_outside_its_folder(tmp_path: Path, name: str) -> None:
    path = write_project(tmp_path / "deep" / "project", MADE)
    (tmp_path / "secret.lof").write_bytes(lof(MADE))
    xlif = path.parent / "Metadata" / "scan.xlif"
    xlif.write_text(xlif.read_text(encoding="utf-8").replace("..\\scan.lof", name), encoding="utf-8")
    with pytest.raises(UnreadableError, match="is not there"):
        opened(path)


def test_projects_that_refer_to_each_other_end(tmp_path: Path) -> None:
    path = write_project(tmp_path / "project", MADE)
    path.write_text(path.read_text(encoding="utf-8").replace("</Children>", '<Reference File="Project.xlef"/></Children>'), encoding="utf-8")
    with opened(path) as dataset:
        assert len(dataset.images) == 1


def test_a_picture_of_another_size_than_the_project_says_is_refused(tmp_path: Path) -> None:
    import tifffile

    path = write_project(tmp_path / "project", MADE, kind="tif")
    tifffile.imwrite(path.parent / "scan_003.tif", [[1, 2], [3, 4]], dtype="uint8", photometric="minisblack")
    with opened(path) as dataset, pytest.raises(UnreadableError, match=r"scan_003\.tif holds 4 bytes"):
        read(dataset.images[0])


GRAY = Made("scan", XY)


def test_a_large_picture_in_one_large_strip_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tifffile

    path = write_project(tmp_path / "project", GRAY, kind="tif")
    pixels = GRAY.values().reshape(6, 8)
    tifffile.imwrite(path.parent / "scan_000.tif", pixels, compression="zlib", rowsperstrip=6)
    monkeypatch.setattr(lif_project, "LARGE_UNIT", 40)
    monkeypatch.setattr(tiff_source, "LARGE_UNIT", 40)
    with opened(path) as dataset:
        assert read(dataset.images[0]) == pixels.tobytes()


@pytest.mark.parametrize("names", [["scan"], ["scan", "other"]])
def test_projects_that_are_each_others_pictures_are_refused(tmp_path: Path, names: list[str]) -> None:
    path = write_project(tmp_path / "project", *(Made(name, XY) for name in names), kind="tif")
    for name, picture in zip(names, reversed(names), strict=True):
        xlif = path.parent / "Metadata" / f"{name}.xlif"
        xlif.write_text(xlif.read_text(encoding="utf-8").replace(f"..\\{name}_000.tif", f"{picture}.xlif"), encoding="utf-8")
    with opened(path) as dataset, pytest.raises(UnreadableError, match=rf"{names[-1]}\.xlif is named by a project .* is no TIFF"):
        read(dataset.images[0])


def test_another_format_is_no_picture_of_a_project(tmp_path: Path) -> None:
    path = write_project(tmp_path / "project", GRAY, kind="tif")
    write_lif(path.parent / "scan_000.tif", GRAY)
    with opened(path) as dataset, pytest.raises(UnreadableError, match=r"scan_000\.tif .* is no TIFF"):
        read(dataset.images[0])


@pytest.mark.parametrize("sample", [None, 0, 1, 2])
def test_a_picture_in_colour_is_no_single_channel(tmp_path: Path, sample: int | None) -> None:
    import tifffile

    path = write_project(tmp_path / "project", GRAY, kind="tif")
    pixels = np.repeat(GRAY.values().reshape(6, 8, 1), 3, axis=2)
    if sample is not None:
        pixels[5, 7, sample] ^= 1
    tifffile.imwrite(path.parent / "scan_000.tif", pixels, photometric="rgb")
    with opened(path) as dataset:
        if sample is None:
            assert read(dataset.images[0]) == pixels[..., 0].tobytes()
        else:
            with pytest.raises(UnreadableError, match=r"scan_000\.tif is a picture in colour"):
                read(dataset.images[0])


def outcome(path: Path, good: list[tuple[Any, bytes]]) -> str:
    """What became of a damaged file; anything but these words and a sentence is a failure of the reader."""
    try:
        with opened(path) as dataset:
            told = bool(dataset.warnings or any(image.warnings for image in dataset.images))
            found = [(image.shape, read(image)) for image in dataset.images]
    except SuiteError:
        return "refused"
    if found == good:
        return "unharmed"
    return "told" if told else "other values" if [shape for shape, _ in found] == [shape for shape, _ in good] else "other shape"


def test_no_cut_and_no_flipped_bit_breaks_the_reader_or_goes_unseen(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    data = lif([MADE, Made("other", [(X, 7), (Y, 5)], padding=1)])
    path = written(tmp_path / "a.lif", data)
    with opened(path) as dataset:
        good = [(image.shape, read(image)) for image in dataset.images]
    end = 13 + 2 * struct.unpack_from("<I", data, 9)[0]
    counts: Counter[tuple[str, str]] = Counter()
    for _ in range(20):
        counts["cut", outcome(written(path, data[: int(rng.integers(1, len(data)))]), good)] += 1
    digits = [at for at in range(13, end, 2) if chr(data[at]).isdigit()]
    for _ in range(200):
        harmed = bytearray(data)
        harmed[digits[rng.integers(len(digits))]] = b"0123456789"[rng.integers(10)]
        counts["digit", outcome(written(path, bytes(harmed)), good)] += 1
    for _ in range(200):
        harmed = bytearray(data)
        harmed[int(rng.integers(end))] ^= 1 << int(rng.integers(8))
        counts["bit", outcome(written(path, bytes(harmed)), good)] += 1
    assert set(counts) <= {(what, said) for what in ("cut", "digit", "bit") for said in ("refused", "unharmed", "told")} | {
        # The number of a kind of dimension may become that of another: nothing in the file contradicts it.
        ("digit", "other shape"),
        ("bit", "other shape"),
    }
    assert counts["cut", "refused"] == 20
    assert counts["digit", "other shape"] + counts["bit", "other shape"] < 20
