"""What lies at which path of the web host: the proxy's redirects, the public URL filter, sessions, and the views behind them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from .biostudies import BioStudies
from .content import Catalogue, catalogue
from .objects import Objects
from .omero_api import Api
from .originals import Originals
from .search import Search
from .webclient import Webclient
from .webgateway import Webgateway
from .wire import Request, Response, html_response, json_response, redirect

if TYPE_CHECKING:
    from .server import Archive

FRONT_DOOR = "/webclient/?experimenter=-1"
# Paths that an anonymous user may not open (IDR/deployment: ansible/group_vars/omero-hosts.yml, url_filter).
BLOCKED = re.compile(
    r"/webgateway/(archived_files|download_as)"
    r"|/webclient/(action|annotate_(file|tags|comment|rating|map)|script_ui|ome_tiff|figure_script|render_image_download)"
)


def services(archive: Archive) -> dict[str, Callable[[Request], Response]]:
    """Return what answers on each of the archive's addresses."""
    from .server import nowhere

    everything = catalogue()
    return {"web": Web(archive, everything), "objects": Objects(), "originals": Originals(), "biostudies": BioStudies(archive), "elsewhere": nowhere}


class Web:
    """The host of OMERO.web and the search engine."""

    def __init__(self, archive: Archive, everything: Catalogue) -> None:
        self._archive = archive
        self._api = Api(everything)
        self._webgateway = Webgateway(everything)
        self._webclient = Webclient(everything)
        self._search = Search(everything)

    def __call__(self, request: Request) -> Response:
        """Answer as nginx and Django behind it do."""
        if request.path.startswith("/searchengine/"):
            return self._search(request)
        if (target := self._sent_on(request.path)) is not None:
            return redirect(target)
        if request.path in ("/", "/search/", "/about/"):
            return html_response("IDR: Image Data Resource")
        if not request.path.endswith("/") and self._needs_slash(request.path):
            return redirect(self._with_slash(request), 301)
        return self._within_session(request)

    @staticmethod
    def _sent_on(path: str) -> str | None:
        """Return where a path leads that is not served."""
        if re.match(r"/mapr/api/(?!config)", path):
            return "/searchengine/apidocs/"
        if path.startswith("/webclient/login"):
            return FRONT_DOOR
        if path.startswith("/mapr/"):
            return "/search/?key=" + path.split("/")[2]
        return f"/webclient/login/?url={path}" if BLOCKED.match(path) else None

    def _needs_slash(self, path: str) -> bool:
        return any(service.known(path + "/") for service in (self._api, self._webgateway, self._webclient))

    @staticmethod
    def _with_slash(request: Request) -> str:
        path, mark, query = request.target.partition("?")
        return f"{path}/{mark}{query}"

    def _within_session(self, request: Request) -> Response:
        sessions = self._archive.sessions
        front = request.path == "/webclient/"
        fresh = ""
        if not sessions.valid(request):
            if sessions.mode == "strict" and not front:
                return self._refused(request)
            fresh = sessions.open()
        answer = self._view(request)
        if fresh:
            answer.headers["Set-Cookie"] = fresh
        return answer

    @staticmethod
    def _refused(request: Request) -> Response:
        if request.path.startswith("/api/"):
            return json_response({"message": "Not logged in"}, 403, X_OMERO_ApiVersion="0.2")
        return redirect(f"/webclient/login/?url={request.path}")

    def _view(self, request: Request) -> Response:
        if request.path.startswith("/api/"):
            return self._api(request)
        if request.path.startswith("/webgateway/"):
            return self._webgateway(request)
        return self._webclient(request)
