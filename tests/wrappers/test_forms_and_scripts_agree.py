"""A form has no field that does nothing, and a script no flag that Galaxy's users cannot reach unless for a reason."""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .rendering import Wrapper, without_datasets

NOT_IN_THE_FORM = {
    "help": "for a terminal",
    "version": "for a terminal; Galaxy runs it to note the version",
    "params": "the wrapper's own way of passing the form",
    "output": "Galaxy says where outputs go",
    "threads": "Galaxy grants them through GALAXY_SLOTS",
    "memory": "Galaxy grants it through GALAXY_MEMORY_MB",
    "quiet": "a job's log keeps everything",
    "log_json": "for programs that watch the script; Galaxy shows the log to people",
    "fetch_json": "for administrators whose compute nodes reach no archive",
    "verify": "a server's user should not be able to skip the check of what was written",
}
"""Flags no wrapper offers, and why."""

SET_BY_THE_COMMAND = {
    "lm_annotate": {
        "sheet": "the dataset that was chosen",
        "sheet_name": "what the user calls that dataset",
        "table": "always an output",
        "no_links": "a dataset shares no files with another one",
        "galaxy_collection": "how the copies become a collection",
    },
    "lm_convert": {
        "report": "always an output",
        "zip": "follows from the packaging that was chosen",
        "preview": "an output if the box is ticked",
        "checksums": "an output if the box is ticked",
    },
    "lm_check": dict.fromkeys(("html", "table", "json", "preview", "summary"), "always an output"),
    "lm_compare": {
        "html": "always an output",
        "table": "always an output",
        "member": "the datasets that were chosen",
        "also": "the datasets that were chosen",
    },
    "lm_inspect": {
        "html": "always an output",
        "table": "always an output",
        "json": "always an output",
        "preview": "always an output",
        "ome_xml": "an output if the box is ticked",
    },
    "lm_describe": {
        "write_sheet": "an output if a sheet is made",
        "from_sheet": "the dataset that was chosen",
        "read_sheet": "the dataset that was chosen",
        "table": "an output if a sheet is read",
        "json": "an output if a sheet is read",
    },
    "lm_bia_search": {
        "studies": "always an output",
        "files": "an output if the box is ticked",
        "metadata": "an output if the box is ticked",
        "rembi": "goes with the metadata",
        "citation": "goes with the metadata",
    },
    "lm_bia_download": {
        "manifest": "always an output",
        "citation": "always an output",
        "checksums": "an output unless only a plan is made",
        "table": "the dataset that was chosen",
        "galaxy_collection": "how the files become a collection",
        "zip": "follows from the packaging that was chosen",
    },
    "lm_idr_search": {"images": "always an output", "studies": "always an output", "annotations": "always an output"},
    "lm_idr_download": {
        "manifest": "always an output",
        "image_table": "always an output",
        "annotations": "always an output",
        "citation": "always an output",
        "zip": "follows from the packaging that was chosen",
        "preview": "an output if the box is ticked",
        "table": "the dataset that was chosen",
        "rois": "an output if the box is ticked",
        "labels": "an output if the box is ticked",
        "label_table": "goes with the label maps",
        "bulk_annotations": "an output if the box is ticked",
        "bulk_columns": "goes with the bulk annotations",
        "galaxy_collection": "how the folders become a collection",
    },
}
"""Flags the rendered command gives."""

LEFT_TO_OTHER_TOOLS = {
    "lm_check": {"sheet": "the form's documents hold the sheet too"},
    "lm_bia_download": {
        "levels": "what was fetched can be converted again as one likes",
        "downsample_z": "the same",
        "compression": "the same",
        "chunk": "the same",
    },
    "lm_idr_search": {"where": "the form asks for a condition in its parts"},
    "lm_idr_download": {
        "series": "an id of the IDR names one series",
        "levels": "what was fetched can be converted again as one likes",
        "downsample_z": "the same",
        "compression": "the same",
        "chunk": "the same",
        "checksums": "the manifest has them",
    },
}
"""Flags a form leaves out to stay short, and where Galaxy's users find the same."""

