"""Answers that send the request elsewhere."""

from __future__ import annotations

import socket

import pytest

from lightmicroscopy.errors import ArchiveError, NotAllowedError

from .http_servers import Request, client_for, reply, reply_json, serving


def moved(location: str, status: int = 302) -> bytes:
    return reply(b"<html>moved</html>", status, kind="text/html", Location=location)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_the_configured_services_is_followed(status: int) -> None:
    with serving(reply(b"file")) as files, serving(moved(f"{files.url}/f%20x?a=1#part", status)) as front, client_for(front, files) as client:
        response = client.get(f"{front.url}/x", limit=10)
        assert (response.body, response.url) == (b"file", f"{files.url}/f%20x?a=1")
        assert client.requests == 2


@pytest.mark.parametrize(
    ("location", "target"),
    [("/b/c", "/b/c"), ("c", "/a/c"), ("?x=1", "/a/x?x=1"), ("../z", "/z"), ("/æ µ", "/%C3%A6%20%C2%B5"), ("/%C3%A6%20x", "/%C3%A6%20x")],
)
def test_relative_and_unquoted_locations(location: str, target: str) -> None:
    with serving(lambda request: moved(location) if request.target == "/a/x" else reply(b"ok")) as server, client_for(server) as client:
        assert client.get(f"{server.url}/a/x", limit=10).body == b"ok"
        assert server.requests[-1].target == target
        assert server.connections == 1


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/x",
        "//evil.example/x",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]:22/",
        "http://localhost/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "gopher://127.0.0.1:6379/_x",
        "http://user:hush@127.0.0.1/",
        "javascript:alert(1)",
        "http://127.0.0.1:1\\@evil.example/",
        "http://127.0.0.1:99999/",
    ],
)
def test_a_redirect_to_anywhere_else_is_refused(location: str) -> None:
    with serving(moved(location)) as server, client_for(server) as client:
        with pytest.raises(NotAllowedError, match=r"^http://127\.0\.0\.1:\d+/x leads to ") as error:
            client.get(f"{server.url}/x", limit=10)
        assert "hush" not in str(error.value)
        assert len(server.requests) == 1


def test_a_redirect_to_another_port_of_the_same_host_is_refused() -> None:
    with serving(reply(b"internal")) as internal, serving(moved(f"{internal.url}/")) as server, client_for(server) as client:
        with pytest.raises(NotAllowedError):
            client.get(f"{server.url}/x", limit=10)
        assert internal.connections == 0


def test_a_redirect_to_a_public_service_whose_name_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    true = socket.getaddrinfo
    with serving(reply(b"internal")) as internal, serving(moved("https://www.ebi.ac.uk/biostudies/x")) as server, client_for(server) as client:
        inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", internal.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest: true(host, *rest) if host == "127.0.0.1" else inside)
        with pytest.raises(NotAllowedError, match=r"www\.ebi\.ac\.uk is not contacted: its name leads to 127\.0\.0\.1"):
            client.get(f"{server.url}/x", limit=10)
        assert internal.connections == 0


def test_redirects_in_a_circle_and_without_end_are_given_up() -> None:
    def circle(request: Request) -> bytes:
        return moved("/b" if request.target == "/a" else "/a")

    with serving(circle) as server, client_for(server) as client:
        with pytest.raises(ArchiveError, match="only leads from one address to the next"):
            client.get(f"{server.url}/a", limit=10)
        assert len(server.requests) == 2
    with serving(lambda request: moved(request.target + "x")) as server, client_for(server) as client:
        with pytest.raises(ArchiveError, match="only leads from one address to the next"):
            client.get(f"{server.url}/a", limit=10)
        assert len(server.requests) == 6


def test_five_redirects_are_followed() -> None:
    with serving(lambda request: moved(request.target + "x") if len(request.target) < 7 else reply(b"ok")) as server, client_for(server) as client:
        assert client.get(f"{server.url}/a", limit=10).body == b"ok"
        assert len(server.requests) == 6


@pytest.mark.parametrize("answer", [reply(b"", 302), moved(""), moved("#part")])
def test_a_redirect_to_nowhere(answer: bytes) -> None:
    with (
        serving(answer) as server,
        client_for(server) as client,
        pytest.raises(ArchiveError, match=r"leads elsewhere without saying where|from one address"),
    ):
        client.get(f"{server.url}/x", limit=10)


def test_secrets_stay_with_the_service_they_are_for() -> None:
    given = {"Authorization": "Bearer hush", "Cookie": "hush=1", "X-Api-Key": "hush", "Range": "bytes=0-9"}
    with serving(reply(b"file")) as files, serving(lambda request: moved(f"{files.url}/f" if request.target == "/y" else "/y")) as front:
        with client_for(front, files) as client:
            client.get(f"{front.url}/x", limit=10, headers=given)
        assert [request.headers.get("authorization") for request in front.requests] == ["Bearer hush"] * 2
        assert "hush" not in str(files.requests[0].headers)
        assert files.requests[0].headers["range"] == "bytes=0-9"


def test_a_long_page_with_a_redirect_is_not_read() -> None:
    page = moved("/y").replace(b"Content-Length: 18", b"Content-Length: 5000000") + b"x" * 4_999_982
    with serving(lambda request: page if request.target == "/x" else reply(b"ok")) as server, client_for(server) as client:
        assert client.get(f"{server.url}/x", limit=10).body == b"ok"
        assert client.bytes_received < 1_000_000


def test_where_a_download_needs_a_login_the_page_is_not_taken_for_the_file() -> None:
    def idr(request: Request) -> bytes:
        if request.target.startswith("/webgateway/archived_files"):
            return moved("/webclient/login/?url=x")
        if request.target.startswith("/webclient/login"):
            return moved("/webclient/?experimenter=-1")
        return reply(b"<html>welcome</html>", kind="text/html", Set_Cookie="sessionid_idr=1")

    with serving(idr) as server, client_for(server) as client:
        with pytest.raises(ArchiveError, match=r"web page .* not offered to the public"):
            client.get(f"{server.url}/webgateway/archived_files/download/1", limit=10_000)
        with pytest.raises(ArchiveError, match="web page"):
            client.get_json(f"{server.url}/webgateway/archived_files/download/1")


def test_a_redirect_keeps_the_trailing_slash_right() -> None:
    with (
        serving(lambda request: reply_json([1]) if request.target.endswith("/") else moved(request.target + "/", 301)) as server,
        client_for(server) as client,
    ):
        assert client.get_json(f"{server.url}/api/v0/m/images/1") == [1]
