"""Encoded chunks of a Zarr array: where each is stored, alone or in a shard, and which are fetched together."""

from __future__ import annotations

import math
import threading
from collections import Counter, OrderedDict
from concurrent.futures import Future
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import LimitError, UnreadableError
from .prefetch import MEMORY, Fetches, FetchesAhead, Job, Part
from .zarr_array import EMPTIEST, EMPTY_BYTES
from .zarr_codecs import ChunkError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from .zarr_array import ArrayLayout, Sharding
    from .zarr_store import Store

Index = tuple[int, ...]
_ABSENT: Final = 2**64 - 1
_INDEXES: Final = 32
_ENTRY: Final = 16
_MISSING: Final = 100_000
"""Missing chunks of a store on a server from which on it is asked whether there are any."""
_TOGETHER: Final = 8 << 20
"""Bytes of a shard fetched with one request, at most; unless one chunk has more."""
_GAP: Final = 1 << 16
"""Bytes between two chunks of a shard that cost less than another request."""
_FORESEEN: Final = 512
"""Chunks looked at ahead, in search of those in the same shard."""


class _Entry(NamedTuple):
    """Where one chunk lies in its shard."""

    offset: int
    length: int
    chunk: Index


class StoredChunks:
    """Finds the chunks of one array; safe to use from several threads.

    Parameters
    ----------
    bound
        Most bytes that one can take.
    """

    def __init__(self, store: Store, layout: ArrayLayout, bound: int) -> None:
        self._store = store
        self._layout = layout
        self._bound = bound
        self._lock = threading.Lock()
        self._indexes: OrderedDict[Index, Future[NDArray[Any] | None]] = OrderedDict()
        self._fetches: Fetches | None = store.fetches if isinstance(store, FetchesAhead) else None
        self._sparseness = _Sparseness()

    def get(self, index: Index) -> Part:
        """Key and encoded bytes of a chunk; ``None`` for the bytes if it was never stored.

        Raises
        ------
        UnreadableError
            If its shard is damaged.
        LimitError
            If next to nothing of an array on a server is there.
        """
        if self._fetches is None:
            return self._fetch([index])[0]
        part = self._fetches.get(self._job([index]))
        self._sparseness.see(self._store, self._layout, part[1])
        return part

    def holds(self, index: Index) -> bool:
        """Whether the file of a chunk, its own or that of its shard, is there."""
        sharding = self._layout.sharding
        return self._store.size(self._layout.key(index if sharding is None else self._shard(sharding, index))) is not None

    @property
    def far(self) -> bool:
        """Whether asking for several at once is of use."""
        return self._fetches is not None

    @property
    def idle(self) -> bool:
        """Whether that is so and nothing else was announced."""
        return self._fetches is not None and not self._fetches.busy

    def will_get(self, indexes: Iterable[Index]) -> None:
        """Fetch chunks ahead, in that order; replaces what was announced before."""
        if self._fetches is not None:
            self._fetches.announce(self._layout.path, map(self._job, self._groups(iter(indexes))))

    def damaged(self, key: str, what: str) -> UnreadableError:
        """Say what is wrong with a chunk."""
        place = f" ({self._store.place(key)})" if isinstance(self._store, FetchesAhead) else ""
        return UnreadableError(f"{self._store.name}: the chunk {key}{place} {what}. The store is damaged; ask for it again, or leave that part out.")

    def _job(self, group: Sequence[Index]) -> Job:
        names = tuple((self._layout.path, index) for index in group)
        return Job(names, self._bound * len(group), lambda wanted: self._fetch([index for _, index in wanted]))

    def _groups(self, indexes: Iterator[Index]) -> Iterator[list[Index]]:
        """Put those together that one request can bring: chunks of a shard, also where others come between."""
        sharding = self._layout.sharding
        if sharding is None:
            yield from ([index] for index in indexes)
            return
        foreseen = max(1, min(_FORESEEN, MEMORY // self._bound))
        most = max(1, _TOGETHER // self._bound)
        while coming := list(islice(indexes, foreseen)):
            shards: dict[Index, list[Index]] = {}
            for index in dict.fromkeys(coming):
                shards.setdefault(self._shard(sharding, index), []).append(index)
            for group in shards.values():
                yield from (group[at : at + most] for at in range(0, len(group), most))
            # What is needed again is announced again.
            again = Counter(coming) - Counter(set(coming))
            yield from ([index] for index in again.elements())

    def _shard(self, sharding: Sharding, index: Index) -> Index:
        return tuple(at * part // whole for at, part, whole in zip(index, self._layout.chunk, sharding.shape, strict=True))

    def _fetch(self, group: Sequence[Index]) -> list[Part]:
        sharding = self._layout.sharding
        if sharding is not None:
            return self._fetch_from_shard(sharding, group)
        keys = [self._layout.key(index) for index in group]
        return [(key, self._store.get(key, self._bound)) for key in keys]

    def _fetch_from_shard(self, sharding: Sharding, group: Sequence[Index]) -> list[Part]:
        shard = self._shard(sharding, group[0])
        key = self._layout.key(shard)
        per_shard = [whole // part for whole, part in zip(sharding.shape, self._layout.chunk, strict=True)]
        table = self._shard_index(key, shard, per_shard)
        found: dict[Index, bytes] = {}
        if table is not None:
            for run in _runs(sorted(self._entries(key, table, per_shard, group))):
                start = run[0].offset
                length = max(entry.offset + entry.length for entry in run) - start
                data = self._store.get_range(key, start, length)
                if data is None or len(data) != length:
                    raise self.damaged(key, "is shorter than its index says")
                found |= {entry.chunk: data[entry.offset - start : entry.offset - start + entry.length] for entry in run}
        return [(key, found.get(index)) for index in group]

    def _entries(self, key: str, table: NDArray[Any], per_shard: Sequence[int], group: Sequence[Index]) -> Iterator[_Entry]:
        for index in group:
            offset, length = map(int, table[tuple(at % count for at, count in zip(index, per_shard, strict=True))])
            if offset == length == _ABSENT:
                continue
            if length > self._bound or offset > _ABSENT // 2:
                raise self.damaged(key, f"has an index that promises a chunk of {length:,} bytes")
            yield _Entry(offset, length, index)

    def _shard_index(self, key: str, shard: Index, per_shard: Sequence[int]) -> NDArray[Any] | None:
        """Read the index of a shard, once for all threads that need it."""
        with self._lock:
            known = self._indexes.get(shard)
            table = self._indexes[shard] = known or Future()
            self._indexes.move_to_end(shard)
            if len(self._indexes) > _INDEXES:
                self._indexes.popitem(last=False)
        if known is None:
            try:
                table.set_result(self._read_shard_index(key, per_shard))
            except BaseException as error:
                table.set_exception(error)
        return table.result()

    def _read_shard_index(self, key: str, per_shard: Sequence[int]) -> NDArray[Any] | None:
        sharding = self._layout.sharding
        if sharding is None:
            return None
        length = sharding.index.bound(math.prod(per_shard) * _ENTRY)
        data = self._store.get_range(key, -length if sharding.index_at_end else 0, length)
        if data is None:
            return None
        try:
            return sharding.index.decode(data, (*per_shard, 2))
        except ChunkError as error:
            raise self.damaged(key, f"has an index that {error}") from error


def _runs(entries: Iterable[_Entry]) -> Iterator[list[_Entry]]:
    """Put chunks that lie side by side, or nearly so, into one run."""
    run: list[_Entry] = []
    for entry in entries:
        if run and (entry.offset > run[-1].offset + run[-1].length + _GAP or entry.offset + entry.length - run[0].offset > 2 * _TOGETHER):
            yield run
            run = []
        run.append(entry)
    if run:
        yield run


class _Sparseness:
    """Chunks that were asked for and never stored, against those that were: for stores that list nothing.

    An array may merely claim a size, and then there would be no end of asking for what is not there.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._missing = self._stored = 0

    def see(self, store: Store, layout: ArrayLayout, data: bytes | None) -> None:
        """Take in a chunk; raises `LimitError` if next to nothing is stored."""
        with self._lock:
            self._stored += len(data or b"")
            self._missing += data is None
            missing, stored = self._missing, self._stored
        size = missing * math.prod(layout.chunk) * layout.dtype.itemsize
        if size > EMPTIEST * stored and (missing > _MISSING or size > EMPTY_BYTES):
            raise LimitError(
                f"{store.name}: of the array {layout.path or '/'}, {missing:,} chunks were asked for that are not there, and next to nothing is "
                f"(under 1 byte in {EMPTIEST:,}). Check that the store is complete on the server."
            )
