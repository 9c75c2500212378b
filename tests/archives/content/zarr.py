"""OME-Zarr stores whose files are made when they are asked for."""

from __future__ import annotations

import itertools
import json
import math
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .seeds import Labels, Nuclei, level_plane

Json = dict[str, Any]
Version = Literal["0.1", "0.4", "0.5"]
EMPTY = (1 << 64) - 1
BLOSC_SHUFFLE = 1


def json_bytes(value: object) -> bytes:
    """Write JSON as zarr-python 2 does."""
    return json.dumps(value, indent=4, sort_keys=True, ensure_ascii=True).encode()


@dataclass(frozen=True)
class Packing:
    """How chunks are compressed: blosc with a codec inside, or zstd alone."""

    name: Literal["blosc", "zstd"] = "blosc"
    codec: str = "lz4"
    level: int = 5

    def encode(self, chunk: NDArray[Any]) -> bytes:
        """Compress one chunk."""
        import numcodecs

        if self.name == "zstd":
            return bytes(numcodecs.Zstd(level=self.level).encode(chunk))
        return bytes(numcodecs.Blosc(self.codec, self.level, BLOSC_SHUFFLE).encode(chunk))

    def v2(self) -> Json:
        """Return the compressor of a `.zarray`."""
        if self.name == "zstd":
            return {"id": "zstd", "level": self.level}
        return {"blocksize": 0, "clevel": self.level, "cname": self.codec, "id": "blosc", "shuffle": BLOSC_SHUFFLE}

    def v3(self, size: int) -> list[Json]:
        """Return the codecs of a `zarr.json`."""
        order: Json = {"name": "bytes"} if size == 1 else {"name": "bytes", "configuration": {"endian": "little"}}
        if self.name == "zstd":
            return [order, {"name": "zstd", "configuration": {"level": self.level, "checksum": False}}]
        blosc = {"blocksize": 0, "clevel": self.level, "cname": self.codec, "shuffle": "shuffle", "typesize": size}
        return [order, {"name": "blosc", "configuration": blosc}]


