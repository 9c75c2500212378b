"""What a run is said to have taken, and that nothing may take all of a machine."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from benchmarking.runs import Patience, Run, run

PATIENT = Patience(60, 1 << 40)
HOLD = "import time; held = bytearray({megabytes} << 20); time.sleep(0.6)"


def python(code: str, folder: Path, patience: Patience = PATIENT) -> Run:
    return run([sys.executable, "-S", "-c", code], folder / "out", folder / "benchmark.log", limits=patience)


def test_the_bytes_and_files_of_an_output_are_counted_and_older_ones_are_not(tmp_path: Path) -> None:
    old = tmp_path / "out" / "old"
    old.mkdir(parents=True)
    (old / "file").write_bytes(b"old")
    write = "from pathlib import Path; Path('{0}/a').mkdir(); Path('{0}/a/b').write_text('123'); Path('{0}/c').write_text('45')"
    done = python(write.format(tmp_path / "out"), tmp_path)
    assert (done.problem, done.output, done.files, done.code) == (None, 5, 2, 0)


def test_a_failure_is_a_problem_that_says_where_to_look(tmp_path: Path) -> None:
    done = python("import sys; print('no such thing'); sys.exit(3)", tmp_path)
    assert done.problem == "exit code 3, see benchmark.log"
    assert "no such thing" in (tmp_path / "benchmark.log").read_text()


def test_processor_time_of_children_counts(tmp_path: Path) -> None:
    busy = "import time\nwhile time.process_time() < 0.4: pass"
    done = python(f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {busy!r}], check=True)", tmp_path)
    assert done.cpu >= 0.4


def test_memory_of_processes_side_by_side_is_added_up(tmp_path: Path) -> None:
    start = (
        f"import subprocess, sys; [p.wait() for p in [subprocess.Popen([sys.executable, '-S', '-c', {HOLD.format(megabytes=60)!r}]) for _ in 'ab']]"
    )
    done = python(start, tmp_path)
    assert 60 << 20 < done.memory < 80 << 20, "nor is what the tests themselves hold"
    assert done.tree_memory > 120 << 20


def test_a_program_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    hang = "import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', 'input()'], stdin=subprocess.PIPE); import time; time.sleep(60)"
    done = python(hang, tmp_path, Patience(0.5, 1 << 40))
    assert done.problem == "ended after 0.5 s"
    assert done.wall < 30


def test_a_program_that_takes_too_much_memory_is_ended(tmp_path: Path) -> None:
    done = python(HOLD.format(megabytes=200).replace("0.6", "60"), tmp_path, Patience(60, 100 << 20))
    assert done.problem is not None
    assert re.fullmatch(r"ended at 0\.[12] GB of memory", done.problem)
    assert done.wall < 30


def test_a_command_that_is_not_there_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run([tmp_path / "absent"], tmp_path / "out", tmp_path / "benchmark.log", limits=PATIENT)
