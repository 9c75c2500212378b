"""Whatever a user calls a dataset, the job's shell sees only letters, and the name in the results is as close as can be."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from lightmicroscopy.names import LONGEST, sanitise, without_extension

from .rendering import Dataset, Job, Wrapper

AWKWARD = {
    "quotes": 'it\'s a "cell".tif',
    "a path upwards": "../../etc/passwd",
    "slashes": "a/b\\c.tif",
    "a new line": "first\nsecond\r\n.tif",
    "emoji": "cell 🔬🧫.tif",
    "a variable": "$HOME ${PATH} `id` $(id).tif",
    "a second command": "a; touch owned & b | c > d.tif",
    "a placeholder": "${name} #set $x = 1 \\1 %s {0}.tif",
    "a flag": "--output=elsewhere.tif",
    "dots": "...",
    "nothing": "",
    "only symbols": "///",
    "a hidden file": ".bashrc",
    "300 letters": "long" * 75 + ".ome.tiff",
    "300 letters of two bytes": "ø" * 300 + ".ome.tiff",
    "control characters": "a\x00b\x1bc\x7f.tif",
    "Norwegian": "Bjørk på øy.ome.tiff",
    "Hindi, with vowel signs": "कोशिका.tif",
    "a decomposed letter": unicodedata.normalize("NFD", "Å 1.tif"),
    "a micro sign": "10 µm.tif",
    "right to left": "خلية.tif",
    "a line separator": "a\u2028b.tif",
}


def staged(job: Job) -> list[Path]:
    return sorted((job.working / "inputs").iterdir())


def run(wrapper: Wrapper, folder: Path, datasets: list[Dataset], script: str = "import sys; sys.exit(0)") -> Job:
    """Run the rendered command with a stand-in for the script, since only what it is given matters here."""
    job = prepared(wrapper, folder, datasets, script)
    done = job.run(environment={"HOME": str(folder / "home")})
    assert done.returncode == 0, done.stderr
    return job


def prepared(wrapper: Wrapper, folder: Path, datasets: list[Dataset], script: str) -> Job:
    (folder / "tool").mkdir()
    copy = folder / "tool" / wrapper.path.name
    copy.write_bytes(wrapper.path.read_bytes())
    (copy.parent / "macros.xml").write_bytes((wrapper.path.parent / "macros.xml").read_bytes())
    copy.with_suffix(".py").write_text(script, encoding="utf-8")
    return Job(Wrapper(copy), folder / "job", forms(datasets)[wrapper.path.stem])


def in_history(**chosen: Any) -> dict[str, Any]:
    """Return the part of a form that says which datasets are read."""
    return {"source_by": "history", **chosen}


def forms(datasets: list[Dataset]) -> dict[str, dict[str, Any]]:
    """Return the form of each tool, filled in with some datasets."""
    first, *others = datasets
    converted = {"target": {"format": "ome-tiff"}, "make_preview": False, "make_checksums": False}
    nothing_on_the_web = {"store": None}
    return {
        "lm_convert": {"source": in_history(image=first), "members": others} | converted | nothing_on_the_web,
        "lm_check": {"source": in_history(images=datasets), "documents": None} | nothing_on_the_web,
        "lm_inspect": {"source": in_history(images=datasets), "make_ome_xml": False} | nothing_on_the_web,
        "lm_describe": {"task": {"task_is": "write", "begun": None}, "source": in_history(images=datasets)} | nothing_on_the_web,
        "lm_annotate": {"images": datasets, "sheet": first, "galaxy_zip": "zip"},
        "lm_compare": {"source": in_history(original=[first]), "members": others, "copies": datasets} | nothing_on_the_web,
    }


def dataset(folder: Path, name: str, number: int = 1, *, in_collection: bool = False) -> Dataset:
    path = folder / f"dataset_{number}.dat"
    path.write_bytes(b"")
    return Dataset(path, name, "tiff", name if in_collection else None)


@pytest.mark.parametrize("in_collection", [False, True], ids=["alone", "in a collection"])
@pytest.mark.parametrize("name", AWKWARD.values(), ids=AWKWARD)
def test_an_awkward_name_reaches_the_script_as_one_harmless_file(stager: Wrapper, name: str, in_collection: bool, tmp_path: Path) -> None:
    script = "import json, sys; json.dump(sys.argv[1:], open('arguments.json', 'w'))"
    job = run(stager, tmp_path, [dataset(tmp_path, name, in_collection=in_collection)], script)
    (link,) = staged(job)
    assert json.loads((job.working / "arguments.json").read_text())[0] == f"inputs/{link.name}"
    assert link.resolve() == tmp_path / "dataset_1.dat"
    assert len(link.name.encode()) <= 255
    assert not link.name.startswith((".", "-"))
    assert all(character in "._-~" or unicodedata.category(character)[0] in "LMN" for character in link.name)
    assert sorted(path.name for path in job.working.iterdir()) == ["arguments.json", "inputs", "outputs"], "the name did something"


@pytest.mark.parametrize("name", AWKWARD.values(), ids=AWKWARD)
def test_the_name_in_the_results_is_the_one_a_terminal_would_give(lm_convert: Wrapper, name: str, tmp_path: Path) -> None:
    (link,) = staged(run(lm_convert, tmp_path, [dataset(tmp_path, name)]))
    in_galaxy, in_a_terminal = sanitise(without_extension(link.name)), sanitise(without_extension(name))
    assert in_galaxy == in_a_terminal
    assert len(in_galaxy.encode()) <= LONGEST


def test_letters_of_any_script_survive(lm_check: Wrapper, tmp_path: Path) -> None:
    names = ["Bjørk på øy.ome.tiff", "कोशिका.tif", "10 µm.tif", "細胞.czi"]
    job = run(lm_check, tmp_path, [dataset(tmp_path, name, number) for number, name in enumerate(names)])
    assert {path.name for path in staged(job)} == {unicodedata.normalize("NFC", name).replace(" ", "_") for name in names}


def test_two_datasets_of_one_name_stay_apart_and_keep_their_ending(lm_check: Wrapper, tmp_path: Path) -> None:
    names = ["cells.ome.tiff", "cells.ome.tiff", "Cells.OME.tiff", "cells"]
    job = run(lm_check, tmp_path, [dataset(tmp_path, name, number) for number, name in enumerate(names)])
    assert {path.name for path in staged(job)} == {"cells.ome.tiff", "cells~2.ome.tiff", "Cells~3.OME.tiff", "cells"}


def test_a_long_name_keeps_the_ending_that_says_what_it_is(lm_check: Wrapper, tmp_path: Path) -> None:
    (link,) = staged(run(lm_check, tmp_path, [dataset(tmp_path, "x" * 300 + ".companion.ome")]))
    assert link.name.endswith(".companion.ome")


def test_a_file_chosen_as_the_image_and_as_one_of_its_set_is_given_once(lm_convert: Wrapper, tmp_path: Path) -> None:
    companion, plane = dataset(tmp_path, "set.companion.ome", 1), dataset(tmp_path, "set_z0.ome.tiff", 2)
    job = run(lm_convert, tmp_path, [companion, plane, companion])
    assert [path.name for path in staged(job)] == ["set.companion.ome", "set_z0.ome.tiff"]


@pytest.mark.parametrize("metadata", ["zarr.json", ".zattrs", ".zgroup"])
@pytest.mark.parametrize("store", ["cells.ome.zarr", "it's $HOME.zarr", "."])
def test_a_folder_dataset_is_given_as_the_store_in_it(stager: Wrapper, store: str, metadata: str, tmp_path: Path) -> None:
    """Galaxy keeps a store as the one folder among the dataset's files, or straight among them."""
    files = tmp_path / "dataset_1_files"
    (files / store).mkdir(parents=True)
    (files / store / metadata).write_text("{}", encoding="utf-8")
    (files / store / "0").mkdir()
    (files / store / "0" / metadata).write_text("{}", encoding="utf-8")
    (files / store / "whole").touch()
    job = run(stager, tmp_path, [Dataset(files, "cells.ome.zarr", "ome_zarr")])
    assert (job.working / "inputs" / "cells.ome.zarr" / "whole").is_file()


