"""What a workflow asks for and is given, and by what it is known again."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from local.accounts import workflow_files
from local.commands import check_inputs, find_workflow, parse
from local.paths import LocalGalaxyError
from local.workflow_identity import identified, same_contents
from local.workflow_inputs import WorkflowInputs, read_workflow


def workflow(*inputs: dict[str, Any]) -> dict[str, Any]:
    return {"name": "W", "steps": {str(number): step for number, step in enumerate(inputs)}}


IMAGES = {"type": "data_collection_input", "label": "Images", "tool_state": "{}"}
COUNT = {"type": "parameter_input", "label": "Count", "tool_state": '{"parameter_type": "integer"}'}
FLAG = {"type": "parameter_input", "label": "Flag", "tool_state": '{"parameter_type": "boolean"}'}
VERSION = {"type": "parameter_input", "label": "Version", "tool_state": '{"parameter_type": "text", "restrictions": ["0.4", "0.5"]}'}
LETTER = {"type": "parameter_input", "label": "Letter", "tool_state": '{"parameter_type": "text", "restrictions": ["a", "b", "c"]}'}


def test_files_and_folders_become_the_collection(tmp_path: Path) -> None:
    (tmp_path / "a.ome.zarr").mkdir()
    (tmp_path / "b.tif").touch()
    given = WorkflowInputs.from_user(workflow(IMAGES, COUNT), [str(tmp_path / "a.ome.zarr"), str(tmp_path / "b.tif")], {"Count": "3"})
    assert [(file.name, file.format) for file in given.collections["Images"]] == [("a.ome.zarr", "ome_zarr"), ("b.tif", "auto")]
    assert given.parameters == {"Count": 3}


def test_a_folder_of_images_becomes_its_files_and_the_stores_in_it(tmp_path: Path) -> None:
    for name in ("b.czi", "a.lif", ".hidden"):
        (tmp_path / name).touch()
    for name in ("notes", "c", "d.ome.zarr"):
        (tmp_path / name).mkdir()
    (tmp_path / "c" / ".zgroup").touch()
    given = WorkflowInputs.from_user(workflow(IMAGES), [str(tmp_path)], {})
    assert [(file.name, file.format) for file in given.collections["Images"]] == [
        ("a.lif", "auto"),
        ("b.czi", "auto"),
        ("c", "ome_zarr"),
        ("d.ome.zarr", "ome_zarr"),
    ]


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    paths = [tmp_path / day / name for day in ("monday", "friday") for name in ("a.czi", f"{day}.czi")]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    given = WorkflowInputs.from_user(workflow(IMAGES), [str(path) for path in paths], {})
    assert [file.name for file in given.collections["Images"]] == ["monday_a.czi", "monday.czi", "friday_a.czi", "friday.czi"]


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [(["empty"], "The folder {0} holds no files."), (["a.czi", "a.czi"], "Two inputs are called {1}_a.czi, even with their folders before it.")],
)
def test_inputs_that_make_no_list_are_a_sentence(tmp_path: Path, inputs: list[str], sentence: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.czi").touch()
    with pytest.raises(LocalGalaxyError) as caught:
        WorkflowInputs.from_user(workflow(IMAGES), [str(tmp_path / name) for name in inputs], {})
    assert sentence.format(tmp_path / inputs[0], tmp_path.name) in str(caught.value)


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("False", False)])
def test_a_yes_or_no_is_understood(text: str, value: bool) -> None:
    assert WorkflowInputs.from_user(workflow(IMAGES, FLAG), [], {"Flag": text}).parameters == {"Flag": value}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"Count": "many"}, "The parameter 'Count' takes a value of type integer, not 'many'."),
        ({"Flag": "perhaps"}, "The parameter 'Flag' takes a value of type boolean, not 'perhaps'."),
        ({"Version": "0.6"}, "'Version' must be 0.4 or 0.5, not 0.6."),
        ({"Letter": "d"}, "'Letter' must be a, b or c, not d."),
        ({"Size": "3"}, "The workflow “W” has no parameter 'Size'; it has: 'Count', 'Flag', 'Version', 'Letter'."),
    ],
)
def test_a_value_that_does_not_fit_is_a_sentence(settings: dict[str, str], sentence: str) -> None:
    with pytest.raises(LocalGalaxyError) as caught:
        WorkflowInputs.from_user(workflow(IMAGES, COUNT, FLAG, VERSION, LETTER), [], settings)
    assert str(caught.value) == sentence


def test_a_value_among_those_allowed_is_taken() -> None:
    assert WorkflowInputs.from_user(workflow(IMAGES, VERSION), [], {"Version": "0.5"}).parameters == {"Version": "0.5"}


SHEET = {"type": "data_input", "label": "Sheet", "tool_state": '{"optional": true}'}


def test_a_file_beside_the_images_is_given_by_the_label_of_its_input(tmp_path: Path) -> None:
    for name in ("a.ome.tiff", "filled in.xlsx"):
        (tmp_path / name).touch()
    given = WorkflowInputs.from_user(workflow(IMAGES, SHEET, COUNT), [str(tmp_path / "a.ome.tiff")], {"Sheet": str(tmp_path / "filled in.xlsx")})
    assert [file.name for file in given.collections["Images"]] == ["a.ome.tiff"]
    assert (given.datasets["Sheet"].name, given.datasets["Sheet"].format) == ("filled in.xlsx", "auto")
    assert given.parameters == {}


def test_a_file_beside_the_images_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LocalGalaxyError, match=r"The input .*sheet\.xlsx does not exist\."):
        WorkflowInputs.from_user(workflow(IMAGES, SHEET), [], {"Sheet": str(tmp_path / "sheet.xlsx")})
    (tmp_path / "w.ga").write_text(json.dumps(workflow(IMAGES, SHEET)))
    with pytest.raises(LocalGalaxyError, match=r"The input .*sheet\.xlsx does not exist\."):
        check_inputs(tmp_path / "w.ga", [], [f"Sheet={tmp_path / 'sheet.xlsx'}"])


def test_an_input_that_is_one_file_may_be_the_only_data(tmp_path: Path) -> None:
    (tmp_path / "one.tif").touch()
    required = {"type": "data_input", "label": "Image", "tool_state": "{}"}
    given = WorkflowInputs.from_user(workflow(required, IMAGES), [str(tmp_path / "one.tif")], {"Image": str(tmp_path / "one.tif")})
    assert given.datasets["Image"].path == given.collections["Images"][0].path


def test_a_workflow_is_known_by_its_contents() -> None:
    first = workflow(IMAGES) | {"uuid": "b5fed1c0-421d-463b-b42e-13f94810f474"}
    assert identified(first)["uuid"] == identified(dict(reversed(first.items())))["uuid"]
    assert identified(first)["uuid"] != identified(first | {"name": "V"})["uuid"]
    assert UUID(identified(first)["uuid"]).version == 4


def exported(path: Path) -> dict[str, Any]:
    """Return a workflow as Galaxy 26.1 gives it back: with a UUID of its own, defaults filled in, some JSON inside of JSON."""
    given = json.loads(path.read_text())
    for step in given["steps"].values():
        state = json.loads(step["tool_state"])
        if step["type"] != "tool":
            state = {key: value for key, value in state.items() if key != "name"} | {"tag": None}
        step["tool_state"] = json.dumps(
            {key: json.dumps(value) if isinstance(value, dict) else value for key, value in state.items()} | {"__page__": 0}
        )
        step["uuid"] = "0f9b2f8e-57d5-4b0c-8b2b-4f0f5d2b1c3a"
    return {key: value for key, value in given.items() if key != "release"} | {"uuid": "b5fed1c0-421d-463b-b42e-13f94810f474", "version": 3}


@pytest.mark.parametrize("path", workflow_files(), ids=lambda path: path.stem)
def test_a_workflow_that_was_updated_in_place_is_known_again(path: Path) -> None:
    assert same_contents(json.loads(path.read_text()), exported(path))


def edited_state(step: dict[str, Any], **change: Any) -> None:
    step["tool_state"] = json.dumps(json.loads(step["tool_state"]) | change)


def step(workflow: dict[str, Any], tool: str) -> dict[str, Any]:
    """Return the first step of a tool."""
    found: dict[str, Any] = next(step for step in workflow["steps"].values() if step.get("tool_id") == tool)
    return found


@pytest.mark.parametrize(
    "edit",
    [
        lambda given: given["report"].update(markdown="# Mine"),
        lambda given: given["steps"].popitem(),
        lambda given: edited_state(step(given, "lm_convert"), original_metadata="drop"),
        lambda given: edited_state(step(given, "lm_convert"), strict=True),
        lambda given: step(given, "lm_convert")["post_job_actions"].clear(),
        lambda given: step(given, "__FLATTEN__")["post_job_actions"].update(More={"action_type": "HideDatasetAction"}),
        lambda given: step(given, "lm_check")["input_connections"]["source|images"][0].update(id=0),
        lambda given: step(given, "lm_check")["workflow_outputs"].pop(),
        lambda given: step(given, "lm_convert").update(tool_version="0.0.9"),
        lambda given: step(given, "lm_convert").pop("when"),
    ],
    ids=["report", "step removed", "choice", "switch", "action removed", "action added", "connection", "output", "tool version", "condition"],
)
def test_a_workflow_that_somebody_edited_is_another(edit: Callable[[dict[str, Any]], object]) -> None:
    (path,) = [path for path in workflow_files() if path.stem == "microscope-files-to-open-formats"]
    given = exported(path)
    edit(given)
    assert not same_contents(json.loads(path.read_text()), given)


def test_files_for_a_workflow_with_two_inputs_are_refused() -> None:
    with pytest.raises(LocalGalaxyError, match="has 2 inputs that need data"):
        WorkflowInputs.from_user(workflow(IMAGES, IMAGES | {"label": "Others"}), [], {})


@pytest.mark.parametrize("text", ["", "[]", '{"steps": {}}', "class: GalaxyWorkflow"])
def test_what_is_no_workflow_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "w.ga").write_text(text)
    with pytest.raises(LocalGalaxyError, match=r"w\.ga is not a"):
        read_workflow(tmp_path / "w.ga")


@pytest.mark.parametrize("path", workflow_files(), ids=lambda path: path.stem)
def test_each_workflow_can_be_run_on_its_own_samples(path: Path) -> None:
    given = WorkflowInputs.from_own_test(path, read_workflow(path), {})
    assert given.collections or given.datasets or given.parameters


STABLE_NAMES = {
    "bioimage-archive-study-quality": (
        {"Study", "Files", "How many files at most", "Leave out files larger than"},
        {
            *("Licence and citation", "Study table", "Study metadata (REMBI)", "File table", "Files of the study", "Manifest"),
            *("Series table", "Inspection page", "Preview", "Verdict", "Metadata report", "Metadata findings", "Metadata findings as JSON"),
        },
    ),
    "idr-search-to-ome-zarr": (
        {"Annotation", "Value", "Only in these studies", "How many images at most", "OME-Zarr version", "Resolution level"},
        {
            *("Images found", "Studies found", "OME-Zarr images", "Preview", "Licence and citation", "Manifest", "Images table", "Annotations"),
            *("Verdict", "Metadata report", "Metadata findings", "Metadata findings as JSON"),
        },
    ),
    "idr-to-ome-zarr": (
        {"IDR images", "OME-Zarr version", "Resolution level"},
        {
            *("OME-Zarr images", "Preview", "Licence and citation", "Manifest", "Images table", "Annotations"),
            *("Verdict", "Metadata report", "Metadata findings", "Metadata findings as JSON"),
        },
    ),
    "microscope-files-to-open-formats": (
        {"Images", "Make OME-Zarr", "OME-Zarr version", "Make OME-TIFF", "Tiles of mosaics"},
        {
            *("Converted images", "Conversion to OME-Zarr", "Conversion to OME-TIFF", "Comparison page", "Comparison table"),
            *("Series table", "Inspection page", "Preview", "Verdict", "Metadata report", "Metadata findings", "Metadata findings as JSON"),
        },
    ),
    "prepare-bioimage-archive-submission": (
        {"Images", "Sheet", "Write the sheet into the images", "Format of the sheet"},
        {
            *("Preview", "Verdict", "Metadata report", "Metadata findings", "Metadata findings as JSON", "Sheet to fill in"),
            *("Annotated images", "What was written", "Comparison page", "Comparison table"),
            *("Verdict on the annotated images", "Metadata report on the annotated images", "Metadata findings on the annotated images"),
            "Metadata findings on the annotated images as JSON",
        },
    ),
}
"""Inputs and outputs of each workflow. Scripts of others rely on them: a change is a new major version."""


@pytest.mark.parametrize("path", workflow_files(), ids=lambda path: path.stem)
def test_what_a_workflow_takes_and_gives_keeps_its_name_and_is_in_its_readme(path: Path) -> None:
    steps = read_workflow(path)["steps"].values()
    inputs = {step["label"] for step in steps if step["type"] != "tool"}
    outputs = {output["label"] for step in steps for output in step["workflow_outputs"]}
    assert (inputs, outputs) == STABLE_NAMES[path.stem]
    tables: dict[str, set[str]] = {"input": set(), "output": set()}
    rows: set[str] = set()
    for line in path.with_name("README.md").read_text(encoding="utf-8").splitlines():
        name = line.strip("|").partition("|")[0].strip()
        rows = tables.get(name, rows)
        if line.startswith("|") and name not in tables and not name.startswith("--"):
            rows.add(name)
    assert (tables["input"], tables["output"]) == (inputs, outputs)


def test_words_on_the_command_line_become_the_one_text_that_a_workflow_needs() -> None:
    text = {"type": "parameter_input", "label": "IDR images", "tool_state": '{"parameter_type": "text", "optional": false}'}
    chosen = VERSION | {"tool_state": '{"parameter_type": "text", "optional": false, "default": "0.4"}'}
    given = WorkflowInputs.from_user(workflow(text, chosen, COUNT), ["6001240", "6001247"], {"Count": "1"})
    assert given.parameters == {"IDR images": "6001240\n6001247", "Count": 1}


@pytest.mark.parametrize("path", workflow_files(), ids=lambda path: path.stem)
def test_the_readme_of_a_workflow_has_its_name_and_a_command_that_runs_it(path: Path) -> None:
    text = path.with_name("README.md").read_text(encoding="utf-8")
    given = read_workflow(path)
    assert text.startswith(f"# {given['name']}\n")
    (line,) = re.findall(r"^```console\n(.*)\n```$", text, re.MULTILINE)
    program, script, *words = shlex.split(line)
    options = parse(words)
    assert (program, script, find_workflow(options.workflow)) == ("python3", "scripts/galaxy.py", path)
    assert options.settings
    assert {setting.partition("=")[0] for setting in options.settings} <= STABLE_NAMES[path.stem][0]


@pytest.mark.parametrize("path", workflow_files(), ids=lambda path: path.stem)
def test_a_readme_calls_other_workflows_by_their_names(path: Path) -> None:
    names = {read_workflow(other)["name"] for other in workflow_files()}
    differs = path.with_name("README.md").read_text(encoding="utf-8").partition("## How this differs from other workflows")[2].partition("\n## ")[0]
    mentioned = set(re.findall(r"^\*([^*]+)\*", differs, re.MULTILINE))
    assert mentioned
    assert mentioned < names
