"""Which workflow of a Galaxy is the one of a file: by a UUID from the contents, or by the contents as Galaxy gives them back."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

# Galaxy does not give back the release.
_COMPARED = ("name", "annotation", "license", "report")
_STEP_COMPARED = ("type", "label", "annotation", "tool_id", "tool_version", "when")


def identified(workflow: dict[str, Any]) -> dict[str, Any]:
    """Return the workflow with a UUID that any change to it changes.

    The UUID in the file says which workflow it is, but not which state of it: an edited file keeps it.

    Parameters
    ----------
    workflow
        The contents of a ``.ga`` file.
    """
    digest = hashlib.sha256(json.dumps(workflow, sort_keys=True).encode()).digest()
    # Galaxy shows no workflow whose UUID is not of version 4.
    return workflow | {"uuid": str(uuid.UUID(bytes=digest[:16], version=4))}


def same_contents(workflow: dict[str, Any], exported: dict[str, Any]) -> bool:
    """Tell whether what a Galaxy has is what a file says.

    A workflow that was updated in place has a UUID of Galaxy's own making, so that its contents must be compared. Galaxy adds
    to what it was given (defaults, positions, connected values), and never takes away.

    Parameters
    ----------
    workflow
        The contents of a ``.ga`` file.
    exported
        Galaxy's answer to a download of the workflow.
    """
    ours, theirs = workflow["steps"], exported.get("steps", {})
    return (
        len(ours) == len(theirs)
        and all(_holds(workflow.get(name), exported.get(name)) for name in _COMPARED)
        and all(_same_step(step, theirs.get(number, {})) for number, step in ours.items())
    )


def _same_step(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    return (
        all(_holds(ours.get(name), theirs.get(name)) for name in _STEP_COMPARED)
        and _holds(_settings(ours), _settings(theirs))
        and _holds(ours.get("post_job_actions"), theirs.get("post_job_actions"))
        and _holds(theirs.get("post_job_actions"), ours.get("post_job_actions"))
        and _links(ours) == _links(theirs)
        and _labels(ours) == _labels(theirs)
    )


def _settings(step: dict[str, Any]) -> Any:
    """Return the values of a step; an input's name in them is its label once more, and Galaxy leaves it out."""
    state = _state(step.get("tool_state"))
    return {key: value for key, value in state.items() if key != "name" or step["type"] == "tool"} if isinstance(state, dict) else state


def _state(value: Any) -> Any:
    """Undo the JSON inside of JSON, of which some releases of Galaxy have more layers than others."""
    if isinstance(value, str):
        try:
            read = json.loads(value)
        except ValueError:
            return value
        return _state(read) if isinstance(read, dict | list | str) else read
    if isinstance(value, dict):
        return {key: _state(inner) for key, inner in value.items()}
    return [_state(inner) for inner in value] if isinstance(value, list) else value


def _holds(ours: Any, theirs: Any) -> bool:
    """Whether everything in ours is in theirs; nothing, however written, is the same as nothing."""
    if not ours and not isinstance(ours, bool | int | float):
        return not theirs or isinstance(theirs, dict | list)
    if isinstance(ours, dict):
        return isinstance(theirs, dict) and all(_holds(value, theirs.get(key)) for key, value in ours.items())
    if isinstance(ours, list):
        return isinstance(theirs, list) and len(ours) == len(theirs) and all(map(_holds, ours, theirs))
    return str(ours).strip().lower() == str(theirs).strip().lower()


def _links(step: dict[str, Any]) -> set[tuple[str, Any, Any]]:
    found = set()
    for name, given in step.get("input_connections", {}).items():
        found |= {(name, link["id"], link["output_name"]) for link in (given if isinstance(given, list) else [given])}
    return found


def _labels(step: dict[str, Any]) -> set[tuple[Any, Any]]:
    return {(output["output_name"], output["label"]) for output in step.get("workflow_outputs", [])}
