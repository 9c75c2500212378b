"""What the scripts decide by themselves: versions, names, workflow inputs, the saved report, honest counts."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from local.accounts import workflow_files
from local.commands import check_archives
from local.dependencies import INDEX_NAMES, declared_requirements, write_resolver_folders
from local.downloads import free_path, safe_name
from local.environments import Environment, lock_file, normalise
from local.instance import Connection, Instance
from local.invocation_report import ReportContext, render
from local.paths import REQUIREMENTS, LocalGalaxyError, write_private
from local.tool_tests import count_results, failed_tests, make_plan
from local.workflow_identity import identified, same_contents
from local.workflow_inputs import WorkflowInputs, read_workflow

MACROS = '<macros><xml name="requirements"><requirements>{}</requirements></xml></macros>'


def installed(folder: Path, **versions: str) -> Environment:
    for name, version in versions.items():
        (folder / "lib" / "python3.11" / "site-packages" / f"{name}-{version}.dist-info").mkdir(parents=True)
    return Environment("tools", folder)


def tools_that_require(folder: Path, *requirements: str) -> Path:
    folder.mkdir()
    (folder / "macros.xml").write_text(MACROS.format("".join(requirements)))
    return folder


def test_every_requirement_of_the_tools_is_locked_in_exactly_that_version() -> None:
    locked = dict(line.split(" ")[0].split("==") for line in lock_file("tools").read_text().splitlines() if "==" in line and not line.startswith(" "))
    for name, versions in declared_requirements().items():
        if name != "python":
            assert versions == {locked[normalise(INDEX_NAMES.get(name, name))]}, name


@pytest.mark.parametrize("lock", sorted(REQUIREMENTS.glob("*.txt")), ids=lambda path: path.name)
def test_a_lock_file_names_no_place_and_gives_every_hash(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    assert text.count("==") > 0
    assert all("--hash=sha256:" in entry for entry in text.replace("\\\n", " ").splitlines() if entry.strip() and not entry.startswith("#"))


def test_the_tests_run_with_the_versions_of_the_tools() -> None:
    tools, test = ({line for line in lock_file(name).read_text().splitlines() if not line.startswith(" ")} for name in ("tools", "test"))
    assert {line.split(";")[0].rstrip(" \\") for line in tools} <= {line.split(";")[0].rstrip(" \\") for line in test}


def test_a_requirement_becomes_a_folder_that_puts_the_environment_on_the_path(tmp_path: Path) -> None:
    tools = tools_that_require(tmp_path / "tools", '<requirement type="package" version="3.1.6">zarr</requirement>')
    write_resolver_folders(tmp_path / "resolver", installed(tmp_path / "it's here", zarr="3.1.6"), tools)
    script = (tmp_path / "resolver" / "zarr" / "3.1.6" / "env.sh").read_text()
    assert "it'\\''s here/bin" in script


@pytest.mark.parametrize("version", ["3.1.5", "3.1"])
def test_a_version_that_is_not_the_installed_one_is_refused(tmp_path: Path, version: str) -> None:
    tools = tools_that_require(tmp_path / "tools", f'<requirement type="package" version="{version}">zarr</requirement>')
    with pytest.raises(LocalGalaxyError, match=rf"require zarr {version}, but requirements/tools.txt installs 3\.1\.6; make the two agree"):
        write_resolver_folders(tmp_path / "resolver", installed(tmp_path / "environment", zarr="3.1.6"), tools)


def test_a_requirement_that_is_not_installed_is_refused(tmp_path: Path) -> None:
    tools = tools_that_require(tmp_path / "tools", '<requirement type="package" version="1">dask</requirement>')
    with pytest.raises(LocalGalaxyError, match="installs none"):
        write_resolver_folders(tmp_path / "resolver", installed(tmp_path / "environment", zarr="3.1.6"), tools)


def test_a_requirement_without_a_version_is_refused(tmp_path: Path) -> None:
    tools = tools_that_require(tmp_path / "tools", '<requirement type="package">zarr</requirement>')
    with pytest.raises(LocalGalaxyError, match="names no version"):
        declared_requirements(tools)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Metadata report", "Metadata_report"),
        ("../../etc/passwd", "etc_passwd"),
        ("kjerne å.tif", "kjerne_å.tif"),
        ("", "unnamed"),
        ("a\nb\x00c", "a_b_c"),
        ("x" * 300, "x" * 120),
    ],
)
def test_names_from_galaxy_become_safe_names_of_files(name: str, expected: str) -> None:
    assert safe_name(name) == expected


def test_two_results_of_one_name_are_both_kept(tmp_path: Path) -> None:
    (tmp_path / "cells.ome.zarr").mkdir()
    assert free_path(tmp_path / "cells.ome.zarr").name == "cells~2.ome.zarr"


def test_what_is_private_is_written_for_the_owner_alone(tmp_path: Path) -> None:
    write_private(tmp_path / "keys", "secret")
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


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
        lambda given: step(given, "lm_check")["input_connections"]["images"][0].update(id=0),
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


def test_another_galaxy_than_the_usual_is_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LIGHTMICROSCOPY_LOCAL", str(tmp_path))
    with Instance.claim(None) as usual:
        assert (usual.name, capsys.readouterr().err) == ("default", "")
        with Instance.claim(None) as other:
            assert other.name == "default-2"
            assert capsys.readouterr().err == "Galaxy 'default' is in use, so this is 'default-2', with its own histories.\n"


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
    "idr-to-ome-zarr": (
        {"IDR images", "OME-Zarr version", "Resolution level"},
        {
            *("OME-Zarr images", "Preview", "Licence and citation", "Manifest", "Images table", "Annotations"),
            *("Metadata report", "Metadata findings", "Metadata findings as JSON"),
        },
    ),
    "microscope-files-to-open-formats": (
        {"Images", "Make OME-Zarr", "OME-Zarr version", "Make OME-TIFF", "Tiles of mosaics"},
        {
            *("Converted images", "Conversion to OME-Zarr", "Conversion to OME-TIFF", "Comparison page", "Comparison table"),
            *("Series table", "Inspection page", "Preview", "Metadata report", "Metadata findings", "Metadata findings as JSON"),
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


@pytest.mark.parametrize(
    ("is_live", "wanted_live", "sentence"),
    [
        (True, False, "uses the live archives. Add --live to this command to use them too, or start another Galaxy with --name."),
        (False, True, "uses the sample archive. Stop it, or start another Galaxy with --name."),
    ],
)
def test_an_open_galaxy_that_uses_the_other_archives_is_not_taken(is_live: bool, wanted_live: bool, sentence: str) -> None:
    with pytest.raises(LocalGalaxyError) as caught:
        check_archives(Connection("http://127.0.0.1:8080", "", "", is_live), live=wanted_live)
    assert str(caught.value) == f"The Galaxy that is open at http://127.0.0.1:8080 {sentence}"
    check_archives(Connection("http://127.0.0.1:8080", "", "", is_live), live=is_live)


def report(folder: Path, markdown: str, **saved: list[Path]) -> str:
    made = {"title": "T <1>", "markdown": markdown, "generate_version": "26.1", "generate_time": "2026-01-02T03:04:05.6"}
    record = {"create_time": "2026-01-02T03:04:05.6", "steps": [], "inputs": {}, "input_step_parameters": {}}
    return render(ReportContext(folder, made, record, {"name": "W", "license": "MIT", "steps": {}}, saved))


def directive(call: str) -> str:
    return f"Before\n\n```galaxy\n{call}\n```\n\nAfter"


def test_the_saved_report_holds_its_pictures_and_tables(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(b"picture")
    (tmp_path / "t.tsv").write_text("input\tempty\nimage <b>\t\n")
    page = report(
        tmp_path,
        directive('history_dataset_as_image(invocation_id=1, output="p")')
        + "\n\n"
        + directive('history_dataset_as_table(output="t", title="Found")'),
        p=[tmp_path / "p.png"],
        t=[tmp_path / "t.tsv"],
    )
    assert 'src="data:image/png;base64,cGljdHVyZQ=="' in page
    assert "<td>image &lt;b&gt;</td>" in page
    assert "<strong>Found</strong>" in page
    assert ">empty<" not in page
    assert "<title>T &lt;1&gt;</title>" in page
    assert page.count("<p>Before</p>") == page.count("<p>After</p>") == 2


def test_a_page_among_the_results_is_shown_in_the_report_and_can_do_nothing_but_open_links(tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text("<head></head><h1>Found</h1><script>alert('1')</script>")
    page = report(tmp_path, directive('history_dataset_embedded(output="r")'), r=[tmp_path / "r.html"])
    (sandbox,) = re.findall(r'<iframe sandbox="([a-z -]*)"', page)
    assert set(sandbox.split()) == {"allow-popups", "allow-popups-to-escape-sandbox"}
    shown = "<head><base target=\"_blank\"></head><h1>Found</h1><script>alert('1')</script>"
    assert f'title="r" srcdoc="{html.escape(shown)}"' in page
    assert "default-src 'none'" in page
    assert '<a href="r.html">r.html</a>' in page


def test_a_link_is_called_as_the_report_says(tmp_path: Path) -> None:
    (tmp_path / "r.html").touch()
    page = report(tmp_path, directive('history_dataset_link(output="r", label="The <whole> report")'), r=[tmp_path / "r.html"])
    assert '<a href="r.html">The &lt;whole&gt; report</a>' in page


@pytest.mark.parametrize(
    "call", ['history_dataset_as_image(output="gone")', 'history_dataset_as_table(output="gone")', 'history_dataset_link(output="gone")']
)
def test_a_result_that_is_missing_is_said_to_be(tmp_path: Path, call: str) -> None:
    assert "“gone” is not among the saved results." in report(tmp_path, directive(call))


def test_a_part_that_only_galaxy_can_show_is_said_to_be(tmp_path: Path) -> None:
    assert "(visualization) can be seen in Galaxy only" in report(tmp_path, directive("visualization(visualization_id=vizarr)"))


def test_html_in_a_report_is_text(tmp_path: Path) -> None:
    assert "<script>" not in report(tmp_path, "<script>alert(1)</script>")


def test_a_plan_names_what_is_not_there() -> None:
    with pytest.raises(LocalGalaxyError, match="There is no tool or workflow 'lm_nothing'; there are: lm_check, lm_compare, lm_convert"):
        make_plan(["lm_nothing"])


def test_a_plan_takes_ids_and_paths() -> None:
    plan = make_plan(["tools/lm_check.xml", "workflows/microscope-files-to-open-formats/"])
    assert list(plan.tools) == ["lm_check"]
    assert [path.stem for path in plan.workflows] == ["microscope-files-to-open-formats"]


@pytest.mark.parametrize(
    ("statuses", "status", "expected"),
    [
        (["success", "success"], 0, {"passed": 2, "failed": 0}),
        (["success", "failure", "error", "skip"], 1, {"passed": 1, "failed": 3}),
        (["success"], 1, {"passed": 1, "failed": 1}),
        ([], 0, {"passed": 0, "failed": 0}),
        (None, 1, {"passed": 0, "failed": 1}),
    ],
)
def test_only_a_test_that_passed_counts_as_passed(tmp_path: Path, statuses: list[str] | None, status: int, expected: dict[str, int]) -> None:
    path = tmp_path / "report.json"
    if statuses is not None:
        path.write_text(json.dumps({"tests": [{"id": "t", "data": {"status": word}} for word in statuses]}))
    assert count_results(path, status) == expected


def test_a_failed_test_is_described(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(
        json.dumps({"tests": [{"id": "lm_check-0", "data": {"status": "failure", "output_problems": ["not equal"], "job": {"stderr": "why"}}}]})
    )
    assert failed_tests(path) == ["  lm_check-0\n    not equal\n    | why"]
