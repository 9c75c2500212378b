"""Addresses of stores, as people write them and as archives once did: which are taken, and what they become."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.store_addresses import store_address
from lightmicroscopy.errors import NotAllowedError, UsageError
from lightmicroscopy.inputs import addresses
from lightmicroscopy.words import path_or_address

from .remote_inputs import BLASTOCYST, PUBLIC


@pytest.mark.parametrize(
    ("text", "asked_for"),
    [
        (BLASTOCYST, BLASTOCYST),
        (f"{BLASTOCYST}/", BLASTOCYST),
        (f"  {BLASTOCYST}\n", BLASTOCYST),
        ("s3://livingobjects.ebi.ac.uk/idr/a.zarr?anonymous=true", f"{PUBLIC}/idr/a.zarr"),
        ("s3%3A%2F%2Flivingobjects.ebi.ac.uk%2Fidr%2Fa.zarr", f"{PUBLIC}/idr/a.zarr"),
        ("s3://idr/zarr/a.zarr", f"{PUBLIC}/idr/zarr/a.zarr"),
        ("s3://bia-integrator-data/S-BIAD1/a.zarr", f"{PUBLIC}/bioimaging-integrator-data/S-BIAD1/a.zarr"),
        ("https://uk1s3.embassy.ebi.ac.uk/bia-integrator-data/a.zarr", f"{PUBLIC}/bioimaging-integrator-data/a.zarr"),
        ("https://uk1s3.embassy.ebi.ac.uk/idr/a.zarr", f"{PUBLIC}/idr/a.zarr"),
        ("http://livingobjects.ebi.ac.uk/idr/a.zarr", f"{PUBLIC}/idr/a.zarr"),
        (f"{PUBLIC}/idr/a%20b%23c.zarr", f"{PUBLIC}/idr/a%20b%23c.zarr"),
    ],
)
def test_an_address_becomes_the_one_of_today(text: str, asked_for: str) -> None:
    assert store_address(text, Endpoints()) == asked_for


@pytest.mark.parametrize(
    "text",
    [
        "ftp://server/a.zarr",
        "file:///etc/passwd",
        "gs://bucket/a.zarr",
        "s3://somebodys-bucket/a.zarr",
        "s3://idr",
        "https://user:word@livingobjects.ebi.ac.uk/idr/a.zarr",
        "https://livingobjects.ebi.ac.uk/idr/a.zarr?X-Amz-Signature=0123secret",
        "https://livingobjects.ebi.ac.uk/idr/a.zarr#0",
        "https://livingobjects.ebi.ac.uk/idr/../a.zarr",
        "https://livingobjects.ebi.ac.uk/idr/%2e%2e/a.zarr",
        "https://livingobjects.ebi.ac.uk",
        "https:///a.zarr",
        "https://host\\@other/a.zarr",
    ],
)
def test_what_is_no_address_of_a_store_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        store_address(text, Endpoints())
    assert str(refused.value).endswith(".")
    assert "0123secret" not in str(refused.value)
    assert "word@" not in str(refused.value)


def test_paths_stay_paths_and_addresses_keep_their_slashes() -> None:
    assert path_or_address("a/b.zarr") == Path("a/b.zarr")
    assert path_or_address("C:/images/a.czi") == Path("C:/images/a.czi")
    assert path_or_address(f" {BLASTOCYST} ") == BLASTOCYST
    assert path_or_address("s3://idr/a.zarr") == "s3://idr/a.zarr"


@pytest.mark.parametrize("text", ["cells.zarr", "/etc/passwd", "https:/one/slash.zarr", f"{BLASTOCYST} , "])
def test_a_field_for_addresses_takes_nothing_else(text: str) -> None:
    with pytest.raises(UsageError, match="is not the address of a store"):
        addresses([text])


def test_a_host_outside_is_refused_by_the_endpoints_too() -> None:
    with pytest.raises(NotAllowedError):
        Endpoints().check(store_address("https://images.example.org/a.zarr", Endpoints()))
    assert os.environ.get("LIGHTMICROSCOPY_ENDPOINTS", "") == ""
