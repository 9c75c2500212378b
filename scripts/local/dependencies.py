"""The tools' requirements as Galaxy's dependency resolver finds them: one folder per package and version."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from .environments import normalise
from .paths import TOOLS, LocalGalaxyError, say

if TYPE_CHECKING:
    from pathlib import Path

    from .environments import Environment

INDEX_NAMES = {"python-isal": "isal"}
"""The Python package index's names of what conda-forge, and so the tools' requirements, call otherwise."""


def declared_requirements(tools: Path = TOOLS) -> dict[str, set[str]]:
    """Return the versions that the tools' XML files name, by package.

    Raises
    ------
    LocalGalaxyError
        When a file is not XML or a requirement names no version.
    """
    trees = {}
    for path in sorted(tools.glob("*.xml")):
        try:
            # The project's own files, hence the standard parser.
            trees[path] = ElementTree.parse(path).getroot()  # noqa: S314
        except ElementTree.ParseError as error:
            raise LocalGalaxyError(f"{path} is not well-formed XML: {error}.") from error
    tokens = {token.get("name", ""): token.text or "" for root in trees.values() for token in root.iter("token")}
    found: dict[str, set[str]] = {}
    for path, root in trees.items():
        for requirement in root.iter("requirement"):
            if requirement.get("type", "package") != "package":
                continue
            name = (requirement.text or "").strip()
            version = re.sub(r"@\w+@", lambda match: tokens.get(match[0], match[0]), requirement.get("version", ""))
            if not version:
                raise LocalGalaxyError(f"The requirement {name!r} in {path} names no version.")
            found.setdefault(name, set()).add(version)
    return found


def index_version(version: str) -> str:
    """Write a version as the Python package index does, which drops the leading zeros that conda-forge keeps (2026.03.3)."""
    return re.sub(r"(?<=[.])0+(?=[0-9])", "", version)


def write_resolver_folders(folder: Path, environment: Environment, tools: Path = TOOLS) -> None:
    """Write ``<package>/<version>/env.sh`` for every requirement of the tools.

    A job gets a package only if exactly the version its tool names is the one installed,
    so that what Galaxy reports as resolved is what ran.

    Raises
    ------
    LocalGalaxyError
        When a requirement is not installed in that version.
    """
    installed = environment.versions()
    shutil.rmtree(folder, ignore_errors=True)
    for name, versions in declared_requirements(tools).items():
        for version in versions:
            if name == "python":
                if version != environment.python_version():
                    say(f"The tools name Python {version}; here their jobs run with Python {environment.python_version()}.")
            elif installed.get(normalise(INDEX_NAMES.get(name, name))) != index_version(version):
                instead = installed.get(normalise(INDEX_NAMES.get(name, name)), "none")
                raise LocalGalaxyError(
                    f"The tools require {name} {version}, but requirements/{environment.name}.txt installs {instead}; make the two agree."
                )
            target = folder / name / version
            target.mkdir(parents=True)
            (target / "env.sh").write_text(_env_script(environment.programs))


def _env_script(programs: Path) -> str:
    quoted = "'" + str(programs).replace("'", "'\\''") + "'"
    return f"""case "$PATH:" in
    {quoted}:*) ;;
    *) PATH={quoted}:"$PATH" ;;
esac
export PATH
export PYTHONNOUSERSITE=1
unset PYTHONHOME
"""
