"""What all scripts share: flags from a file, exit codes, messages on one line."""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
from pathlib import Path

import pytest

import lm_inspect
from lightmicroscopy import cli
from lightmicroscopy.errors import LimitError, SuiteError, UnreadableError, UnwritableError, UsageError


def parser() -> argparse.ArgumentParser:
    made = cli.build_parser("lm_test", "Test.")
    made.add_argument("input", nargs="*")
    made.add_argument("--channel", action="append", default=[])
    made.add_argument("--z", default="")
    made.add_argument("--format", choices=("a", "b"))
    made.add_argument("--zip", action="store_true")
    made.add_argument("--verify", action=argparse.BooleanOptionalAction, default=True)
    return made


def params(folder: Path, document: object) -> list[str]:
    file = folder / "params.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return ["--output", "out", "--params", str(file)]


def test_galaxy_s_nested_form_becomes_flags(tmp_path: Path) -> None:
    form = {
        "input": "/somewhere/dataset_1.dat",
        "selection": {"z": "-1:2", "channels": [{"channel": "DAPI; rm | %7C µ"}, {"channel": "index:0"}, {"channel": ""}]},
        "write": {"__current_case__": 1, "format": "b", "zip": True, "verify": "false"},
        "nothing": None,
        "__page__": 0,
    }
    form.pop("nothing")
    arguments = cli.parse(parser(), params(tmp_path, form), form_only=("input",))
    assert arguments.channel == ["DAPI; rm | %7C µ", "index:0"]
    assert (arguments.z, arguments.format, arguments.zip, arguments.verify) == ("-1:2", "b", True, False)


def test_the_command_line_has_precedence(tmp_path: Path) -> None:
    arguments = cli.parse(parser(), [*params(tmp_path, {"z": "0", "format": "a"}), "--z", "3"])
    assert (arguments.z, arguments.format) == ("3", "a")


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"chanel": "DAPI"}, "'chanel', which is not a flag"),
        ("[1]", "must hold one JSON object"),
        ("{", "cannot be read as JSON"),
        ({"format": "c"}, "invalid choice"),
        ({"params": "x"}, "not a flag"),
    ],
)
def test_a_wrong_parameter_file_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str], document: object, sentence: str) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.parse(parser(), params(tmp_path, document))
    assert stop.value.code == cli.WRONG_USAGE
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(("flag", "sentence"), [({"z": "\ud800"}, "no text"), ({"output": "a\0b"}, "no path")])
def test_what_no_table_or_file_name_can_hold_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: dict[str, str], sentence: str
) -> None:
    (tmp_path / "form.json").write_text(json.dumps(flag))
    with pytest.raises(SystemExit) as stop:
        cli.parse(parser(), ["--params", str(tmp_path / "form.json"), *([] if "output" in flag else ["--output", "out"])])
    assert stop.value.code == cli.WRONG_USAGE
    assert sentence in capsys.readouterr().err


def test_wrong_usage_is_one_sentence_and_where_the_flags_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.parse(parser(), ["--fromat", "x\ny"])
    assert stop.value.code == cli.WRONG_USAGE
    assert capsys.readouterr() == ("", "lm_test: The following arguments are required: --output. See lm_test --help.\n")


@pytest.mark.parametrize("flag", ["--report", "--output", "--params", "INPUT"])
def test_a_dash_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-").write_text("{}")
    with pytest.raises(SystemExit) as stop:
        cli.parse(_with_paths(), ["--output", "o", *(["in", "-"] if flag == "INPUT" else [flag, "-"])])
    assert stop.value.code == cli.WRONG_USAGE
    assert f"{flag}: '-' does not stand for standard input or output here." in capsys.readouterr().err


def test_a_dash_in_text_is_text_and_in_a_path_a_name(tmp_path: Path) -> None:
    arguments = cli.parse(_with_paths(), ["--output", str(tmp_path / "-"), "--channel", "-", "a-"])
    assert (arguments.channel, arguments.output.name, arguments.input) == (["-"], "-", [Path("a-")])


def _with_paths() -> argparse.ArgumentParser:
    made = cli.build_parser("lm_test", "Test.")
    made.add_argument("input", nargs="*", type=Path)
    made.add_argument("--report", type=Path)
    made.add_argument("--channel", action="append", default=[])
    return made


def test_examples_stand_in_the_help_as_they_are_typed() -> None:
    command = "lm_test a.czi --output copies --threads 4 --memory 4000 --strict --quiet --log-json --params form.json"
    assert f"\nexamples:\n  {command}\n\nexit codes: 0 done;" in cli.build_parser("lm_test", "Test.", examples=[command]).format_help()


def test_a_file_name_in_another_encoding_is_still_a_file_name() -> None:
    assert cli.parse(parser(), ["--output", "caf\udce9"]).output == Path("caf\udce9")


def test_a_parameter_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.parse(parser(), ["--output", "out", "--params", str(tmp_path / "none.json")])
    assert "none.json cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_threads_must_be_a_number(capsys: pytest.CaptureFixture[str], value: str) -> None:
    with pytest.raises(SystemExit):
        cli.parse(parser(), ["--output", "o", f"--threads={value}"])
    assert "not a whole number of at least 1" in capsys.readouterr().err


