"""OME-Zarr stores that contradict themselves, or list too much, are refused with a sentence or read with a warning."""

from __future__ import annotations

import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightmicroscopy.errors import LimitError, UnreadableError
from lightmicroscopy.metadata import ngff
from lightmicroscopy.readers import zarr_array, zip_members

from .zarr_stores import (
    FIVE,
    FOUR,
    SHAPE,
    Files,
    array_store,
    by_zarr,
    edited,
    folder,
    group,
    image_of,
    image_store,
    opened,
    pixels_of,
    plate_store,
    several,
    waves,
    zipped,
)

THREE = image_store(waves(SHAPE), "0.4", levels=3)


def with_level(pixels: Any, level: int) -> Files:
    """Three levels of which one is another array."""
    kept = {name: data for name, data in THREE.items() if not name.startswith(f"{level}/")}
    return kept | array_store(pixels, str(level), "0.4")


def scaled(files: Files, level: int, scale: list[float]) -> Files:
    def change(attributes: Any) -> None:
        attributes["multiscales"][0]["datasets"][level]["coordinateTransformations"] = [{"type": "scale", "scale": scale}]

    return edited(files, ".zattrs", change)


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (waves((1, 2, 3, 18, 25)), "1 time points and 2 channels, where the largest has 2 and 2"),
        (waves((2, 1, 3, 18, 25)), "2 time points and 1 channels"),
        (waves((2, 2, 3, 18, 25), "uint8"), "type uint8, where those of the largest are uint16"),
        (waves((2, 2, 3, 38, 50)), "3 × 38 × 50 pixels .* larger than the level before"),
        (waves((2, 2, 4, 18, 25)), "4 × 18 × 25 pixels .* larger than the level before"),
    ],
    ids=["fewer times", "fewer channels", "another type", "higher", "deeper"],
)
def test_a_level_that_is_another_image_is_left_out_with_those_after_it(tmp_path: Path, pixels: Any, words: str) -> None:
    with opened(folder(with_level(pixels, 1), tmp_path)) as dataset:
        (image,) = dataset.images
        assert [level.pixels.shape[:5] for level in image.levels] == [SHAPE]
        (sentence,) = image.warnings
        assert sentence.startswith("Its resolution level 1 has ")
        assert sentence.endswith("; it and the 1 after it are left out.")
        assert re.search(words, sentence)


def test_levels_before_an_odd_one_are_kept(tmp_path: Path) -> None:
    with opened(folder(with_level(waves((2, 2, 3, 19, 25)), 2), tmp_path)) as dataset:
        assert len(dataset.images[0].levels) == 2
        assert dataset.images[0].warnings[0].endswith("; it is left out.")


def test_levels_of_the_same_size_are_all_kept(tmp_path: Path) -> None:
    with opened(folder(with_level(waves((2, 2, 3, 37, 50)), 1), tmp_path)) as dataset:
        assert len(dataset.images[0].levels) == 3


def test_the_stated_scale_of_a_level_decides_over_its_rounded_size(tmp_path: Path) -> None:
    with opened(folder(scaled(FOUR, 1, [3.0, 1.0, 2.0, 1.0, 1.0]), tmp_path)) as dataset:
        (image,) = dataset.images
        assert image.levels[1].pixels.shape.y == 18
        assert image.levels[1].factor == (1.0, 2.0, 2.0)
        assert image.warnings == ()


def test_a_scale_that_contradicts_the_size_is_kept_and_told(tmp_path: Path) -> None:
    with opened(folder(scaled(FOUR, 1, [3.0, 1.0, 2.0, 1.0, 2.0]), tmp_path)) as dataset:
        (image,) = dataset.images
        assert image.levels[1].factor == (1.0, 2.0, 4.0)
        (sentence,) = image.warnings
        assert "level 1 says that pixels are 4 times as large along x" in sentence
        assert "its size says 2 times" in sentence


@pytest.mark.parametrize("scale", [[3, 1, 0, 0, 0], [3, 1, -1, -1, -1], [1e300] * 5, [5e-324] * 5, [3, 1, 2]])
def test_a_scale_of_a_level_that_is_no_size_gives_way_to_the_sizes(tmp_path: Path, scale: list[float]) -> None:
    with opened(folder(scaled(FOUR, 1, scale), tmp_path)) as dataset:
        assert dataset.images[0].levels[1].factor == (1.0, 37 / 18, 2.0)


def test_a_scale_of_more_digits_than_a_number_has_is_not_understood(tmp_path: Path) -> None:
    with opened(folder(scaled(FOUR, 0, [10**400, 1, 1, 1, 1]), tmp_path)) as dataset:
        assert dataset.images[0].metadata.pixel_size_x is None
        assert any("not understood" in sentence for sentence in dataset.images[0].warnings)


