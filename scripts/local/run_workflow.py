"""Run a workflow in any Galaxy through BioBlend and save everything it made.

``python scripts/local/run_workflow.py WORKFLOW.ga [INPUT…] --output DIR --url URL --key KEY``
needs only what requirements/client.txt names. ``scripts/galaxy.py run`` calls it with the local Galaxy.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bioblend import ConnectionError as GalaxyConnectionError
from bioblend.galaxy import GalaxyInstance
from tqdm import tqdm

from local.downloads import save_outputs
from local.invocation_report import save_report
from local.paths import LocalGalaxyError, say
from local.uploads import upload_inputs
from local.workflow_identity import identified, same_contents
from local.workflow_inputs import WorkflowInputs, read_workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

POLL_SECONDS = 2.0
LOG_LINE_SECONDS = 15.0
FINISHED = {"ok", "error", "deleted", "skipped", "failed", "stopped", "deleting"}
FAILED = {"error", "deleted", "failed", "stopped"}
STDERR_LINES = 12


def run(galaxy: GalaxyInstance, workflow_file: Path, inputs: list[str], settings: dict[str, str], output: Path) -> bool:
    """Run a workflow and save its outputs, its report and its record.

    Parameters
    ----------
    galaxy
        A connection to any Galaxy that has the workflow's tools.
    workflow_file
        The ``.ga`` file.
    inputs
        Image files, folders of them, or folders that are OME-Zarr stores, or the text of a workflow without data inputs; without
        any, those of the workflow's own test.
    settings
        Values of workflow parameters, and files of inputs that are one dataset, by label.
    output
        Folder for the results, made if need be.

    Returns
    -------
    bool
        Whether every job succeeded.

    Raises
    ------
    LocalGalaxyError
        When the inputs do not suit the workflow, or Galaxy cannot schedule it.
    """
    workflow = read_workflow(workflow_file)
    wanted = WorkflowInputs.from_user(workflow, inputs, settings) if inputs else WorkflowInputs.from_own_test(workflow_file, workflow, settings)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise LocalGalaxyError(f"The results folder {output} is not empty; give another with --output.")
    output.mkdir(parents=True, exist_ok=True)
    history = galaxy.histories.create_history(name=f"{workflow['name']} {time.strftime('%Y-%m-%d %H:%M')}")
    history_page = f"{galaxy.base_url}/histories/view?id={history['id']}"
    say(f"History “{history['name']}”: {history_page}")
    values = upload_inputs(galaxy, history["id"], wanted)
    invocation = galaxy.workflows.invoke_workflow(_imported(galaxy, workflow), inputs=values, inputs_by="name", history_id=history["id"])
    state = _follow(galaxy, invocation["id"])
    failures = list(_failures(galaxy, invocation["id"]))
    for failure in failures:
        say(failure)
    invocation = galaxy.invocations.show_invocation(invocation["id"])
    saved = save_outputs(galaxy, invocation, output)
    save_report(galaxy, invocation, output, saved)
    (output / "details").mkdir(exist_ok=True)
    (output / "details" / "invocation.json").write_text(
        json.dumps(galaxy.invocations.show_invocation(invocation["id"]), indent=2, ensure_ascii=False), encoding="utf-8"
    )
    for path in (path for paths in saved.values() for path in paths):
        say(f"  {path.relative_to(output)}")
    print(f"Open {output / 'report.html'}")
    print(f"{_outcome(saved, failed=bool(failures))} the report: {output}")
    print(f"The same in Galaxy: {history_page}", flush=True)
    return not failures and state not in FAILED


def _outcome(saved: dict[str, list[Path]], *, failed: bool) -> str:
    if not failed:
        return "Results and"
    return "Some jobs failed; what succeeded and" if any(saved.values()) else "Nothing succeeded;"


def _imported(galaxy: GalaxyInstance, workflow: dict[str, Any]) -> str:
    """Return the id of this very workflow in the user's list, importing it if it is not there."""
    known = [entry for entry in galaxy.workflows.get_workflows() if not entry.get("deleted")]
    imported = identified(workflow)
    for entry in known:
        if entry.get("latest_workflow_uuid") == imported["uuid"]:
            return str(entry["id"])
    for entry in known:
        if entry["name"] == workflow["name"] and same_contents(workflow, galaxy.workflows.export_workflow_dict(entry["id"])):
            return str(entry["id"])
    return str(galaxy.workflows.import_workflow_dict(imported)["id"])


