"""What a server installs from the ToolShed: each archive holds all its tool needs, nothing else, and runs as it is."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree

from .conftest import WRAPPERS
from .rendering import Wrapper, job_of
from .test_what_a_job_needs import required_files

SUITE = "suite_light_microscopy"
DATA_MANAGER = "data_manager_lightmicroscopy_ontologies"


@pytest.fixture(scope="module")
def config(root: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((root / ".shed.yml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def installed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build every repository with planemo and unpack it."""
    folder = tmp_path_factory.mktemp("toolshed")
    planemo = Path(sys.executable).with_name("planemo")
    command = [planemo, "--directory", folder / "planemo", "shed_upload", "--tar_only", "--shed_target", "toolshed", root]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {}
    for archive in sorted(folder.glob("shed_upload_*.tar.gz")):
        name = archive.name.removeprefix("shed_upload_").removesuffix(".tar.gz")
        found[name] = folder / name
        with tarfile.open(archive) as tar:
            tar.extractall(found[name], filter="data")
    return found


def listing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_there_is_one_repository_for_each_tool_and_the_suite(installed: dict[str, Path]) -> None:
    assert set(installed) == {wrapper.path.stem for wrapper in WRAPPERS} | {SUITE, DATA_MANAGER}


def test_the_suite_installs_every_tool_and_holds_nothing_else(installed: dict[str, Path], config: dict[str, Any]) -> None:
    assert listing(installed[SUITE]) == {"repository_dependencies.xml"}
    named = etree.parse(installed[SUITE] / "repository_dependencies.xml").findall("repository")
    assert {(item.get("owner"), item.get("name")) for item in named} == {
        (config["owner"], name) for name in {*(wrapper.path.stem for wrapper in WRAPPERS), DATA_MANAGER}
    }


def test_an_archive_holds_the_tool_its_library_and_the_test_data(wrapper: Wrapper, installed: dict[str, Path], root: Path) -> None:
    tools = wrapper.path.parent
    needed = {str(file.relative_to(tools)) for file in required_files(wrapper)} | {wrapper.path.name, "macros.xml"}
    data = {f"test-data/{name}" for name in listing(root / "test-data")}
    assert listing(installed[wrapper.path.stem]) == needed | data


def test_the_data_manager_s_archive_holds_its_tables_its_tool_and_the_library(installed: dict[str, Path], root: Path) -> None:
    own = listing(root / "data_managers")
    library = {f"data_manager/{name}" for name in listing(root / "tools") if name.startswith("lightmicroscopy/") and "__pycache__" not in name}
    assert listing(installed[DATA_MANAGER]) == {name for name in own if "__pycache__" not in name} | library


def test_the_data_manager_runs_from_its_unpacked_archive(installed: dict[str, Path], root: Path, tmp_path: Path) -> None:
    folder = installed[DATA_MANAGER]
    unpacked = Wrapper(folder / "data_manager" / "lm_install_ontology.xml")
    done = job_of(unpacked, unpacked.cases()[0], folder / "test-data", tmp_path).run()
    assert done.returncode == 0, done.stderr
    assert str(root) not in " ".join(done.args)


def test_a_tool_runs_from_its_unpacked_archive(wrapper: Wrapper, installed: dict[str, Path], tmp_path: Path) -> None:
    folder = installed[wrapper.path.stem]
    unpacked = Wrapper(folder / wrapper.path.name)
    case = unpacked.cases()[0]
    done = job_of(unpacked, case, folder / "test-data", tmp_path).run()
    assert done.returncode == 0, done.stderr
    assert str(wrapper.path.parent) not in " ".join(done.args)


def test_every_test_finds_its_files_in_the_archive(wrapper: Wrapper, installed: dict[str, Path]) -> None:
    data = installed[wrapper.path.stem] / "test-data"
    for case in wrapper.cases():
        for item in case["inputs"]:
            if item["attributes"].get("ftype"):
                values = item["value"].split(",") if isinstance(item["value"], str) else item["value"]
                assert all((data / value).exists() for value in values), item


def test_planemo_finds_what_it_asks_of_a_repository(config: dict[str, Any]) -> None:
    """The rules are planemo's; it is asked in a process of its own since importing it warns."""
    names = [*config["repositories"], config["suite"]["name"]]
    asks = (
        "from planemo.shed import CURRENT_CATEGORIES, validate_repo_name, validate_repo_owner\n"
        f"assert validate_repo_owner({config['owner']!r}) is None\n"
        f"assert set({config['categories']!r}) <= set(CURRENT_CATEGORIES)\n"
        f"assert all(validate_repo_name(name) is None for name in {names!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    for repository in (*config["repositories"].values(), config["suite"]):
        assert repository["description"]
        assert repository["long_description"]


def test_the_page_for_administrators_names_the_owner_that_administrators_will_see(config: dict[str, Any], root: Path) -> None:
    assert f"/repos/{config['owner']}/lm_check/" in (root / "docs" / "for-administrators.md").read_text(encoding="utf-8")
