"""The server of the IDR's original files and of BioStudies' (https://ftp.ebi.ac.uk/, an Apache server)."""

from __future__ import annotations

import hashlib
import html
import urllib.parse

from .biostudies import BioStudiesFiles
from .content.big_file import big_files
from .content.originals import files
from .wire import Blob, Request, Response, error_page, file_response, html_response, redirect

ROOT = "/pub/databases/IDR/"
TYPES = {".tif": "image/tiff", ".tiff": "image/tiff", ".ome": "text/plain"}


class Originals:
    """The tree."""

    def __init__(self) -> None:
        self._files = dict(files())
        self._biostudies = BioStudiesFiles()
        self._big = big_files()

    def __call__(self, request: Request) -> Response:
        """Answer with a file, the page of a folder, or HTML saying that there is none."""
        if request.method not in ("GET", "HEAD"):
            return error_page(405, "Apache")
        if (answer := self._biostudies(request)) is not None:
            return answer
        if not request.path.startswith(ROOT):
            return redirect(ROOT, 301) if request.path + "/" == ROOT else error_page(404, "Apache")
        path = request.path[len(ROOT) :]
        if path in self._files or path in self._big:
            return self._file(request, path)
        if path and not path.endswith("/") and self._children(path + "/"):
            return redirect(urllib.parse.quote(f"{request.path}/"), 301)
        children = self._children(path)
        return self._page(path, children) if children else error_page(404, "Apache")

    def _file(self, request: Request, path: str) -> Response:
        content: bytes | Blob = self._big[path] if path in self._big else self._files[path].data
        # Apache's ETag comes from size and date, so it is no checksum.
        size = content.size if isinstance(content, Blob) else len(content)
        tag = hashlib.sha256(path.encode()).hexdigest()[:13]
        kind = next((kind for end, kind in TYPES.items() if path.endswith(end)), "application/octet-stream")
        return file_response(request, content, kind, f'"{size:x}-{tag}"')

    def _children(self, folder: str) -> set[str]:
        """Return what lies in a folder, folders with a slash behind."""
        names = set()
        for path in (*self._files, *self._big):
            if path.startswith(folder):
                head, slash, _ = path[len(folder) :].partition("/")
                names.add(head + slash)
        return names

    @staticmethod
    def _page(folder: str, children: set[str]) -> Response:
        rows = [f'<a href="{html.escape(urllib.parse.quote(name))}">{html.escape(name)}</a>' for name in sorted(children)]
        listing = "\n".join(['<a href="../">Parent Directory</a>', *rows])
        return html_response(f"Index of {ROOT}{folder}", 200, f"<pre>{listing}</pre>")
