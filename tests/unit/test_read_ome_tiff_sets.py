"""OME-TIFF in several files: found by name and by UUID, named where they are missing, and looked for nowhere else."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from lightmicroscopy.errors import UnreadableError

from .ome_tiff_files import HOLLOW, NAMESPACE, PAGES, ome, sizes, written
from .tiff_files import opened, pixels

UUIDS = [f"urn:uuid:00000000-0000-0000-0000-00000000000{number}" for number in range(3)]


def set_xml(number: int, names: list[str]) -> str:
    """Return the metadata that each file of a full set carries."""
    inside = "".join(
        f'<TiffData FirstZ="{z}" IFD="0" PlaneCount="1"><UUID FileName="{name}">{UUIDS[z]}</UUID></TiffData>' for z, name in enumerate(names)
    )
    return ome(sizes(z=len(names)), inside, attributes=f'UUID="{UUIDS[number]}"')


def full_set(folder: Path, *, prefix: str = "") -> list[Path]:
    """Write three files, each with the metadata of all."""
    names = [f"scan_{number}.ome.tif" for number in range(3)]
    folder.mkdir(exist_ok=True)
    return [written(folder / f"{prefix}{name}", PAGES[number : number + 1], set_xml(number, names)) for number, name in enumerate(names)]


def test_a_set_is_assembled_from_files_beside_the_one_given(tmp_path: Path) -> None:
    paths = full_set(tmp_path / "set")
    with opened(paths[1]) as dataset:
        np.testing.assert_array_equal(pixels(dataset.images[0])[0, 0, ..., 0], PAGES[:3])
        assert set(dataset.files) == set(paths)


def test_renamed_members_are_known_by_their_uuid(tmp_path: Path) -> None:
    paths = full_set(tmp_path / "set")
    staged = [path.rename(tmp_path / f"dataset_{number}.dat") for number, path in enumerate(paths)]
    with opened(staged[0], *reversed(staged)) as dataset:
        np.testing.assert_array_equal(pixels(dataset.images[0])[0, 0, ..., 0], PAGES[:3])


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    paths = full_set(tmp_path / "set")
    paths[2].unlink()
    with pytest.raises(UnreadableError, match=r"'scan_2\.ome\.tif' is not there\. Give all files"):
        opened(paths[0])


@pytest.mark.parametrize("name", ["x" * 2000, "ø" * 128, ".."])
def test_a_name_that_no_file_can_have_is_no_member(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "a.ome.tif", PAGES[:1], set_xml(0, ["a.ome.tif", name]))
    with pytest.raises(UnreadableError, match=r"is not there\. Give all files"):
        opened(path)


def test_a_member_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    first, second, *_ = full_set(tmp_path)
    second.unlink()
    second.symlink_to("/proc/self/mem")  # a file whose first byte nobody may read
    with pytest.raises(UnreadableError, match=rf"{second.name} cannot be read: Input/output error"):
        opened(first)


def test_a_truncated_member_is_named(tmp_path: Path) -> None:
    paths = full_set(tmp_path / "set")
    paths[2].write_bytes(paths[2].read_bytes()[:-40])
    with pytest.raises(UnreadableError, match=r"scan_2\.ome\.tif is truncated"):
        opened(paths[0])


def test_a_renamed_single_file_is_no_set(tmp_path: Path) -> None:
    xml = ome(sizes(z=3), f'<TiffData IFD="0" PlaneCount="3"><UUID FileName="old name.ome.tif">{UUIDS[0]}</UUID></TiffData>')
    path = written(tmp_path / "new.ome.tif", PAGES[:3], xml)
    with opened(path) as dataset:
        assert "renamed" in dataset.warnings[0]
        np.testing.assert_array_equal(pixels(dataset.images[0])[0, 0, ..., 0], PAGES[:3])


@pytest.mark.parametrize(
    "name", ["../secret.ome.tif", "/{folder}/secret.ome.tif", "..\\secret.ome.tif", "secret.ome.tif/../../secret.ome.tif", "..", "a\0b"]
)
def test_a_companion_cannot_reach_outside_its_folder(tmp_path: Path, name: str) -> None:
    written(tmp_path / "secret.ome.tif", PAGES[:1], "secret")
    inner = tmp_path / "inner"
    inner.mkdir()
    text = name.format(folder=str(tmp_path).strip("/")).replace("\0", "")
    companion = inner / "set.companion.ome"
    companion.write_text(ome(sizes(), f'<TiffData IFD="0" PlaneCount="1"><UUID FileName="{text}">{UUIDS[0]}</UUID></TiffData>'))
    with pytest.raises(UnreadableError, match="not there"):
        opened(companion)


def test_a_companion_that_names_no_tiff_says_so(tmp_path: Path) -> None:
    companion = tmp_path / "set.companion.ome"
    companion.write_text(ome(sizes(), f'<TiffData IFD="0" PlaneCount="1"><UUID FileName="notes.txt">{UUIDS[0]}</UUID></TiffData>'))
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UnreadableError, match=r"notes\.txt.*is not a TIFF"):
        opened(companion)


@pytest.mark.parametrize("inside", ["<TiffData/>", "", "<MetadataOnly/>"])
def test_a_companion_without_files_is_refused(tmp_path: Path, inside: str) -> None:
    companion = tmp_path / "set.companion.ome"
    companion.write_text(ome(sizes(), inside))
    with pytest.raises(UnreadableError, match=r"set\.companion\.ome"):
        opened(companion)


@pytest.mark.parametrize("given", ["multifile.companion.ome", "multifile-Z3.ome.tiff"])
def test_the_real_set_opens_from_any_of_its_files(realfiles: Path, given: str) -> None:
    folder = realfiles / "ometiff"
    with opened(folder / given) as dataset:
        (image,) = dataset.images
        assert len(dataset.files) == 6
        for z in range(5):
            np.testing.assert_array_equal(pixels(image)[0, 0, z, ..., 0], tifffile.imread(folder / f"multifile-Z{z + 1}.ome.tiff", is_ome=False))


def test_the_real_set_opens_from_staged_copies_in_other_folders(realfiles: Path, tmp_path: Path) -> None:
    copies = []
    for number, path in enumerate(sorted((realfiles / "ometiff").glob("multifile*"))):
        (tmp_path / str(number)).mkdir()
        copies.append(Path(shutil.copyfile(path, tmp_path / str(number) / f"{number}_{path.name}")))
    with opened(copies[0], *copies) as dataset:
        assert dataset.images[0].shape.z == 5


def test_one_file_of_the_real_set_alone_asks_for_the_others(realfiles: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copyfile(realfiles / "ometiff" / "multifile-Z1.ome.tiff", tmp_path / "multifile-Z1.ome.tiff"))
    with pytest.raises(UnreadableError, match=r"'multifile\.companion\.ome'.* Give all files of the set"):
        opened(alone)


def test_a_companion_of_images_without_pixels_is_refused(tmp_path: Path) -> None:
    companion = tmp_path / "set.companion.ome"
    companion.write_text(f"<OME {NAMESPACE}>{HOLLOW}</OME>")
    with pytest.raises(UnreadableError, match=r"set\.companion\.ome"):
        opened(companion)
