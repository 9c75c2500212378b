"""What a workflow asks for, and what the user gives it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from .paths import LocalGalaxyError

_DATA = ("data_input", "data_collection_input")
_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


@dataclass(frozen=True)
class InputFile:
    """One dataset to upload.

    Attributes
    ----------
    name
        Its name in Galaxy, and its identifier in a collection.
    path
        A file, or a folder that is an OME-Zarr store.
    format
        Galaxy's name of its format, ``auto`` to let Galaxy see.
    """

    name: str
    path: Path
    format: str = "auto"


@dataclass
class WorkflowInputs:
    """Values for a workflow's inputs, by label.

    Attributes
    ----------
    datasets
        Inputs that are one dataset.
    collections
        Inputs that are a list of datasets.
    parameters
        Inputs that are a value.
    """

    datasets: dict[str, InputFile] = field(default_factory=dict)
    collections: dict[str, list[InputFile]] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_user(cls, workflow: dict[str, Any], texts: list[str], settings: dict[str, str]) -> WorkflowInputs:
        """Give what stands on the command line to the one data input of the workflow, or to its one text input where it has no data input.

        What `settings` name is given to parameters and, as a path, to inputs of one dataset.

        Raises
        ------
        LocalGalaxyError
            When the workflow has no such input, or several, or a file is not there.
        """
        given = cls()
        given._set(workflow, settings)
        wanted = [step for step in _steps(workflow, *_DATA) if not _state(step).get("optional") and step["label"] not in settings]
        if not wanted and (label := _only_text(workflow)) is not None:
            given.parameters[label] = "\n".join(texts)
            return given
        if len(wanted) != 1:
            raise LocalGalaxyError(
                f"The workflow “{workflow['name']}” has {len(wanted)} inputs that need data; files on the command line suit a workflow with one."
            )
        label, is_collection = wanted[0]["label"], wanted[0]["type"] == "data_collection_input"
        images = [image for text in texts for image in _images(Path(text), open_folders=is_collection)]
        if is_collection:
            given.collections[label] = _told_apart(images)
        elif len(images) == 1:
            given.datasets[label] = images[0]
        else:
            raise LocalGalaxyError(f"The workflow “{workflow['name']}” takes one file, not {len(images)}.")
        return given

    @classmethod
    def from_own_test(cls, workflow_file: Path, workflow: dict[str, Any], settings: dict[str, str]) -> WorkflowInputs:
        """Take the inputs of the first test in the ``-tests.yml`` beside the workflow.

        Raises
        ------
        LocalGalaxyError
            When there is no such file.
        """
        test_file = workflow_file.with_name(f"{workflow_file.stem}-tests.yml")
        if not test_file.is_file():
            raise LocalGalaxyError(f"The workflow {workflow_file.name} has no test with sample images; name the images to run it on.")
        given = cls()
        for label, value in yaml.safe_load(test_file.read_text(encoding="utf-8"))[0]["job"].items():
            kind = value.get("class") if isinstance(value, dict) else None
            if kind == "Collection":
                given.collections[label] = [_sample(element, test_file, element["identifier"]) for element in value["elements"]]
            elif kind in {"File", "Directory"}:
                given.datasets[label] = _sample(value, test_file, None)
            else:
                given.parameters[label] = value
        given._set(workflow, settings)
        return given

    def _set(self, workflow: dict[str, Any], settings: dict[str, str]) -> None:
        files = {str(step["label"]) for step in _steps(workflow, *_DATA[:1])} & set(settings)
        for label in files:
            (self.datasets[label],) = _images(Path(settings[label]), open_folders=False)
        self.parameters |= _typed_settings(workflow, {label: text for label, text in settings.items() if label not in files})


def read_workflow(path: Path) -> dict[str, Any]:
    """Read a ``.ga`` file.

    Raises
    ------
    LocalGalaxyError
        When it is not one.
    """
    try:
        workflow = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LocalGalaxyError(f"{path} is not a workflow that can be read: {error}.") from error
    if not isinstance(workflow, dict) or workflow.get("a_galaxy_workflow") != "true":
        raise LocalGalaxyError(f"{path} is not a Galaxy workflow in the .ga format.")
    return workflow


def _images(path: Path, *, open_folders: bool) -> list[InputFile]:
    if not path.exists():
        raise LocalGalaxyError(f"The input {path} does not exist.")
    if not path.is_dir() or not open_folders or _is_store(path):
        return [InputFile(path.resolve().name, path, "ome_zarr" if path.is_dir() else "auto")]
    inside = sorted(entry for entry in path.iterdir() if not entry.name.startswith(".") and (entry.is_file() or _is_store(entry)))
    if not inside:
        raise LocalGalaxyError(f"The folder {path} holds no files.")
    return [image for entry in inside for image in _images(entry, open_folders=False)]


def _is_store(path: Path) -> bool:
    return path.suffix.lower() == ".zarr" or any((path / name).is_file() for name in ("zarr.json", ".zgroup", ".zattrs"))


def _told_apart(images: list[InputFile]) -> list[InputFile]:
    """Put the folder before the name where two files have the same, since the elements of a list are known by their names."""
    times = Counter(image.name for image in images)
    named = [replace(image, name=f"{image.path.resolve().parent.name}_{image.name}") if times[image.name] > 1 else image for image in images]
    times = Counter(image.name for image in named)
    if double := next((image for image in named if times[image.name] > 1), None):
        raise LocalGalaxyError(f"Two inputs are called {double.name}, even with their folders before it. Rename one of them.")
    return named


def _only_text(workflow: dict[str, Any]) -> str | None:
    """Label of the text that has to be given, if there is exactly one."""
    texts = {str(step["label"]): _state(step) for step in _steps(workflow, "parameter_input") if _state(step).get("parameter_type", "text") == "text"}
    labels = [label for label, state in texts.items() if not state.get("optional") and state.get("default") is None]
    return labels[0] if len(labels) == 1 else None


def _sample(element: dict[str, Any], test_file: Path, name: str | None) -> InputFile:
    if "path" not in element:
        raise LocalGalaxyError(
            f"The sample {name or element} of {test_file.name} is not a file of this repository; name the images to run the workflow on."
        )
    path = (test_file.parent / element["path"]).resolve()
    if not path.exists():
        raise LocalGalaxyError(f"The sample image {path} is missing.")
    return InputFile(name or path.name, path, element.get("filetype", "ome_zarr" if path.is_dir() else "auto"))


def _steps(workflow: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
    return [step for step in workflow["steps"].values() if step["type"] in kinds]


def _state(step: dict[str, Any]) -> dict[str, Any]:
    state = step.get("tool_state", "{}")
    decoded: dict[str, Any] = json.loads(state) if isinstance(state, str) else state
    return decoded


def _typed_settings(workflow: dict[str, Any], settings: dict[str, str]) -> dict[str, Any]:
    states = {step["label"]: _state(step) for step in _steps(workflow, "parameter_input")}
    others = [step["label"] for step in _steps(workflow, *_DATA[:1])]
    kinds = {label: state.get("parameter_type", "text") for label, state in states.items()}
    typed: dict[str, Any] = {}
    for label, text in settings.items():
        if label not in kinds:
            there = ", ".join(map(repr, [*others, *kinds])) or "none"
            raise LocalGalaxyError(f"The workflow “{workflow['name']}” has no parameter {label!r}; it has: {there}.")
        try:
            typed[label] = _typed(text, kinds[label])
        except ValueError as error:
            raise LocalGalaxyError(f"The parameter {label!r} takes a value of type {kinds[label]}, not {text!r}.") from error
        allowed = [str(value) for value in states[label].get("restrictions") or []]
        if allowed and text not in allowed:
            raise LocalGalaxyError(f"{label!r} must be {_either(allowed)}, not {text}.")
    return typed


def _either(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _typed(text: str, kind: str) -> Any:
    if kind == "integer":
        return int(text)
    if kind == "float":
        return float(text)
    if kind == "boolean":
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise ValueError(text)
    return text
