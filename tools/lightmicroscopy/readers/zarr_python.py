"""Arrays with codecs of the rarer kind, decoded by zarr-python through our own guarded stores."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest

from ..errors import UnreadableError
from .zarr_array import CHUNK_BYTES, ArrayLayout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    import zarr
    from zarr.core.buffer import Buffer, BufferPrototype

    from .zarr_store import Store as OurStore


def open_array(store: OurStore, layout: ArrayLayout) -> zarr.Array[Any]:
    """Open an array with zarr-python.

    Raises
    ------
    UnreadableError
        If zarr-python does not know its codecs either.
    """
    import zarr

    try:
        # zarr-python warns of codecs that are outside the specification; that it can read them is enough here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return zarr.open_array(ReadOnlyStore(store), path=layout.path, mode="r", zarr_format=2 if layout.zarr_format == 2 else 3)
    except Exception as error:  # zarr-python, numcodecs and the entry points of other codecs each raise their own
        codecs = ", ".join(layout.codecs) or "none"
        raise UnreadableError(
            f"{store.name}: the array {layout.path or '/'} is encoded in a way that is not read here "
            f"(codecs: {codecs}; {error}). Write it again with Blosc, zstd or gzip."
        ) from error


class ReadOnlyStore(Store):
    """One of our stores as zarr-python wants to see it."""

    supports_writes = False
    supports_deletes = False
    supports_listing = False

    def __init__(self, store: OurStore) -> None:
        super().__init__(read_only=True)
        self._store = store

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ReadOnlyStore) and other._store is self._store

    def __hash__(self) -> int:
        return id(self._store)

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Read a file, or part of one."""
        if byte_range is None:
            data = self._store.get(key, CHUNK_BYTES)
        elif isinstance(byte_range, RangeByteRequest):
            data = self._store.get_range(key, byte_range.start, byte_range.end - byte_range.start)
        elif isinstance(byte_range, OffsetByteRequest):
            data = self._store.get_range(key, byte_range.offset, CHUNK_BYTES)
        elif isinstance(byte_range, SuffixByteRequest):
            data = self._store.get_range(key, -byte_range.suffix, byte_range.suffix)
        else:
            raise TypeError(f"unexpected byte request {byte_range!r}")
        return None if data is None else prototype.buffer.from_bytes(data)

    async def get_partial_values(self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]) -> list[Buffer | None]:
        """Read parts of several files."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def exists(self, key: str) -> bool:
        """Whether there is such a file."""
        return self._store.size(key) is not None

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse: inputs are never modified."""
        self._check_writable()

    async def delete(self, key: str) -> None:
        """Refuse: inputs are never modified."""
        self._check_writable()

    async def list(self) -> AsyncIterator[str]:
        """Nothing: listing is not offered."""
        for _ in ():
            yield ""

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Nothing: listing is not offered."""
        for _ in prefix[:0]:
            yield ""

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Nothing: listing is not offered."""
        for _ in prefix[:0]:
            yield ""
