"""The bundled tables hold together, and name where they come from."""

from __future__ import annotations

import re

import pytest

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.idr_addresses import allowed, registered_address
from lightmicroscopy.archives.idr_facts import DATA, Tables, version_order

FACTS = Tables(Endpoints())


@pytest.mark.parametrize("name", ["idr_download_urls.tsv", "idr_samples.tsv", "host_rewrites.tsv"])
def test_each_table_names_source_date_and_licence_and_fits_its_header(name: str) -> None:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    header, *rows = [line for line in lines if not line.startswith("#")]
    assert re.search(r"Source: .*20\d\d", " ".join(comments))
    assert name in (DATA / "README.md").read_text(encoding="utf-8")
    assert rows
    assert {row.count("\t") for row in rows} == {header.count("\t")}
    assert len(set(rows)) == len(rows)


def test_every_study_of_the_source_is_there_once() -> None:
    assert len(FACTS.held) == 141
    assert len({row.study for row in FACTS.held}) == 141
    assert {row.held for row in FACTS.held} == {"idr-files", "github", "bia", "object-store"}


def test_every_sample_can_be_fetched_from_a_service_that_may_be_asked() -> None:
    assert len(FACTS.samples) == 101
    for sample in FACTS.samples:
        assert sample.kind in ("image", "plate")
        assert allowed(registered_address(sample.address, FACTS), FACTS).startswith("https://livingobjects.ebi.ac.uk/idr/zarr/v")


def test_every_import_path_leads_to_a_service_or_to_github() -> None:
    for start, address in FACTS.prefixes:
        assert not start.startswith("/")
        assert address.startswith(("https://ftp.ebi.ac.uk/", "https://github.com/IDR/"))


def test_no_rewrite_leads_to_a_host_that_is_itself_given_up() -> None:
    for row in FACTS.rewrites:
        assert not any(other.host == row.new_host and other.bucket in ("", row.new_bucket or row.bucket) for other in FACTS.rewrites)


def test_versions_are_compared_as_numbers() -> None:
    assert version_order("0.10") > version_order("0.5") > version_order("0.4")
