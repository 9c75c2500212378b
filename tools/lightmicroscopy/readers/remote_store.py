"""The files of a Zarr store on a web server, by key. Nothing is listed, and nothing is fetched twice while it is still needed.

What the server does not have (404) was never stored: Zarr's fill value. Any other refusal or failure is an error and never
missing pixels. Which servers may be asked, retries and time limits are the client's.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote, unquote, urlsplit

from ..archives.endpoints import shown
from ..errors import DeniedError, UsageError
from ..image import Location
from .prefetch import MEMORY, Fetches
from .remote_metadata import Metadata, is_metadata
from .zarr_store import METADATA_FILES, check_key, too_long

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CONNECTIONS: Final = 8
MOST_NOTED: Final = 100_000
"""Missing chunks that are remembered by name, to be told."""
_MISSING: Final = 404
_READABLE: Final = "/%:@!$&'()*+,;=~"
"""Characters that stand in the path of a URL as they are."""


class Response(Protocol):
    """What a server answered."""

    @property
    def status(self) -> int:
        """HTTP status: 200, or 404 where that was said to be no error."""
        ...

    @property
    def body(self) -> bytes:
        """The whole content."""
        ...


class HttpClient(Protocol):
    """What is needed of an HTTP client. It is safe to use from several threads and raises `SuiteError` where a request fails."""

    def get(self, url: str, *, limit: int, ok_missing: bool = False) -> Response:
        """Whole content, at most `limit` bytes."""
        ...

    def get_range(self, url: str, start: int, length: int) -> bytes | None:
        """Part of the content, `start` counting from the end if negative; ``None`` if there is no such file."""
        ...

    def size(self, url: str) -> int | None:
        """Length in bytes; ``None`` if there is no such file."""
        ...


class RemoteStore:
    """A `zarr_store.Store` over HTTP.

    Parameters
    ----------
    client
        How requests are made.
    url
        The store's root, without query or fragment.
    name
        What errors and outputs call it; by default made from the URL.
    connections
        Requests kept in flight for what is read ahead.
    memory
        Bytes of encoded chunks held.
    known
        The same store, opened before, whose metadata are not asked for again.

    Attributes
    ----------
    absent
        Chunks that were asked for and were never stored.
    has_pixels
        Whether any chunk was there.

    Raises
    ------
    UsageError
        If the URL is none of a folder on a web server.
    """

    def __init__(
        self,
        client: HttpClient,
        url: str,
        *,
        name: str | None = None,
        connections: int = CONNECTIONS,
        memory: int = MEMORY,
        known: RemoteStore | None = None,
    ) -> None:
        self.url = plain_url(url)
        self.name = name or name_of(self.url)
        self.fetches = Fetches(connections, memory)
        self._client = client
        self._refusal: DeniedError | None = None
        self.absent: set[str] = set()
        self.has_pixels = False
        self._metadata = Metadata(self._fetch_metadata, self.name, connections)
        if known is not None:
            self._metadata, self._refusal = known._metadata, known._refusal

    @property
    def metadata_bytes(self) -> int:
        """Bytes of metadata held."""
        return self._metadata.held

    def leave_images(self) -> None:
        """Fetch no image's metadata ahead, but those of groups that list images; to be said before anything is asked for."""
        self._metadata.leave_images()

    def fetch_marks(self, paths: Sequence[str]) -> None:
        """Fetch the marks of these groups, and do without no other from now on: whoever checks a store looks whether they are there."""
        self._metadata.fetch_marks(paths)

    def fetch_groups(self, paths: Sequence[str], *, whole: bool) -> None:
        """Fetch the attributes of groups side by side; if `whole`, also those of all that belongs to them."""
        self._metadata.fetch_groups(paths, whole=whole)

    def get(self, key: str, limit: int) -> bytes | None:
        """See `zarr_store.Store`."""
        check_key(self.name, key)
        if not is_metadata(key):
            return self._noted(key, self._fetch(key, limit))
        data = self._metadata.get(key)
        if data is None and key in METADATA_FILES and self._refusal is not None and not self._metadata.found_root:
            raise self._refusal
        if data is not None and len(data) > limit:
            raise too_long(self.name, key, len(data), limit)
        return data

    def get_range(self, key: str, offset: int, length: int) -> bytes | None:
        """See `zarr_store.Store`."""
        check_key(self.name, key)
        return self._noted(key, self._client.get_range(self.place(key), offset, length))

    def size(self, key: str) -> int | None:
        """See `zarr_store.Store`."""
        check_key(self.name, key)
        if not is_metadata(key):
            return self._client.size(self.place(key))
        data = self._metadata.get(key)
        return None if data is None else len(data)

    def children(self, folder: str) -> Iterator[tuple[str, bool]]:
        """Nothing: a web server lists no folders."""
        return iter(())

    def close(self) -> None:
        """Fetch nothing ahead any more. The client stays open, and the store can be opened again."""
        self.fetches.close()
        self.fetches = Fetches(self.fetches.connections, self.fetches.memory)

    def place(self, key: str) -> str:
        """Where a file lies."""
        return f"{self.url}/{quote(key)}"

    def above(self, folders: int) -> RemoteStore | None:
        """The store so many folders further up on the same server, of the same Zarr version; ``None`` if there are none.

        Its metadata are fetched as they are asked for.
        """
        parts = urlsplit(self.url)
        path = parts.path.split("/")
        if len(path) <= folders + 1:
            return None
        store = RemoteStore(self._client, parts._replace(path="/".join(path[:-folders])).geturl(), connections=1)
        store._metadata = self._metadata.beside(store._fetch_metadata)
        return store

    def _noted(self, key: str, data: bytes | None) -> bytes | None:
        if "/labels/" in f"/{key}":
            # The background of a label map is left out of most stores, and is no pixel of the image.
            return data
        if data is None and len(self.absent) < MOST_NOTED:
            self.absent.add(key)
        elif data is not None:
            self.has_pixels = True
        return data

    def _fetch_metadata(self, key: str, limit: int) -> bytes | None:
        """A metadata file.

        Object stores whose folders may not be listed answer 403 for what is not there. That is believed of files a store need not have;
        never of those its metadata name, nor of pixels.
        """
        try:
            return self._fetch(key, limit)
        except DeniedError as error:
            folder = key.rpartition("/")[0]
            if folder and folder != "OME" and folder.rpartition("/")[2] != "labels":
                raise
            self._refusal = self._refusal or error
            return None

    def _fetch(self, key: str, limit: int) -> bytes | None:
        response = self._client.get(self.place(key), limit=limit, ok_missing=True)
        if response.status == _MISSING:
            return None
        return response.body


