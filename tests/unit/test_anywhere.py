"""Equal inputs give equal files, tables and messages wherever they are converted: in any time zone, locale and encoding."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ..needs import missing

PATIENCE = 120
HOME = {"TZ": "UTC", "LC_ALL": "C.UTF-8"}
PLACES: dict[str, dict[str, str]] = {
    "Newfoundland": {"TZ": "America/St_Johns", "LC_ALL": "C.UTF-8"},
    "Nepal": {"TZ": "Asia/Kathmandu", "LC_ALL": "C"},
    "nowhere": {"TZ": "America/St_Johns", "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "Germany": {"TZ": "Europe/Berlin", "LC_ALL": "de_DE.UTF-8"},
    "Western Europe of old": {"TZ": "Europe/Berlin", "LC_ALL": "de_DE.ISO-8859-1", "PYTHONUTF8": "0"},
    "Turkey": {"TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8"},
}
ACCENTED = "Zellkörper 5 µm é"
KEPT = (
    *("stack.czi", "project.lif", "positions.nd2", "padded.ims", "plain.h5", "cells.ome.tiff", "imagej_stack.tif", "confocal.lsm"),
    *("photo.jpg", "cells_05.ome.zarr.zip", "wrong_metadata.ome.tiff"),
)
# One process for all: the locale is the process's, and starting one takes longer than converting.
EVERYTHING = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import lm_convert, lm_inspect
inputs, output = json.loads(sys.argv[2]), Path(sys.argv[3])
codes = [
    lm_convert.main([name, "--output", str(output / kind / Path(name).name), "--format", kind, "--quiet", "--report", str(output / f"{kind}.tsv")])
    for name in inputs for kind in ("ome-tiff", "ome-zarr")
]
more = ["--table", str(output / "all.tsv"), "--json", str(output / "all.json"), "--html", str(output / "all.html"), "--ome-xml", str(output / "xml")]
codes.append(lm_inspect.main([*inputs, "--quiet", *more]))
print(codes)
"""


def known(name: str, places: Mapping[str, str]) -> bool:
    asked = [sys.executable, "-c", "import locale, sys; locale.setlocale(locale.LC_ALL, sys.argv[1])", name]
    return subprocess.run(asked, capture_output=True, check=False, env={**os.environ, **places}).returncode == 0


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    chosen = PLACES[request.param]
    name = chosen["LC_ALL"]
    if known(name, {}):
        return chosen
    language, _, encoding = name.partition(".")
    folder = tmp_path_factory.mktemp("locales")
    make = ["localedef", "-i", language, "-f", encoding, str(folder / name)]
    made = shutil.which(make[0]) is not None and subprocess.run(make, capture_output=True, check=False).returncode == 0
    if not made or not known(name, {"LOCPATH": str(folder)}):
        missing(f"the locale {name} is not installed here and cannot be made; Debian's package 'locales' has its source")
    return {**chosen, "LOCPATH": str(folder)}


@pytest.fixture(scope="module")
def inputs(test_data: Path) -> list[str]:
    return [str(test_data / name) for name in KEPT]


def run(command: list[str], place: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    names = ("LANG", "LANGUAGE", "TZ", "PYTHONUTF8", "PYTHONCOERCECLOCALE", "PYTHONIOENCODING")
    own = {name: value for name, value in os.environ.items() if name not in names and not name.startswith("LC_")}
    environment = {**own, "SOURCE_DATE_EPOCH": "1700000000", **place}
    return subprocess.run([sys.executable, "-W", "error", *command], capture_output=True, check=False, timeout=PATIENCE, env=environment)


def listing(folder: Path) -> dict[bytes, bytes]:
    """Every file by its path, both as bytes: names must not depend on the test's own locale."""

    def below(place: bytes) -> Iterator[tuple[bytes, bytes]]:
        for entry in sorted(os.scandir(place), key=lambda entry: entry.name):
            if entry.is_dir():
                yield from below(entry.path)
            else:
                yield entry.path, Path(os.fsdecode(entry.path)).read_bytes()

    top = os.fsencode(folder)
    return {name[len(top) :]: content for name, content in below(top)}


def everything(folder: Path, inputs: list[str], tools: Path, place: Mapping[str, str]) -> tuple[dict[bytes, bytes], bytes, bytes]:
    folder.mkdir()
    done = run(["-c", EVERYTHING, str(tools), json.dumps(inputs), str(folder)], place)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return listing(folder), done.stdout, done.stderr


@pytest.fixture(scope="module")
def at_home(tmp_path_factory: pytest.TempPathFactory, inputs: list[str], tools: Path) -> tuple[dict[bytes, bytes], bytes, bytes]:
    return everything(tmp_path_factory.mktemp("home") / "out", inputs, tools, HOME)


def test_files_tables_and_pages_are_the_same_everywhere(
    place: dict[str, str], at_home: tuple[dict[bytes, bytes], bytes, bytes], inputs: list[str], tools: Path, tmp_path: Path
) -> None:
    home, codes, said = at_home
    files, own_codes, own_said = everything(tmp_path / "out", inputs, tools, place)
    assert sorted(files) == sorted(home)
    assert [name for name in home if files[name] != home[name]] == []
    assert own_codes == codes
    assert len(own_said.splitlines()) == len(said.splitlines())


def test_all_of_them_are_read(at_home: tuple[dict[bytes, bytes], bytes, bytes], inputs: list[str]) -> None:
    home, codes, _ = at_home
    assert json.loads(codes) == [0] * (2 * len(inputs) + 1)
    rows = home[b"/all.tsv"].decode().splitlines()
    assert {row.split("\t")[0] for row in rows[1:]} == set(KEPT)


@pytest.mark.parametrize("kept", ["stack.czi", "padded.ims", "cells_05.ome.zarr.zip"])
def test_a_name_with_accents_is_kept_everywhere(kept: str, place: dict[str, str], test_data: Path, tools: Path, tmp_path: Path) -> None:
    extension = kept[kept.index(".") :]
    given = tmp_path / "in" / f"{ACCENTED}{extension}"
    given.parent.mkdir()
    shutil.copyfile(test_data / kept, given)
    command = [str(tools / "lm_convert.py"), str(given), "--output", str(tmp_path / "out"), "--format", "ome-tiff", "--quiet"]
    done = run([*command, "--report", str(tmp_path / "table.tsv")], place)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert {path.name.partition("__")[0].partition(".")[0] for path in (tmp_path / "out").iterdir()} == {"Zellkörper_5_µm_é"}
    assert f"\n{given.name}\t" in (tmp_path / "table.tsv").read_text(encoding="utf-8")


def test_a_name_in_another_encoding_is_no_hindrance(test_data: Path, tools: Path, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/Zellk\xf6rper.czi"
    shutil.copyfile(test_data / "stack.czi", name)
    done = run([str(tools / "lm_convert.py"), os.fsdecode(name), "--output", str(tmp_path / "out"), "--format", "ome-tiff"], HOME)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Zellk_rper.ome.tiff"]
