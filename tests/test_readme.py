"""README's commands for a terminal, run as they stand there."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from lightmicroscopy.archives.endpoints import Endpoints

from . import readme
from .archives import Archive


def test_every_command_is_run_by_some_test(root: Path) -> None:
    for command in readme.commands():
        assert command in readme.in_a_terminal() or command in readme.in_a_galaxy() or command in (*readme.ENVIRONMENT, readme.EVERYTHING)
    assert readme.in_a_terminal()
    assert len(readme.in_a_galaxy()) > 1
    assert "python3 scripts/test.py" in (root / ".ci" / "run").read_text()


def test_every_link_leads_to_a_file(root: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", readme.README.read_text(encoding="utf-8")):
        assert (root / target).exists(), target


@pytest.mark.slow
def test_install_convert_and_check_in_a_terminal(root: Path, tmp_path: Path) -> None:
    for name in ("tools", "test-data"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, tmp_path / name)
    make, activate = readme.ENVIRONMENT
    subprocess.run([sys.executable, *make[1:]], cwd=tmp_path, check=True)
    environment = tmp_path / make[-1]
    assert (tmp_path / activate[1]).is_file()
    assert readme.commands().index(activate) == readme.commands().index(make) + 1 == readme.commands().index(readme.in_a_terminal()[0]) - 1
    # The requirements are taken from where this test runs, since a test downloads nothing.
    packages = next((environment / "lib").glob("python3.*/site-packages"))
    # Python 3.11 puts an old setuptools into a new environment, which would hide the one that the tests have.
    for old in packages.glob("setuptools*"):
        shutil.rmtree(old)
    (packages / "requirements.pth").write_text(sysconfig.get_path("purelib"))
    with Archive() as archive:
        printed = _run(environment, tmp_path, archive)
    assert all(shown in printed for shown in readme.shown())
    assert (tmp_path / "idr" / "6001240_B1_C1.ome.tiff").is_file()
    assert "CC BY 4.0" in (tmp_path / "idr" / "citation.md").read_text()
    assert (tmp_path / "converted" / "stack.ome.zarr" / ".zattrs").is_file()
    assert (tmp_path / "converted" / "project__Embryo_time_series.ome.tiff").is_file()
    assert (tmp_path / "part" / "cells.ome.tiff").is_file()
    assert all((tmp_path / page).is_file() for page in ("inspection.html", "comparison.html", "findings.html"))
    assert (tmp_path / "findings.tsv").read_text().startswith("input\tseries\t")


def _run(environment: Path, folder: Path, archive: Archive) -> str:
    """Run every command and return what they printed as results."""
    printed = ""
    variables = os.environ | {"LIGHTMICROSCOPY_ENDPOINTS": json.dumps(archive.endpoints)}
    for command in readme.in_a_terminal():
        offline = ["--no-index", "--no-build-isolation"] if command[0] == "pip" else []
        line = [str(environment / "bin" / command[0]), *command[1:], *offline]
        done = subprocess.run(line, cwd=folder, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        printed += done.stdout
    return printed


def test_the_settings_shown_to_administrators_are_understood(root: Path) -> None:
    text = (root / "docs" / "for-administrators.md").read_text(encoding="utf-8")
    (settings,) = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    endpoints = Endpoints.from_environment({"LIGHTMICROSCOPY_ENDPOINTS": settings})
    assert (endpoints.max_items, endpoints.max_bytes) == (500, 50_000_000_000)
    named = set(re.findall(r"`(\w+)`", text.partition("All keys are optional:")[2].partition("A host in")[0]))
    assert named
    assert named <= {field.name for field in dataclasses.fields(Endpoints)}