def test_what_galaxy_grants_is_used_unless_flags_say_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALAXY_SLOTS", "3")
    monkeypatch.setenv("GALAXY_MEMORY_MB", "2048")
    assert cli.resources(parser().parse_args(["--output", "o"])) == cli.Resources(3, 2048 * 1024**2)
    assert cli.resources(parser().parse_args(["--output", "o", "--threads", "1", "--memory", "100"])) == cli.Resources(1, 100 * 1024**2)


def test_without_galaxy_all_cores_and_no_memory_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GALAXY_SLOTS", raising=False)
    monkeypatch.setenv("GALAXY_MEMORY_MB", "plenty")
    granted = cli.resources(parser().parse_args(["--output", "o"]))
    assert granted.threads >= 1
    assert granted.memory is None


@pytest.mark.parametrize(("error", "code"), [(UsageError, 2), (UnreadableError, 1), (UnwritableError, 1), (LimitError, 1)])
def test_a_foreseen_error_is_one_sentence_and_a_code(capsys: pytest.CaptureFixture[str], error: type[SuiteError], code: int) -> None:
    def work(_: argparse.Namespace) -> int:
        raise error("a\nb\x1b[31m is bad.")

    assert cli.run("lm_test", work, parser().parse_args(["--output", "o"])) == code
    assert capsys.readouterr().err == "lm_test: a b [31m is bad.\n"


def test_messages_as_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    def work(_: argparse.Namespace) -> int:
        raise UsageError("no")

    cli.run("lm_test", work, parser().parse_args(["--output", "o", "--log-json"]))
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["message"]) == ("error", "no")


def test_an_unforeseen_error_is_a_sentence_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def work(_: argparse.Namespace) -> int:
        raise KeyError("T")

    monkeypatch.delenv("LIGHTMICROSCOPY_DEBUG", raising=False)
    assert cli.run("lm_test", work, parser().parse_args(["--output", "o"])) == cli.NOTHING_USABLE
    assert capsys.readouterr().err == "lm_test: This suite has a fault and stopped (KeyError: 'T'). Please report it, with the file if you can.\n"
    monkeypatch.setenv("LIGHTMICROSCOPY_DEBUG", "1")
    with pytest.raises(KeyError):
        cli.run("lm_test", work, parser().parse_args(["--output", "o"]))


def test_reports_are_told_apart_from_inputs_and_each_other(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "link.tsv").symlink_to("store")
    arguments = parser().parse_args(["--output", str(tmp_path / "out")])
    cli.refuse_overwriting(arguments, [tmp_path / "store"], [None, tmp_path / "a.tsv", tmp_path / "b.tsv"])
    for reports in (["store/x.tsv"], ["store"], ["a.tsv", "./a.tsv"], ["."], ["link.tsv"]):
        with pytest.raises(UsageError):
            cli.refuse_overwriting(arguments, [tmp_path / "store"], [tmp_path / name for name in reports])


@pytest.mark.parametrize("report", ["out", "out/../out", "results"])
def test_no_report_stands_where_the_output_folder_is_to_be(tmp_path: Path, report: str) -> None:
    arguments = parser().parse_args(["--output", str(tmp_path / "results" / "out" if report == "results" else tmp_path / "out")])
    with pytest.raises(UsageError, match=r"^A report is to be written where the output folder out is to be\. Give the report another name\.$"):
        cli.refuse_overwriting(arguments, (), [tmp_path / report])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flag", ["--output", "--params"])
def test_what_has_no_end_is_never_read(tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SystemExit) as stopped:
        cli.parse(parser(), ["--output", "o", flag, str(tmp_path / "pipe")])
    assert stopped.value.code == cli.WRONG_USAGE
    said = capsys.readouterr().err
    assert "pipe is a pipe or a device. Give a file or a folder" in said if flag == "--output" else "pipe must be a file of JSON of at most" in said


def test_what_the_system_refuses_is_a_sentence_with_the_file(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def work(_: argparse.Namespace) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", "/galaxy/jobs/1/a.ome.zarr/zarr.json")

    monkeypatch.delenv("LIGHTMICROSCOPY_DEBUG", raising=False)
    assert cli.run("lm_test", work, parser().parse_args(["--output", "o"])) == cli.NOTHING_USABLE
    assert capsys.readouterr().err == (
        "lm_test: a.ome.zarr/zarr.json: Permission denied. Check that it is there, that you may use it and its folder, and that the disk has room.\n"
    )


def test_a_cancelled_job_unwinds(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    cleaned = []

    def work(_: argparse.Namespace) -> int:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            cleaned.append(True)
        return 0

    try:
        assert cli.run("lm_test", work, parser().parse_args(["--output", "o"])) == cli.INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)
    assert cleaned
    assert "Interrupted" in capsys.readouterr().err


def test_a_name_longer_than_a_file_name_may_be_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        lm_inspect.main(["µ" * 200 + ".tif"])
    assert stopped.value.code == 2
    assert "is longer than a file name may be (255 bytes)" in capsys.readouterr().err


@pytest.mark.parametrize("given", [["--output", ""], ["--output="]])
def test_an_empty_name_of_a_folder_is_not_the_current_one(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.parse(parser(), given)
    assert stopped.value.code == 2
    assert "--output: the name is empty." in capsys.readouterr().err