MEANT_BY_NOTHING = {
    ("lm_check", "profile"): ["open-format"],
    ("lm_idr_download", "only_missing"): True,
    ("lm_bia_download", "only_missing"): True,
}
"""Of a repeatable flag argparse cannot hold the default that the help states; a job in Galaxy never sees what an earlier one made."""

NUMBERS = itertools.count()


def parser_of(wrapper: Wrapper) -> argparse.ArgumentParser:
    return importlib.import_module(wrapper.path.stem).parser()


def fields(wrapper: Wrapper) -> Iterator[Any]:
    yield from (parameter for parameter in wrapper.root.find("inputs").iter("param") if parameter.get("type") != "data")


def field_name(parameter: Any) -> str:
    return parameter.get("name") or parameter.get("argument").lstrip("-").replace("-", "_")


def form_only(wrapper: Wrapper) -> set[str]:
    datasets = {field_name(parameter) for parameter in wrapper.root.find("inputs").iter("param") if parameter.get("type") == "data"}
    positional = {action.dest for action in parser_of(wrapper)._actions if not action.option_strings}
    return set(importlib.import_module(wrapper.path.stem).FORM_ONLY) - datasets - positional


def test_every_field_is_a_flag_or_is_used_by_the_command(wrapper: Wrapper) -> None:
    flags = {action.dest for action in parser_of(wrapper)._actions if action.option_strings}
    command = wrapper.source.parse_command()
    for parameter in fields(wrapper):
        name = field_name(parameter)
        if parameter.get("argument"):
            assert name in flags
        else:
            assert name in form_only(wrapper), "the script would refuse the parameter file"
            chooses_a_case = parameter.getparent().tag == "conditional" and len(parameter.getparent().findall("when")) > 1
            assert chooses_a_case or f"${name}" in command or f".{name}" in command, "the field does nothing"


def test_every_name_a_script_lets_pass_is_a_field_of_the_form(wrapper: Wrapper) -> None:
    assert form_only(wrapper) <= {field_name(parameter) for parameter in fields(wrapper)}


def test_every_flag_is_in_the_form_or_has_a_reason_not_to_be(wrapper: Wrapper) -> None:
    flags = {action.dest for action in parser_of(wrapper)._actions if action.option_strings}
    offered = {field_name(parameter) for parameter in fields(wrapper) if parameter.get("argument")}
    commanded = SET_BY_THE_COMMAND[wrapper.path.stem]
    elsewhere = set(LEFT_TO_OTHER_TOOLS.get(wrapper.path.stem, ()))
    assert flags - offered - set(commanded) - elsewhere <= set(NOT_IN_THE_FORM), "a flag that users of Galaxy cannot reach"
    assert not (offered & set(commanded)), "one of the two would be overruled"
    for flag in commanded:
        assert f"--{flag.replace('_', '-')}" in wrapper.source.parse_command()


def test_every_reason_is_still_needed(wrapper: Wrapper) -> None:
    flags = {action.dest for action in parser_of(wrapper)._actions if action.option_strings}
    assert set(SET_BY_THE_COMMAND[wrapper.path.stem]) | set(LEFT_TO_OTHER_TOOLS.get(wrapper.path.stem, ())) <= flags


def test_every_choice_of_the_form_is_one_the_script_takes(wrapper: Wrapper) -> None:
    actions = {action.dest: action for action in parser_of(wrapper)._actions}
    for parameter in fields(wrapper):
        if parameter.get("type") != "select" or not parameter.get("argument") or is_for_administrators(parameter):
            continue
        choices = actions[field_name(parameter)].choices
        assert choices, f"{field_name(parameter)} has fixed choices in the form and none in the script"
        values = {option.get("value") for option in parameter.findall("option")} - {""}
        assert values <= set(choices)


def test_every_choice_of_the_script_is_in_the_form(wrapper: Wrapper) -> None:
    actions = {action.dest: action for action in parser_of(wrapper)._actions}
    offered: dict[str, set[str]] = {}
    for parameter in fields(wrapper):
        if parameter.get("type") == "select" and parameter.get("argument") and not is_for_administrators(parameter):
            offered.setdefault(field_name(parameter), set()).update(option.get("value") for option in parameter.findall("option"))
    for name, values in offered.items():
        assert set(actions[name].choices) <= values


