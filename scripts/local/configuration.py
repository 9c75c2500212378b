"""The files a Galaxy is started with."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from .dependencies import write_resolver_folders
from .paths import ROOT, TOOLS, WORKFLOWS, make_private, write_private
from .task_worker import task_settings
from .viewers import ensure_viewers, make_static_folder
from .welcome import welcome_page

if TYPE_CHECKING:
    from .environments import Environment

ADMINISTRATOR = "admin@lightmicroscopy.example"
USER = "user@lightmicroscopy.example"
PANEL_SECTION = "Light microscopy"
COLLECTION_TOOLS = (
    *("apply_rules", "build_list", "extract_dataset", "filter_failed_collection"),
    *("filter_null", "flatten_collection", "merge_collection", "relabel_from_file"),
)
"""Tools of Galaxy's own that every server has, for workflows on collections."""
TABLE_TOOLS = ("stats/filtering.xml", "filters/grep.xml", "filters/headWrapper.xml")
"""As those: with them people choose rows of tables."""
JOBS_AT_ONCE = 2
# A job is told this much even on a large machine, so that bounded memory is what is exercised.
JOB_MEMORY_MB = 4096


def load_secrets(folder: Path) -> dict[str, str]:
    """Return the instance's keys and passwords, made at random on first use and kept."""
    path = folder / "secrets.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    wanted = {
        "bootstrap_key": secrets.token_hex(16),
        "id_secret": secrets.token_hex(24),
        "admin_password": secrets.token_urlsafe(9),
        "user_password": secrets.token_urlsafe(9),
    }
    complete = wanted | known
    if complete != known:
        write_private(path, json.dumps(complete, indent=2))
    return complete


def our_tools(tools: Path = TOOLS) -> dict[str, Path]:
    """Return each tool's XML file by tool id."""
    return {path.stem: path for path in sorted(tools.glob("lm_*.xml"))}


def write_configuration(
    folder: Path, url: str, galaxy: Environment, tools: Environment, keys: dict[str, str], endpoints: Path | None, *, worker: bool = False
) -> Path:
    """Write every configuration file of an instance and return the main one.

    Parameters
    ----------
    folder
        The instance's state folder.
    url
        The address it will have.
    galaxy
        Where Galaxy is installed.
    tools
        Where the tools' requirements are installed.
    keys
        From :func:`load_secrets`.
    endpoints
        Addresses of the archives the tools are to use; the live ones without it.
    worker
        Whether it will have a worker for tasks.
    """
    config = make_private(folder / "config")
    make_private(folder / "data")
    (config / "tool_conf.xml").write_bytes(_tool_panel())
    write_resolver_folders(folder / "dependencies", tools)
    _write_xml(config / "dependency_resolvers_conf.xml", "dependency_resolvers", "galaxy_packages", base_path=str(folder / "dependencies"))
    (config / "tool_data_table_conf.xml").write_text("<tables/>\n")
    (library,) = galaxy.folder.glob("lib/python3.*")
    welcome = welcome_page(our_tools().values(), sorted(WORKFLOWS.glob("*/*.ga")))
    make_static_folder(folder / "static", library / "site-packages" / "galaxy" / "webapps" / "base" / "static", ensure_viewers(), welcome)
    # Pages of these tools are shown with their style sheet; they contain no script.
    (config / "sanitize_allowlist.txt").write_text("".join(f"{tool_id}\n" for tool_id in our_tools()))
    settings = _settings(folder, url, keys, endpoints) | (task_settings(folder / "data") if worker else {})
    # JSON is YAML, and needs no library to write.
    write_private(config / "galaxy.yml", json.dumps({"galaxy": settings}, indent=2))
    return config / "galaxy.yml"


def _settings(folder: Path, url: str, keys: dict[str, str], endpoints: Path | None) -> dict[str, Any]:
    config, data = folder / "config", folder / "data"
    job_environ = {"GALAXY_MEMORY_MB": str(JOB_MEMORY_MB)} | ({"LIGHTMICROSCOPY_ENDPOINTS": str(endpoints)} if endpoints else {})
    # The sample archive is on this machine, from which Galaxy fetches nothing otherwise.
    sample_archive = {"fetch_url_allowlist": "127.0.0.1"} if endpoints else {}
    return sample_archive | {
        "config_dir": str(config),
        "data_dir": str(data),
        "database_connection": f"sqlite:///{data}/galaxy.sqlite?isolation_level=IMMEDIATE",
        "galaxy_infrastructure_url": url,
        "brand": PANEL_SECTION,
        "tool_config_file": str(config / "tool_conf.xml"),
        "sanitize_allowlist_file": str(config / "sanitize_allowlist.txt"),
        "dependency_resolvers_config_file": str(config / "dependency_resolvers_conf.xml"),
        # Galaxy's sample tables are of genomes, and one is fetched from a web address at every start.
        "tool_data_table_config_path": str(config / "tool_data_table_conf.xml"),
        "tool_dependency_dir": str(folder / "dependencies"),
        "tool_test_data_directories": str(ROOT / "test-data"),
        "static_dir": str(folder / "static"),
        "visualization_plugins_directory": str(folder / "static" / "plugins" / "visualizations"),
        "admin_users": ADMINISTRATOR,
        "bootstrap_admin_api_key": keys["bootstrap_key"],
        "id_secret": keys["id_secret"],
        "allow_local_account_creation": False,
        "allow_user_deletion": False,
        "conda_auto_init": False,
        "conda_auto_install": False,
        "enable_mulled_containers": False,
        # Galaxy's default resolvers try to fetch a container builder before every job.
        "container_resolvers": [],
        "check_upload_content": False,
        "enable_celery_tasks": False,
        "cleanup_job": "onsuccess",
        # Otherwise the server itself reads every new TIFF of a list while it holds the database, and answers nobody meanwhile.
        "metadata_strategy": "extended",
        "job_config": {
            "runners": {"local": {"load": "galaxy.jobs.runners.local:LocalJobRunner", "workers": JOBS_AT_ONCE}},
            "execution": {
                "default": "local",
                "environments": {
                    "local": {
                        "runner": "local",
                        "local_slots": os.cpu_count() or 1,
                        "env": [{"name": name, "value": value} for name, value in job_environ.items()],
                    }
                },
            },
        },
    }


def _tool_panel() -> bytes:
    toolbox = ElementTree.Element("toolbox")
    data_section = ElementTree.SubElement(toolbox, "section", id="getext", name="Get Data")
    ElementTree.SubElement(data_section, "tool", file="data_source/upload.xml")
    ours = ElementTree.SubElement(toolbox, "section", id="light_microscopy", name=PANEL_SECTION)
    for path in our_tools().values():
        ElementTree.SubElement(ours, "tool", file=str(path))
    collections = ElementTree.SubElement(toolbox, "section", id="collection_operations", name="Collection Operations")
    for name in COLLECTION_TOOLS:
        ElementTree.SubElement(collections, "tool", file=f"${{model_tools_path}}/{name}.xml")
    tables = ElementTree.SubElement(toolbox, "section", id="filter", name="Filter and Sort")
    for name in TABLE_TOOLS:
        ElementTree.SubElement(tables, "tool", file=name)
    panel: bytes = ElementTree.tostring(toolbox, encoding="utf-8", xml_declaration=True)
    return panel


def _write_xml(path: Path, root: str, child: str, **attributes: str) -> None:
    element = ElementTree.Element(root)
    ElementTree.SubElement(element, child, attributes)
    path.write_bytes(ElementTree.tostring(element, encoding="utf-8", xml_declaration=True))
