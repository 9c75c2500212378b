"""HDF5 files that are damaged, hostile, or want something that is not there."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import psutil
import pytest

from lightmicroscopy.errors import LimitError, SuiteError, UnreadableError
from lightmicroscopy.image import Region
from lightmicroscopy.readers import hdf5_process

from .hdf5_files import noise, open_hdf5, pixels, write_ims
from .test_read_hdf5_storage import REGISTERED, encoded, with_filter


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file that nothing may be read from."""
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["data"] = np.full((20, 20), 77, np.uint16)
    (tmp_path / "secret.raw").write_bytes(b"\x4d\0" * 400)
    return tmp_path


def link(file: h5py.File) -> None:
    file["elsewhere"] = h5py.ExternalLink("secret.h5", "/data")


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((20, 20), "u2")
    layout[:] = h5py.VirtualSource("secret.h5", "data", (20, 20))
    file.create_virtual_dataset("elsewhere", layout)


def external(file: h5py.File) -> None:
    file.create_dataset("elsewhere", shape=(20, 20), dtype="u2", external=[("secret.raw", 0, 800)])


KINDS = [pytest.param(link, "external link"), pytest.param(virtual, "virtual dataset"), pytest.param(external, "dataset in external storage")]


@pytest.mark.parametrize(("make", "said"), KINDS)
@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_pixels_outside_the_file_are_never_read(outside: Path, make: Any, said: str, libver: str) -> None:
    path = outside / "a.h5"
    with h5py.File(path, "w", libver=libver) as file:
        make(file)
    with pytest.raises(UnreadableError, match=f"/elsewhere is an? {said}: its pixels lie outside this file"):
        open_hdf5(path)


@pytest.mark.parametrize(("make", "said"), KINDS)
def test_what_lies_outside_costs_only_itself(outside: Path, make: Any, said: str) -> None:
    path = outside / "a.h5"
    with h5py.File(path, "w") as file:
        file["here"] = noise(20, 20)
        file["again"] = h5py.SoftLink("/elsewhere")
        make(file)
    with open_hdf5(path) as dataset:
        assert [image.name for image in dataset.images] == ["/here"]
        assert said in dataset.warnings[0]


