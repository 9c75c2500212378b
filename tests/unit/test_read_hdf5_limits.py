"""HDF5 files that are sound and ask for much: large and many attributes, and one dataset too large beside others."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

from lightmicroscopy.errors import LimitError
from lightmicroscopy.readers import hdf5_process

from .hdf5_files import noise, open_hdf5, pixels, write_ims


@pytest.mark.parametrize(("libver", "count"), [("latest", 12_000), ("earliest", 3000)])
def test_thousands_of_attributes_are_all_read(tmp_path: Path, libver: str, count: int) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver=libver) as file:
        data = file.create_dataset("data", data=noise(4, 5))
        space = h5py.h5s.create(h5py.h5s.SCALAR)
        for number in range(count):
            h5py.h5a.create(data.id, b"key %05d" % number, h5py.h5t.STD_U32LE, space).write(np.array(number, "<u4"))
    with open_hdf5(path) as dataset:
        assert dataset.warnings == ()
        assert dataset.images[0].metadata.original == tuple((f"/data key {number:05d}", str(number)) for number in range(count))


def test_attributes_beyond_their_number_are_counted_as_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        data = file.create_dataset("data", data=noise(4, 5))
        space = h5py.h5s.create(h5py.h5s.SCALAR)
        for number in range(20_003):
            h5py.h5a.create(data.id, b"key %05d" % number, h5py.h5t.STD_U32LE, space).write(np.array(number, "<u4"))
    with open_hdf5(path) as dataset:
        assert dataset.warnings == ("a.h5: 3 attributes of /data are too large or too many and are not kept.",)
        assert len(dataset.images[0].metadata.original) == 20_000


def test_a_text_of_150_megabytes_is_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        data = file.create_dataset("data", data=noise(4, 5))
        data.attrs["a"] = "x" * 150_000_000
        data.attrs["b"] = "y" * 2_000_000
        data.attrs["c"] = "kept"
    hdf5_process._PROCESS.close()
    with open_hdf5(path) as dataset:
        assert dataset.warnings == ("a.h5: 2 attributes of /data are too large or too many and are not kept.",)
        assert dataset.images[0].metadata.original == (("/data c", "kept"),)
        assert (pixels(dataset.images[0])[0, 0, 0, ..., 0] == noise(4, 5)).all()
        assert most_memory() < 300_000_000


def test_what_is_left_out_of_one_dataset_costs_the_others_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        for number in range(3):
            file[f"{number}"] = noise(4, 5)
            file[f"{number}"].attrs["long"] = "x" * 2_000_000
            file[f"{number}"].attrs["numbers"] = np.arange(5000, dtype="u1")
            file[f"{number}"].attrs["kept"] = "yes"
    with open_hdf5(path) as dataset:
        assert [image.metadata.original for image in dataset.images] == [((f"/{number} kept", "yes"),) for number in range(3)]
        assert [("2 attributes" in warning) for warning in dataset.warnings] == [True] * 3


def most_memory() -> int:
    """Most memory that the process with the HDF5 library has taken, in bytes."""
    running = hdf5_process._PROCESS._running
    assert running is not None
    status = Path(f"/proc/{running.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


@pytest.mark.parametrize(("letter", "most"), [("x", 34), ("\x01", 6)])
def test_texts_that_are_too_much_together_are_left_out_and_told(tmp_path: Path, letter: str, most: int) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        data = file.create_dataset("data", data=noise(4, 5))
        for number in range(40):
            data.attrs[f"key {number}"] = letter * 1_000_000
    with open_hdf5(path) as dataset:
        kept = len(dataset.images[0].metadata.original)
        assert kept == most
        assert dataset.warnings == (f"a.h5: {40 - kept} attributes of /data are too large or too many and are not kept.",)


def chunks_too_large(file: h5py.File) -> None:
    file.create_dataset("bad", shape=(60_000, 60_000), dtype="u1", chunks=(60_000, 60_000), compression="gzip")


def size_impossible(file: h5py.File) -> None:
    file.create_dataset("bad", shape=(2**40, 2**20), dtype="u2", chunks=(1024, 1024))


BAD = [(chunks_too_large, "has chunks of 3,600,000,000 bytes; at most"), (size_impossible, "bytes of pixels; at most")]


@pytest.mark.parametrize(("make", "said"), BAD)
def test_a_dataset_that_asks_for_too_much_costs_only_itself(tmp_path: Path, make: Callable[[h5py.File], None], said: str) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["img"] = noise(20, 20)
        make(file)
    with open_hdf5(path) as dataset:
        assert [image.name for image in dataset.images] == ["/img"]
        (warning,) = dataset.warnings
        assert "the dataset /bad" in warning
        assert said in warning


@pytest.mark.parametrize(("make", "said"), BAD)
def test_a_dataset_alone_that_asks_for_too_much_is_refused(tmp_path: Path, make: Callable[[h5py.File], None], said: str) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        make(file)
    with pytest.raises(LimitError, match=said):
        open_hdf5(path)


def test_a_smaller_level_that_asks_for_too_much_ends_the_pyramid(tmp_path: Path) -> None:
    path = write_ims(tmp_path / "a.ims", noise(1, 1, 1, 64, 64), levels=3)
    with h5py.File(path, "r+") as file:
        group = file["DataSet/ResolutionLevel 1/TimePoint 0/Channel 0"]
        del group["Data"]
        group.create_dataset("Data", shape=(1, 60_000, 60_000), dtype="u2", chunks=(1, 60_000, 60_000))
    with open_hdf5(path) as dataset:
        assert len(dataset.images[0].levels) == 1
        assert "cannot be read" in dataset.images[0].warnings[0]
        assert "has chunks of 7,200,000,000 bytes" in dataset.warnings[0]


def test_thousands_of_datasets_are_told_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        for number in range(2500):
            file.create_dataset(f"d{number}", shape=(4, 4), dtype="u1")
    with open_hdf5(path) as dataset:
        assert [image.name for image in dataset.images] == [f"/d{number}" for number in range(2500)]


@contextmanager
def library_of_its_own() -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], None]]]:
    """Start a process with the HDF5 library; and give what tells it that its asker is no more."""
    theirs, life = os.pipe()
    command = [sys.executable, "-c", hdf5_process._START, hdf5_process._FOLDER, str(theirs)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(theirs,)) as library:
        os.close(theirs)
        try:
            yield library, lambda: os.close(life)
        finally:
            library.kill()


def ask(library: subprocess.Popen[bytes], path: Path) -> None:
    assert library.stdin is not None
    library.stdin.write(b'{"do": "walk", "file": "%b"}\n' % os.fsencode(path))
    library.stdin.flush()


def test_a_library_at_work_ends_when_its_asker_is_no_more(tmp_path: Path) -> None:
    # Whoever opens a pipe that nobody writes to waits within the library, where no signal handler of Python's gets to run.
    os.mkfifo(tmp_path / "pipe")
    with library_of_its_own() as (library, end):
        ask(library, tmp_path / "pipe")
        assert library.stdin is not None
        while library.poll() is None and int.from_bytes(fcntl.ioctl(library.stdin, termios.FIONREAD, bytes(4)), sys.byteorder):
            pass
        end()
        # It may learn of it before it begins, or while it is at it.
        assert library.wait(30) in {0, -signal.SIGIO}


def answered(library: subprocess.Popen[bytes]) -> bool:
    """Read a whole answer; False if there is none, since the library has ended."""
    assert library.stdout is not None
    answer = {"nodes": ()}
    while "nodes" in answer:
        header = library.stdout.read(hdf5_process.HEADER.size)
        if not header:
            return False
        text, size = hdf5_process.HEADER.unpack(header)
        answer = json.loads(library.stdout.read(text))
        library.stdout.read(size)
    return True


def test_a_question_that_comes_while_the_library_is_at_work_does_not_end_it(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver="latest") as file:
        for number in range(200):
            file.create_dataset(f"d{number}", shape=(4, 4), dtype="u1")
    with library_of_its_own() as (library, end):
        ask(library, path)
        assert answered(library)
        # It is ready now, and the others come one by one while it is at the first of them.
        for _ in range(20):
            ask(library, path)
        assert all(answered(library) for _ in range(20))
        end()
        assert library.wait(30) in {0, -signal.SIGIO}
