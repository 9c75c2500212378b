"""The files in test-data/ are what the script that is said to make them makes."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.test_data import vendor_files

from ..needs import missing

REPOSITORY = Path(__file__).resolve().parents[2]
KEPT = REPOSITORY / "test-data"
SCRIPT = REPOSITORY / "scripts" / "make_test_data.py"
GALAXY_LIMIT = 1_000_000
VENDOR_LIMIT = 200_000
VENDORS = sorted(vendor_files.FILES)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("pylibCZIrw") is None:
        missing("pylibCZIrw, which writes the CZI files, is not installed")
    folder = tmp_path_factory.mktemp("made")
    # Another time zone, locale and order of sets than those the kept files were made under.
    environment = os.environ | {"TZ": "Pacific/Auckland", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, SCRIPT, "--output", folder], check=True, timeout=60, env=environment)
    return folder


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_developer_who_makes_the_test_data_again_gets_the_files_that_are_kept(made: Path) -> None:
    fresh = listing(made)
    kept = {name: content for name, content in listing(KEPT).items() if name in fresh}
    assert sorted(kept) == sorted(fresh)
    assert [name for name in fresh if fresh[name] != kept[name]] == []


def test_no_file_is_kept_that_nothing_makes_or_names(made: Path) -> None:
    explained = (KEPT / "README.md").read_text(encoding="utf-8")
    strangers = set(listing(KEPT)) - set(listing(made)) - {"README.md"}
    assert [name for name in sorted(strangers) if Path(name).name not in explained] == []


def test_every_file_is_small_enough_for_a_galaxy_tool_repository() -> None:
    sizes = {name: len(content) for name, content in listing(KEPT).items()}
    assert {name: size for name, size in sizes.items() if size >= GALAXY_LIMIT} == {}


@pytest.mark.parametrize("name", VENDORS)
def test_a_vendor_file_is_small_made_by_the_script_and_explained(name: str, made: Path) -> None:
    assert 0 < (made / name).stat().st_size < VENDOR_LIMIT
    assert f"| `{name}` |" in (KEPT / "README.md").read_text(encoding="utf-8")


def test_each_format_of_a_vendor_has_a_file_for_those_who_have_no_microscope() -> None:
    assert {Path(name).suffix for name in VENDORS} == {".czi", ".lif", ".nd2", ".ims", ".dat"}


@pytest.mark.parametrize("name", VENDORS)
def test_what_is_drawn_is_no_empty_picture(name: str) -> None:
    draw, _ = vendor_files.FILES[name]
    for image in draw():
        for stack in image.pixels.reshape(-1, *image.pixels.shape[-2:]):
            assert stack.max() > 4 * stack.min(), "a plane without cells would be the same whichever way it is turned"
            assert not any((stack == turned).all() for turned in (stack[::-1], stack[:, ::-1], stack[::-1, ::-1]))
        planes = {plane.tobytes() for plane in image.pixels.reshape(-1, *image.pixels.shape[-2:])}
        assert len(planes) == image.pixels.shape[0] * image.pixels.shape[1] * image.pixels.shape[2]


def test_a_developer_without_the_library_that_writes_czi_is_told_what_to_install(tmp_path: Path) -> None:
    code = "import runpy, sys; sys.modules['pylibCZIrw'] = None; sys.argv[0] = sys.argv.pop(1); runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", code, str(SCRIPT), "--output", str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(SCRIPT.parent)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert done.returncode == 2
    assert "pylibCZIrw is needed to make these files; requirements/test.txt names what to install." in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_a_file_is_told_so_and_stays(tmp_path: Path) -> None:
    there = tmp_path / "kept"
    there.write_bytes(b"kept")
    done = subprocess.run([sys.executable, SCRIPT, "--output", there], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, there.read_bytes()) == (2, b"kept")
    assert done.stderr.endswith("kept is there and is no folder. Give a folder to write into.\n")