def test_groups_that_hold_themselves_are_walked_once(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("a")
        group["up"] = file["/"]
        group["self"] = group
        file["data"] = noise(4, 5)
        file["twice"] = file["data"]
    with open_hdf5(path) as dataset:
        assert len(dataset.images) == 1


def test_groups_nested_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["/".join("a" * 80) + "/data"] = noise(4, 5)
    with pytest.raises(LimitError, match="nested"):
        open_hdf5(path)


def test_a_filter_nobody_knows_is_named(tmp_path: Path) -> None:
    path = with_filter(tmp_path / "a.h5", 32768, "", {(0, 0): b"x"})
    with pytest.raises(UnreadableError, match="compressed with filter 32768, which is not read"):
        open_hdf5(path)


def test_huge_arrays_that_hold_nothing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", shape=(10**6, 10**6), dtype="u2", chunks=(1, 1))[0, 0] = 1
    with pytest.raises(LimitError, match="stores next to nothing"):
        open_hdf5(path)


def test_arrays_of_absurd_size_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", shape=(2**40, 2**20), dtype="u2", chunks=(1024, 1024))
    with pytest.raises(LimitError, match="at most"):
        open_hdf5(path)


def test_large_arrays_of_tiny_chunks_are_read_as_far_as_they_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", shape=(20_000, 20_000), dtype="u1", chunks=(2, 2))
        data[5000:5100, 5000:5100] = 3
    with open_hdf5(path) as dataset:
        source = dataset.images[0].levels[0].pixels
        begun = time.process_time()
        box = source.read(Region((0, 1), (0, 1), (0, 1), (4000, 6000), (4000, 6000)))
        assert (int(box.sum()), time.process_time() - begun < 5) == (30_000, True)


@pytest.mark.parametrize("name", REGISTERED)
def test_chunks_that_promise_more_than_they_may_are_refused(tmp_path: Path, name: str) -> None:
    bomb = encoded(name, bytes(50_000_000))
    path = with_filter(tmp_path / "a.h5", REGISTERED[name], name, {(0, 0): bomb})
    with open_hdf5(path) as dataset, pytest.raises(UnreadableError, match=r"/data has a chunk, 0\.0, that"):
        pixels(dataset.images[0])


def test_a_checksum_that_is_wrong_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", data=noise(16, 16), chunks=(16, 16), fletcher32=True)
        offset = data.id.get_chunk_info(0).byte_offset
    with path.open("r+b") as stream:
        stream.seek(offset + 5)
        stream.write(b"\xff")
    with open_hdf5(path) as dataset, pytest.raises(UnreadableError, match="does not have its checksum"):
        pixels(dataset.images[0])


@pytest.mark.parametrize("chunks", [None, (16, 16)])
def test_a_file_cut_off_is_refused(tmp_path: Path, chunks: tuple[int, int] | None) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.create_dataset("data", data=noise(200, 200), chunks=chunks)
    data = path.read_bytes()
    for part in range(1, 20):
        path.write_bytes(data[: len(data) * part // 20])
        with pytest.raises(UnreadableError, match="damaged"):
            open_hdf5(path)


def test_no_byte_flipped_crashes_anything_or_changes_a_shape(tmp_path: Path) -> None:
    path = write_ims(tmp_path / "a.ims", noise(2, 2, 5, 37, 50), libver="earliest")
    with h5py.File(tmp_path / "b.h5", "w", libver="latest") as file:
        file.create_dataset("data", data=noise(20, 40, 40), chunks=(5, 16, 16), compression="gzip", shuffle=True)
        file["flat"] = noise(50, 60)
    outcomes = []
    for source, shapes in ((path, {(2, 2, 5, 37, 50, 1)}), (tmp_path / "b.h5", {(1, 1, 20, 40, 40, 1), (1, 1, 1, 50, 60, 1)})):
        whole = source.read_bytes()
        for seed in range(60):
            random = np.random.default_rng(seed)
            data = bytearray(whole)
            for at in random.integers(0, 20_000, random.integers(1, 9)):
                data[at % len(data)] = random.integers(0, 256)
            source.write_bytes(data)
            try:
                with open_hdf5(source) as dataset:
                    assert {tuple(image.shape) for image in dataset.images} <= shapes
                    outcomes.append([pixels(image).size for image in dataset.images] != [])
            except SuiteError as error:
                assert source.name in str(error)
                outcomes.append(False)
    assert {True, False} == set(outcomes)


def worker() -> psutil.Process:
    """The process that holds the HDF5 library."""
    running = hdf5_process._PROCESS._running
    assert running is not None
    return psutil.Process(running.pid)


def unread() -> int:
    """Bytes asked of that process that it has not read."""
    running = hdf5_process._PROCESS._running
    assert running is not None
    assert running.stdin is not None
    return int.from_bytes(fcntl.ioctl(running.stdin, termios.FIONREAD, bytes(4)), sys.byteorder)


@pytest.mark.parametrize(("code", "said"), [(signal.SIGSEGV, "crashes the HDF5 library"), (signal.SIGPROF, "leads the HDF5 library in circles")])
def test_a_crash_of_the_library_costs_only_the_file_that_caused_it(tmp_path: Path, code: signal.Signals, said: str) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=noise(20, 20), chunks=(5, 5))
    with open_hdf5(path) as dataset:
        library = worker().pid
        # Held up, it cannot answer; and then it is no more.
        os.kill(library, signal.SIGSTOP)
        # Until it stands still it could take the question yet.
        os.waitpid(library, os.WUNTRACED)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(pixels, dataset.images[0])
            while not unread():
                pass
            os.kill(library, code)
            os.kill(library, signal.SIGCONT)
            with pytest.raises(UnreadableError, match=said):
                answer.result(30)
        assert (pixels(dataset.images[0])[0, 0, 0, ..., 0] == noise(20, 20)).all()


def test_a_file_replaced_by_another_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    for size in (10, 20):
        with h5py.File(path, "w") as file:
            file["data"] = noise(size, size)
        with open_hdf5(path) as dataset:
            assert (pixels(dataset.images[0])[0, 0, 0, ..., 0] == noise(size, size)).all()


def test_files_are_let_go_when_they_are_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["data"] = noise(4, 5)
    with open_hdf5(path) as dataset:
        pixels(dataset.images[0])
    held = [opened.path for process in (psutil.Process(), worker()) for opened in process.open_files()]
    assert str(path) not in held