@dataclass(frozen=True)
class ChunkedArray:
    """An array of any rank; `read` returns a box of it, given as one slice per axis.

    Parameters
    ----------
    shard
        Shape of a shard, for Zarr 3 with chunks inside shards.
    explicit
        Whether the metadata spell out the separator of chunk keys.
    dotted
        Whether chunk keys are written with points, as in the first versions.
    """

    shape: tuple[int, ...]
    chunk: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[tuple[slice, ...]], NDArray[Any]]
    packing: Packing = Packing()
    zarr: Literal[2, 3] = 2
    shard: tuple[int, ...] | None = None
    names: tuple[str, ...] = ()
    explicit: bool = True
    dotted: bool = False

    def metadata(self) -> bytes:
        """Return `.zarray` or `zarr.json`."""
        return json_bytes(self._v2() if self.zarr == 2 else self._v3())

    def _v2(self) -> Json:
        separator = {} if self.dotted else {"dimension_separator": "/"}
        common = {"chunks": self.chunk, "compressor": self.packing.v2(), **separator, "dtype": self.dtype.str}
        return {**common, "fill_value": 0, "filters": None, "order": "C", "shape": self.shape, "zarr_format": 2}

    def _v3(self) -> Json:
        codecs = self.packing.v3(self.dtype.itemsize)
        if self.shard is not None:
            index = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
            inner = {"chunk_shape": self.chunk, "codecs": codecs, "index_codecs": index, "index_location": "end"}
            codecs = [{"name": "sharding_indexed", "configuration": inner}]
        encoding: Json = {"name": "default", "configuration": {"separator": "/"}} if self.explicit else {"name": "default"}
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": self.shape,
            "data_type": self.dtype.name,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": self.shard or self.chunk}},
            "chunk_key_encoding": encoding,
            "fill_value": 0,
            "codecs": codecs,
            "attributes": {},
            "dimension_names": list(self.names),
            "storage_transformers": [],
        }

    def file(self, key: str) -> bytes | None:
        """Return the file of a chunk or shard; none if there is no such one, or it holds the fill value only."""
        parts = key.split("." if self.dotted else "/")
        if self.zarr == 3:
            if parts[0] != "c":
                return None
            parts = parts[1:]
        outer = self.shard or self.chunk
        if len(parts) != len(self.shape) or not all(part.isascii() and part.isdigit() for part in parts):
            return None
        index = tuple(map(int, parts))
        if [str(number) for number in index] != parts or any(i >= math.ceil(n / c) for i, n, c in zip(index, self.shape, outer, strict=True)):
            return None
        return self._chunk(index) if self.shard is None else self._shard(index, self.shard)

    def _chunk(self, index: Sequence[int]) -> bytes | None:
        starts = [i * c for i, c in zip(index, self.chunk, strict=True)]
        if any(start >= size for start, size in zip(starts, self.shape, strict=True)):
            return None
        box = tuple(slice(start, min(start + c, size)) for start, c, size in zip(starts, self.chunk, self.shape, strict=True))
        data = self.read(box)
        if not data.any():
            return None
        if data.shape != self.chunk:
            whole = np.zeros(self.chunk, self.dtype)
            whole[tuple(slice(size) for size in data.shape)] = data
            data = whole
        return self.packing.encode(np.ascontiguousarray(data, self.dtype))

    def _shard(self, index: Sequence[int], shard: tuple[int, ...]) -> bytes | None:
        import google_crc32c

        counts = [outer // inner for outer, inner in zip(shard, self.chunk, strict=True)]
        places, parts, offset = b"", [], 0
        for inner in itertools.product(*map(range, counts)):
            chunk = self._chunk([i * n + j for i, n, j in zip(index, counts, inner, strict=True)])
            places += struct.pack("<QQ", EMPTY, EMPTY) if chunk is None else struct.pack("<QQ", offset, len(chunk))
            if chunk is not None:
                parts.append(chunk)
                offset += len(chunk)
        if not parts:
            return None
        return b"".join([*parts, places, struct.pack("<I", google_crc32c.value(places))])


@dataclass(frozen=True)
class Tree:
    """A group: files by name, arrays by path, and groups that are made when they are asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    arrays: dict[str, ChunkedArray] = field(default_factory=dict)
    groups: dict[str, Tree] = field(default_factory=dict)
    grow: Callable[[str], Tree | None] | None = None

    def file(self, key: str) -> bytes | None:
        """Return the file at a key below this group."""
        if key in self.files:
            return self.files[key]
        head, _, rest = key.partition("/")
        if head in self.arrays:
            array = self.arrays[head]
            name = ".zarray" if array.zarr == 2 else "zarr.json"
            return array.metadata() if rest == name else array.file(rest)
        below = self.groups.get(head) or (self.grow(head) if self.grow is not None and head else None)
        return None if below is None else below.file(rest)


def group_files(version: Version, attributes: Json | None) -> dict[str, bytes]:
    """Return the files that make a folder a group with attributes."""
    if version != "0.5":
        files = {".zgroup": json_bytes({"zarr_format": 2})}
        return files if attributes is None else {**files, ".zattrs": json_bytes(attributes)}
    named = {} if attributes is None else {"ome": {"version": "0.5", **{name: _stripped(value) for name, value in attributes.items()}}}
    return {"zarr.json": json_bytes({"attributes": named, "zarr_format": 3, "consolidated_metadata": None, "node_type": "group"})}


def _stripped(value: Any) -> Any:
    """Take the version out of an 0.4 block, as 0.5 has it once above."""
    if isinstance(value, list):
        return [_stripped(one) for one in value]
    return {name: one for name, one in value.items() if name != "version"} if isinstance(value, dict) else value


@dataclass(frozen=True)
class Pyramid:
    """An image as levels of one scene, along any of the axes t c z y x.

    Parameters
    ----------
    scale
        Of level 0, one number per axis; y and x double from level to level.
    units
        By axis; an axis without one has none in the metadata.
    chunk
        One chunk size per axis; 0 stands for the size of the level.
    """

    scene: Nuclei | Labels
    axes: str
    sizes: dict[str, int]
    scale: tuple[float, ...]
    levels: int = 3
    units: dict[str, str] = field(default_factory=dict)
    chunk: tuple[int, ...] = ()
    shard: tuple[int, ...] | None = None
    packing: Packing = Packing()
    explicit: bool = True
    dotted: bool = False

    def arrays(self, zarr: Literal[2, 3]) -> dict[str, ChunkedArray]:
        """Return the array of each level."""
        return {str(level): self._array(level, zarr) for level in range(self.levels)}

    def shape(self, level: int) -> tuple[int, ...]:
        """Return the shape of a level."""
        return tuple(size >> level if axis in "yx" else size for axis, size in ((axis, self.sizes[axis]) for axis in self.axes))

    def _array(self, level: int, zarr: Literal[2, 3]) -> ChunkedArray:
        shape = self.shape(level)
        asked = self.chunk or tuple(0 if axis in "yx" else 1 for axis in self.axes)
        chunk = tuple(size or whole for size, whole in zip(asked, shape, strict=True))
        dtype = self.scene.dtype.newbyteorder("<")

        def read(box: tuple[slice, ...]) -> NDArray[Any]:
            spans = dict(zip(self.axes, box, strict=True))
            ranges = [range(*spans.get(axis, slice(0, 1)).indices(1 << 62)) for axis in "tcz"]
            planes = [level_plane(self.scene, level, t, c, z)[spans["y"], spans["x"]] for t, c, z in itertools.product(*ranges)]
            return np.stack(planes).reshape(tuple(part.stop - part.start for part in box))

        return ChunkedArray(shape, chunk, dtype, read, self.packing, zarr, self.shard, tuple(self.axes), self.explicit, self.dotted)

    def multiscales(self, name: str | None = None) -> list[Json]:
        """Return the metadata of the pyramid."""
        kinds = {"t": "time", "c": "channel"}
        axes = [{"name": axis, "type": kinds.get(axis, "space")} | ({"unit": self.units[axis]} if axis in self.units else {}) for axis in self.axes]
        datasets = []
        for level in range(self.levels):
            scale = [value * 2**level if axis in "yx" else value for axis, value in zip(self.axes, self.scale, strict=True)]
            datasets.append({"coordinateTransformations": [{"scale": scale, "type": "scale"}], "path": str(level)})
        return [{"axes": axes, "datasets": datasets, "version": "0.4"} | ({"name": name} if name else {})]


def omero(channels: Iterable[tuple[str, str]], z: int, end: float = 1500.0) -> Json:
    """Return how channels (label, RRGGBB) are shown."""
    window = {"end": end, "max": 65535.0, "min": 0.0, "start": 0.0}
    common = {"active": True, "coefficient": 1, "family": "linear", "inverted": False, "window": window}
    named = [{**common, "color": color, "label": label} for label, color in channels]
    return {"channels": named, "id": 1, "rdefs": {"defaultT": 0, "defaultZ": z // 2, "model": "color"}, "version": "0.4"}


def image_tree(version: Version, pyramid: Pyramid, channels: Iterable[tuple[str, str]] = (), labels: Pyramid | None = None) -> Tree:
    """Return an image, with its label map if it has one."""
    attributes: Json = {"multiscales": pyramid.multiscales()}
    if version == "0.1":
        attributes = {"multiscales": [{"datasets": [{"path": str(level)} for level in range(pyramid.levels)], "version": "0.1"}]}
    named = list(channels)
    if named:
        attributes["omero"] = omero(named, pyramid.sizes.get("z", 1))
    zarr: Literal[2, 3] = 3 if version == "0.5" else 2
    groups = {} if labels is None else {"labels": _labels_tree(version, labels, zarr)}
    return Tree(group_files(version, attributes), pyramid.arrays(zarr), groups)


def _labels_tree(version: Version, labels: Pyramid, zarr: Literal[2, 3]) -> Tree:
    count = labels.scene.count
    colors = [{"label-value": value, "rgba": [128, 128, 128, 128]} for value in range(1, count + 1)]
    properties = [{"label-value": value} for value in range(1, count + 1)]
    described = {"colors": colors, "properties": properties, "source": {"image": "../../"}, "version": "0.4"}
    inner = Tree(group_files(version, {"image-label": described, "multiscales": labels.multiscales("0")}), labels.arrays(zarr))
    return Tree(group_files(version, {"labels": ["0"]}), groups={"0": inner})
