"""Render a wrapper as a Galaxy server does, and run what comes out, without a server.

The tool file is read, the test's values are checked and the defaults filled in by Galaxy's own code
(galaxy-tool-util); the command is rendered by its template engine. Only the objects that stand for datasets are ours.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from galaxy.tool_util.parameters import fill_static_defaults, input_models_for_tool_source
from galaxy.tool_util.parameters.case import test_case_state as state_of_case
from galaxy.tool_util.parser import get_tool_source
from galaxy.util.template import fill_template
from galaxy.util.xml_macros import load as load_expanded

PROFILE = 21.09
GALAXY_KEEPS = re.compile(r"[^A-Za-z0-9 \-=_.()/+*^,:?!%]")
"""What a server replaces in every text a template sees, unless told not to."""

FOLDER_DATATYPES = ("zarr", "ome_zarr")


class Dataset:
    """What a command template can ask of an input dataset.

    Parameters
    ----------
    path
        The file, or, for a folder datatype, the folder that holds the store's folder.
    name
        What the user called it.
    identifier
        What it is called in the collection it comes from, if it comes from one.
    """

    def __init__(self, path: Path, name: str, ext: str, identifier: str | None = None) -> None:
        self.path, self.ext = path, ext
        self.name = GALAXY_KEEPS.sub("X", name)
        self.element_identifier = identifier if identifier is not None else self.name
        self.unsanitized = SimpleNamespace(name=name)
        self.extra_files_path = str(path)

    def __str__(self) -> str:
        """Return what the template prints: where the file is."""
        return f"{self.path}.dat" if self.ext in FOLDER_DATATYPES else str(self.path)


@dataclass(frozen=True)
class Wrapper:
    """One tool's wrapper, its macros expanded."""

    path: Path
    root: Any = field(init=False)
    source: Any = field(init=False)
    inputs: Any = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", load_expanded(str(self.path)).getroot())
        object.__setattr__(self, "source", get_tool_source(str(self.path)))
        object.__setattr__(self, "inputs", input_models_for_tool_source(self.source))

    @property
    def script(self) -> Path:
        """The Python file beside it."""
        return self.path.with_suffix(".py")

    def cases(self) -> list[dict[str, Any]]:
        """Return its tests, as Galaxy's test runner gets them."""
        return list(self.source.parse_tests_to_dict()["tests"])

    def state(self, case: dict[str, Any]) -> dict[str, Any]:
        """Return the form as a test fills it in, defaults included; raises what the server would."""
        outcome = state_of_case(case, self.inputs.parameters, str(PROFILE))
        return dict(fill_static_defaults(outcome.tool_state.input_state, self.inputs, PROFILE))