def _follow(galaxy: GalaxyInstance, invocation_id: str) -> str:
    """Wait for the last job, showing how far things are."""
    pause, shown_at = threading.Event(), 0.0
    terminal = sys.stderr.isatty()
    with tqdm(total=0, unit="job", disable=not terminal, dynamic_ncols=True, bar_format="{desc}: {n_fmt}/{total_fmt} jobs |{bar}| {elapsed}") as bar:
        while True:
            summary = galaxy.invocations.get_invocation_summary(invocation_id)
            states: dict[str, int] = summary["states"]
            done, total = sum(count for state, count in states.items() if state in FINISHED), sum(states.values())
            invocation = galaxy.invocations.show_invocation(invocation_id)
            names = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "being scheduled"
            bar.total, bar.n = total, done
            bar.set_description_str(names)
            if not terminal and time.monotonic() - shown_at > LOG_LINE_SECONDS:
                shown_at = time.monotonic()
                say(f"{done} of {total} jobs done ({names})")
            if invocation["state"] in {"failed", "cancelled"}:
                for message in invocation.get("messages", []):
                    say(f"Galaxy could not run the whole workflow: {message}")
                return "failed"
            if invocation["state"] in {"scheduled", "completed"} and done == total:
                if not terminal:
                    say(f"{done} of {total} jobs done ({names})")
                return "ok"
            pause.wait(POLL_SECONDS)


def _failures(galaxy: GalaxyInstance, invocation_id: str) -> Iterator[str]:
    entries = [entry for entry in galaxy.jobs.get_jobs(invocation_id=invocation_id) if entry["state"] in FAILED]
    shown = 0
    for entry in sorted(entries, key=lambda entry: str(entry["create_time"])):
        job = galaxy.jobs.show_job(entry["id"], full_details=True)
        # What was given nothing failed because of what failed before it.
        if shown and not job.get("inputs"):
            continue
        shown += 1
        text = (job.get("stderr") or job.get("tool_stderr") or job.get("job_stderr") or job.get("stdout") or "").strip().splitlines()[-STDERR_LINES:]
        yield "\n".join(
            [f"The tool {job['tool_id']} failed (exit code {job.get('exit_code')}):", *(f"  {line}" for line in text or ["it wrote no message"])]
        )


def main(arguments: list[str] | None = None) -> int:
    """Run one workflow; 0 when every job succeeded, 1 otherwise."""
    parser = argparse.ArgumentParser(description="Run a workflow in any Galaxy through BioBlend and save everything it made.")
    parser.add_argument("workflow", type=Path, help="the .ga file")
    parser.add_argument(
        "inputs",
        nargs="*",
        metavar="INPUT",
        help="image files, folders of them, or folders that are OME-Zarr stores; for a workflow without data inputs, its text "
        "(default: as in its own test)",
    )
    parser.add_argument("--output", type=Path, required=True, help="folder for the results")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="LABEL=VALUE",
        dest="settings",
        help="value of a workflow parameter, or a file for an input of one; repeatable",
    )
    parser.add_argument("--url", required=True, help="address of the Galaxy")
    parser.add_argument("--key", help="API key (default: the environment variable GALAXY_API_KEY)")
    options = parser.parse_args(arguments)
    return _explained(lambda: 0 if _run_from(options) else 1)


def _run_from(options: argparse.Namespace) -> bool:
    key = options.key or os.environ.get("GALAXY_API_KEY")
    if not key:
        raise LocalGalaxyError("No API key; make one in Galaxy under User, Preferences, and give it in GALAXY_API_KEY or with --key.")
    settings = {}
    for setting in options.settings:
        label, equals, value = setting.partition("=")
        if not equals:
            raise LocalGalaxyError(f"--set {setting} has no value; write 'label=value'.")
        settings[label] = value
    _check_address(options.url)
    return run(GalaxyInstance(options.url, key), options.workflow, options.inputs, settings, options.output.absolute())


def _check_address(url: str) -> None:
    try:
        answer = GalaxyInstance(url).config.get_version()
    except (GalaxyConnectionError, OSError, ValueError):
        answer = {}
    if not isinstance(answer, dict) or "version_major" not in answer:
        raise LocalGalaxyError(f"No Galaxy answers at {url}. Check the address.")


def _explained(action: Callable[[], int]) -> int:
    try:
        return action()
    except LocalGalaxyError as error:
        say(f"galaxy: {error}")
    except GalaxyConnectionError as error:
        say(f"galaxy: {_galaxy_message(error)}")
    except OSError as error:
        say(f"galaxy: {error}")
    return 1


def _galaxy_message(error: Any) -> str:
    try:
        return f"Galaxy refused: {json.loads(error.body)['err_msg']}"
    except (ValueError, KeyError, TypeError):
        return f"Galaxy did not answer as expected: {error}"


if __name__ == "__main__":
    sys.exit(main())
