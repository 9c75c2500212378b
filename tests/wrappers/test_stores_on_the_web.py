"""OME-Zarr stores that no job has on its disk: Galaxy's deferred datasets reach the script as addresses, and nothing else does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from .rendering import Dataset, Job, Wrapper

STORE = "https://livingobjects.ebi.ac.uk/idr/zarr/v0.4/idr0062A/6001240.zarr"
FORMS: dict[str, dict[str, Any]] = {
    "lm_convert": {"members": None, "target": {"format": "ome-tiff"}, "make_preview": False, "make_checksums": False},
    "lm_check": {"documents": None},
    "lm_inspect": {"make_ome_xml": False},
    "lm_describe": {"task": {"task_is": "write", "begun": None}},
    "lm_compare": {"members": None, "copies": None},
}
ECHO = "import json, sys; json.dump(sys.argv[1:], open('given.json', 'w'))"


class Deferred(Dataset):
    """A dataset as a template of Galaxy 26.1 sees it whose input takes addresses: its text is where it came from."""

    def __init__(self, uri: str, *, is_deferred: bool = True) -> None:
        super().__init__(Path("/nowhere"), "a store", "ome_zarr")
        self.uri, self.is_deferred = uri, is_deferred

    def __str__(self) -> str:
        """Return the address."""
        return self.uri


@pytest.fixture(params=sorted(FORMS))
def tool(request: pytest.FixtureRequest, tmp_path: Path) -> Wrapper:
    """Each wrapper that reads images, with a script that only notes what it was given."""
    folder = tmp_path / "tool"
    folder.mkdir()
    tools = Path(__file__).resolve().parents[2] / "tools"
    for name in (f"{request.param}.xml", "macros.xml"):
        shutil.copyfile(tools / name, folder / name)
    (folder / f"{request.param}.py").write_text(ECHO, encoding="utf-8")
    return Wrapper(folder / f"{request.param}.xml")


def job(tool: Wrapper, folder: Path, **form: Any) -> Job:
    copy = folder / "copy.tif"
    copy.write_bytes(b"II*")
    copies = {"copies": [Dataset(copy, "copy.tif", "tiff")]} if tool.path.stem == "lm_compare" else {}
    return Job(tool, folder / "job", FORMS[tool.path.stem] | {"store": None, "source": {"source_by": "web", "url": ""}} | copies | form)


def given(job: Job) -> list[str]:
    done = job.run()
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads((job.working / "given.json").read_text())
    return found


def test_a_deferred_store_is_given_as_its_address(tool: Wrapper, tmp_path: Path) -> None:
    arguments = given(job(tool, tmp_path, store=[Deferred(STORE)]))
    assert arguments.count(STORE) == 1
    assert not any("inputs/" in argument for argument in arguments)


def test_several_deferred_stores_are_given_one_after_the_other(tool: Wrapper, tmp_path: Path) -> None:
    other = STORE.replace("6001240", "6001247")
    assert {STORE, other} <= set(given(job(tool, tmp_path, store=[Deferred(STORE), Deferred(other)])))


def test_a_store_of_a_bucket_is_given_as_it_is_written(tool: Wrapper, tmp_path: Path) -> None:
    assert "s3://idr/zarr/a%20b.zarr" in given(job(tool, tmp_path, store=[Deferred("s3://idr/zarr/a%20b.zarr")]))


@pytest.mark.parametrize(
    "uri",
    [
        "https://host/a.zarr'; touch owned; '",
        "https://host/$(touch owned).zarr",
        "https://host/a.zarr\ntouch owned",
        "https://host/`touch owned`",
        'https://host/" ; touch owned ; "',
        "/etc/passwd",
        "file:///etc/passwd?x",
        "",
    ],
)
def test_an_address_that_could_mean_something_to_a_shell_stops_the_job(tool: Wrapper, tmp_path: Path, uri: str) -> None:
    made = job(tool, tmp_path, store=[Deferred(uri)])
    done = made.run()
    assert done.returncode == 2
    assert "deferred dataset" in done.stderr
    assert not list(made.folder.rglob("owned"))
    assert not (made.working / "given.json").exists()


def test_a_store_that_galaxy_has_fetched_is_given_as_a_folder(tool: Wrapper, tmp_path: Path) -> None:
    folder = tmp_path / "dataset_1_files"
    (folder / "cells.zarr").mkdir(parents=True)
    (folder / "cells.zarr" / ".zattrs").write_text("{}")
    fetched = Dataset(folder, "cells.zarr", "ome_zarr")
    fetched.unsanitized = SimpleNamespace(name="cells.zarr", state="ok", sources=[SimpleNamespace(source_uri="https://server/cells.zip")])
    assert "inputs/cells.zarr" in given(job(tool, tmp_path, store=[fetched]))


def test_the_attribute_is_where_galaxy_honours_it_and_lets_nothing_but_folders_in(tool: Wrapper) -> None:
    """Galaxy 26.1 looks for it in lists among the inputs at the top; a TIFF that is deferred is to be fetched as ever."""
    carrying = [parameter for parameter in tool.root.iter("param") if parameter.get("allow_uri_if_protocol")]
    assert [(parameter.get("name"), parameter.getparent().tag) for parameter in carrying] == [("store", "inputs")]
    (parameter,) = carrying
    assert (parameter.get("multiple"), parameter.get("format"), parameter.get("optional")) == ("true", "ome_zarr,zarr", "true")


@pytest.mark.parametrize(
    "text", ["https://host/a b.zarr", "cells.zarr", "file:///etc/passwd", "ftp://host/a.zarr", "https://host/a.zarr https://host/b.zarr"]
)
def test_the_form_refuses_what_is_no_address(text: str) -> None:
    import re

    wrapper = Wrapper(Path(__file__).resolve().parents[2] / "tools" / "lm_convert.xml")
    (field,) = [parameter for parameter in wrapper.root.iter("param") if parameter.get("argument") == "--url"]
    assert re.match(field.find("validator").text, STORE)
    assert re.match(field.find("validator").text, "")
    assert not re.match(field.find("validator").text, text)
