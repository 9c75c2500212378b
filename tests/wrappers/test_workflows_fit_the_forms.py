"""Each step of a workflow says everything that its tool's form asks: Galaxy refuses to run a workflow that does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from galaxy.util.xml_macros import load as load_expanded

ROOT = Path(__file__).resolve().parents[2]


def steps() -> Iterator[Any]:
    for path in sorted((ROOT / "workflows").glob("*/*.ga")):
        for step in json.loads(path.read_text(encoding="utf-8"))["steps"].values():
            if str(step.get("tool_id", "")).startswith("lm_"):
                yield pytest.param(step, id=f"{path.stem}-{step['id']}-{step['tool_id']}")


def name_of(parameter: Any) -> str:
    return str(parameter.get("name") or parameter.get("argument").lstrip("-").replace("-", "_"))


def differences(inputs: Any, state: dict[str, Any], above: str = "") -> Iterator[str]:
    """Names that are in the form or in the step only."""
    asked = {name_of(element): element for element in inputs if element.tag in ("param", "section", "conditional", "repeat")}
    said = {name for name in state if not name.startswith("__")}
    yield from (f"{above}{name}" for name in sorted(asked.keys() ^ said))
    for name in sorted(asked.keys() & said):
        element, value, place = asked[name], state[name], f"{above}{name}|"
        if element.tag == "section":
            yield from differences(element, value, place)
        elif element.tag == "repeat":
            for number, one in enumerate(value):
                yield from differences(element, one, f"{place}{number}|")
        elif element.tag == "conditional":
            chooser = element.find("param")
            case = next(when for when in element.findall("when") if when.get("value") == str(value[name_of(chooser)]))
            yield from differences([chooser, *case], value, place)


@pytest.mark.parametrize("step", list(steps()))
def test_a_step_says_what_the_form_asks_and_nothing_else(step: dict[str, Any]) -> None:
    form = load_expanded(str(ROOT / "tools" / f"{step['tool_id']}.xml")).getroot().find("inputs")
    assert list(differences(form, json.loads(step["tool_state"]))) == []


def test_the_steps_are_there() -> None:
    assert len(list(steps())) > 10
