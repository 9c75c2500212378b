"""The pipeline: every chunk of every level once, whatever the blocks; failures stop it."""

from __future__ import annotations

import threading
import tracemalloc
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lightmicroscopy.errors import UnreadableError, UnwritableError
from lightmicroscopy.image import Region, Shape
from lightmicroscopy.writers.blocks import LARGEST_BLOCK, MOST_BLOCK, PIXEL_MEMORY, Box, Plan, block_extent, blocks, pixel_memory
from lightmicroscopy.writers.codecs import Codec, tiff_codec, zarr_codec
from lightmicroscopy.writers.pipeline import Extremes, Task, encode, most_threads, run
from lightmicroscopy.writers.pyramid import halve, level_shapes

from .memory_image import MemoryPixels


@dataclass
class Collected:
    """A sink that puts every level together again and counts every pixel it is given."""

    plan: Plan
    levels: list[NDArray[Any]] = field(init=False)
    seen: list[NDArray[Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.levels = [np.zeros(shape, self.plan.source.dtype) for shape in self.plan.shapes]
        self.seen = [np.zeros(shape, np.uint8) for shape in self.plan.shapes]

    def put(self, level: int, t: int, c: int, index: Box, pixels: NDArray[Any]) -> None:
        low = [at * size for at, size in zip(index, self.plan.chunks[level], strict=True)]
        box = tuple(slice(at, at + length) for at, length in zip(low, pixels.shape, strict=False))
        assert all(size <= chunk for size, chunk in zip(pixels.shape, self.plan.chunks[level], strict=False))
        self.levels[level][t, c][box] = pixels
        self.seen[level][t, c][box] += 1


@dataclass(frozen=True)
class CountedPixels(MemoryPixels):
    """Counts how often each pixel is read."""

    reads: NDArray[Any] = field(default_factory=lambda: np.zeros(0))
    lock: Any = field(default_factory=threading.Lock)

    def read(self, region: Region) -> NDArray[Any]:
        with self.lock:
            self.reads[tuple(slice(*span) for span in region)] += 1
        return super().read(region)


def plan_of(array: NDArray[Any], chunk: Box, *, unit: Shape, levels: int = 4, halve_z: bool = False, method: Any = "mean") -> Plan:
    source = CountedPixels(array, unit, np.zeros(array.shape, np.uint8))
    shapes = level_shapes(source.shape, levels, downsample_z=halve_z)
    chunks = tuple((min(chunk[0], shape.z), min(chunk[1], shape.y), min(chunk[2], shape.x)) for shape in shapes)
    return Plan(source, shapes, chunks, method, halve_z)


def noise(*shape: int, dtype: str = "u2") -> NDArray[Any]:
    return np.random.default_rng(3).integers(0, 60000, shape).astype(dtype)


def check_levels(plan: Plan, sink: Collected) -> None:
    expected = plan.source.array  # type: ignore[attr-defined]
    for level, (found, seen) in enumerate(zip(sink.levels, sink.seen, strict=True)):
        assert np.all(seen == 1), f"level {level}"
        assert np.array_equal(found, expected), f"level {level}"
        shape = expected.shape
        halved = [halve(expected[t, c], plan.method, z=plan.halve_z) for t, c in product(range(shape[0]), range(shape[1]))]
        expected = np.array(halved).reshape(*shape[:2], *halved[0].shape)


CUTS = [
    ("whole planes", (2, 2, 3, 300, 420, 1), (1, 64, 64), Shape(1, 1, 1, 300, 420), False),
    ("strips of an awkward height", (1, 1, 1, 700, 300, 1), (1, 64, 48), Shape(1, 1, 1, 77, 300), False),
    ("tiles smaller than the chunks", (1, 1, 1, 701, 603, 1), (1, 64, 64), Shape(1, 1, 1, 16, 16), False),
    ("tiles larger than the chunks", (1, 1, 2, 701, 603, 1), (1, 32, 32), Shape(1, 1, 1, 256, 256), False),
    ("odd chunks", (1, 1, 1, 301, 299, 1), (1, 33, 51), Shape(1, 1, 1, 64, 64), False),
    ("colour", (1, 1, 1, 130, 131, 3), (1, 32, 32), Shape(1, 1, 1, 130, 131, 3), False),
    ("chunks in z", (1, 2, 7, 130, 131, 1), (3, 32, 32), Shape(1, 1, 4, 64, 64), False),
    ("chunks in t and c", (3, 2, 2, 65, 67, 1), (1, 32, 32), Shape(2, 2, 1, 64, 64), False),
    ("z halved", (1, 2, 7, 130, 131, 1), (3, 32, 32), Shape(1, 1, 1, 130, 131), True),
    ("z halved, one plane a chunk", (1, 1, 9, 90, 91, 1), (1, 16, 16), Shape(1, 1, 2, 32, 32), True),
]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("shape", "chunk", "unit", "halve_z"), [cut[1:] for cut in CUTS], ids=[cut[0] for cut in CUTS])
def test_every_level_is_complete_and_right(shape: tuple[int, ...], chunk: Box, unit: Shape, halve_z: bool, threads: int) -> None:
    plan = plan_of(noise(*shape), chunk, unit=unit, halve_z=halve_z)
    sink = Collected(plan)
    run([Task(plan, sink)], threads=threads)
    check_levels(plan, sink)
    assert np.all(plan.source.reads == 1)  # type: ignore[attr-defined]


@pytest.mark.parametrize("cut", CUTS, ids=[cut[0] for cut in CUTS])
def test_blocks_far_smaller_than_a_plane_give_the_same_levels(cut: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, shape, chunk, unit, halve_z = cut
    monkeypatch.setattr("lightmicroscopy.writers.pipeline.pixel_memory", lambda memory, threads: 20_000)
    plan = plan_of(noise(*shape), chunk, unit=unit, halve_z=halve_z)
    assert len(list(blocks(plan, block_extent(plan, 20_000 // 5, 16_000)))) > shape[0] * shape[1] * shape[2] / 3
    sink = Collected(plan)
    run([Task(plan, sink)], threads=2)
    check_levels(plan, sink)


def test_labels_go_through_the_same_blocks() -> None:
    plan = plan_of(noise(1, 1, 1, 301, 299, 1, dtype="u4"), (1, 32, 32), unit=Shape(1, 1, 1, 64, 64), method="nearest")
    sink = Collected(plan)
    run([Task(plan, sink)], threads=2)
    check_levels(plan, sink)


def test_several_images_share_one_run_and_progress_counts_them_all() -> None:
    plans = [plan_of(noise(1, 1, 2, 64, size, 1), (1, 32, 32), unit=Shape(1, 1, 1, 64, size), levels=2) for size in (64, 70)]
    sinks = [Collected(plan) for plan in plans]
    told: list[tuple[int, int]] = []
    run([Task(plan, sink) for plan, sink in zip(plans, sinks, strict=True)], threads=2, progress=lambda done, total: told.append((done, total)))
    for plan, sink in zip(plans, sinks, strict=True):
        check_levels(plan, sink)
    total = sum(plan.bytes for plan in plans)
    assert told[-1] == (total, total)
    assert told == sorted(told)


def test_extremes_are_those_of_the_finite_values_of_each_channel() -> None:
    array = np.zeros((1, 3, 2, 8, 8, 1), "f4")
    array[0, 0, 1, 3, 3] = 9
    array[0, 0, 0, 0, 0] = np.inf
    array[0, 1] = np.nan
    array[0, 2] = -5
    plan = plan_of(array, (1, 8, 8), unit=Shape(1, 1, 1, 8, 8), levels=1)
    extremes = Extremes()
    run([Task(plan, Collected(plan), extremes)], threads=2)
    assert extremes.channels == {0: (0, 9), 2: (-5, -5)}


def test_a_damaged_source_stops_all_threads_and_is_what_the_caller_sees() -> None:
    @dataclass(frozen=True)
    class Damaged(MemoryPixels):
        def read(self, region: Region) -> NDArray[Any]:
            if region.z[0] == 5:
                raise UnreadableError("plane 5 is damaged")
            return super().read(region)

    source = Damaged(noise(1, 1, 40, 32, 32, 1), Shape(1, 1, 1, 32, 32))
    plan = Plan(source, (source.shape,), ((1, 32, 32),), "mean")
    sink = Collected(plan)
    with pytest.raises(UnreadableError, match="plane 5"):
        run([Task(plan, sink)], threads=3)
    assert not np.all(sink.seen[0])
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("write-")]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_interruption_stops_the_work(threads: int) -> None:
    plan = plan_of(noise(1, 1, 40, 32, 32, 1), (1, 32, 32), unit=Shape(1, 1, 1, 32, 32), levels=1)
    sink = Collected(plan)

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([Task(plan, sink)], threads=threads, progress=interrupt)
    assert not np.all(sink.seen[0])


def test_a_chunk_that_does_not_decode_to_its_pixels_is_refused() -> None:
    pixels = noise(1, 16, 16, 1)
    good = tiff_codec("zlib", pixels.dtype)
    faulty = Codec("faulty", 1.0, lambda array: good.encode(array ^ (array == array[0, 3, 3, 0])), good.decode)
    with pytest.raises(UnwritableError, match="did not decode"):
        encode(faulty, pixels, pixels.shape)
    assert encode(faulty, pixels, pixels.shape, verify=False)


def test_nan_payloads_and_negative_zero_count_as_pixels_to_be_kept() -> None:
    pixels = np.array([np.nan, -0.0, 0.0, 1.5], "f4").reshape(1, 2, 2)
    codec = zarr_codec("auto", "0.4", pixels.dtype)
    data = encode(codec, pixels, (1, 4, 4))
    assert codec.decode(data, (1, 4, 4), pixels.dtype)[:, :2, :2].tobytes() == pixels.tobytes()
    lossy = Codec("lossy", 1.0, lambda array: codec.encode(array + 0.0), codec.decode)
    with pytest.raises(UnwritableError):
        encode(lossy, pixels, pixels.shape)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8", "f4", "f8"])
@pytest.mark.parametrize("name", ["auto", "zlib", "lzw", "zstd", "none"])
def test_tiff_codecs_lose_nothing(name: Any, dtype: str) -> None:
    pixels = noise(1, 16, 48, 3, dtype=dtype)
    codec = tiff_codec(name, pixels.dtype)
    assert np.array_equal(codec.decode(codec.encode(pixels), pixels.shape, pixels.dtype), pixels)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("name", ["auto", "zlib", "lz4", "zstd", "none"])
def test_zarr_codecs_lose_nothing(name: Any, version: Any) -> None:
    pixels = noise(1, 16, 48)
    codec = zarr_codec(name, version, pixels.dtype)
    assert np.array_equal(codec.decode(codec.encode(pixels), pixels.shape, pixels.dtype), pixels)


def test_a_block_is_a_whole_plane_where_that_is_small_and_part_of_one_where_it_is_not() -> None:
    small = plan_of(noise(1, 1, 2, 700, 700, 1), (1, 512, 512), unit=Shape(1, 1, 1, 8, 700))
    assert block_extent(small, LARGEST_BLOCK) == (1, 1, 1, 700, 700)
    huge = np.broadcast_to(np.zeros((), np.uint16), (1, 1, 1, 100_000, 100_000, 1))
    for unit in (Shape(1, 1, 1, 512, 512), Shape(1, 1, 1, 100, 130)):
        source = MemoryPixels(huge, unit)
        extent = block_extent(Plan(source, (source.shape,), ((1, 512, 512),), "mean"), LARGEST_BLOCK)
        assert 2 * np.prod(extent) <= LARGEST_BLOCK
        assert all(size % 512 == 0 for size in extent[3:])


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        (Shape(1, 1, 1, 16, 100_000), (1, 1, 1, 512, 100_000)),
        (Shape(1, 1, 1, 77, 100_000), (1, 1, 1, 512, 100_000)),
        (Shape(1, 1, 1, 4096, 8192), (1, 1, 1, 4096, 8192)),
        (Shape(1, 1, 1, 10_000, 100_000), (1, 1, 1, 9728, 100_000)),
    ],
)
def test_what_is_stored_together_is_read_together_even_where_it_is_large(unit: Shape, expected: tuple[int, ...]) -> None:
    source = MemoryPixels(np.broadcast_to(np.zeros((), np.uint16), (1, 1, 1, 100_000, 100_000, 1)), unit)
    assert block_extent(Plan(source, (source.shape,), ((1, 512, 512),), "mean"), LARGEST_BLOCK) == expected


def test_a_row_too_wide_for_the_memory_is_read_in_parts() -> None:
    source = MemoryPixels(np.broadcast_to(np.zeros((), np.uint16), (1, 1, 1, 1024, 500_000, 1)), Shape(1, 1, 1, 16, 500_000))
    extent = block_extent(Plan(source, (source.shape,), ((1, 512, 512),), "mean"), LARGEST_BLOCK)
    assert MOST_BLOCK / 2 < 2 * np.prod(extent) <= MOST_BLOCK


def test_cells_of_a_huge_plane_that_wait_for_their_pixels_stay_few() -> None:
    class Nothing:
        def put(self, level: int, t: int, c: int, index: Box, pixels: NDArray[Any]) -> None:
            most[0] = max(most[0], len(waiting()))

    from lightmicroscopy.writers import pipeline

    most = [0]
    source = MemoryPixels(np.broadcast_to(np.zeros((), np.uint8), (1, 1, 1, 8192, 8192, 1)), Shape(1, 1, 1, 64, 64))
    shapes = level_shapes(source.shape, None)
    plan = Plan(source, shapes, tuple((1, min(64, shape.y), min(64, shape.x)) for shape in shapes), "nearest")
    state = pipeline._Run([Task(plan, Nothing())], 1, None, None)
    assembler = pipeline._Assembler(plan)

    def waiting() -> Any:
        return assembler.waiting

    for region in blocks(plan, (1, 1, 1, 64, 64)):
        state._block(0, 0, assembler, region)
    assert not assembler.waiting
    assert 0 < most[0] <= 2 * len(shapes)


def indices(counts: Box, *, halve_z: bool) -> list[Box]:
    """Blocks of one pixel, in the order they come."""
    source = MemoryPixels(np.broadcast_to(np.zeros((), np.uint8), (1, 1, *counts, 1)), Shape(1, 1, 1, 1, 1))
    plan = Plan(source, (source.shape,), ((1, 1, 1),), "nearest", halve_z)
    return [(region.z[0], region.y[0], region.x[0]) for region in blocks(plan, (1, 1, 1, 1, 1))]


def place_on_curve(index: Box) -> int:
    return sum((value >> bit & 1) << (3 * bit + place) for bit in range(8) for place, value in enumerate(reversed(index)))


@pytest.mark.parametrize("counts", [(1, 1, 1), (1, 8, 8), (1, 5, 9), (1, 1, 37), (1, 37, 1), (5, 3, 6), (9, 1, 2)])
def test_blocks_come_along_a_z_order_curve(counts: Box) -> None:
    everything = list(product(*map(range, counts)))
    assert indices(counts, halve_z=True) == sorted(everything, key=place_on_curve)
    assert indices(counts, halve_z=False) == sorted(everything, key=lambda index: (index[0], place_on_curve((0, *index[1:]))))


@pytest.mark.parametrize("halve_z", [False, True])
def test_the_largest_plane_there_can_be_starts_at_once(halve_z: bool) -> None:
    source = MemoryPixels(np.broadcast_to(np.zeros((), np.uint8), (1, 1, 2, 2**25, 2**24, 1)), Shape(1, 1, 1, 512, 512))
    plan = Plan(source, (source.shape,), ((1, 512, 512),), "nearest", halve_z)
    tracemalloc.start()
    try:
        first = list(islice(blocks(plan, (1, 1, 1, 512, 512)), 5))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert first[1] == Region((0, 1), (0, 1), (0, 1), (0, 512), (512, 1024))
    assert first[4].z == ((1, 2) if halve_z else (0, 1))


@pytest.mark.parametrize(("side", "asked", "most"), [(64, 100_000_000, 0), (512, 3, 3), (512, 100_000_000, most_threads())])
def test_no_more_threads_start_than_are_of_use(side: int, asked: int, most: int) -> None:
    class Names:
        def put(self, level: int, t: int, c: int, index: Box, pixels: NDArray[Any]) -> None:
            alive.append(sum(thread.name.startswith("write-") for thread in threading.enumerate()))
            seen.append(index)

    alive: list[int] = []
    seen: list[Box] = []
    plan = plan_of(np.zeros((1, 1, 1 if side == 64 else 200, side, side, 1), np.uint8), (1, 512, 512), unit=Shape(1, 1, 1, side, side), levels=1)
    run([Task(plan, Names())], threads=asked)
    assert max(alive) <= most
    assert len(seen) == len(set(seen)) == plan.chunk_count()


def test_threads_are_bounded_however_many_cores_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, expected in ((None, 64), (2, 64), (16, 64), (100, 400)):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        assert most_threads() == expected


@pytest.mark.parametrize("threads", [1, 2, 32])
def test_pixels_in_flight_are_bounded_by_what_is_granted(threads: int) -> None:
    assert pixel_memory(None, threads) == PIXEL_MEMORY
    assert pixel_memory(256 << 20, threads) <= 128 << 20
    assert pixel_memory(1, threads) == LARGEST_BLOCK
