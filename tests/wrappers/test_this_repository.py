"""What is said in several places of the repository is the same in all of them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import lightmicroscopy
from scripts.local.dependencies import INDEX_NAMES, index_version

from .rendering import Wrapper

WORKFLOWS = Path(__file__).resolve().parents[2] / ".github" / "workflows"


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def test_one_version_everywhere(wrapper: Wrapper, root: Path) -> None:
    version = lightmicroscopy.__version__
    assert wrapper.source.parse_version() == version
    assert yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))["version"] == version
    newest = re.search(r"^## \[?([0-9][^\]\s]*)", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest
    assert newest[1] == version


def test_a_terminal_gets_exactly_the_packages_of_a_galaxy_job(wrapper: Wrapper, project: dict[str, Any], root: Path) -> None:
    required = {item.text: item.get("version") for item in wrapper.root.iter("requirement") if item.text != "python"}
    declared = {f"{INDEX_NAMES.get(name, name)}=={index_version(version)}" for name, version in required.items()}
    assert set(project["project"]["dependencies"]) == declared
    locked = (root / "requirements" / "tools.in").read_text(encoding="utf-8").splitlines()
    assert {line for line in locked if line and not line.startswith("#")} == declared


def test_the_python_of_galaxy_jobs_is_one_the_project_supports(wrapper: Wrapper, project: dict[str, Any]) -> None:
    (version,) = [item.get("version") for item in wrapper.root.iter("requirement") if item.text == "python"]
    floor, ceiling = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["project"]["requires-python"]).groups()  # type: ignore[union-attr]
    assert int(floor) <= int(version.removeprefix("3.")) < int(ceiling)


def test_the_extra_for_tests_is_what_the_test_environment_asks_for(project: dict[str, Any], root: Path) -> None:
    asked = (root / "requirements" / "test.in").read_text(encoding="utf-8").splitlines()
    assert sorted(project["project"]["optional-dependencies"]["test"]) == sorted(line for line in asked if line and not line.startswith(("#", "-")))


def test_every_tool_is_a_console_script(wrapper: Wrapper, project: dict[str, Any]) -> None:
    name = wrapper.path.stem
    assert project["project"]["scripts"][name] == f"{name}:main"
    assert name in project["tool"]["setuptools"]["py-modules"]


def test_every_file_of_the_library_that_is_not_python_is_installed_with_it(project: dict[str, Any], tools: Path) -> None:
    patterns = project["tool"]["setuptools"]["package-data"]["lightmicroscopy"]
    library = tools / "lightmicroscopy"
    files = {path for path in library.rglob("*") if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts}
    assert files == {path for pattern in patterns for path in library.glob(pattern) if path.is_file()}


def test_only_the_check_that_needs_the_internet_is_skipped(root: Path) -> None:
    assert (root / ".lint_skip").read_text(encoding="utf-8").split() == ["BioToolsValid"]


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.stem)
def test_a_github_workflow_names_only_what_is_there(path: Path, root: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    # YAML 1.1 reads the key "on" as true.
    assert document[True]
    assert document["permissions"] == {"contents": "read"}
    for job in document["jobs"].values():
        assert job["timeout-minutes"]
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w.-]+/[\w./-]+@v[0-9][\w.]*", step["uses"])
            for word in re.findall(r"(?:^|\s)((?:scripts|requirements|\.ci|tools|workflows|tests)/[\w./*-]+)", step.get("run", "")):
                assert list(root.glob(word)), word


def test_there_is_a_github_workflow_for_each_thing_that_must_happen_by_itself() -> None:
    assert {path.stem for path in WORKFLOWS.glob("*.yml")} == {"lint", "test", "weekly-live", "deploy-toolshed"}


def test_the_licence_is_the_one_that_is_named(wrapper: Wrapper, root: Path, project: dict[str, Any]) -> None:
    assert (root / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert project["project"]["license"] == wrapper.root.get("license") == "MIT"
