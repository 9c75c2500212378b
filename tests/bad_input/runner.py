"""Runs a script as a user does, and looks at everything it leaves: exit code, messages, files, memory."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = REPOSITORY / "tools"
SCRIPT = "lm_convert"
TABLE = REPOSITORY / "docs" / "bad-input.md"
PATIENCE = 120
HASHED = 64 << 20
WARNS = " Warns: "
# A process begins with the peak memory of the one that started it, so a small one starts it and looks.
MEASURE = """
import os, sys
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
with open(sys.argv[1], "w") as report:
    report.write(f"{os.waitstatus_to_exitcode(status)} {usage.ru_maxrss}")
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table. `told` holds what is said or made; ``…`` stands for any text."""

    name: str
    code: int
    told: str

    @property
    def makes(self) -> list[str]:
        """Names in the output folder of a row that succeeds."""
        return sorted(re.findall(r"`([^`]+)`", self.told.split(WARNS)[0])) if self.told.startswith("Makes ") else []

    @property
    def sentence(self) -> str:
        """What stderr holds; nothing for a row that succeeds without a warning."""
        return self.told if self.code else self.told.partition(WARNS)[2]

    @property
    def pattern(self) -> str:
        """The sentence as a regular expression."""
        return ".*".join(re.escape(part) for part in self.sentence.split("…"))


def rows() -> list[Row]:
    """Read the table."""
    cells = [re.split(r"(?<!\\)\|", line.strip())[1:-1] for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    found = [[cell.strip().replace("\\|", "|") for cell in line] for line in cells if line[1].strip().lstrip("-").isdigit()]
    return [Row(name, int(code), told) for name, code, told in found]


@dataclass(frozen=True, slots=True)
class Result:
    """What a run did. `memory` is the largest resident set in MB."""

    code: int
    stderr: str
    made: tuple[str, ...]
    memory: float

    @property
    def lines(self) -> list[str]:
        """Messages, without the name of the program."""
        return [re.sub(r"^lm_\w+: ", "", line) for line in self.stderr.splitlines() if line.strip()]


def run(arguments: Sequence[str], output: Path, *, before: Sequence[str] = (), script: str = SCRIPT) -> Result:
    """Run a script to the end; `before` is a command that runs it."""
    errors, measured = output.parent / "stderr.txt", output.parent / "measured.txt"
    launcher = [sys.executable, "-I", "-S", "-c", MEASURE, str(measured), *command(arguments, output, before, script)]
    with errors.open("wb") as stream, subprocess.Popen(launcher, stdout=subprocess.DEVNULL, stderr=stream, start_new_session=True) as process:
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    code, kilobytes = measured.read_text().split()
    return Result(int(code), errors.read_text(encoding="utf-8"), listing(output), int(kilobytes) / 1024)


def run_until_killed(arguments: Sequence[str], output: Path, number: signal.Signals) -> tuple[Result, bool]:
    """Send a signal once something is being written; returns whether it had been begun."""
    errors = output.parent / "stderr.txt"
    with errors.open("wb") as stream, subprocess.Popen(command(arguments, output, ()), stdout=subprocess.DEVNULL, stderr=stream) as process:
        begun = False
        for _ in range(PATIENCE * 100):
            begun = written(output) > 0
            if begun:
                break
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.01)
                break
        process.send_signal(number)
        process.wait(PATIENCE)
    return Result(process.returncode, errors.read_text(encoding="utf-8"), listing(output), 0.0), begun


def command(arguments: Sequence[str], output: Path, before: Sequence[str], script: str = SCRIPT) -> list[str]:
    """Spell out the whole command line."""
    return [*before, sys.executable, "-W", "error", str(TOOLS / f"{script}.py"), *arguments, "--output", str(output), "--quiet", "--threads", "2"]


def listing(folder: Path) -> tuple[str, ...]:
    """Names at the top of a folder."""
    return tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()


def written(folder: Path) -> int:
    """Bytes below a folder, which may change while it is looked at."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(place, name).stat().st_size
    return total


def fingerprint(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Size, time and content (of what is not large) of every file, to show that inputs are left alone."""

    def files() -> Iterator[Path]:
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file())

    def content(path: Path) -> str:
        readable = os.access(path, os.R_OK) and path.stat().st_size <= HASHED
        return hashlib.sha256(path.read_bytes()).hexdigest() if readable else ""

    return {str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns, content(path)) for path in files()}
