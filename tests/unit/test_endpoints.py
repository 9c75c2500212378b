"""Which services and hosts a request may go to, as the environment says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lightmicroscopy.archives.addresses import is_public
from lightmicroscopy.archives.endpoints import Endpoints, origin_of, shown
from lightmicroscopy.errors import NotAllowedError, UsageError


def configured(**settings: Any) -> Endpoints:
    return Endpoints.from_environment({"LIGHTMICROSCOPY_ENDPOINTS": json.dumps(settings)})


def test_without_a_setting_the_public_services_are_asked() -> None:
    endpoints = Endpoints.from_environment({})
    assert endpoints == Endpoints()
    assert endpoints.idr_web == "https://idr.openmicroscopy.org"
    for url in (
        "https://idr.openmicroscopy.org/api/v0/m/images/1/",
        "https://ftp.ebi.ac.uk/pub/databases/IDR/a%20b.tif",
        "https://livingobjects.ebi.ac.uk",
        "https://LIVINGOBJECTS.ebi.ac.uk:443/idr?x=1",
    ):
        endpoints.check(url)


def test_the_setting_may_be_the_path_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    path.write_text('\ufeff{"idr_web": "http://127.0.0.1:8080/", "max_items": 7}', encoding="utf-8")
    endpoints = Endpoints.from_environment({"LIGHTMICROSCOPY_ENDPOINTS": str(path)})
    assert endpoints.idr_web == "http://127.0.0.1:8080"
    assert endpoints.max_items == 7
    assert endpoints.object_store == Endpoints().object_store
    endpoints.check("http://127.0.0.1:8080/api/")


def test_allowed_hosts_may_be_named_by_a_user() -> None:
    endpoints = configured(allowed_hosts=["data.example.org", "store.example.org:8443", "http://plain.example.org:81/", "http://[::1]:9"])
    for url in ("https://data.example.org/a", "https://store.example.org:8443/", "http://plain.example.org:81/x", "http://[::1]:9/x"):
        endpoints.check(url)
    for url in ("http://data.example.org/a", "https://data.example.org:8443/", "https://sub.data.example.org/", "https://plain.example.org:81/"):
        with pytest.raises(NotAllowedError, match="not among the services"):
            endpoints.check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://idr.openmicroscopy.org/",
        "https://idr.openmicroscopy.org:8443/",
        "https://idr.openmicroscopy.org.evil.example/",
        "https://evil.example/?https://idr.openmicroscopy.org/",
        "https://evil.example/#https://idr.openmicroscopy.org/",
        "https://idr.openmicroscopy.org./",
        "https://user:secret@idr.openmicroscopy.org/",
        "https://idr.openmicroscopy.org@evil.example/",
        "https://idr.openmicroscopy.org:80@evil.example/",
        "https://evil.example\\@idr.openmicroscopy.org/",
        "https://idr.openmicroscopy.org\\.evil.example/",
        "https://idr.openmicroscopy.org/a b",
        "https://idr.openmicroscopy.org/\r\nHost: evil.example",
        "https://idr.openmicroscopy.org\t/",
        "https://idr.openmicroscopy.org:/",
        "https://idr.openmicroscopy.org:0/",
        "https://idr.openmicroscopy.org:99999/",
        "https://idr.openmicroscopy.org%2eevil.example/",
        "https://ïdr.openmicroscopy.org/",
        "https://[::1/",
        "https://2130706433/",
        "https:///etc/passwd",
        "//idr.openmicroscopy.org/",
        "file:///etc/passwd",
        "file://idr.openmicroscopy.org/etc/passwd",
        "ftp://idr.openmicroscopy.org/",
        "idr.openmicroscopy.org",
        "",
        "https://idr.openmicroscopy.org/" + "a" * 10_000,
    ],
)
def test_every_other_address_is_refused(url: str) -> None:
    with pytest.raises(NotAllowedError) as error:
        Endpoints().check(url)
    assert "secret" not in str(error.value)
    assert len(str(error.value)) < 1000
    assert str(error.value).isprintable()


def test_only_hosts_of_the_environment_may_lie_inside() -> None:
    endpoints = configured(idr_web="http://127.0.0.1:8000", object_store="https://livingobjects.ebi.ac.uk", allowed_hosts=["Inside.example.org:81"])
    assert endpoints.may_be_private("127.0.0.1")
    assert endpoints.may_be_private("inside.example.org")
    assert not endpoints.may_be_private("livingobjects.ebi.ac.uk")
    assert not endpoints.may_be_private("idr.openmicroscopy.org")
    assert not Endpoints().may_be_private("127.0.0.1")
    assert configured(allowed_hosts=["ftp.ebi.ac.uk"]).may_be_private("ftp.ebi.ac.uk")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"idr_wep": "https://a.example"}, "unknown key 'idr_wep'.*idr_web"),
        ({"configured": ["127.0.0.1"]}, "unknown key 'configured'"),
        ({"idr_web": 5}, "idr_web: the value must be a URL in quotes, and is 5"),
        ({"idr_web": "idr.example.org"}, "idr_web: .*not a web address"),
        ({"object_store": "file:///data"}, "object_store: .*"),
        ({"object_store": "ftp://a.example"}, "object_store: .*only https and http"),
        ({"biostudies": "https://me:pw@a.example"}, "biostudies: .*user name or password"),
        ({"biostudies": "https://a.example/?key=1"}, "biostudies: .*query"),
        ({"allowed_hosts": "a.example"}, "allowed_hosts: the value must be a list"),
        ({"allowed_hosts": ["a.example/path"]}, "allowed_hosts: .*not a host"),
        ({"allowed_hosts": ["*.example"]}, "allowed_hosts"),
        ({"allowed_hosts": ["me:pw@a.example"]}, "allowed_hosts: https://a.example is not a host"),
        ({"max_bytes": "10 GB"}, "max_bytes: the value must be a whole number above 0"),
        ({"max_bytes": True}, "max_bytes: the value must be a whole number above 0, and is true"),
        ({"connections": 0}, "connections: the value must be a whole number above 0"),
        ({"connections": 65}, "connections: more than 64 at a time"),
        ({"max_items": 0}, "max_items: the value must be a whole number above 0"),
        ({"max_items": 1.5}, "max_items"),
        ({"user_agent": "a\r\nX-Evil: 1"}, "user_agent: the value must be 1 to 256"),
        ({"user_agent": ""}, "user_agent"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UsageError, match=rf"^LIGHTMICROSCOPY_ENDPOINTS.*{complaint}") as error:
        configured(**settings)
    assert "pw" not in str(error.value)


@pytest.mark.parametrize("text", ["{", "{]", '{"a":' * 100_000, "{'idr_web': 1}"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="holds no valid JSON"):
        Endpoints.from_environment({"LIGHTMICROSCOPY_ENDPOINTS": text})


def test_a_file_that_cannot_be_read_or_holds_something_else_is_named(tmp_path: Path) -> None:
    for name, content, complaint in (
        ("a.json", b"[]", "JSON object"),
        ("b.json", b"\xff\xfe\x00", "not UTF-8"),
        ("c.json", b" " * 2_000_000, "longer"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match=complaint):
            Endpoints.from_environment({"LIGHTMICROSCOPY_ENDPOINTS": str(tmp_path / name)})
    with pytest.raises(UsageError, match=r"none\.json cannot be read"):
        Endpoints.from_environment({"LIGHTMICROSCOPY_ENDPOINTS": str(tmp_path / "none.json")})


def test_urls_are_shown_without_secrets() -> None:
    assert shown("https://a.example/x?limit=200&experimenter=-1#part") == "https://a.example/x?limit=200&experimenter=-1"
    assert shown("https://me:pw@a.example/x") == "https://a.example/x"
    assert "abc" not in shown("https://a.example/x?X-Amz-Signature=abc&key=abc&token=123&q=abc")
    assert "123" not in shown("https://a.example/x?token=123&X-Amz-Security-Token=123")
    assert shown("https://a.example/\x1b[31m\u202ex y").isprintable()
    assert len(shown("https://a.example/" + "x" * 9000)) < 400


def test_an_origin_is_spelt_one_way() -> None:
    assert origin_of("HTTPS://A.Example/x") == origin_of("https://a.example:443?y") == ("https", "a.example", 443)
    assert origin_of("http://[::1]:80/") == ("http", "::1", 80)


INSIDE = """
127.0.0.1 127.9.9.9 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 100.127.255.255 0.0.0.0 0.1.2.3 224.0.0.1
239.1.1.1 240.0.0.1 255.255.255.255 192.0.2.1 198.18.0.1 :: ::1 fe80::1 fe80::1%eth0 fc00::1 fd12::1 ff02::1
fec0::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:a9fe:a9fe ::127.0.0.1 ::8.8.8.8 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1
2002:7f00:1:: 2002:a00:1::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:db8::1 localhost 1
"""


@pytest.mark.parametrize("address", [*INSIDE.split(), ""])
def test_an_address_inside_a_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["193.62.193.80", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


def test_the_advice_for_a_host_that_is_not_allowed_can_be_followed_word_by_word() -> None:
    with pytest.raises(NotAllowedError, match="in Galaxy, ask its administrator") as refused:
        Endpoints().check("https://data.example.org/a.zarr")
    advised = re.search(r"LIGHTMICROSCOPY_ENDPOINTS to the JSON (\{.*?\})", str(refused.value))
    assert advised
    settings = advised[1].replace("https://host", "https://data.example.org")
    Endpoints.from_environment({"LIGHTMICROSCOPY_ENDPOINTS": settings}).check("https://data.example.org/a.zarr")
