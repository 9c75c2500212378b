"""The ways to a service: certificates, and proxies of the environment."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lightmicroscopy.archives.endpoints import Origin
from lightmicroscopy.archives.proxies import proxy_for
from lightmicroscopy.errors import ArchiveError, NotAllowedError, UsageError

from .http_servers import Naps, Request, Server, client_for, make_authority, reply, serving

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return make_authority(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_certificate_of_an_authority_that_the_environment_names_is_trusted(
    monkeypatch: pytest.MonkeyPatch, authority: tuple[Path, ssl.SSLContext], variable: str
) -> None:
    monkeypatch.setenv(variable, str(authority[0]))
    with serving(reply(b"x" * 100_000), context=authority[1]) as server, client_for(server) as client:
        assert server.url.startswith("https://")
        assert len(client.get(f"{server.url}/x", limit=100_000).body) == 100_000
        assert len(client.get(f"{server.url}/x", limit=100_000).body) == 100_000
        assert server.connections == client.connections_opened == 1


def test_a_certificate_of_an_unknown_authority_is_refused_at_once(authority: tuple[Path, ssl.SSLContext]) -> None:
    naps = Naps()
    with serving(reply(b"x"), context=authority[1]) as server, client_for(server, naps=naps) as client:
        with pytest.raises(ArchiveError, match=r"the certificate of 127\.0\.0\.1 is not trusted \(.+\)\. .*SSL_CERT_FILE"):
            client.get(f"{server.url}/x", limit=10)
        assert server.requests == []
    assert naps == []


def test_a_certificate_for_another_name_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path, context = make_authority(tmp_path, "archive.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with serving(reply(b"x"), context=context) as server, client_for(server) as client:
        with pytest.raises(ArchiveError, match="is not trusted"):
            client.get(f"{server.url}/x", limit=10)
        assert server.requests == []


def test_authorities_that_do_not_exist_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "broken.pem").write_text("no certificate")
    with client_for("https://127.0.0.1:9") as client:
        for value, complaint in ((tmp_path / "none.pem", "which does not exist"), (tmp_path / "broken.pem", "cannot be read")):
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(value))
            with pytest.raises(UsageError, match=complaint):
                client.get("https://127.0.0.1:9/x", limit=10)


def test_encryption_is_never_given_up(monkeypatch: pytest.MonkeyPatch, authority: tuple[Path, ssl.SSLContext]) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[0]))
    with serving(reply(b"plain")) as plain:
        elsewhere = reply(b"", 302, Location=f"{plain.url}/x")
        with serving(elsewhere, context=authority[1]) as server, client_for(server, plain) as client:
            assert client.requests == 0
            with pytest.raises(NotAllowedError, match="which is not encrypted and so is not followed"):
                client.get(f"{server.url}/x", limit=10)
        assert plain.requests == []


def test_a_plain_service_where_encryption_is_expected(authority: tuple[Path, ssl.SSLContext]) -> None:
    with serving(b"HTTP/1.1 400 Bad\r\n\r\n") as server:
        url = server.url.replace("http:", "https:")
        with client_for(url, retries=0, connect_timeout=0.2) as client, pytest.raises(ArchiveError, match="could not be fetched"):
            client.get(f"{url}/x", limit=10)


def test_a_drip_inside_encryption_is_given_up(monkeypatch: pytest.MonkeyPatch, authority: tuple[Path, ssl.SSLContext]) -> None:
    gate = threading.Event()

    def drip(_: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        while not gate.wait(0.01):
            yield b"x"

    monkeypatch.setenv("SSL_CERT_FILE", str(authority[0]))
    with serving(drip, context=authority[1]) as server, client_for(server, retries=0, grace=0.2, minimum_rate=1000.0) as client:
        with pytest.raises(ArchiveError, match="too slowly"):
            client.get(f"{server.url}/x", limit=10_000)
        gate.set()


# Proxies


class Proxy(Server):
    """Passes on plain requests and tunnels, both to one server of the test whatever is asked for."""

    target = 0

    def serve(self, connection: socket.socket, number: int) -> None:
        with connection, connection.makefile("rb") as incoming:
            line = incoming.readline().decode()
            if not line:
                return
            method, asked, _ = line.split()
            headers = {}
            while text := incoming.readline().decode().strip():
                name, _, value = text.partition(": ")
                headers[name.lower()] = value
            self.requests.append(Request(method, asked, headers, number))
            if asked.endswith("refused.example:443"):
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self.target)) as onward:
                if method == "CONNECT":
                    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    back = threading.Thread(target=pump, args=(onward, connection), daemon=True)
                    back.start()
                    pump(connection, onward)
                    back.join(5)
                else:
                    onward.sendall(f"{method} {asked} HTTP/1.1\r\nHost: {headers['host']}\r\nConnection: close\r\n\r\n".encode())
                    pump(onward, connection)


def pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    server = Proxy(lambda _: b"")
    yield server
    server.close()


def test_a_plain_request_goes_through_the_proxy_which_knows_the_name(monkeypatch: pytest.MonkeyPatch, proxy: Proxy) -> None:
    monkeypatch.setenv("http_proxy", f"http://me:hush%21@127.0.0.1:{proxy.port}")
    with serving(reply(b"through", Connection="close")) as server, client_for("http://store.invalid") as client:
        proxy.target = server.port
        assert client.get("http://store.invalid/a%20b?x=1#part", limit=10).body == b"through"
        assert (proxy.requests[0].method, proxy.requests[0].target) == ("GET", "http://store.invalid/a%20b?x=1")
        assert proxy.requests[0].headers["proxy-authorization"] == "Basic bWU6aHVzaCE="
        assert "proxy-authorization" not in server.requests[0].headers
        with pytest.raises(NotAllowedError):
            client.get("http://elsewhere.invalid/", limit=10)
        assert len(proxy.requests) == 1


def test_an_encrypted_request_goes_through_a_tunnel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, proxy: Proxy) -> None:
    path, context = make_authority(tmp_path, "store.invalid")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")
    with serving(reply(b"through"), context=context) as server, client_for("https://store.invalid", "https://other.invalid") as client:
        proxy.target = server.port
        for _ in range(3):
            assert client.get("https://store.invalid/x", limit=10).body == b"through"
        assert [(request.method, request.target) for request in proxy.requests] == [("CONNECT", "store.invalid:443")]
        with pytest.raises(ArchiveError, match=r"the certificate of other\.invalid is not trusted"):
            client.get("https://other.invalid/x", limit=10)
        client.close()


def test_a_proxy_that_refuses_is_a_sentence(monkeypatch: pytest.MonkeyPatch, proxy: Proxy) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:hush@127.0.0.1:{proxy.port}")
    with client_for("https://refused.example", retries=1) as client:
        with pytest.raises(ArchiveError, match=r"the proxy of the environment did not pass it on \(.*403.*\), after 2 tries") as error:
            client.get("https://refused.example/x", limit=10)
        assert "hush" not in str(error.value)


def test_loopback_and_excepted_hosts_are_reached_directly(monkeypatch: pytest.MonkeyPatch, proxy: Proxy) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    with serving(reply(b"direct")) as server, client_for(server) as client:
        assert client.get(f"{server.url}/x", limit=10).body == b"direct"
    assert proxy.requests == []


@pytest.mark.parametrize(
    ("host", "excepted", "direct"),
    [
        ("store.example", "", False),
        ("store.example", "store.example", True),
        ("store.example", "other.example, .example", True),
        ("store.example", "*", True),
        ("badstore.example", "store.example", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "192.168.0.0/16,nonsense/x", False),
        ("127.0.0.1", "", True),
        ("::1", "", True),
        ("localhost", "", True),
    ],
)
def test_who_is_reached_directly(host: str, excepted: str, direct: bool) -> None:
    proxies = {"https": "http://proxy.example:3128", "no": excepted}
    assert proxy_for(Origin("https", host, 443), proxies) == (None if direct else "http://proxy.example:3128")


@pytest.mark.parametrize("proxy", ["socks5://a.example:1", "file:///x", "http://", "http://a.example:0", "http://a.example:x", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_named(proxy: str) -> None:
    with pytest.raises(UsageError, match=r"The proxy .* of the environment cannot be used"):
        proxy_for(Origin("https", "store.example", 443), {"all": proxy})
