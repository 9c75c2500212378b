"""What ``.zarray`` (Zarr v2) or an array's ``zarr.json`` (v3) says, checked before anything is believed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np

from ..errors import LimitError, UnreadableError
from ..untrusted_json import parse_json
from .prefetch import FetchesAhead
from .zarr_codecs import Chain, chain_v2, chain_v3, codec_name, named
from .zarr_store import METADATA_FILES, METADATA_LIMIT, Store

CHUNK_BYTES: Final = 2 << 30
"""Bytes of one decoded chunk accepted."""
ARRAY_BYTES: Final = 1 << 50
"""Bytes of one array accepted, pixels that were never stored included."""
EMPTY_BYTES: Final = 1 << 30
"""From this size on an array must have chunks stored."""
EMPTIEST: Final = 10_000_000
"""Most pixel bytes for each stored byte. A sparse label map comes near it; an array that merely claims a size is far beyond."""
_SHARD_INDEX: Final = 1 << 22
_ENTRIES: Final = 1_000_000
"""Most names looked at in search of chunks."""
_LOOKED_AT: Final = 64
_CHUNK_NAME: Final = re.compile(r"c|(?:c\.)?\d+(?:\.\d+)*")
_DIMENSIONS: Final = 32
_EXTENT: Final = 2**63 - 1
_DEEPEST: Final = 8
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_V2_TYPE: Final = re.compile(r"[<>|=]?[A-Za-z?]{1,12}[0-9]{0,3}")
_V3_TYPES: Final = {f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)} | {"bool", "float16", "float32", "float64"}


@dataclass(frozen=True, slots=True)
class Sharding:
    """Chunks stored several to a file, with an index of them."""

    shape: tuple[int, ...]
    index: Chain
    index_at_end: bool


@dataclass(frozen=True, slots=True)
class ArrayLayout:
    """A Zarr array as its metadata describe it.

    Attributes
    ----------
    chunk
        Extent of what is decoded at once: a chunk, or the inner chunk of a shard.
    chain
        ``None`` if zarr-python has to decode it.
    """

    path: str
    zarr_format: int
    shape: tuple[int, ...]
    chunk: tuple[int, ...]
    dtype: np.dtype[Any]
    fill: Any
    separator: str
    key_prefix: str
    chain: Chain | None
    sharding: Sharding | None
    compression: str
    dimension_names: tuple[str | None, ...] = ()
    codecs: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Size of all pixels, decoded."""
        return math.prod(self.shape) * self.dtype.itemsize

    def key(self, index: Sequence[int]) -> str:
        """Where a chunk (or shard) is stored."""
        parts = self.separator.join(map(str, index)) or "0"
        return f"{self.path}/{self.key_prefix}{parts}" if self.path else f"{self.key_prefix}{parts}"


def read_json(store: Store, key: str) -> dict[str, Any] | None:
    """Read one metadata file; ``None`` if it is not there.

    Half surrogate pairs, which JSON can spell but no file name, XML or report can, are replaced by U+FFFD.

    Raises
    ------
    UnreadableError
        If it is no JSON object.
    """
    data = store.get(key, METADATA_LIMIT)
    if data is None:
        return None
    try:
        value = _printable(parse_json(data))
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{store.name}: {key} is not valid JSON ({error}). Ask for the store again or repair that file.") from error
    if not isinstance(value, dict):
        raise UnreadableError(f"{store.name}: {key} should hold a JSON object and does not. Ask for the store again or repair that file.")
    return value


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_printable(item) for item in value]
    if isinstance(value, dict):
        return {_printable(name): _printable(item) for name, item in value.items()}
    return value


def read_layout(store: Store, path: str) -> ArrayLayout | None:
    """Read an array's metadata; ``None`` if there is no array at that path.

    Raises
    ------
    UnreadableError
        If they make no sense, or the pixels are of a kind no image has.
    LimitError
        If the array or its chunks are absurdly large.
    """
    below = f"{path}/" if path else ""
    try:
        v3 = read_json(store, f"{below}zarr.json")
        if v3 is not None and v3.get("node_type") == "array":
            layout = _layout_v3(path, v3)
        else:
            v2 = read_json(store, f"{below}.zarray")
            if v2 is None:
                return None
            layout = _layout_v2(path, v2)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise UnreadableError(
            f"{store.name}: the metadata of the array {path or '/'} are damaged or of an unknown kind ({what}). Ask for the store again."
        ) from error
    _check_sizes(store, layout)
    return layout


