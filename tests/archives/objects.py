"""The public object store (livingobjects.ebi.ac.uk, S3 protocol, anonymous reading, no listing)."""

from __future__ import annotations

from .content.bia_images import bia_stores
from .content.seeds import Cache
from .content.stores import stores
from .wire import Request, Response, file_response, md5_tag, xml_error

ENCODED: Cache[bytes | None] = Cache(64 << 20, lambda data: len(data or b"") + 100)
TYPES = {".json": "application/json", ".xml": "application/xml"}


class Objects:
    """Every bucket."""

    def __init__(self) -> None:
        self._stores = stores() | bia_stores()
        self._buckets = {name.partition("/")[0] for name in self._stores}

    def __call__(self, request: Request) -> Response:
        """Answer with an object, or with XML."""
        key = request.path.lstrip("/")
        bucket, _, rest = key.partition("/")
        extra = {"Access-Control-Allow-Origin": "*", "x-amz-request-id": "tx0000000000000000000001-0000000000-invented"}
        if request.method not in ("GET", "HEAD") or not rest or "list-type" in request.query or "prefix" in request.query:
            answer = xml_error(403, "AccessDenied", "Access Denied", request.path)
        elif bucket not in self._buckets:
            answer = xml_error(404, "NoSuchBucket", "The specified bucket does not exist", request.path)
        elif (data := ENCODED.get((key,), lambda: self._file(key))) is None:
            answer = xml_error(404, "NoSuchKey", "The specified key does not exist.", request.path)
        else:
            kind = next((kind for end, kind in TYPES.items() if key.endswith(end)), "application/octet-stream")
            answer = file_response(request, data, kind, md5_tag(data))
        answer.headers |= extra
        return answer

    def _file(self, key: str) -> bytes | None:
        for name, tree in self._stores.items():
            if key.startswith(name + "/"):
                return tree.file(key[len(name) + 1 :])
        return None
