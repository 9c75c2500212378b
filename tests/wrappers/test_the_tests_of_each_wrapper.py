"""What `planemo test` would find out in minutes, on every run of pytest: the real scripts on the rendered commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from galaxy.tool_util.verify.asserts import verify_assertions
from galaxy.util import asbool

from .conftest import WRAPPERS
from .rendering import Job, Wrapper, job_of

CASES = [
    pytest.param(wrapper, case, id=f"{wrapper.path.stem}-{number}-{'fails' if case['expect_failure'] else 'works'}")
    for wrapper in WRAPPERS
    for number, case in enumerate(wrapper.cases(), 1)
]


@pytest.mark.parametrize(("wrapper", "case"), CASES)
def test_a_form_filled_in_as_in_the_test_gives_what_the_test_says(wrapper: Wrapper, case: dict[str, Any], test_data: Path, tmp_path: Path) -> None:
    job = job_of(wrapper, case, test_data, tmp_path)
    done = job.run()
    assert done.returncode == int(case["expect_exit_code"] or 0), done.stderr
    if case["stderr"]:
        verify_assertions(done.stderr.encode(), case["stderr"])
    assert "Traceback" not in done.stderr
    if asbool(case["expect_failure"]):
        return
    assert done.stdout == "", "standard output is for results, and a job has none there"
    assert len(job.outputs()) == int(case["expect_num_outputs"])
    for output in case["outputs"]:
        verify_output(job, output)
        if names := job.column_names(output["name"]):
            assert job.output(output["name"]).read_text().splitlines()[0].split("\t") == names.split(",")
    for collection in case["output_collections"]:
        verify_collection(job, collection)


@pytest.mark.parametrize(("wrapper", "case"), CASES)
def test_a_wrapper_test_says_how_many_outputs_there_are_or_how_it_fails(wrapper: Wrapper, case: dict[str, Any]) -> None:
    if asbool(case["expect_failure"]):
        assert case["expect_exit_code"], "a failure has an exit code"
        assert case["stderr"], "a failure has a message"
    else:
        assert case["expect_num_outputs"]
        named = {output["name"] for output in case["outputs"]} | {collection["name"] for collection in case["output_collections"]}
        assert len(named) == int(case["expect_num_outputs"]), "every output is looked at"


@pytest.mark.parametrize("wrapper", WRAPPERS, ids=lambda wrapper: wrapper.path.stem)
def test_a_wrapper_is_tested_with_good_and_with_bad_input(wrapper: Wrapper) -> None:
    failing = [asbool(case["expect_failure"]) for case in wrapper.cases()]
    assert any(failing)
    assert not all(failing)


def verify_output(job: Job, output: dict[str, Any]) -> None:
    attributes = output["attributes"]
    if attributes["assert_list"]:
        verify_assertions(job.output(output["name"]).read_bytes(), attributes["assert_list"])
    for extra in attributes["extra_files"]:
        verify_assertions((job.extra_files(output["name"]) / extra["name"]).read_bytes(), extra["attributes"]["assert_list"])
    if attributes["extra_files"]:
        assert len(list(job.extra_files(output["name"]).iterdir())) == 1, "Galaxy finds a store only if it is alone in its folder"


def leaves(elements: dict[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, (_, attributes) in elements.items():
        if attributes["elements"]:
            yield from leaves(attributes["elements"], f"{above}{name}/")
        else:
            yield above + name, attributes


def verify_collection(job: Job, collection: dict[str, Any]) -> None:
    found = job.discovered(collection["name"])
    if "count" in collection["attributes"]:
        assert len({name.partition("/")[0] for name in found}) == int(collection["attributes"]["count"]), sorted(found)
    assert {name.count("/") for name in found} <= {(job.collection_type(collection["name"])).count(":")}
    for name, attributes in leaves(collection["element_tests"]):
        assert name in found
        if found[name].is_dir():
            assert len(list(found[name].iterdir())) == 1, "Galaxy finds a store only if it is alone in its folder"
        for extra in attributes.get("extra_files") or ():
            verify_assertions((found[name] / extra["name"]).read_bytes(), extra["attributes"]["assert_list"])
        if attributes["assert_list"]:
            verify_assertions(found[name].read_bytes(), attributes["assert_list"])
