"""What a tool is given to read: files and folders, and OME-Zarr stores on the web, which are read where they are."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .errors import UsageError
from .image import Location
from .provenance import files_below
from .words import is_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from .archives.http import Client
    from .readers.remote_store import RemoteStore

_KEPT: Final = 64 << 20
"""Bytes of stores' metadata that are kept for a second look at them."""


@dataclass(frozen=True, slots=True)
class Address:
    """An OME-Zarr store on the web.

    Attributes
    ----------
    url
        Where it is, in the form in which it is asked for.
    name
        What errors and outputs call it.
    web
        Whom to ask.
    """

    url: str
    name: str
    web: Web = field(compare=False, repr=False)

    def __str__(self) -> str:
        return self.url


Given = Path | Address


class Web:
    """What one run needs of the web: one HTTP client, made when something is first asked for, and closed at the end.

    Parameters
    ----------
    memory
        Bytes the run may use in all; a share of it holds what is fetched ahead.
    """

    def __init__(self, memory: int | None = None) -> None:
        self.memory = memory
        self._client: Client | None = None
        self._seen: dict[str, RemoteStore] = {}
        self._taken: set[str] = set()

    def __enter__(self) -> Web:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None
        self._seen.clear()

    @property
    def client(self) -> Client:
        """The client, for the services that the environment names.

        Raises
        ------
        UsageError
            If what the environment says of them cannot be understood.
        """
        if self._client is None:
            from .archives.endpoints import Endpoints
            from .archives.http import Client

            self._client = Client(Endpoints.from_environment())
        return self._client

    def given(self, words: Iterable[Path | str]) -> list[Given]:
        """Turn words of the command line into what can be opened.

        Raises
        ------
        UsageError
            If one is an address that names no store on a web server.
        """
        return [self.address(word) if isinstance(word, str) else word for word in words]

    def all_given(self, words: Iterable[Path | str], texts: Sequence[str] = ()) -> tuple[Given, ...]:
        """Turn words of the command line and texts that hold addresses into what can be opened, each once.

        Raises
        ------
        UsageError
            If there is nothing, or something that cannot be an address.
        """
        found = tuple(dict.fromkeys(self.given([*words, *addresses(texts)])))
        if not found:
            raise UsageError("There is nothing to read: give a file or folder, or the address of an OME-Zarr on the web.")
        return found

    def address(self, text: str) -> Address:
        """Bring an address into the form in which it is asked for.

        ``s3://host/bucket/key``, ``s3://bucket/key`` of the public store's buckets, and hosts and buckets that were given up become the
        addresses of today. Whether the host may be asked is found out when it is.

        Raises
        ------
        UsageError
            If it names no store on a web server.
        """
        from .archives.store_addresses import store_address
        from .readers.remote_store import name_of

        url = store_address(text, self.client.endpoints)
        return Address(url, name_of(url), self)

    def store(self, address: Address) -> RemoteStore:
        """Make the store that is read, with what is known already of one that was open before."""
        from .readers.prefetch import share_of
        from .readers.remote_store import RemoteStore

        known = self._seen.get(address.url)
        store = RemoteStore(self.client, address.url, name=address.name, memory=share_of(self.memory), known=known)
        kept = sum(other.metadata_bytes for other in self._seen.values())
        if known is None and kept < _KEPT:
            self._seen[address.url] = store
        return store


def addresses(texts: Sequence[str]) -> list[str]:
    """Take addresses out of a text field: one a line, or with spaces between.

    Raises
    ------
    UsageError
        If something else is among them, so that a forgotten scheme is not taken for a file of this machine.
    """
    found = [word for text in texts for word in text.split()]
    for word in found:
        if not is_address(word):
            raise UsageError(f"{word[:200]!r} is not the address of a store on a web server. Give one that begins with https:// or s3://.")
    return found


def location_of(given: Given, files: Iterable[Given] = (), **known: Any) -> Location:
    """Say where an input is, and what else was given with it.

    Parameters
    ----------
    files
        All inputs; the members of a set of files are looked for among those that are files.
    known
        What `Location` is told of how to read it.
    """
    if isinstance(given, Address):
        return Location(Path(given.name), store=given.web.store(given), url=given.url, **known)
    return Location(given, paths_among(files), **known)


def only_given(given: Sequence[Given], wanted: frozenset[int] | None = None, **known: Any) -> Location:
    """Say where the one input is, which may be a set of files.

    Parameters
    ----------
    wanted
        Series that will be asked for; of a store on the web the others are left alone.

    Raises
    ------
    UsageError
        If a store on the web is one of several.
    """
    first = given[0]
    if len(given) > 1 and any(isinstance(item, Address) for item in given):
        raise UsageError("One image is read at a time: give either files, or the address of one OME-Zarr on the web.")
    if isinstance(first, Address):
        return location_of(first, wanted=wanted, **known)
    return location_of(first, given, **known)


def paths_among(given: Iterable[Given]) -> tuple[Path, ...]:
    """Those inputs that are files and folders."""
    return tuple(item for item in given if isinstance(item, Path))


def names_of(given: Sequence[Given]) -> list[str]:
    """Name each input by its last part, or wholly where two would be called the same."""
    # The folder that is called "." has a name too.
    whole = [item.absolute() if isinstance(item, Path) and not item.name else item for item in given]
    known = Counter(item.name for item in whole)
    return [item.name if item.name and known[item.name] == 1 else str(item) for item in whole]


def bytes_of(given: Given) -> int | None:
    """Size of a file, or of all files in a folder; 0 for what is not there, ``None`` for a store on the web, which is not fetched whole."""
    if isinstance(given, Address):
        return None
    total = 0
    for file in files_below(given).values():
        with suppress(OSError):
            total += file.stat().st_size
    return total