def test_scales_that_multiply_to_infinity_are_left_out(tmp_path: Path) -> None:
    twice = [{"type": "scale", "scale": [1e300] * 5}] * 2
    files = edited(FOUR, ".zattrs", lambda value: value["multiscales"][0]["datasets"][0].update(coordinateTransformations=twice))
    with opened(folder(files, tmp_path)) as dataset:
        assert dataset.images[0].metadata.pixel_size_x is None
        assert any("no finite number" in sentence for sentence in dataset.images[0].warnings)


@pytest.mark.parametrize(("shift", "told"), [([0, 0, 0, 12.5, -3], True), ([0, 0, 0, 0, 0], False)])
def test_a_position_by_translation_is_told_not_dropped_in_silence(tmp_path: Path, shift: list[float], told: bool) -> None:
    def change(attributes: Any) -> None:
        attributes["multiscales"][0]["datasets"][0]["coordinateTransformations"].append({"type": "translation", "translation": shift})

    with opened(folder(edited(FOUR, ".zattrs", change), tmp_path)) as dataset:
        sentences = [sentence for sentence in dataset.images[0].warnings if "translation" in sentence]
        assert len(sentences) == told
        assert all("y 12.5 micrometer, x -3 micrometer" in sentence for sentence in sentences)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"colors": [{"label-value": 1, "rgba": [255, 0, 0, 255]}]}, ["The colors of its labels"]),
        ({"colors": [{"label-value": 1}], "properties": [{"label-value": 1, "area": 7}]}, ["The colors and properties of its labels"]),
        ({"colors": []}, []),
    ],
)
def test_colours_and_properties_of_labels_that_are_not_kept_are_told(tmp_path: Path, more: dict[str, Any], words: list[str]) -> None:
    labels = waves((1, 1, 1, 20, 20), "uint8")
    files = image_store(labels, "0.4", image=image_of(labels, kind="label"))
    with opened(folder(edited(files, ".zattrs", lambda value: value["image-label"].update(more)), tmp_path)) as dataset:
        warnings = dataset.images[0].warnings
        assert len(warnings) == len(words)
        assert all(sentence.startswith(start) for sentence, start in zip(warnings, words, strict=True))


@pytest.mark.parametrize("below", ["./", ".//", "cells.zarr/./"])
def test_members_of_a_zip_named_from_here_are_found(tmp_path: Path, below: str) -> None:
    with opened(zipped(FOUR, tmp_path / "x.zip", below=below)) as dataset:
        assert np.array_equal(pixels_of(dataset.images[0]), waves(SHAPE))


@pytest.mark.parametrize("name", [".zattrs", "./.zattrs"])
@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_of_two_members_of_one_name_the_last_counts(tmp_path: Path, name: str) -> None:
    path = zipped(FOUR, tmp_path / "x.zip")
    changed = edited(FOUR, ".zattrs", lambda value: value["multiscales"][0].update(name="written again"))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, changed[".zattrs"])
    with opened(path) as dataset:
        assert dataset.images[0].name == "written again"


def sharded_zip(tmp_path: Path) -> Path:
    store = by_zarr(tmp_path / "store", waves(SHAPE), 3, chunks=(1, 1, 1, 16, 16), shards=(2, 2, 3, 48, 64))
    files = {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}
    return zipped(files, tmp_path / "x.zip", method=zipfile.ZIP_DEFLATED)


def test_a_compressed_shard_is_unpacked_once_for_all_its_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked = []
    inflate = zip_members.ZipMembers._inflate

    def counted(self: zip_members.ZipMembers, name: str, member: zip_members.Member, packed: bytes) -> bytes:
        unpacked.append(name)
        return inflate(self, name, member, packed)

    monkeypatch.setattr(zip_members.ZipMembers, "_inflate", counted)
    with opened(sharded_zip(tmp_path)) as dataset:
        assert np.array_equal(pixels_of(dataset.images[0]), waves(SHAPE))
    assert unpacked.count("0/c/0/0/0/0/0") == 1


def test_a_long_compressed_shard_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_members, "RANGED", 1000)
    with opened(sharded_zip(tmp_path)) as dataset, pytest.raises(LimitError, match=r"0/c/0/0/0/0/0 .* zip the store without compression"):
        pixels_of(dataset.images[0])


def test_folders_linked_in_a_circle_are_not_walked(tmp_path: Path) -> None:
    shape = {"shape": [1, 1, 1, 10**6, 10**6]}
    files = {name: data for name, data in edited(FOUR, "0/.zarray", lambda value: value.update(shape)).items() if not name.startswith(("0/0", "0/1"))}
    store = folder(files, tmp_path)
    for name in ("a", "b"):
        (store / "0" / name).symlink_to(store / "0")
    with pytest.raises(LimitError, match="stores next to nothing"):
        opened(store)
    from lightmicroscopy.readers.zarr_store import open_store

    assert list(open_store(store).children("0")) == [(".zarray", False)]


