"""Whatever happens to the caller, nothing it started is left: shown with small stand-ins for Galaxy."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.locks import FileLock
from local.paths import ROOT

from .conftest import SCRIPT
from .processes_left import eventually, processes_with

SCRIPTS = ROOT / "scripts"
SUPERVISOR = SCRIPTS / "local" / "supervisor.py"

# A server with a worker, a job in a process group of its own, and a grandchild that has cut every tie.
STAND_IN = """
import os, signal, subprocess, sys
wait = [sys.executable, "-c", "import signal; signal.pause()", sys.argv[1]]
stubborn = [sys.executable, "-c", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()", sys.argv[1]]
subprocess.Popen(wait)
subprocess.Popen(stubborn, process_group=0)
if os.fork() == 0:
    os.setsid()
    subprocess.Popen(stubborn)
    os._exit(0)
if "end" in sys.argv:
    sys.exit(7)
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("started", flush=True)
signal.pause()
"""


@pytest.fixture
def token() -> Iterator[str]:
    """Return a word that marks this test's processes; whatever bears it afterwards is killed."""
    word = f"token-{uuid.uuid4().hex}"
    yield word
    for process in processes_with(word):
        process.kill()


def stand_in(token: str, *words: str) -> list[str]:
    return [sys.executable, "-c", STAND_IN, token, *words]


def supervise(token: str, *words: str, grace: float = 0.5) -> subprocess.Popen[bytes]:
    command = [sys.executable, SUPERVISOR, "--grace", str(grace), "--", *stand_in(token, *words)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)


def closed(process: subprocess.Popen[bytes]) -> int:
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()
    return process.wait(30)


def wait_until_started(process: subprocess.Popen[bytes], token: str) -> None:
    assert process.stdout
    assert process.stdout.readline() == b"started\n"
    assert eventually(lambda: len(processes_with(token)) >= 5)


def test_a_command_that_ends_by_itself_leaves_none_of_its_children(token: str) -> None:
    process = supervise(token, "end")
    assert process.wait(30) == 7
    assert processes_with(token) == []
    closed(process)


def test_when_the_caller_lets_go_everything_ends(token: str) -> None:
    process = supervise(token)
    wait_until_started(process, token)
    closed(process)
    assert processes_with(token) == []


def test_a_command_that_will_not_end_is_killed(token: str) -> None:
    process = supervise(token, "stubborn")
    wait_until_started(process, token)
    assert closed(process) == 128 + signal.SIGKILL
    assert processes_with(token) == []


def test_terminating_the_supervisor_ends_everything(token: str) -> None:
    process = supervise(token)
    wait_until_started(process, token)
    process.terminate()
    process.wait(30)
    assert processes_with(token) == []
    closed(process)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a process that its parent has gone")
def test_killing_the_supervisor_itself_ends_the_command(token: str) -> None:
    process = supervise(token)
    wait_until_started(process, token)
    servers = [child for child in processes_with(token) if child.ppid() == process.pid and STAND_IN in child.cmdline()]
    assert len(servers) == 1
    process.kill()
    assert eventually(lambda: not servers[0].is_running())
    closed(process)


def test_a_command_that_does_not_exist_is_a_sentence() -> None:
    done = subprocess.run(
        [sys.executable, SUPERVISOR, "--", "/no/such/program"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 127
    assert done.stderr == "/no/such/program could not be started: No such file or directory.\n"


def test_what_a_command_prints_goes_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, SUPERVISOR, "--log", log, "--", sys.executable, "-c", "print('x' * 10**6)"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.wait(30) == 0
    assert process.stdout
    assert process.stdout.read() == b""
    assert log.stat().st_size == 10**6 + 1
    closed(process)


CALLER = textwrap.dedent(
    """
    import sys
    sys.path.insert(0, sys.argv[1])
    from pathlib import Path
    from local import lifeline
    try:
        lifeline.end_with_caller()
        lifeline.run(sys.argv[4:], grace=0.5)
    except lifeline.Stop as stop:
        Path(sys.argv[2]).write_text(f"stopped by {stop.number}")
    """
)


def call(token: str, note: Path, *, before: str = "") -> subprocess.Popen[bytes]:
    """Start a program of ours from a shell that waits for it, as a terminal or a CI job does."""
    shell = f'{before} "$@"; true'
    command = ["sh", "-c", shell, "sh", sys.executable, "-c", CALLER, str(SCRIPTS), str(note), token, *stand_in(token)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)


def program(token: str) -> int:
    """Return the process id of the program that the shell called."""
    return next(found.pid for found in processes_with(token) if CALLER in found.cmdline() and found.name() != "sh")


def test_ctrl_c_ends_everything_in_good_order(token: str, tmp_path: Path) -> None:
    shell = call(token, tmp_path / "note")
    wait_until_started(shell, token)
    os.killpg(shell.pid, signal.SIGINT)
    assert eventually(lambda: processes_with(token) == [])
    assert (tmp_path / "note").read_text() == f"stopped by {signal.SIGINT}"
    closed(shell)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_program_alone_ends_everything(token: str, tmp_path: Path, number: signal.Signals) -> None:
    shell = call(token, tmp_path / "note")
    wait_until_started(shell, token)
    os.kill(program(token), number)
    assert eventually(lambda: processes_with(token) == [])
    assert (tmp_path / "note").read_text() == f"stopped by {number}"
    closed(shell)


def test_killing_the_program_ends_everything(token: str, tmp_path: Path) -> None:
    shell = call(token, tmp_path / "note")
    wait_until_started(shell, token)
    os.kill(program(token), signal.SIGKILL)
    assert eventually(lambda: processes_with(token) == [])
    assert not (tmp_path / "note").exists()
    closed(shell)


def test_killing_the_shell_that_called_ends_everything(token: str, tmp_path: Path) -> None:
    shell = call(token, tmp_path / "note")
    wait_until_started(shell, token)
    shell.kill()
    assert eventually(lambda: processes_with(token) == [])
    assert eventually((tmp_path / "note").exists)
    closed(shell)


def test_under_nohup_the_program_outlives_its_shell_until_it_is_told_to_end(token: str, tmp_path: Path) -> None:
    shell = call(token, tmp_path / "note", before="nohup")
    wait_until_started(shell, token)
    number = program(token)
    shell.kill()
    shell.wait(10)
    # Three looks at the caller long, the program must not care.
    assert not eventually(lambda: len(processes_with(token)) < 5, seconds=1.6)
    os.kill(number, signal.SIGTERM)
    assert eventually(lambda: processes_with(token) == [])
    closed(shell)


def test_an_instance_stays_taken_until_its_processes_are_gone(token: str, tmp_path: Path) -> None:
    """A second Galaxy must not open the database of one that is still being cleaned up."""
    holder = textwrap.dedent(
        """
        import sys
        sys.path.insert(0, sys.argv[1])
        from pathlib import Path
        from local import lifeline, locks
        lock = locks.FileLock(Path(sys.argv[2]))
        assert lock.acquire(wait=False)
        lifeline.run(sys.argv[3:], grace=2.0, lock=lock)
        """
    )

    holding = subprocess.Popen(
        [sys.executable, "-c", holder, SCRIPTS, tmp_path / "lock", *stand_in(token, "stubborn")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    wait_until_started(holding, token)
    other = FileLock(tmp_path / "lock")
    assert not other.acquire(wait=False)
    holding.kill()
    holding.wait(10)
    assert other.acquire(wait=True)
    assert [found for found in processes_with(token) if str(SUPERVISOR) not in found.cmdline()] == []
    other.release()
    closed(holding)


def serve(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``galaxy.py serve`` with an empty state folder, where it is expected to give up at once."""
    environ = os.environ | {"LIGHTMICROSCOPY_LOCAL": str(state)}
    return subprocess.run([sys.executable, SCRIPT, "serve", *arguments], env=environ, capture_output=True, text=True, check=False)


def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path) -> None:

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = serve(tmp_path, "--port", str(port))
    assert done.returncode == 1
    assert (
        done.stderr
        == f"galaxy: Galaxy cannot listen on port {port} (Address already in use); choose another with --port, or leave it out to get a free one.\n"
    )


def test_a_name_that_is_in_use_is_a_sentence(tmp_path: Path) -> None:

    lock = FileLock(tmp_path / "galaxy" / "mine" / "lock")
    assert lock.acquire(wait=False)
    done = serve(tmp_path, "--name", "mine")
    lock.release()
    assert done.returncode == 1
    assert done.stderr == "galaxy: The Galaxy 'mine' is already running; stop it, or choose another name with --name.\n"


@pytest.mark.parametrize("name", ["../elsewhere", "", ".hidden", "a/b"])
def test_a_name_that_could_leave_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    done = serve(tmp_path, f"--name={name}")
    assert done.returncode == 1
    assert done.stderr == f"galaxy: {name!r} cannot name a Galaxy; use letters, digits, '.', '_' and '-'.\n"
    assert list(tmp_path.iterdir()) == []
