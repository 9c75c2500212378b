"""The data manager: its tool runs, and what it gives fits the tables that Galaxy keeps."""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import ModuleType
from typing import Any

import pytest
from lxml import etree

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.errors import UsageError
from lightmicroscopy.metadata.ontologies.installed import Installed
from lightmicroscopy.metadata.ontologies.lookup import Lookup
from lightmicroscopy.metadata.ontologies.published import PUBLISHED, TABLE, address
from lightmicroscopy.metadata.ontologies.registry import ONTOLOGIES

from ..unit.http_servers import reply, serving
from .rendering import Dataset, Job, Wrapper, job_of

FOLDER = Path(__file__).resolve().parents[2] / "data_managers"


@pytest.fixture(scope="module")
def manager() -> Wrapper:
    return Wrapper(FOLDER / "data_manager" / "lm_install_ontology.xml")


@pytest.fixture(scope="module")
def script(manager: Wrapper) -> ModuleType:
    spec = importlib.util.spec_from_file_location("lm_install_ontology", manager.script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def published(ontology: str) -> dict[str, Any]:
    return {"source": {"source_by": "published", "ontology": ontology}, "version_stated": "", "licence": ""}


def installed(job: Job) -> tuple[dict[str, str], Path]:
    (entry,) = json.loads(job.output("made").read_text(encoding="utf-8"))["data_tables"][TABLE]
    return entry, job.extra_files("made") / entry["path"]


def test_an_uploaded_file_is_installed_and_looked_up_in(manager: Wrapper, tmp_path: Path) -> None:
    job = job_of(manager, manager.cases()[0], FOLDER / "test-data", tmp_path)
    done = job.run()
    assert done.returncode == 0, done.stderr
    entry, path = installed(job)
    assert (entry["value"], entry["name"]) == ("FBbi-2026-01-01", "FBbi 2026-01-01 (CC0 1.0)")
    assert Lookup([path]).suggest("epifluorescence", "FBbi")[0].term.curie == "FBbi:00000246"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_of_another_ontology_fails_the_job_in_a_sentence_and_leaves_nothing(manager: Wrapper, tmp_path: Path) -> None:
    job = job_of(manager, manager.cases()[1], FOLDER / "test-data", tmp_path)
    done = job.run()
    assert done.returncode == 1
    assert "has no term of EFO" in done.stderr
    assert not job.output("made").exists()
    assert list(job.extra_files("made").iterdir()) == []


def test_a_published_file_is_fetched_from_the_configured_mirror(manager: Wrapper, tmp_path: Path) -> None:
    content = gzip.compress((FOLDER / "test-data" / "methods.obo").read_bytes())
    with serving(reply(content)) as server:
        settings = json.dumps({"ontology_files": f"{server.url}/mirror/"})
        job = Job(manager, tmp_path, published("FBbi"))
        done = job.run(environment={"LIGHTMICROSCOPY_ENDPOINTS": settings})
        assert done.returncode == 0, done.stderr
        assert {request.target for request in server.requests} == {"/mirror/fbbi.obo"}
    entry, path = installed(job)
    assert entry["version"] == "2026-01-01"
    assert Installed(path).about.source.endswith("/mirror/fbbi.obo")
    assert list(path.parent.iterdir()) == [path]


def test_a_mirror_has_every_file_under_its_own_name() -> None:
    mirror = Endpoints(ontology_files="https://mirror.example.org/obo")
    assert address("NCBITaxon", mirror) == "https://mirror.example.org/obo/ncbitaxon.obo"
    assert address("EFO", mirror) == "https://mirror.example.org/obo/efo.owl"
    assert address("UO", Endpoints()) == "https://purl.obolibrary.org/obo/uo.obo"
    assert address("EFO", Endpoints()) == "http://www.ebi.ac.uk/efo/efo.owl"
    with pytest.raises(UsageError, match="give it as a file"):
        address("MONDO", Endpoints())


def test_a_mirror_without_the_file_fails_the_job_and_leaves_nothing(manager: Wrapper, tmp_path: Path) -> None:
    with serving(reply(b"", 404)) as server:
        job = Job(manager, tmp_path, published("EFO"))
        done = job.run(environment={"LIGHTMICROSCOPY_ENDPOINTS": json.dumps({"ontology_files": f"{server.url}/mirror"})})
    assert done.returncode == 1
    assert "efo.owl" in done.stderr
    assert not job.output("made").exists()
    assert list(job.extra_files("made").iterdir()) == []


def test_a_mirror_that_leads_to_a_host_nobody_configured_is_not_followed(manager: Wrapper, tmp_path: Path) -> None:
    with serving(reply(b"x")) as other, serving(reply(b"", 302, Location=f"{other.url}/fbbi.obo")) as server:
        job = Job(manager, tmp_path, published("FBbi"))
        done = job.run(environment={"LIGHTMICROSCOPY_ENDPOINTS": json.dumps({"ontology_files": f"{server.url}/mirror"})})
        assert done.returncode == 1
        assert "allowed_hosts" in done.stderr
        assert other.requests == []


def test_what_the_administrator_types_reaches_the_row_as_text(manager: Wrapper, tmp_path: Path) -> None:
    state = {
        "source": {"source_by": "history", "ontology": "FBbi", "file": Dataset(FOLDER / "test-data" / "methods.obo", "f'; rm -rf *", "obo")},
        "version_stated": "1'; $(touch x) ../../µ\t2",
        "licence": "CC-BY <b>",
    }
    job = Job(manager, tmp_path, state)
    done = job.run()
    assert done.returncode == 0, done.stderr
    entry, _ = installed(job)
    assert re.fullmatch(r"[A-Za-z0-9._-]+", entry["value"])
    assert not any("\t" in value or "\n" in value for value in entry.values())
    assert not (job.working / "x").exists()


def test_the_row_fits_the_table_its_sample_and_where_the_file_is_moved(manager: Wrapper, tmp_path: Path) -> None:
    table = etree.parse(FOLDER / "tool_data_table_conf.xml.sample").find("table")
    columns = [column.strip() for column in table.findtext("columns").split(",")]
    conf = etree.parse(FOLDER / "data_manager_conf.xml")
    assert table.get("name") == conf.find("data_manager/data_table").get("name") == TABLE
    assert [column.get("name") for column in conf.iter("column")] == columns
    sample = (FOLDER / "tool-data" / f"{TABLE}.loc.sample").read_text(encoding="utf-8").splitlines()
    assert len(sample[-1].split("\t")) == len(columns)
    job = job_of(manager, manager.cases()[0], FOLDER / "test-data", tmp_path)
    assert job.run().returncode == 0
    entry, path = installed(job)
    assert list(entry) == columns
    source = Template(conf.findtext(".//move/source")).substitute(entry)
    assert job.extra_files("made") / source == path
    target = Template(conf.findtext(".//move/target")).substitute(entry)
    translated = Template(conf.findtext(".//value_translation")).safe_substitute(entry)
    assert translated == f"${{GALAXY_DATA_MANAGER_DATA_PATH}}/{target}"


@dataclass
class Output:
    """The data manager's output, as Galaxy's code asks for it."""

    file: Path
    extra_files_path: str
    ext: str = "data_manager_json"

    def extra_files_path_exists(self) -> bool:
        return Path(self.extra_files_path).is_dir()

    def get_file_name(self, sync_cache: bool = True) -> str:
        return str(self.file)


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # in Galaxy's code
def test_galaxy_s_own_code_moves_the_file_and_adds_the_row(manager: Wrapper, tmp_path: Path) -> None:
    from galaxy.tool_util.data import BundleProcessingOptions, ToolDataTableManager
    from galaxy.tool_util.data.bundles.models import convert_data_tables_xml

    data = tmp_path / "tool-data"
    data.mkdir()
    table = (FOLDER / "tool_data_table_conf.xml.sample").read_text(encoding="utf-8").replace("tool-data/", f"{data}/")
    (tmp_path / "tables.xml").write_text(table, encoding="utf-8")
    shutil.copyfile(FOLDER / "tool-data" / f"{TABLE}.loc.sample", data / f"{TABLE}.loc")
    tables = ToolDataTableManager(str(data), str(tmp_path / "tables.xml"))
    description = convert_data_tables_xml(etree.parse(FOLDER / "data_manager_conf.xml").find("data_manager"))
    options = BundleProcessingOptions("install", str(tmp_path / "managed"), str(tmp_path / "tables.xml"), None)
    for number, state in enumerate(("", "2026-02-02")):
        case = manager.cases()[0]
        (tmp_path / str(number)).mkdir()
        job = job_of(manager, case, FOLDER / "test-data", tmp_path / str(number))
        job.state["version_stated"] = state
        assert job.run().returncode == 0
        out = {"made": Output(job.output("made"), str(job.extra_files("made")))}
        assert tables.process_bundle(out, description, None, options) == [TABLE]
    rows = {row["value"]: row for row in tables[TABLE].get_named_fields_list()}
    assert set(rows) == {"FBbi-2026-01-01", "FBbi-2026-02-02"}
    for row in rows.values():
        path = Path(row["path"])
        assert path == tmp_path / "managed" / TABLE / f"{row['value']}.ontology"
        assert Lookup([path]).suggest("epifluorescence", "FBbi")[0].term.curie == "FBbi:00000246"


def test_form_script_and_library_know_the_same_ontologies(manager: Wrapper, script: ModuleType) -> None:
    def named(way: str) -> set[str]:
        param = manager.root.find(f".//when[@value='{way}']/param[@argument='--ontology']")
        return {option.get("value") for option in param.findall("option")}

    assert named("published") == set(PUBLISHED)
    assert named("history") == set(script.ONTOLOGIES)
    assert set(script.ONTOLOGIES) <= {name for name, ontology in ONTOLOGIES.items() if ontology.iri}


def test_the_script_asks_for_what_it_needs(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        script.main(["--ontology", "FBbi"])
    assert stopped.value.code == 2
    assert "--folder" in capsys.readouterr().err


def test_the_script_is_found_beside_its_wrapper(manager: Wrapper) -> None:
    assert manager.script.is_file()
    assert manager.source.parse_tool_type() == "manage_data"