def _layout_v2(path: str, document: Mapping[str, Any]) -> ArrayLayout:
    shape, chunks = _extents(document["shape"], "shape"), _extents(document["chunks"], "chunks")
    stored = _dtype_v2(document["dtype"])
    compressor, filters = document.get("compressor"), document.get("filters")
    codecs = [str(codec.get("id")) for codec in [*(filters or []), compressor] if isinstance(codec, Mapping)]
    return ArrayLayout(
        path=path,
        zarr_format=2,
        shape=shape,
        chunk=_same_length(shape, chunks),
        dtype=stored.newbyteorder("="),
        fill=_fill(document.get("fill_value"), stored.newbyteorder("=")),
        separator=_separator(document.get("dimension_separator", ".")),
        key_prefix="",
        chain=chain_v2(stored, str(document.get("order", "C")), compressor, filters, len(shape)),
        sharding=None,
        compression=", ".join([*codecs[:-1], codec_name(codecs[-1], compressor or {})]) if codecs else "none",
        codecs=tuple(codecs),
    )


def _layout_v3(path: str, document: Mapping[str, Any]) -> ArrayLayout:
    shape = _extents(document["shape"], "shape")
    grid, grid_configuration = named(document["chunk_grid"])
    if grid != "regular":
        raise ValueError(f"its chunk grid is {grid!r}, not regular")
    if document.get("storage_transformers"):
        raise ValueError("it has storage transformers")
    chunk = _same_length(shape, _extents(grid_configuration["chunk_shape"], "chunk_shape"))
    dtype = _dtype_v3(document["data_type"])
    codecs = [named(codec) for codec in document["codecs"]]
    sharding, chain = None, chain_v3(dtype, document["codecs"], len(shape))
    names = [codec_name(name, configuration) for name, configuration in codecs if name not in {"bytes", "transpose", "crc32c"}]
    if len(codecs) == 1 and codecs[0][0] == "sharding_indexed":
        sharding, chunk, chain = _sharding(codecs[0][1], chunk, dtype)
        names = [f"sharded {chain.name if chain else 'chunks'}"]
    encoding, encoding_configuration = named(document.get("chunk_key_encoding", "default"))
    if encoding not in {"default", "v2"}:
        raise ValueError(f"its chunk_key_encoding is {encoding!r}")
    separator = _separator(encoding_configuration.get("separator", "/" if encoding == "default" else "."))
    return ArrayLayout(
        path=path,
        zarr_format=3,
        shape=shape,
        chunk=chunk,
        dtype=dtype,
        fill=_fill(document.get("fill_value"), dtype),
        separator=separator,
        key_prefix=f"c{separator}" if encoding == "default" else "",
        chain=chain,
        sharding=sharding,
        compression=", ".join(names) or "none",
        dimension_names=tuple(name if isinstance(name, str) else None for name in document.get("dimension_names") or ()),
        codecs=tuple(name for name, _ in codecs),
    )


