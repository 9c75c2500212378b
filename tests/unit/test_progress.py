"""What a waiting person, a job log and a program each see of the progress."""

from __future__ import annotations

import io
import json
import logging

import pytest

from lightmicroscopy.progress import LINE_SECONDS, Progress, duration, set_up_messages, size


class Terminal(io.StringIO):
    """Text that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_a_job_log_gets_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_messages("lm_test", quiet=False, log_json=False)
    clock = Clock()
    progress = Progress("Converting", clock=clock, stream=io.StringIO())
    for second in range(int(2 * LINE_SECONDS) + 1):
        clock.time = float(second)
        progress(second * 1_000_000, 100_000_000)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "lm_test: Converting: 30 % (30.0 MB of 100.0 MB, 1.0 MB/s, about 70 s left)",
        "lm_test: Converting: 60 % (60.0 MB of 100.0 MB, 1.0 MB/s, about 40 s left)",
    ]


def test_a_terminal_gets_a_bar_that_goes_away() -> None:
    terminal = Terminal()
    progress = Progress("Converting", stream=terminal)
    progress(50, 100)
    progress.close()
    assert "Converting" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r")


def test_what_came_before_the_first_byte_does_not_make_the_rate_smaller(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_messages("lm_test", quiet=False, log_json=False)
    clock = Clock()
    progress = Progress("Downloading", clock=clock, stream=io.StringIO())
    for moment, done in ((1000.0, 50_000_000), (1040.0, 90_000_000)):
        clock.time = moment
        progress(done, 1_090_000_000)
    assert capsys.readouterr().err.splitlines()[-1].endswith("8 % (90.0 MB of 1.1 GB, 1.0 MB/s, about 17 min left)")


def test_what_does_not_move_has_no_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_messages("lm_test", quiet=False, log_json=False)
    clock = Clock()
    progress = Progress("Downloading", clock=clock, stream=io.StringIO())
    for clock.time in (0.0, 31.0):
        progress(0, 100)
    assert capsys.readouterr().err.splitlines() == ["lm_test: Downloading: 0 % (0 B of 100 B, 0 B/s, time left unknown)"]


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (1e6, "278 h")])
def test_times_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_message_does_not_stick_to_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    logger = set_up_messages("lm_test", quiet=False, log_json=False)
    progress = Progress("Downloading")
    progress(50, 100)
    before = len(terminal.getvalue())
    logger.warning("It did not answer.")
    progress.close()
    cleared, _, rest = terminal.getvalue()[before:].partition("lm_test: It did not answer.\n")
    assert cleared.startswith("\r")
    assert cleared.strip() == "", "the line of the bar is empty before the message"
    assert "Downloading" in rest, "and the bar stands below it"


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    clock = Clock()
    progress = Progress("Converting", quiet=True, stream=terminal, clock=clock)
    clock.time = 1000.0
    progress(50, 100)
    progress.close()
    assert terminal.getvalue() == capsys.readouterr().err == ""


def test_json_messages_can_be_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    logger = set_up_messages("lm_test", quiet=True, log_json=True)
    logger.info("not said")
    logger.warning("Größe %d µm", 3)
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "Größe 3 µm"
    logging.getLogger("lightmicroscopy").handlers.clear()


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_500_000, "2.5 MB"), (3e15, "3000.0 TB")])
def test_sizes_for_people(count: float, text: str) -> None:
    assert size(count) == text
