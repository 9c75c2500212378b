"""What the scripts decide by themselves: versions, names, the saved report, honest counts."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.dependencies import INDEX_NAMES, declared_requirements, index_version, write_resolver_folders
from local.downloads import free_path, safe_name
from local.environments import Environment, lock_file, normalise
from local.instance import Instance
from local.invocation_report import ReportContext, render
from local.paths import REQUIREMENTS, LocalGalaxyError, write_private
from local.tool_tests import count_results, failed_tests, make_plan, never_started

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
            assert set(map(index_version, versions)) == {locked[normalise(INDEX_NAMES.get(name, name))]}, name


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


def test_a_version_that_conda_forge_writes_with_zeros_is_the_installed_one(tmp_path: Path) -> None:
    tools = tools_that_require(tmp_path / "tools", '<requirement type="package" version="2026.03.3">rdkit</requirement>')
    write_resolver_folders(tmp_path / "resolver", installed(tmp_path / "environment", rdkit="2026.3.3"), tools)
    assert (tmp_path / "resolver" / "rdkit" / "2026.03.3" / "env.sh").is_file()


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


def test_another_galaxy_than_the_usual_is_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LIGHTMICROSCOPY_LOCAL", str(tmp_path))
    with Instance.claim(None) as usual:
        assert (usual.name, capsys.readouterr().err) == ("default", "")
        with Instance.claim(None) as other:
            assert other.name == "default-2"
            assert capsys.readouterr().err == "Galaxy 'default' is in use, so this is 'default-2', with its own histories.\n"


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


def test_what_galaxy_folds_up_is_open_under_its_title_in_the_saved_report_and_missing_parts_stay_so(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("a\tb\n1\t2\n")
    call = directive('history_dataset_embedded(output="t", collapse="What was <written>")')
    page = report(tmp_path, call, t=[tmp_path / "t.tsv"])
    assert "<details open><summary>What was &lt;written&gt;</summary>" in page
    assert "<td>2</td>" in page
    assert "“t” is not among the saved results." in report(tmp_path, call)


def test_a_part_that_only_galaxy_can_show_is_said_to_be(tmp_path: Path) -> None:
    assert "(visualization) can be seen in Galaxy only" in report(tmp_path, directive("visualization(visualization_id=vizarr)"))


def test_html_in_a_report_is_text(tmp_path: Path) -> None:
    assert "<script>" not in report(tmp_path, "<script>alert(1)</script>")


def test_a_plan_names_what_is_not_there() -> None:
    with pytest.raises(
        LocalGalaxyError, match="There is no tool or workflow 'lm_nothing'; there are: lm_annotate, lm_bia_download, lm_bia_search, lm_check"
    ):
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


@pytest.mark.parametrize(
    ("data", "kind", "expected"),
    [
        ({"status": "error", "job": None, "execution_problem": "History not found"}, None, ["lm_describe-5"]),
        ({"status": "error", "job": {"stderr": "why"}, "execution_problem": "it ran"}, None, []),
        ({"status": "failure", "job": None, "output_problems": ["not equal"]}, None, []),
        ({"status": "success", "job": {"stderr": ""}}, None, []),
        ({"status": "error", "job": None, "execution_problem": "it failed"}, "galaxy_workflow", []),
    ],
)
def test_only_a_tool_that_galaxy_did_not_start_is_tested_again(tmp_path: Path, data: dict[str, Any], kind: str | None, expected: list[str]) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"tests": [{"id": "lm_describe-5", "test_type": kind, "data": data}]}))
    assert never_started(path) == expected