def open_remote(client: HttpClient, url: str, *, name: str | None = None, series: int | None = None) -> Location:
    """Make the location of a store on a server; `readers.open` takes it.

    Raises
    ------
    UsageError
        If the URL is none of a folder on a web server.
    """
    store = RemoteStore(client, url, name=name)
    return Location(Path(store.name), series=series, store=store, url=store.url)


def plain_url(url: str) -> str:
    """Bring the URL of a store into one form: no slash at its end, what no URL may hold percent-encoded.

    Raises
    ------
    UsageError
        If it is none of a folder on a web server.
    """
    try:
        parts = urlsplit(url.strip())
        parts.port  # noqa: B018 - raises where it is no number
    except ValueError as error:
        raise UsageError(f"{shown(url)} is no valid address: {error}.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"{shown(url)} is not the address of a store on a web server. Give one that begins with https://.")
    if parts.query or parts.fragment:
        raise UsageError(f"{shown(url)} has a part after its path (from ? or #), which no store has. Give the address of the store's folder alone.")
    path = parts.path.rstrip("/")
    if any(part in {"", ".", ".."} for part in unquote(path).split("/")[1:]):
        raise UsageError(f"{shown(url)} names no folder by a plain path. Give the address of the store's folder.")
    return parts._replace(path=quote(path, safe=_READABLE)).geturl()


def name_of(url: str) -> str:
    """Name a store by its URL: from the folder that ends in ``.zarr`` on, so that ``…/plate.zarr/A/1/0`` is ``plate_A_1_0.zarr``."""
    folders = [unquote(folder) for folder in urlsplit(url).path.split("/") if folder]
    if not folders:
        return urlsplit(url).hostname or "store"
    stores = [index for index, folder in enumerate(folders) if folder.lower().endswith(".zarr")]
    if not stores:
        return folders[-1]
    store, below = folders[stores[-1]], folders[stores[-1] + 1 :]
    return store if not below else "_".join([store[: -len(".zarr")].removesuffix(".ome"), *below]) + ".zarr"
