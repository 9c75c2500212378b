"""BioStudies (https://www.ebi.ac.uk/biostudies/) and the tree of its files (https://ftp.ebi.ac.uk/biostudies/)."""

from __future__ import annotations

import hashlib
import re
import urllib.parse
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .bia_api import ROOT, BiaApi
from .content.bia import BiaStudy
from .content.bia_studies import bia_studies
from .wire import JSON, Request, Response, error_page, file_response, html_response, json_response, redirect

if TYPE_CHECKING:
    from .server import Archive

API = "/biostudies/api/"
DENIED_AGENTS = ("wicked-agent", "masscan")
"""Invented; the real list is configuration that nobody outside sees."""
LARGEST_PAGE = 100
RELEASED_MS = 1_717_977_600_000


class BioStudies:
    """The web server: studies, where their files are, tables of files, search."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._studies = bia_studies()
        self._images = BiaApi()

    def __call__(self, request: Request) -> Response:
        """Answer as the filter of agents, the controllers and the redirects do."""
        agent = request.headers.get("user-agent", "")
        if any(re.search(rf"\b{re.escape(word)}\b", agent, re.IGNORECASE) for word in DENIED_AGENTS):
            return Response(403, "403 Forbidden – User-Agent blocked".encode(), {"Content-Type": "text/plain;charset=UTF-8"})
        if request.path.startswith(ROOT):
            return self._images(request)
        if match := re.fullmatch(r"/biostudies/(?:[^/]+/)?files/(S-[^/]+)/(.+)", request.path):
            return self._file(request, match[1].upper(), match[2])
        if (match := re.fullmatch(rf"{API}(v[12])/(.+)", request.path)) is None:
            return html_response("BioStudies", 200) if request.path.startswith("/biostudies/studies/") else error_page(404)
        for pattern, view in self._views():
            if found := re.fullmatch(pattern, match[2]):
                return view(request, match[1], found)
        return json_response({"errorMessage": "Not found"}, 404)

    def _views(self) -> Iterator[tuple[str, Callable[[Request, str, re.Match[str]], Response]]]:
        yield r"studies/(?P<acc>[^/]+)", self._study
        yield r"studies/(?P<acc>[^/]+)/info", self._info
        yield r"files/(?P<acc>[^/]+)", self._files
        yield r"(?:(?P<collection>[^/]+)/)?search", self._search

    def _folder(self, study: BiaStudy, *, https: bool = True) -> str:
        base = self._archive.base("originals")
        return f"{base if https else 'ftp://ftp.ebi.ac.uk'}{study.folder}"

    def _study(self, _: Request, version: str, match: re.Match[str]) -> Response:
        study = self._studies.get(match["acc"].upper())
        if study is None:
            return json_response({"errorMessage": "Study not found"}, 404)
        if study.private:
            return json_response({"errorMessage": "Study not accessible"}, 403)
        link = {"ftpHttp_link": f"{self._folder(study)}/"}
        document = study.served.get(f"{study.accession}.json", b"").decode()
        if study.style == "link-pagetab" or (version == "v2" and study.style == "pagetab"):
            return json_response({**link, "pageTab": document})
        if study.style == "pagetab":
            return Response(200, document.encode(), {"Content-Type": JSON})
        if study.style == "link" or version == "v2":
            return json_response(link)
        return redirect(f"{self._folder(study)}/{study.accession}.json")

    def _info(self, _: Request, __: str, match: re.Match[str]) -> Response:
        study = self._studies.get(match["acc"].upper())
        if study is None:
            return json_response({})
        if study.private:
            return json_response({"errorMessage": "Study not accessible"}, 403)
        names = dict.fromkeys(name for _, one in study.rows() for name, _ in one.attributes)
        columns = [_column(name) for name in ("Name", "Size", *(["Section"] if study.sections else []), *names)]
        return json_response(
            {
                "columns": columns,
                "files": sum(1 for _, one in study.rows() if one.path),
                "httpLink": self._folder(study),
                "ftpLink": self._folder(study, https=False),
                "globusLink": f"https://app.globus.org/file-manager?origin_id=invented&origin_path={study.folder}",
                "isPublic": True,
                "relPath": study.relpath,
                "hasZippedFolders": study.zipped,
                "views": 0,
                "released": RELEASED_MS,
                "modified": RELEASED_MS,
                "sections": list(dict.fromkeys(study.sections.values())),
            }
        )

    def _files(self, request: Request, _: str, match: re.Match[str]) -> Response:
        study = self._studies.get(match["acc"].upper())
        if study is None or study.private:
            return json_response({"errorMessage": "Study not accessible"}, 403)
        start, length = int(request.first("start", "0") or 0), int(request.first("length", "5") or 5)
        wanted = (request.first("search[value]", "") or "").lower()
        rows = [row for row in self._rows(study) if wanted in row["path"].lower()]
        page = rows[start:] if length < 0 else rows[start : start + length]
        return json_response(
            {
                "draw": int(request.first("draw", "1") or 1),
                "recordsTotal": sum(1 for _ in self._rows(study)),
                "recordsFiltered": len(rows),
                "data": page,
            }
        )

    @staticmethod
    def _rows(study: BiaStudy) -> Iterator[dict[str, Any]]:
        for section, one in study.rows():
            size = study.size_of(one)
            row = {"Name": one.path.rpartition("/")[2], "Size": size, "Section": section}
            row |= {re.sub(r"[\[\]() ]", "_", name): value for name, value in one.attributes}
            yield {**row, "path": one.path, "type": one.type, "size": size}

    def _search(self, request: Request, _: str, match: re.Match[str]) -> Response:
        words = re.findall(r"[\w-]+", (request.first("query", "") or "").lower())
        page, size = int(request.first("page", "1") or 1), min(int(request.first("pageSize", "20") or 20), LARGEST_PAGE)
        # Every word must be in what is known of it; AND, fields and the rest of Lucene are left out.
        words = [word for word in words if word not in ("and", "title", "accession")]
        public = [study for study in self._studies.values() if not study.private and match["collection"] in (None, study.collection)]
        found = [study for study in public if all(word in f"{study.accession} {study.title} {' '.join(study.authors)}".lower() for word in words)]
        answer = {"page": page, "pageSize": size, "totalHits": len(found), "isTotalHitsExact": True, "sortBy": "relevance", "sortOrder": "descending"}
        hits = [self._hit(study) for study in found[(page - 1) * size : page * size]]
        if found:
            answer |= {"hits": hits, "suggestion": [], "expandedEfoTerms": [], "expandedSynonyms": []}
        return json_response({**answer, "query": request.first("query", ""), "facets": None})

    @staticmethod
    def _hit(study: BiaStudy) -> dict[str, Any]:
        return {
            "accession": study.accession,
            "type": "study",
            "title": study.title,
            "author": ", ".join(study.authors),
            "links": 0,
            "files": sum(1 for _ in study.rows()),
            "release_date": study.released,
            "views": 0,
            "isPublic": True,
            "content": "…",
        }

    def _file(self, request: Request, accession: str, path: str) -> Response:
        study = self._studies.get(accession)
        if study is None:
            return error_page(404)
        if study.private:
            return error_page(403)
        if path in (f"{accession}.json", f"{accession}.tsv"):
            data = study.served.get(path)
            return error_page(404) if data is None else file_response(request, data, JSON, _tag(path, data))
        # Sent on as it was asked for, still encoded.
        asked = request.target.partition("?")[0].partition(f"/{accession}/")[2] or urllib.parse.quote(path)
        return redirect(f"{self._folder(study)}/Files/{asked}")


def _column(name: str) -> dict[str, Any]:
    return {"name": name, "title": name, "visible": True, "searchable": name != "Size", "data": re.sub(r"[\[\]() ]", "_", name), "defaultContent": ""}


class BioStudiesFiles:
    """The tree of files on the server that has the IDR's originals too."""

    def __init__(self) -> None:
        self._studies = {study.folder: study for study in bia_studies().values() if not study.private}

    def __call__(self, request: Request) -> Response | None:
        """Answer with a file, or say that it is not of this tree."""
        if not request.path.startswith("/biostudies/"):
            return None
        folder = next((folder for folder in self._studies if request.path.startswith(folder + "/")), None)
        if folder is None:
            return error_page(404, "Apache")
        study, name = self._studies[folder], request.path[len(folder) + 1 :]
        original = study.files.get(name.removeprefix("Files/")) if name.startswith("Files/") else None
        data = original.data if original is not None else study.served.get(name)
        if data is None:
            return error_page(404, "Apache")
        kind = JSON if name.endswith(".json") else "text/tab-separated-values" if name.endswith(".tsv") else "application/octet-stream"
        return file_response(request, data, kind, _tag(name, data))


def _tag(name: str, data: bytes) -> str:
    """Apache's ETag comes from size and date, so that it is no checksum."""
    return f'"{len(data):x}-{hashlib.sha256(name.encode()).hexdigest()[:13]}"'