def _sharding(
    configuration: Mapping[str, Any], shard: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[Sharding | None, tuple[int, ...], Chain | None]:
    chunk = _same_length(shard, _extents(configuration["chunk_shape"], "chunk_shape"))
    if any(whole % part for whole, part in zip(shard, chunk, strict=True)):
        raise ValueError("its shards are not a whole number of chunks")
    if math.prod(whole // part for whole, part in zip(shard, chunk, strict=True)) > _SHARD_INDEX:
        raise ValueError("its shards hold too many chunks")
    chain = chain_v3(dtype, configuration["codecs"], len(chunk))
    index = chain_v3(np.dtype("<u8"), configuration.get("index_codecs") or ["bytes", "crc32c"], len(chunk) + 1)
    at_end = configuration.get("index_location", "end") == "end"
    # An index that is compressed has no known length: left to zarr-python.
    if chain is None or index is None or not all(is_checksum for _, is_checksum in index.stages):
        return None, chunk, None
    return Sharding(shard, index, at_end), chunk, chain


def _extents(value: object, what: str) -> tuple[int, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= _DIMENSIONS or not all(type(extent) is int and 0 < extent <= _EXTENT for extent in value):
        raise ValueError(f"its {what} is {str(value)[:60]}, which should be a list of whole numbers above zero and below 2^63")
    return tuple(value)


def _same_length(shape: tuple[int, ...], chunk: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) != len(chunk):
        raise ValueError(f"it has {len(shape)} dimensions and chunks of {len(chunk)}")
    return chunk


def _separator(value: object) -> str:
    if value not in {".", "/"}:
        raise ValueError(f"its chunk names are separated by {value!r}")
    return str(value)


def _dtype_v2(value: object) -> np.dtype[Any]:
    if not isinstance(value, str):
        raise ValueError("its pixels are records of several fields, which no image has")
    # numpy's own grammar has records of any length, and Python's literals in them.
    if not _V2_TYPE.fullmatch(value):
        raise ValueError(f"its pixels are of the type {value[:60]}; whole and floating point numbers are read")
    dtype = np.dtype(value)
    if dtype.kind not in "buif" or dtype.itemsize > np.dtype("f8").itemsize:
        raise ValueError(f"its pixels are of the type {value}; whole and floating point numbers are read")
    return dtype


def _dtype_v3(value: object) -> np.dtype[Any]:
    if not isinstance(value, str) or value not in _V3_TYPES:
        raise ValueError(f"its pixels are of the type {str(value)[:60]}; whole and floating point numbers are read")
    return np.dtype(value)


def _fill(value: object, dtype: np.dtype[Any]) -> Any:
    """Value of pixels that were never stored, as a number of the array's type."""
    if value is None:
        return dtype.type(0)
    if isinstance(value, str) and value.startswith("0x"):
        return np.array(int(value, 16), f"u{dtype.itemsize}").view(dtype)[()]
    if isinstance(value, str):
        value = float(value)
    if not isinstance(value, int | float):
        raise ValueError(f"its fill value is {str(value)[:60]}")
    if dtype.kind in "ui":
        whole, limits = int(value), np.iinfo(dtype)
        if whole != value or not int(limits.min) <= whole <= int(limits.max):
            raise ValueError(f"its fill value {value} is none that {dtype} can hold")
        return dtype.type(whole)
    with np.errstate(over="ignore"):
        return dtype.type(value)


def _check_sizes(store: Store, layout: ArrayLayout) -> None:
    chunk = math.prod(layout.chunk) * layout.dtype.itemsize
    if chunk > CHUNK_BYTES:
        raise LimitError(
            f"{store.name}: the array {layout.path or '/'} has chunks of {chunk:,} bytes; at most {CHUNK_BYTES:,} are read. "
            "Write it again with smaller chunks."
        )
    if not isinstance(store, FetchesAhead):
        _check_names(store, layout)
    total = layout.bytes
    if total > ARRAY_BYTES:
        raise LimitError(
            f"{store.name}: the array {layout.path or '/'} claims {total:,} bytes of pixels; at most {ARRAY_BYTES:,} are read. Check its shape."
        )
    # What a server holds cannot be listed; see `zarr_source.Sparseness`.
    if total > EMPTY_BYTES and not isinstance(store, FetchesAhead) and not _holds(store, layout.path, total // EMPTIEST):
        raise LimitError(
            f"{store.name}: the array {layout.path or '/'} claims {total:,} bytes of pixels but stores next to nothing (under 1 in {EMPTIEST:,}). "
            "Check that the upload or copy was completed."
        )


def _check_names(store: Store, layout: ArrayLayout) -> None:
    """Compare the names of some chunks with those that will be asked for: whatever is not found there is the fill value."""
    first = layout.key([0] * len(layout.shape)).removeprefix(f"{layout.path}/").split("/")
    pattern = re.compile(re.escape(first[0]).replace("0", r"\d+"))
    found = [(name, folder) for name, folder in islice(store.children(layout.path), _LOOKED_AT) if _CHUNK_NAME.fullmatch(name)]
    if found and not any(pattern.fullmatch(name) and folder == (len(first) > 1) for name, folder in found):
        raise UnreadableError(
            f"{store.name}: the array {layout.path or '/'} has {sorted(found)[0][0]!r} where its metadata lead to chunks like {'/'.join(first)!r}. "
            "They are damaged; ask for the store again."
        )


def _holds(store: Store, folder: str, wanted: int) -> bool:
    """Whether chunks of more than that many bytes are stored; stops looking when they are."""
    found = 0
    for size in islice(_chunk_sizes(store, folder), _ENTRIES):
        found += size
        if found > wanted:
            return True
    return False


def _chunk_sizes(store: Store, folder: str, depth: int = 0) -> Iterator[int]:
    """Size of each chunk below a folder, and 0 for whatever else lies there."""
    for name, is_folder in store.children(folder):
        key = f"{folder}/{name}" if folder else name
        if not is_folder and name not in METADATA_FILES:
            yield store.size(key) or 0
        else:
            yield 0
        if is_folder and depth < _DEEPEST:
            yield from _chunk_sizes(store, key, depth + 1)
