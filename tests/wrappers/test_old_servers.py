"""usegalaxy.no's public playbook pins Galaxy 21.09: its schema must accept the wrappers and its parser read them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ..needs import missing
from .conftest import WRAPPERS
from .rendering import Wrapper

IGNORED = {"allow_uri_if_protocol": "by it Galaxy 26.1 gives the address of a deferred dataset; older servers skip it and fetch what is deferred"}
"""Attributes that the old schema does not know, which a server reads past, and why they are there."""

READ_BY_THE_OLD_SERVER = r"""
import json, sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
import galaxy.tool_util
from galaxy.tool_util.parser.factory import get_tool_source
from galaxy.util.xml_macros import load
from lxml import etree

schema = etree.XMLSchema(etree.parse(str(Path(galaxy.tool_util.__file__).parent / "xsd" / "galaxy.xsd")))
found = {}
for path in sys.argv[1:]:
    root = load(path).getroot()
    for tests in root.findall("tests"):
        root.remove(tests)
    document = etree.fromstring(etree.tostring(root))
    schema.validate(document)
    source = get_tool_source(path)
    pages = source.parse_input_pages().page_sources
    outputs, collections = source.parse_outputs(None)
    found[Path(path).stem] = {
        "errors": [str(error) for error in schema.error_log],
        "id": source.parse_id(),
        "version": source.parse_version(),
        "profile": source.parse_profile(),
        "command": source.parse_command(),
        "requirements": [[item.name, item.version] for item in source.parse_requirements_and_containers()[0]],
        "required_files": source.parse_required_files() is not None,
        "inputs": [item.parse_name() for page in pages for item in page.parse_input_sources()],
        "tests": len(source.parse_tests_to_dict()["tests"]),
    }
json.dump(found, sys.stdout)
"""


@pytest.fixture(scope="module")
def old_server(root: Path) -> dict[str, Any]:
    sys.path.insert(0, str(root))
    from scripts.local.paths import state_folder

    python = state_folder() / "environments" / "galaxy-21.09" / "bin" / "python"
    if not python.is_file():
        missing("the code of Galaxy 21.09 is not installed; scripts/test.py installs it")
    paths = [*(wrapper.path for wrapper in WRAPPERS), root / "data_managers" / "data_manager" / "lm_install_ontology.xml"]
    done = subprocess.run([python, "-c", READ_BY_THE_OLD_SERVER, *paths], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_the_schema_of_21_09_accepts_everything_outside_the_tests(wrapper: Wrapper, old_server: dict[str, Any]) -> None:
    errors = old_server[wrapper.path.stem]["errors"]
    assert [error for error in errors if not any(f"The attribute '{name}' is not allowed" in error for name in IGNORED)] == []


def test_the_schema_of_21_09_accepts_the_data_manager(old_server: dict[str, Any]) -> None:
    assert old_server["lm_install_ontology"]["errors"] == []
    assert old_server["lm_install_ontology"]["inputs"] == ["source", "version_stated", "licence"]


def test_the_parser_of_21_09_reads_what_the_newest_reads(wrapper: Wrapper, old_server: dict[str, Any]) -> None:
    read = old_server[wrapper.path.stem]
    assert read["id"] == wrapper.source.parse_id()
    assert read["version"] == wrapper.source.parse_version()
    assert read["profile"] == "21.09"
    assert read["command"] == wrapper.source.parse_command()
    assert read["tests"] == len(wrapper.cases())
    assert read["required_files"]
    assert read["inputs"] == [element.get("name") or element.get("argument").lstrip("-").replace("-", "_") for element in wrapper.root.find("inputs")]
    declared = [[item.text, item.get("version")] for item in wrapper.root.iter("requirement")]
    assert read["requirements"] == declared
