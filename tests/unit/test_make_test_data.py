"""The files in test-data/ are what the script that is said to make them makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
KEPT = REPOSITORY / "test-data"
GALAXY_LIMIT = 1_000_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    subprocess.run([sys.executable, REPOSITORY / "scripts" / "make_test_data.py", "--output", folder], check=True, timeout=60)
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
