"""A job has the files its wrapper names and the packages it requires, and nothing else of this repository."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .rendering import Wrapper, job_of

PACKAGE_OF = {"PIL": "pillow", "isal": "python-isal", "ome_zarr_models": "ome-zarr-models", "yaml": "pyyaml"}
"""conda-forge's name of what is imported under another."""

READ_AS_A_FILE = {"ome-types": "carries the OME schema, which is read and never imported", "python": "runs the scripts"}
"""Requirements no line imports, and why they are there."""


def requirements(wrapper: Wrapper) -> dict[str, str]:
    return {item.text: item.get("version") for item in wrapper.root.iter("requirement")}


def required_files(wrapper: Wrapper) -> list[Path]:
    """Return what Galaxy would send to a remote node."""
    tools = wrapper.path.parent
    found: list[Path] = []
    for include in wrapper.root.findall("required_files/include"):
        path, kind = include.get("path"), include.get("type")
        assert kind in ("literal", "prefix")
        found += [tools / path] if kind == "literal" else [file for file in sorted(tools.rglob("*")) if str(file.relative_to(tools)).startswith(path)]
    return [file for file in found if file.is_file() and "__pycache__" not in file.parts]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in ("import_module", "__import__"):
            first = node.args[0].values[0] if isinstance(node.args[0], ast.JoinedStr) else node.args[0]
            assert isinstance(first, ast.Constant), f"{path.name}:{node.lineno} imports a module that cannot be known beforehand"
            if not first.value.startswith("."):
                yield first.value.partition(".")[0]


def sources(wrapper: Wrapper) -> list[Path]:
    return [file for file in required_files(wrapper) if file.suffix == ".py"]


def test_nothing_is_imported_that_the_requirements_do_not_name(wrapper: Wrapper) -> None:
    allowed = set(requirements(wrapper)) | set(sys.stdlib_module_names) | {"lightmicroscopy"}
    strangers = {
        f"{file.relative_to(wrapper.path.parent)}: {module}"
        for file in sources(wrapper)
        for module in imports(file)
        if PACKAGE_OF.get(module, module) not in allowed
    }
    assert strangers == set()


def test_every_requirement_is_used_or_has_a_reason(wrapper: Wrapper) -> None:
    used = {PACKAGE_OF.get(module, module) for file in sources(wrapper) for module in imports(file)}
    assert set(requirements(wrapper)) - used == set(READ_AS_A_FILE)


def test_requirements_have_exact_versions(wrapper: Wrapper) -> None:
    assert all(version and version[0].isdigit() and "*" not in version for version in requirements(wrapper).values())


def test_the_library_is_looked_for_where_the_wrapper_says(wrapper: Wrapper) -> None:
    files = required_files(wrapper)
    assert wrapper.script in files
    assert wrapper.path.parent / "lightmicroscopy" / "__init__.py" in files


def test_a_node_that_got_only_the_required_files_runs_the_tool(wrapper: Wrapper, test_data: Path, tmp_path: Path) -> None:
    node = tmp_path / "node"
    for file in required_files(wrapper):
        target = node / file.relative_to(wrapper.path.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    # The server keeps the wrapper; the node gets the command.
    for name in (wrapper.path.name, "macros.xml"):
        shutil.copyfile(wrapper.path.parent / name, node / name)
    elsewhere = Wrapper(node / wrapper.path.name)
    done = job_of(elsewhere, elsewhere.cases()[0], test_data, tmp_path).run()
    assert done.returncode == 0, done.stderr
    assert str(wrapper.path.parent) not in done.stderr


@pytest.mark.parametrize(
    "module", ["tifffile", "zarr", "imagecodecs", "ome_zarr_models", "PIL", "jinja2", "numcodecs", "ome_types", "h5py", "isal", "yaml", "xlsxwriter"]
)
def test_asking_for_help_loads_nothing_heavy(wrapper: Wrapper, module: str) -> None:
    tool = wrapper.path.stem
    code = f"import sys, {tool}\ntry:\n {tool}.main(['--help'])\nexcept SystemExit:\n pass\nassert '{module}' not in sys.modules"
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": str(wrapper.path.parent)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
