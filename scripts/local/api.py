"""The little of Galaxy's HTTP interface that setting it up needs, with the standard library alone."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from .paths import LocalGalaxyError

# A proxy set for the outside world must not be asked for an address of this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class GalaxyApi:
    """Requests to one Galaxy with one key.

    Parameters
    ----------
    url
        Address of the Galaxy, without ``/api``.
    key
        API key; without it only what is public answers.
    timeout
        Seconds for one request.
    """

    def __init__(self, url: str, key: str = "", timeout: float = 120.0) -> None:
        self.url = url.rstrip("/")
        self._key = key
        self._timeout = timeout

    def request(self, method: str, path: str, payload: Any = None) -> Any:
        """Send a request to ``/api/<path>`` and return the decoded answer.

        Raises
        ------
        LocalGalaxyError
            When Galaxy refuses or cannot be reached.
        """
        headers = {"Content-Type": "application/json"} | ({"x-api-key": self._key} if self._key else {})
        body = None if payload is None else json.dumps(payload).encode()
        request = urllib.request.Request(f"{self.url}/api/{path}", data=body, headers=headers, method=method)  # noqa: S310 (an http address of this machine)
        try:
            with _opener.open(request, timeout=self._timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise LocalGalaxyError(f"Galaxy refused {method} {path}: {_reason(error)}") from error
        except (OSError, ValueError) as error:
            raise LocalGalaxyError(f"Galaxy at {self.url} does not answer {method} {path}: {error}.") from error

    def get(self, path: str) -> Any:
        """Return what ``/api/<path>`` says."""
        return self.request("GET", path)

    def answers(self) -> bool:
        """Tell whether the Galaxy is up."""
        try:
            return "version_major" in GalaxyApi(self.url, timeout=5.0).get("version")
        except LocalGalaxyError:
            return False


def _reason(error: urllib.error.HTTPError) -> str:
    text = error.read().decode(errors="replace")
    try:
        return str(json.loads(text)["err_msg"])
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"
