"""The BioImage Archive's own service of images (bia-integrator, version 2), as far as it names their OME-Zarr."""

from __future__ import annotations

import re
from typing import Any

from .content.bia_images import bia_images, datasets, described, representations, study_uuid
from .wire import Request, Response, json_response

ROOT = "/bioimage-archive/api/v2/"


class BiaApi:
    """Studies, their datasets, their images, and how these are kept."""

    def __init__(self) -> None:
        self._images = bia_images()

    def __call__(self, request: Request) -> Response:
        """Answer with an object, a page of a list, or 404 with the words of FastAPI."""
        path = request.path[len(ROOT) :]
        if path == "search/study/accession":
            accession = request.first("accession_id", "") or ""
            known = any(image.accession == accession for image in self._images)
            return json_response({"uuid": study_uuid(accession), "accession_id": accession} if known else None)
        match = re.fullmatch(r"(study|dataset|image)/([0-9a-f-]{36})/(dataset|image|image_representation)", path)
        found = self._list(*match.groups()) if match else None
        if found is None:
            return json_response({"detail": "Not Found"}, 404)
        return self._page(request, found)

    def _list(self, parent: str, uuid: str, kind: str) -> list[dict[str, Any]] | None:
        accessions = dict.fromkeys(image.accession for image in self._images)
        if (parent, kind) == ("study", "dataset"):
            accession = next((one for one in accessions if study_uuid(one) == uuid), None)
            return None if accession is None else [{"uuid": each, "title": title} for each, title in datasets(accession).items()]
        if (parent, kind) == ("dataset", "image"):
            place = next(((accession, titles[uuid]) for accession in accessions if uuid in (titles := datasets(accession))), None)
            return None if place is None else [described(image) for image in self._images if (image.accession, image.dataset) == place]
        image = next((image for image in self._images if image.uuid == uuid), None)
        return representations(image) if image is not None and kind == "image_representation" else None

    @staticmethod
    def _page(request: Request, found: list[dict[str, Any]]) -> Response:
        size = request.first("page_size")
        if size is None:
            return json_response({"detail": [{"loc": ["query", "page_size"], "msg": "Field required", "type": "missing"}]}, 422)
        found = sorted(found, key=lambda each: str(each["uuid"]))
        start = request.first("start_from_uuid")
        return json_response([each for each in found if start is None or each["uuid"] > start][: int(size)])