def test_a_link_to_itself_is_named(tmp_path: Path) -> None:
    files = edited(FOUR, "0/.zarray", lambda value: value.update(shape=[1, 1, 1, 10**6, 10**6]))
    store = folder({name: data for name, data in files.items() if not name.startswith(("0/0", "0/1"))}, tmp_path)
    os.symlink("a", store / "0" / "a")  # noqa: PTH211 - a link relative to itself
    with pytest.raises(UnreadableError, match="0/a is reached through a symbolic link that leads back to itself"):
        opened(store)


def test_the_search_for_chunks_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = edited(FOUR, "0/.zarray", lambda value: value.update(shape=[1, 1, 1, 10**5, 10**5]))
    store = folder(files, tmp_path)
    with opened(store) as dataset:
        assert dataset.images[0].shape.y == 10**5
    monkeypatch.setattr(zarr_array, "_ENTRIES", 2)
    with pytest.raises(LimitError, match="stores next to nothing"):
        opened(store)


def test_more_levels_than_any_image_has_are_refused(tmp_path: Path) -> None:
    many = [{"path": str(level)} for level in range(65)]
    with pytest.raises(LimitError, match="65 resolution levels; at most 64"):
        opened(folder(edited(FOUR, ".zattrs", lambda value: value["multiscales"][0].update(datasets=many)), tmp_path))


@pytest.mark.parametrize("again", ["0", "/0", "0/"])
def test_a_level_listed_twice_is_refused(tmp_path: Path, again: str) -> None:
    with pytest.raises(UnreadableError, match="level 0 more than once"):
        opened(folder(edited(FOUR, ".zattrs", lambda value: value["multiscales"][0]["datasets"][1].update(path=again)), tmp_path))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_series_listed_twice_is_refused(tmp_path: Path, version: ngff.Version) -> None:
    with pytest.raises(UnreadableError, match="series 0 more than once"):
        opened(folder(several(version, ["0", "1", "0/"]), tmp_path))


def test_more_series_than_are_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="100,001 series"):
        opened(folder(several("0.4", [str(series) for series in range(100_001)]), tmp_path))


def test_more_fields_than_are_read_are_refused(tmp_path: Path) -> None:
    fields = [{"path": "0"}] * 100_001
    with pytest.raises(LimitError, match="fields; at most 100,000"):
        opened(folder(edited(plate_store("0.4"), "B/7/.zattrs", lambda value: value["well"].update(images=fields)), tmp_path))


def test_more_wells_than_are_read_are_refused(tmp_path: Path) -> None:
    wells = [{"path": "B/7", "rowIndex": 1, "columnIndex": 6}] * 100_001
    with pytest.raises(LimitError, match="100,001 wells"):
        opened(folder(edited(plate_store("0.4"), ".zattrs", lambda value: value["plate"].update(wells=wells)), tmp_path))


def test_more_label_maps_than_are_read_are_refused(tmp_path: Path) -> None:
    names = [str(label) for label in range(1001)]
    with pytest.raises(LimitError, match="1,001 label maps of image 0"):
        opened(folder(FOUR | group("labels", ngff.labels_attributes(names, "0.4"), "0.4"), tmp_path))


@pytest.mark.parametrize("raw", [b"\\ud800cells\\udc00", b"\xed\xa0\x80cells\xed\xb0\x80"], ids=["escaped", "as bytes"])
def test_half_surrogate_pairs_in_names_are_replaced(tmp_path: Path, raw: bytes) -> None:
    document = json.loads(FIVE["zarr.json"])
    document["attributes"]["ome"]["multiscales"][0]["name"] = "NAME"
    document["attributes"]["ome"]["omero"]["channels"][0]["label"] = "NAME"
    with opened(folder(FIVE | {"zarr.json": json.dumps(document).encode().replace(b"NAME", raw)}, tmp_path)) as dataset:
        assert dataset.images[0].name == "\ufffdcells\ufffd"
        assert dataset.images[0].metadata.channels[0].name == "\ufffdcells\ufffd"


def test_whole_surrogate_pairs_are_the_character_they_spell(tmp_path: Path) -> None:
    document = json.dumps(json.loads(FIVE["zarr.json"])).replace('"name": "cells"', '"name": "\\ud83d\\udd2c"')
    with opened(folder(FIVE | {"zarr.json": document.encode()}, tmp_path)) as dataset:
        assert dataset.images[0].name == "\U0001f52c"