def test_a_folder_dataset_without_a_store_is_still_given_so_that_the_script_can_say_so(stager: Wrapper, tmp_path: Path) -> None:
    files = tmp_path / "dataset_1_files"
    files.mkdir()
    job = run(stager, tmp_path, [Dataset(files, "empty", "zarr")])
    assert [path.name for path in staged(job)] == ["empty"]


def test_of_two_stores_in_one_folder_dataset_none_is_taken_in_silence(stager: Wrapper, tmp_path: Path) -> None:
    files = tmp_path / "dataset_1_files"
    for store in ("a.ome.zarr", "b.ome.zarr"):
        (files / store).mkdir(parents=True)
        (files / store / ".zattrs").write_text("{}", encoding="utf-8")
    job = prepared(stager, tmp_path, [Dataset(files, "it's two $HOME", "ome_zarr")], "open('ran', 'w')")
    done = job.run()
    assert done.returncode == 2
    assert done.stderr.strip() == "it_s_two_HOME holds several OME-Zarr images in one dataset. Give each a dataset of its own, best in a list."
    assert not (job.working / "ran").exists()


def test_text_reaches_the_script_as_it_was_typed(lm_convert: Wrapper, tmp_path: Path) -> None:
    typed = "a|b%7Cµ \"q\" 'r' $HOME; `id` & \\n ø"
    state = {
        "source": in_history(image=dataset(tmp_path, "a.tif")),
        "store": None,
        "members": None,
        "target": {"format": "ome-tiff"},
        "selection": {"series": f"name:{typed}"},
    }
    job = Job(lm_convert, tmp_path / "job", state | {"make_preview": False, "make_checksums": False})
    command = job.command()
    assert typed not in command
    assert json.loads((job.folder / "params.json").read_text(encoding="utf-8"))["selection"]["series"] == f"name:{typed}"


def test_no_text_of_the_form_is_replaced_or_put_into_a_command(wrapper: Wrapper) -> None:
    for parameter in wrapper.root.find("inputs").iter("param"):
        if parameter.get("type") == "text":
            assert parameter.find("sanitizer").get("sanitize") == "false"
            assert f"${parameter.get('name')}" not in wrapper.source.parse_command()
