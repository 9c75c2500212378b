"""Reading Nikon ND2: which frame is which plane, and how components become channels and colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightmicroscopy import readers
from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import Dataset, Location, Region
from lightmicroscopy.readers import nd2, nd2_source

from .nd2_files import Nd2, container, custom, phases, plane, points, stack, time_loop, tree, values

PLACES = [(1.0, 2.0, "here"), (3.0, 4.0, ""), (5.0, 6.0, "there")]


def opened(path: Path, **parts: Any) -> Dataset:
    """Make a file and open it, under a name that tells nothing."""
    return readers.open(Location(Nd2(**parts).write(path / "dataset_1.dat")))


def pixels(dataset: Dataset, image: int = 0) -> np.ndarray:
    """All pixels of an image, T C Z Y X S."""
    source = dataset.images[image].levels[0].pixels
    return np.asarray(source.read(Region.whole(source.shape)))


def test_a_single_frame_without_loops_is_one_plane(tmp_path: Path) -> None:
    stored = values(1)
    with opened(tmp_path, pixels=stored) as dataset:
        assert dataset.format == "ND2 3.0"
        (image,) = dataset.images
        assert (image.shape, image.axes, image.name, image.dtype) == ((1, 1, 1, 6, 8, 1), "YX", "dataset_1", np.uint16)
        assert np.array_equal(pixels(dataset)[0, 0, 0], stored[0])


def test_times_stacks_and_channels_are_in_their_places(tmp_path: Path) -> None:
    stored = values(6, components=3)
    with opened(tmp_path, pixels=stored, experiment=time_loop(3, inner=stack(2))) as dataset:
        assert dataset.images[0].axes == "TZCYX"
        assert np.array_equal(pixels(dataset)[..., 0], stored.reshape(3, 2, 6, 8, 3).transpose(0, 4, 1, 2, 3))


@pytest.mark.parametrize("outer", ["positions", "time"])
def test_positions_are_series_whatever_loop_is_outside(tmp_path: Path, outer: str) -> None:
    stored = values(12)
    if outer == "positions":
        experiment = points(PLACES, inner=time_loop(2, inner=stack(2)))
        expected = stored.reshape(3, 2, 2, 6, 8)
    else:
        experiment = time_loop(2, inner=points(PLACES, inner=stack(2)))
        expected = stored.reshape(2, 3, 2, 6, 8).swapaxes(0, 1)
    with opened(tmp_path, pixels=stored, experiment=experiment) as dataset:
        assert [image.name for image in dataset.images] == ["here", "dataset_1 #2", "there"]
        assert [image.metadata.stage_label for image in dataset.images] == ["here", None, "there"]
        for position in range(3):
            assert np.array_equal(pixels(dataset, position)[:, 0, :, :, :, 0], expected[position])


def test_positions_are_not_fused_and_that_is_told(tmp_path: Path) -> None:
    path = Nd2(pixels=values(3), experiment=points(PLACES)).write(tmp_path / "dataset_1.dat")
    with readers.open(Location(path, mosaic="fuse")) as dataset:
        assert len(dataset.images) == 3
        assert "not fused" in dataset.warnings[0]


def test_positions_that_were_unticked_are_no_series(tmp_path: Path) -> None:
    with opened(tmp_path, pixels=values(2), experiment=points(PLACES, valid=bytes([1, 0, 1]))) as dataset:
        assert [image.name for image in dataset.images] == ["here", "there"]


def test_a_colour_camera_gives_red_green_blue(tmp_path: Path) -> None:
    stored = values(2, width=7, components=3, dtype="uint8")
    with opened(tmp_path, pixels=stored, experiment=time_loop(2), planes=[plane("Colour", components=3)]) as dataset:
        (image,) = dataset.images
        assert (image.kind, image.shape, image.axes) == ("rgb", (2, 1, 1, 6, 7, 3), "TYXS")
        assert np.array_equal(pixels(dataset)[:, 0, 0], stored[..., ::-1])


def test_two_colour_channels_each_have_their_colours(tmp_path: Path) -> None:
    stored = values(1, components=6, dtype="uint8")
    with opened(tmp_path, pixels=stored, planes=[plane("A", components=3), plane("B", components=3, index=1)]) as dataset:
        assert dataset.images[0].shape == (1, 2, 1, 6, 8, 3)
        assert np.array_equal(pixels(dataset)[0, 1, 0], stored[0, ..., [5, 4, 3]].transpose(1, 2, 0))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
def test_every_type_keeps_its_values(tmp_path: Path, dtype: str) -> None:
    stored = (np.arange(48).reshape(1, 6, 8, 1) - 20).astype(dtype)
    with opened(tmp_path, pixels=stored) as dataset:
        assert dataset.images[0].dtype == np.dtype(dtype)
        assert np.array_equal(pixels(dataset)[0, 0, 0], stored[0])


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("width", [5, 6, 7, 8])
def test_padding_of_rows_is_cropped(tmp_path: Path, width: int, *, compressed: bool) -> None:
    stored = values(2, width=width, dtype="uint8")
    with opened(tmp_path, pixels=stored, experiment=stack(2), compressed=compressed) as dataset:
        assert dataset.images[0].compression == ("Deflate" if compressed else None)
        assert np.array_equal(pixels(dataset)[0, 0], stored)


@pytest.mark.parametrize("compressed", [False, True])
def test_any_box_of_a_frame_can_be_read_by_itself(tmp_path: Path, *, compressed: bool) -> None:
    stored = values(4, height=9, width=40, components=2)
    with opened(tmp_path, pixels=stored, experiment=time_loop(2, inner=stack(2)), compressed=compressed) as dataset:
        source, whole = dataset.images[0].levels[0].pixels, pixels(dataset)
        for y, x in (((0, 9), (0, 40)), ((2, 5), (3, 4)), ((8, 9), (39, 40)), ((1, 8), (10, 35))):
            box = source.read(Region((1, 2), (1, 2), (0, 2), y, x))
            assert np.array_equal(box, whole[1:2, 1:2, :, slice(*y), slice(*x)])


def test_a_large_packed_frame_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = values(1, height=64, width=64)
    monkeypatch.setattr(nd2_source, "LARGE_UNIT", 1024)
    with opened(tmp_path, pixels=stored, compressed=True) as dataset:
        source = dataset.images[0].levels[0].pixels
        parts = [source.read(Region((0, 1), (0, 1), (0, 1), (y, y + 16), (0, 64))) for y in range(0, 64, 16)]
        assert np.array_equal(np.concatenate(parts, axis=3)[0, 0, 0], stored[0])
        assert source.largest_unit == stored.nbytes  # type: ignore[attr-defined]


def test_significant_bits_are_those_of_the_camera(tmp_path: Path) -> None:
    with opened(tmp_path, pixels=values(1), significant=12) as dataset:
        assert dataset.images[0].significant_bits == 12


def test_phases_of_a_time_loop_follow_each_other(tmp_path: Path) -> None:
    with opened(tmp_path, pixels=values(5), experiment=phases([2, 4, 3], valid=bytes([1, 0, 1]))) as dataset:
        assert dataset.images[0].shape.t == 5
        assert dataset.warnings == ()


def test_a_loop_of_the_users_own_is_kept_and_named(tmp_path: Path) -> None:
    stored = values(12)
    with opened(tmp_path, pixels=stored, experiment=time_loop(2, inner=custom(3, inner=stack(2)))) as dataset:
        image = dataset.images[0]
        assert image.shape[:3] == (6, 1, 2)
        (modulo,) = image.metadata.modulo
        assert (modulo.along, modulo.type, modulo.end, modulo.description) == ("T", "other", 2, "custom loop of NIS-Elements")
        assert ": its custom loop of NIS-Elements (of 3) was folded into T" in dataset.warnings[0]
        assert np.array_equal(pixels(dataset)[:, 0, :, :, :, 0].reshape(stored.shape[:3]), stored[..., 0])


def test_an_acquisition_that_was_stopped_has_what_it_has(tmp_path: Path) -> None:
    stored = values(5)
    with opened(tmp_path, pixels=stored, experiment=time_loop(10, inner=stack(2))) as dataset:
        assert dataset.images[0].shape[:3] == (3, 1, 2)
        assert "20 frames were planned and 5 are stored" in dataset.warnings[0]
        assert np.array_equal(pixels(dataset)[2, 0, 0], stored[4])
        assert not pixels(dataset)[2, 0, 1].any()


def test_positions_never_reached_are_left_out(tmp_path: Path) -> None:
    stored = values(6)
    with opened(tmp_path, pixels=stored, experiment=time_loop(2, inner=points(PLACES)), absent=[1, 4]) as dataset:
        assert [image.name for image in dataset.images] == ["here", "there"]
        assert np.array_equal(pixels(dataset, 1)[1, 0, 0], stored[5])
        assert any("left out" in warning for warning in dataset.warnings)


def test_a_frame_lost_in_the_middle_is_told(tmp_path: Path) -> None:
    with opened(tmp_path, pixels=values(3), experiment=time_loop(3), absent=[1]) as dataset:
        assert not pixels(dataset)[1].any()
        assert "1 of 3 frames were never stored" in dataset.warnings[0]


def test_frames_beyond_the_loops_are_kept_along_time(tmp_path: Path) -> None:
    with opened(tmp_path, pixels=values(6), experiment=stack(2)) as dataset:
        assert dataset.images[0].shape[:3] == (3, 1, 2)
        assert "6 are stored" in dataset.warnings[0]


def test_metadata_in_xml_mean_the_same(tmp_path: Path) -> None:
    made = Nd2(pixels=values(6, components=2), experiment=points(PLACES, inner=stack(2)), texts={"TextInfoItem_9": "1/1/2024  2:00:05 AM"})
    new, old = tmp_path / "new.nd2", tmp_path / "old.nd2"
    new.write_bytes(container(made.chunks()))
    old.write_bytes(container(made.chunks_of_version_2(), b"Ver2.1"))
    with readers.open(Location(new)) as first, readers.open(Location(old)) as second:
        assert second.format == "ND2 2.1"
        assert [image.shape for image in first.images] == [image.shape for image in second.images]
        assert all(np.array_equal(pixels(first, number), pixels(second, number)) for number in range(3))
        assert first.images[0].metadata.channels == second.images[0].metadata.channels
        assert first.images[0].metadata.planes == second.images[0].metadata.planes
        assert first.images[0].metadata.instrument == second.images[0].metadata.instrument


def smaller(stored: np.ndarray, times: int) -> np.ndarray:
    """Every so many pixels."""
    height, width = stored.shape[1] // times, stored.shape[2] // times
    return np.ascontiguousarray(stored[:, : height * times : times, : width * times : times])


def level_chunks(pixels_: np.ndarray, size: int) -> list[tuple[bytes, bytes]]:
    """Smaller copies as NIS-Elements stores them."""
    pad = bytes(-int(np.prod(pixels_.shape[2:])) * pixels_.itemsize % 4)
    data = [b"".join(row.tobytes() + pad for row in frame) for frame in pixels_]
    return [(b"CustomDataSeq|DownsampledColorData_%d|%d!" % (size, number), one) for number, one in enumerate(data)]


def test_smaller_copies_of_frames_are_levels(tmp_path: Path) -> None:
    stored = values(2, height=41, width=50)
    more = [*level_chunks(smaller(stored, 2), 32), *level_chunks(smaller(stored, 4), 16)]
    with opened(tmp_path, pixels=stored, experiment=time_loop(2), more=more) as dataset:
        levels = dataset.images[0].levels
        assert [level.factor for level in levels] == [(1.0, 1.0, 1.0), (1.0, 41 / 20, 2.0), (1.0, 4.1, 50 / 12)]
        for level, times in zip(levels, (1, 2, 4), strict=True):
            assert np.array_equal(level.pixels.read(Region.whole(level.pixels.shape))[:, 0, 0], smaller(stored, times))
        assert dataset.warnings == ()


def test_smaller_copies_that_do_not_fit_are_left_out_and_told(tmp_path: Path) -> None:
    stored = values(2, height=41, width=50)
    more = [*level_chunks(smaller(stored, 3), 32), *level_chunks(smaller(stored, 4)[:1], 16), *level_chunks(smaller(stored, 4), 20)]
    with opened(tmp_path, pixels=stored, experiment=time_loop(2), more=more) as dataset:
        assert len(dataset.images[0].levels) == 1
        assert len(dataset.warnings) == 3


def test_segmentation_masks_are_a_named_loss(tmp_path: Path) -> None:
    with opened(tmp_path, pixels=values(1), more=[(b"CustomDataSeq|RleZipBinarySequence_1_v1|0!", b"\0")]) as dataset:
        assert "binary layers" in dataset.warnings[0]


def test_other_files_are_not_taken_for_nd2(tmp_path: Path) -> None:
    other = tmp_path / "other.nd2"
    other.write_bytes(b"\xda\xce\xbe\x0a and something else" + bytes(100))
    assert not nd2.sniff(other, other.read_bytes())
    picture = tmp_path / "picture.jp2"
    picture.write_bytes(b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100))
    assert not nd2.sniff(picture, picture.read_bytes())
    assert not nd2.sniff(tmp_path, b"")


def test_frames_packed_with_loss_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="packed with loss"):
        opened(tmp_path, pixels=values(1), attributes={"eCompression": 1})


def test_a_file_whose_acquisition_never_began_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="holds no frames"):
        opened(tmp_path, pixels=values(1), absent=[0])


def test_a_loop_of_an_unknown_kind_is_an_error(tmp_path: Path) -> None:
    experiment = time_loop(1) | {"eType": 12}
    with pytest.raises(UnreadableError, match="unknown type 12"):
        opened(tmp_path, pixels=values(1), experiment=experiment)


def test_an_experiment_that_cannot_be_decoded_is_no_guess(tmp_path: Path) -> None:
    made = Nd2(pixels=values(4), experiment=stack(4)).chunks()
    broken = [(name, data[: len(data) // 2] if name == b"ImageMetadataLV!" else data) for name, data in made]
    path = tmp_path / "broken.nd2"
    path.write_bytes(container(broken))
    with pytest.raises(UnreadableError, match="metadata cannot be decoded"):
        readers.open(Location(path))


def test_names_of_trees_survive_packing() -> None:
    from lightmicroscopy.readers.nd2_variant import decode_tree

    from .nd2_files import packed

    inside = {"uiCount": 3, "wsName": "λ", "list": [1.5, 2.5]}
    assert decode_tree(packed({"outer": inside}), "x") == decode_tree(tree({"outer": inside}), "x") == {"outer": inside}
