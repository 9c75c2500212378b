"""The tests inside the wrappers and beside the workflows, run in a real Galaxy through planemo."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import environments, lifeline
from .accounts import workflow_files
from .configuration import JOBS_AT_ONCE, our_tools
from .paths import ROOT, LocalGalaxyError, make_private, say

if TYPE_CHECKING:
    from pathlib import Path

    from .instance import Connection

# The end of a traceback or of a tool's messages says what happened.
LINES_SHOWN = 5
# More tests than jobs at once: most of a test's time it waits for Galaxy, not for its job.
WAITING = 2
# Once in a thousand tests Galaxy says of a history that it has just made that it does not exist.
ATTEMPTS = 2


@dataclass(frozen=True)
class Plan:
    """What to test.

    Attributes
    ----------
    tools
        XML file by tool id.
    workflows
        ``.ga`` files.
    """

    tools: dict[str, Path]
    workflows: list[Path]


def make_plan(targets: list[str]) -> Plan:
    """Turn tool ids, workflow names and file names into a plan; without any, everything.

    Raises
    ------
    LocalGalaxyError
        When a target is neither a tool nor a workflow, or nothing is left to test.
    """
    tools, workflows = our_tools(), {path.parent.name: path for path in workflow_files()}
    if not targets:
        plan = Plan(tools, list(workflows.values()))
    else:
        chosen_tools, chosen_workflows = {}, []
        for target in targets:
            # A path typed with the shell's help names its tool or workflow too.
            name = target.rstrip("/").rpartition("/")[2].removesuffix(".xml").removesuffix(".ga")
            if name in tools:
                chosen_tools[name] = tools[name]
            elif name in workflows:
                chosen_workflows.append(workflows[name])
            else:
                raise LocalGalaxyError(f"There is no tool or workflow {target!r}; there are: {', '.join([*tools, *workflows])}.")
        plan = Plan(chosen_tools, chosen_workflows)
    if not plan.tools and not plan.workflows:
        raise LocalGalaxyError("There is nothing to test: no tool in tools/ and no workflow in workflows/.")
    return plan


def run_tests(plan: Plan, connection: Connection, output: Path) -> int:
    """Run planemo on each tool and workflow, several at a time, and sum up.

    Returns
    -------
    int
        0 when at least one test ran for every target and all passed, else 1.
    """
    planemo = environments.ensure("test").programs / "planemo"
    output.mkdir(parents=True, exist_ok=True)
    # The longest first, so that none is waited for alone in the end.
    targets = [*plan.workflows, *sorted(plan.tools.values(), key=lambda path: path.stat().st_size, reverse=True)]
    # Planemo's first start writes its settings; two at once would trip over each other.
    home = make_private(output / "planemo")
    say_lock = threading.Lock()

    def test_one(target: Path) -> dict[str, int]:
        report = output / f"{target.stem}.json"
        log = report.with_suffix(".log")
        log.unlink(missing_ok=True)
        for attempt in range(1, ATTEMPTS + 1):
            report.unlink(missing_ok=True)
            status = lifeline.run(_command(planemo, target, connection, report, home), log=log, env=_planemo_environ(home), cwd=ROOT)
            counts = count_results(report, status)
            refused = never_started(report)
            if attempt == ATTEMPTS or not refused:
                break
            with say_lock:
                say("\n".join([f"Galaxy started no job for {', '.join(refused)}; the tests of {target.stem} run again:", *failed_tests(report)]))
        with say_lock:
            word = "ok    " if counts["passed"] and not counts["failed"] else "FAILED"
            say(f"{word} {target.stem}: {counts['passed']} of {sum(counts.values())} tests passed")
            for problem in failed_tests(report):
                say(problem)
            if not report.exists():
                say("\n".join(log.read_text(errors="replace").splitlines()[-20:]))
        return counts

    with ThreadPoolExecutor(JOBS_AT_ONCE + WAITING) as pool:
        try:
            results = list(pool.map(test_one, targets))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            lifeline.stop_all()
            raise
    passed, failed = (sum(counts[word] for counts in results) for word in ("passed", "failed"))
    honest = all(counts["passed"] for counts in results) and not failed
    print(f"{passed} tests passed, {failed} failed; reports in {output}", flush=True)
    return 0 if honest else 1


def _command(planemo: Path, target: Path, connection: Connection, report: Path, home: Path) -> list[str | Path]:
    return [
        *(planemo, "--directory", home, "test", "--engine", "external_galaxy", "--galaxy_url", connection.url),
        *("--galaxy_admin_key", connection.admin_key, "--galaxy_user_key", connection.user_key, "--no_shed_install"),
        *("--test_output_json", report, "--test_output", report.with_suffix(".html"), "--test_output_junit", report.with_suffix(".xml"), target),
    ]


def _planemo_environ(home: Path) -> dict[str, str]:
    return lifeline.environ_with(
        PLANEMO_GLOBAL_WORKSPACE=str(home),
        NO_PROXY="127.0.0.1",
        no_proxy="127.0.0.1",
        PATH=os.environ.get("PATH", os.defpath),
    )


def read_tests(report: Path) -> list[dict[str, Any]]:
    """Return the tests of a planemo report; none when it was not written."""
    try:
        tests: list[dict[str, Any]] = json.loads(report.read_text())["tests"]
    except (OSError, ValueError, KeyError):
        return []
    return tests


def count_results(report: Path, status: int) -> dict[str, int]:
    """Count passed and failed tests; anything but success is a failure, and so is a crash of the runner."""
    statuses = [test["data"].get("status") for test in read_tests(report)]
    passed = statuses.count("success")
    failed = len(statuses) - passed
    return {"passed": passed, "failed": max(failed, 1) if status else failed}


def never_started(report: Path) -> list[str]:
    """Return the failed tests of tools that Galaxy refused before there was a job: what they test was not tried."""
    failed = [test for test in read_tests(report) if test["data"].get("status") == "error" and test.get("test_type") != "galaxy_workflow"]
    return [test["id"] for test in failed if not test["data"].get("job") and not test["data"].get("output_problems")]


def failed_tests(report: Path) -> list[str]:
    """Describe each failed test in a few lines."""
    lines = []
    for test in read_tests(report):
        data = test["data"]
        if data.get("status") == "success":
            continue
        problems = data.get("output_problems") or [data.get("execution_problem") or data.get("dynamic_exception") or "no reason was given"]
        job = data.get("job") or {}
        text = str(job.get("stderr") or "").strip().splitlines()[-LINES_SHOWN:]
        lines.append(
            "\n".join(
                [
                    f"  {test['id']}",
                    *(f"    {line}" for problem in problems for line in str(problem).strip().splitlines()[-LINES_SHOWN:]),
                    *(f"    | {line}" for line in text),
                ]
            )
        )
    return lines
