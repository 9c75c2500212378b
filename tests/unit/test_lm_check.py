"""The script: what it writes, what it prints, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lm_check
from lightmicroscopy import cli

from .check_examples import ome_xml

SOUND = ome_xml(data="<MetadataOnly/>")
GAPS = ome_xml(data="<MetadataOnly/>", pixels="")
WRONG = ome_xml(data="<MetadataOnly/>", sizes=(1, 3, 1))
BROKEN = "<OME"


def _inputs(folder: Path, *documents: str) -> list[str]:
    paths = [folder / f"{number}.xml" for number in range(len(documents))]
    for path, document in zip(paths, documents, strict=True):
        path.write_text(document, encoding="utf-8")
    return [str(path) for path in paths]


@pytest.mark.parametrize(
    ("documents", "flags", "code"),
    [
        ((SOUND,), (), 0),
        ((WRONG,), (), 0),
        ((WRONG,), ("--fail-on", "error"), 4),
        ((GAPS,), ("--fail-on", "error"), 0),
        ((GAPS,), ("--fail-on", "warning"), 4),
        ((WRONG,), ("--fail-on", "warning"), 4),
        ((SOUND,), ("--fail-on", "warning"), 0),
        ((WRONG,), ("--fail-on", "never"), 0),
        ((SOUND, BROKEN), (), 0),
        ((SOUND, BROKEN), ("--strict",), 3),
        ((SOUND, BROKEN), ("--fail-on", "error"), 4),
        ((BROKEN,), (), 1),
        ((BROKEN, BROKEN), ("--fail-on", "never"), 1),
    ],
)
def test_exit_codes(tmp_path: Path, documents: tuple[str, ...], flags: tuple[str, ...], code: int) -> None:
    assert lm_check.main([*_inputs(tmp_path, *documents), *flags, "--table", str(tmp_path / "t.tsv")]) == code
    assert (tmp_path / "t.tsv").exists()


def test_all_three_reports_are_written_whole_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "out"
    flags = ["--html", str(out / "r.html"), "--table", str(out / "r.tsv"), "--json", str(out / "r.json")]
    assert lm_check.main([*_inputs(tmp_path, WRONG), *flags]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["r.html", "r.json", "r.tsv"]
    assert (out / "r.html").read_text(encoding="utf-8").endswith("</html>")
    assert json.loads((out / "r.json").read_text(encoding="utf-8"))["findings"]


def test_without_a_report_the_findings_go_to_stdout_one_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lm_check.main(_inputs(tmp_path, WRONG))
    out = capsys.readouterr().out
    assert "error: 0.xml: SizeC is 3, but 1 Channel element describes the channels. [/OME/Image/Pixels]" in out.splitlines()


def test_with_a_report_stdout_stays_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lm_check.main([*_inputs(tmp_path, WRONG), "--table", str(tmp_path / "t.tsv")])
    assert capsys.readouterr().out == ""


def test_a_failed_input_is_one_warning_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lm_check.main([*_inputs(tmp_path, SOUND, BROKEN), "--table", str(tmp_path / "t.tsv"), "--quiet"])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "1.xml" in lines[0]


def test_a_report_that_cannot_be_written_is_a_sentence_and_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert lm_check.main([*_inputs(tmp_path, SOUND), "--html", str(tmp_path / "file" / "r.html")]) == 1
    assert "r.html cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [["--profile", "rembi2"], ["--fail-on", "sometimes"], ["--hmtl", "x"], []])
def test_wrong_usage_is_exit_code_2(tmp_path: Path, flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        lm_check.main([*(_inputs(tmp_path, SOUND) if flags else []), *flags])
    assert stopped.value.code == cli.WRONG_USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(". See lm_check --help.")


def test_galaxys_parameter_file_works(tmp_path: Path) -> None:
    params = tmp_path / "params.json"
    params.write_text(json.dumps({"profile": ["open-format"], "fail_on": "error", "strict": "true", "input": {"values": []}}))
    assert lm_check.main([*_inputs(tmp_path, WRONG), "--params", str(params), "--table", str(tmp_path / "t.tsv")]) == cli.FINDINGS


def test_the_profiles_offered_are_those_that_exist() -> None:
    from lightmicroscopy.metadata.rules import PROFILES

    assert set(lm_check.PROFILES) == set(PROFILES)


def test_inputs_are_called_by_the_names_they_were_given(tmp_path: Path) -> None:
    name = "Prøve 1 «x» 細胞.ome.xml"
    (tmp_path / name).write_text(GAPS, encoding="utf-8")
    lm_check.main([str(tmp_path / name), "--table", str(tmp_path / "t.tsv")])
    rows = (tmp_path / "t.tsv").read_text(encoding="utf-8").splitlines()[1:]
    assert {row.split("\t")[0] for row in rows} == {name}


def test_help_imports_nothing_heavy(tools: Path) -> None:
    code = (
        "import sys\nsys.argv = ['lm_check', '--help']\nimport lm_check\ntry:\n    lm_check.main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'lxml', 'tifffile', 'zarr', 'imagecodecs', 'jinja2', 'PIL', 'tqdm'} & set(sys.modules)\nassert not heavy, heavy"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tools, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(tools)}
    )
    assert done.returncode == 0, done.stderr
    assert "--fail-on" in done.stdout


def test_the_picture_shows_what_could_be_opened(test_data: Path, tmp_path: Path) -> None:
    from PIL import Image as Pillow

    one, two = tmp_path / "one.png", tmp_path / "two.png"
    lm_check.main([str(test_data / "cells.ome.tiff"), "--preview", str(one)])
    lm_check.main([str(test_data / "cells.ome.tiff"), str(test_data / "truncated.tif"), str(test_data / "photo.jpg"), "--preview", str(two)])
    with Pillow.open(one) as alone, Pillow.open(two) as pair:
        assert pair.width > 1.5 * alone.width
        assert pair.height == alone.height


def test_the_picture_of_nothing_says_so(tmp_path: Path) -> None:
    assert lm_check.main([*_inputs(tmp_path, SOUND), "--preview", str(tmp_path / "none.png")]) == 0
    assert (tmp_path / "none.png").read_bytes().startswith(b"\x89PNG")