def test_the_defaults_of_form_and_script_are_the_same(wrapper: Wrapper, tmp_path: Path) -> None:
    """Whoever leaves the form as it is gets what the terminal gives without flags."""
    state = without_datasets(wrapper.state({"inputs": [{"name": name, "value": "x", "attributes": {}} for name in dataset_names(wrapper)]}))
    given = parse(wrapper, state, tmp_path)
    plain = parse(wrapper, {key: value for key, value in flat(state).items() if key == "format"}, tmp_path)
    for name, value in vars(plain).items():
        if name != "params":
            assert getattr(given, name) == (value or MEANT_BY_NOTHING.get((wrapper.path.stem, name), value)), name


def test_a_field_that_is_changed_changes_what_the_script_gets(wrapper: Wrapper, tmp_path: Path) -> None:
    """One other value for each field in turn, in a form otherwise left as it is."""
    for parameter in fields(wrapper):
        if not parameter.get("argument"):
            continue
        name = field_name(parameter)
        value = other_value(parameter)
        base = {"format": "ome-tiff"} if wrapper.path.stem == "lm_convert" else {}
        if parameter.get("type") == "boolean":
            base = {**base, name: not value}
        before, after = parse(wrapper, base, tmp_path), parse(wrapper, base | {name: value}, tmp_path)
        is_list_of_one = isinstance(value, list) and len(parameter.findall("option")) == 1
        assert is_list_of_one or getattr(before, name) != getattr(after, name), name


def is_for_administrators(parameter: Any) -> bool:
    """Whether a server's administrators say what there is to choose from, in a data table."""
    return parameter.find("options") is not None


def other_value(parameter: Any) -> Any:
    kind, name = parameter.get("type"), field_name(parameter)
    if kind == "boolean":
        return parameter.get("checked") != "true"
    if kind == "integer":
        return int(parameter.get("value") or 0) + 1
    if kind == "select":
        if is_for_administrators(parameter):
            return ["/data/chosen"]
        others = [option.get("value") for option in parameter.findall("option") if option.get("selected") != "true"]
        if parameter.get("multiple") == "true":
            return [option.get("value") for option in parameter.findall("option")]
        return others[-1]
    return {"levels": "3", "chunk": "64,64", "series": "1", "region": "0,0,4,4", "center": "8,8,4,4", "axes": "ZYX"}.get(name, "1")


def dataset_names(wrapper: Wrapper) -> list[str]:
    return [
        field_name(parameter)
        for parameter in wrapper.root.find("inputs").iter("param")
        if parameter.get("type") == "data" and parameter.get("optional") != "true"
    ]


def flat(state: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in state.items():
        found |= flat(value) if isinstance(value, dict) else {key: value}
    return found


def parse(wrapper: Wrapper, state: dict[str, Any], folder: Path) -> argparse.Namespace:
    from lightmicroscopy import cli

    module = importlib.import_module(wrapper.path.stem)
    params = folder / f"{next(NUMBERS)}.json"
    params.write_text(json.dumps(state), encoding="utf-8")
    actions = module.parser()._actions
    arguments = [*(f"{action.dest}.tif" for action in actions if not action.option_strings), "--params", str(params)]
    # What every run must be told and the form is not asked for: where outputs go, and datasets.
    for action in actions:
        if action.required and action.type is Path and action.option_strings:
            arguments += [action.option_strings[0], action.dest]
    return cli.parse(module.parser(), arguments, form_only=module.FORM_ONLY)


@pytest.mark.parametrize("axis", ["z", "t"])
def test_a_span_the_form_lets_through_is_one_the_script_understands(lm_convert: Wrapper, axis: str) -> None:
    (parameter,) = [parameter for parameter in fields(lm_convert) if field_name(parameter) == axis]
    pattern = parameter.find("validator").text
    assert all(re.match(pattern, text) for text in ("", "3", "2:5", "2:", ":5"))
    assert not any(re.match(pattern, text) for text in ("-1", "a", "1-2", "1:2:3", "1 2"))
