"""The steps of ``scripts/test.py``, cheapest first: checks of the text, fast tests, then the tests in a Galaxy."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .environments import Environment, ensure
from .paths import ROOT, TOOLS, WORKFLOWS, LocalGalaxyError, say, state_folder

SYSTEM_PACKAGES = {
    "javac": ("default-jdk-headless", "Java (a JDK), for comparing with Bio-Formats"),
    "chromium": ("chromium", "Chromium, for the browser test"),
    "soffice": ("libreoffice-calc", "LibreOffice, for sheets that it has saved"),
    "locale-gen": ("locales", "the sources of locales, for the tests in other languages"),
}
"""Program looked for, Debian's package of it, and what for."""
ALSO_CALLED = {"chromium": ("chromium-browser", "google-chrome", "google-chrome-stable")}
NOTHING_COLLECTED = 5
OUTCOMES = ("failed", "passed", "skipped", "deselected", "xfailed", "xpassed", "warning", "warnings", "error", "errors")


@dataclass
class Run:
    """What has been done so far.

    Attributes
    ----------
    programs
        Folder of the test environment's programs.
    rows
        Step, whether it passed (None: not run), seconds.
    pytest
        Outcomes counted over all runs of pytest.
    """

    programs: Path
    arguments: Sequence[str]
    rows: list[tuple[str, bool | None, float]] = field(default_factory=list)
    pytest: Counter[str] = field(default_factory=Counter)

    @property
    def is_well(self) -> bool:
        """Whether nothing has failed yet."""
        return all(passed is not False for _, passed, _ in self.rows)

    def step(self, name: str, *command: str | Path, allowed: Sequence[int] = (0,)) -> None:
        """Run a command, show what it says, and note how it went."""
        say(f"\n── {name}")
        began = time.monotonic()
        words = [str(word) for word in command]
        last = ""
        environ = self._environ()
        with subprocess.Popen(words, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process:
            for line in process.stdout or ():
                sys.stdout.write(line)
                sys.stdout.flush()
                last = line if line.strip() else last
        status = process.returncode
        if "pytest" in Path(command[0]).name:
            self.pytest.update({word.removesuffix("s") if word in ("errors", "warnings") else word: int(number) for number, word in _counts(last)})
        self.rows.append((name, status in allowed, time.monotonic() - began))

    def skip(self, name: str) -> None:
        """Note that a step was not run, because of what failed before it."""
        self.rows.append((name, None, 0.0))

    def _environ(self) -> dict[str, str]:
        hidden = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
        kept = {name: value for name, value in os.environ.items() if name not in hidden}
        return kept | {"PATH": f"{self.programs}{os.pathsep}{os.environ.get('PATH', '')}", "PYTHONUNBUFFERED": "1"}


def _counts(line: str) -> list[tuple[str, str]]:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", line)
    return re.findall(rf"(\d+) ({'|'.join(sorted(OUTCOMES, key=len, reverse=True))})\b", plain)


def _check(run: Run) -> None:
    planemo: list[str | Path] = [run.programs / "planemo", "--directory", state_folder() / "planemo"]
    skipped = (ROOT / ".lint_skip").read_text(encoding="utf-8").split()
    managers = sorted(ROOT.glob("data_managers/data_manager/lm_*.xml"))
    wrappers = [*sorted(TOOLS.glob("lm_*.xml")), *managers]
    run.step("ruff", run.programs / "ruff", "check", ".")
    run.step("ruff format", run.programs / "ruff", "format", "--check", ".")
    run.step("mypy", run.programs / "mypy")
    run.step("planemo lint", *planemo, "lint", "--fail_level", "warn", "--skip", ",".join(skipped), *wrappers)
    run.step("planemo format", *planemo, "format", "--dry-run", *sorted(TOOLS.glob("*.xml")), *managers)
    for folder in sorted(path.parent for path in WORKFLOWS.glob("*/*.ga")):
        run.step(f"planemo workflow_lint {folder.name}", *planemo, "workflow_lint", "--iwc", "--fail_level", "warn", folder)


def _pytest(run: Run, name: str, marks: str, *flags: str) -> None:
    allowed = (0, NOTHING_COLLECTED) if run.arguments else (0,)
    run.step(name, run.programs / "pytest", "-m", marks, *flags, *run.arguments, allowed=allowed)


def _in_galaxy(run: Run) -> None:
    steps = (["planemo test, in a local Galaxy"] if not run.arguments else []) + ["tests in a local Galaxy"]
    if not run.is_well:
        for name in steps:
            run.skip(name)
        return
    if not run.arguments:
        run.step(steps[0], sys.executable, ROOT / "scripts" / "galaxy.py", "test")
    _pytest(run, steps[-1], "galaxy")


def missing_programs() -> dict[str, tuple[str, str]]:
    """Return what the operating system still has to offer."""
    return {
        program: package
        for program, package in SYSTEM_PACKAGES.items()
        if not any(shutil.which(name) or shutil.which(name, path="/usr/sbin") for name in (program, *ALSO_CALLED.get(program, ())))
    }


def install_missing_programs() -> None:
    """Install what tests need of the system where that can be done without asking, else say how."""
    missing = missing_programs()
    if not missing:
        return
    packages = [package for package, _ in missing.values()]
    wanted = " and ".join(what for _, what in missing.values())
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"Installing {wanted} …")
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]):
            subprocess.run(["apt-get", *command], stdout=subprocess.DEVNULL, env=environ, check=False)
        missing = missing_programs()
    if missing:
        say(f"Not found: {wanted}. On Debian or Ubuntu: sudo apt-get install {' '.join(packages)}. Tests that need it are skipped.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="test.py", description="Every check and test of this repository, from nothing.", allow_abbrev=False)
    parser.add_argument("--only", choices=("checks", "fast", "galaxy"), help="one part (default: all)")
    parser.epilog = "Whatever else is given goes to pytest."
    return parser


def _environments() -> Environment:
    ensure("galaxy-21.09")
    return ensure("test")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the steps and say how each went."""
    options, for_pytest = _parser().parse_known_args(arguments)
    began = time.monotonic()
    try:
        if options.only != "checks":
            install_missing_programs()
        run = Run(_environments().programs, for_pytest)
    except LocalGalaxyError as error:
        say(f"test: {error}")
        return 1
    run.rows.append(("environments", True, time.monotonic() - began))
    if options.only in (None, "checks"):
        _check(run)
    if options.only in (None, "fast"):
        _pytest(run, "fast tests", "not galaxy", "-n", "auto")
    if options.only in (None, "galaxy"):
        _in_galaxy(run)
    _conclude(run, time.monotonic() - began)
    return 0 if run.is_well else 1


def _conclude(run: Run, seconds: float) -> None:
    print()
    for name, passed, took in run.rows:
        word = {True: "passed", False: "FAILED", None: "not run"}[passed]
        print(f"{word:8}{took:7.0f} s  {name}")
    if run.pytest:
        numbers = ((word, run.pytest[word]) for word in OUTCOMES if run.pytest[word])
        counts = ", ".join(f"{number} {word}{'s' if word in ('error', 'warning') and number > 1 else ''}" for word, number in numbers)
        print(f"{f' {counts} in {seconds:.2f}s ':=^100}")