@dataclass(frozen=True)
class Job:
    """A rendered command in its own folder, as the server lays one out."""

    wrapper: Wrapper
    folder: Path
    state: dict[str, Any]

    @property
    def working(self) -> Path:
        """The folder the command runs in."""
        return self.folder / "working"

    def output(self, name: str) -> Path:
        """Return where a single-file output goes."""
        element = self.wrapper.root.find(f"outputs/data[@name='{name}']")
        taken_from = None if element is None else element.get("from_work_dir")
        return self.working / taken_from if taken_from else self.folder / "outputs" / f"{name}.dat"

    def column_names(self, name: str) -> str | None:
        """Return the names that the wrapper gives to the columns of an output, with commas between them."""
        action = self.wrapper.root.find(f"outputs/data[@name='{name}']/actions/action[@name='column_names']")
        return None if action is None else str(action.get("default"))

    def extra_files(self, name: str) -> Path:
        """Return where the files of a folder output go."""
        return self.folder / "outputs" / f"{name}_files"

    def command(self) -> str:
        """Render the command, and write the parameter file it names."""
        for folder in (self.working, self.folder / "outputs"):
            folder.mkdir(parents=True)
        params = self.folder / "params.json"
        params.write_text(json.dumps(without_datasets(self.state)), encoding="utf-8")
        context: dict[str, Any] = dict(self.state)
        for element in (*self.wrapper.root.findall("outputs/data"), *self.wrapper.root.findall("outputs/collection")):
            context[element.get("name")] = _OutputDataset(self.output(element.get("name")), self.extra_files(element.get("name")))
        context["params"] = str(params)
        context["__tool_directory__"] = str(self.wrapper.path.parent)
        template = self.wrapper.source.parse_command()
        # Galaxy makes one line of what the template gives.
        return " ".join(fill_template(template, context=context, python_template_version="3").split("\n")).strip()

    def run(self, *, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Render the command and run it."""
        command = self.command()
        programs = self.folder / "bin"
        programs.mkdir()
        (programs / "python").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n', encoding="utf-8")
        (programs / "python").chmod(0o755)
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "GALAXY_"))}
        ours = {"PATH": f"{programs}:{os.environ['PATH']}", "GALAXY_SLOTS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        script = ["bash", "-c", f"set -e; {command}"]
        variables = inherited | ours | (environment or {})
        return subprocess.run(script, cwd=self.working, env=variables, capture_output=True, text=True, timeout=120, check=False)

    def outputs(self) -> list[str]:
        """Return the outputs this job has, by the wrapper's filters."""
        return [
            element.get("name")
            for element in self.wrapper.root.find("outputs")
            if all(eval(test.text, {"__builtins__": {}}, dict(self.state)) for test in element.findall("filter"))  # noqa: S307 - our own XML, as Galaxy does
        ]

    def collection_type(self, collection: str) -> str:
        """Return how a collection is nested, such as ``list:list``."""
        return str(self.wrapper.root.find(f"outputs/collection[@name='{collection}']").get("type"))

    def discovered(self, collection: str) -> dict[str, Path]:
        """Return the elements that a collection's pattern finds, or the folders that the job describes; of a nested one, with slashes between."""
        rule = self.wrapper.root.find(f"outputs/collection[@name='{collection}']/discover_datasets")
        if rule.get("from_provided_metadata"):
            described = json.loads((self.working / "galaxy.json").read_text(encoding="utf-8"))[collection]["elements"]
            found = dict(_leaves(described))
            assert all((self.working / element["filename"]).is_file() for element in found.values())
            return {name: Path(element.get("extra_files") or self.working / element["filename"]) for name, element in found.items()}
        found = {}
        folder = self.working / rule.get("directory")
        for path in sorted(folder.rglob("*") if rule.get("recurse") == "true" else folder.iterdir()):
            name = str(path.relative_to(folder)) if rule.get("match_relative_path") == "true" else path.name
            match = re.fullmatch(rule.get("pattern"), name) if path.is_file() else None
            if match:
                levels = [match[f"identifier_{level}"] for level in range(4) if f"identifier_{level}" in match.groupdict()]
                found["/".join(levels or [match["designation"]])] = path
        return found


def _leaves(elements: list[dict[str, Any]], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the datasets among nested elements, as Galaxy finds them in galaxy.json."""
    for element in elements:
        if "elements" in element:
            yield from _leaves(element["elements"], f"{above}{element['name']}/")
        else:
            yield above + element["name"], element


class _OutputDataset:
    def __init__(self, path: Path, files_path: Path) -> None:
        self.path, self.files_path = path, str(files_path)

    def __str__(self) -> str:
        return str(self.path)


def is_dataset(value: Any) -> bool:
    """Whether a value of the form is a dataset or several."""
    if isinstance(value, list):
        return any(is_dataset(item) for item in value)
    return isinstance(value, Dataset) or (isinstance(value, dict) and value.get("class") == "File")


def without_datasets(state: dict[str, Any]) -> dict[str, Any]:
    """Return the form as the parameter file has it: nested, without datasets."""

    def cleaned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: cleaned(item) for key, item in value.items() if not is_dataset(item)}
        return [cleaned(item) for item in value] if isinstance(value, list) else value

    return dict(cleaned(state))


def with_datasets(value: Any, test_data: Path, folder: Path) -> Any:
    """Replace the files that a test names by datasets: files a job finds under a number, not under their name."""
    if isinstance(value, dict) and value.get("class") == "File":
        source = test_data / value["path"]
        target = folder / f"dataset_{len(list(folder.glob('dataset_*'))) + 1}.dat"
        shutil.copyfile(source, target)
        return Dataset(target, source.name, value.get("filetype", "data"))
    if isinstance(value, dict):
        return {key: with_datasets(item, test_data, folder) for key, item in value.items()}
    if isinstance(value, list):
        return [with_datasets(item, test_data, folder) for item in value]
    return value


def job_of(wrapper: Wrapper, case: dict[str, Any], test_data: Path, folder: Path) -> Job:
    """Return the job that a test of a wrapper describes."""
    state = with_datasets(wrapper.state(case), test_data, folder)
    without_a_dataset(wrapper.root.find("inputs"), state)
    return Job(wrapper, folder / "job", state)


def without_a_dataset(inputs: Any, state: dict[str, Any]) -> None:
    """Say of each dataset that the form could have and was not given that there is none, as a server does."""
    for element in inputs:
        name = element.get("name")
        if element.tag == "param" and element.get("type") == "data":
            state.setdefault(name, None)
        elif element.tag == "section":
            without_a_dataset(element, state.setdefault(name, {}))
        elif element.tag == "conditional":
            chosen = state.setdefault(name, {})
            choice = str(chosen.get(element.find("param").get("name")))
            for case in element.findall("when"):
                if case.get("value") == choice:
                    without_a_dataset(case, chosen)
