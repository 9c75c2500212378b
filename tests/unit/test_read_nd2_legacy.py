"""Reading the ND2 files of NIS-Elements before version 3.0, which are JPEG 2000."""

from __future__ import annotations

import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from lightmicroscopy import readers
from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import Location, Quantity, Region

from .nd2_files import values

SIGNATURE = b"LABORATORY IMAGING ND BOX MAP 00"
PLANES = {"DAPI": 16711680, "FITC": 65280}


def variant_item(name: str, kind: str, value: object) -> str:
    """One value in XML."""
    return f'<{name} runtype="{kind}" value="{value}"/>'


def frame_metadata(channels: int) -> bytes:
    """What is said of the first frame."""
    planes = [variant_item("wsOpticalConfigName", "CLxStringW", name) + variant_item("uiColor", "lx_uint32", color) for name, color in PLANES.items()]
    listed = "".join(f'<a{n} runtype="x">{inner}</a{n}>' for n, inner in enumerate(planes[:channels]))
    values_ = (
        ("dCalibration", "double", 0.25),
        ("bCalibrated", "bool", "true"),
        ("wsObjectiveName", "CLxStringW", "Plan 20x"),
        ("dObjectiveNA", "double", 0.75),
    )
    inner = "".join(variant_item(*value) for value in values_)
    inner += f'<sPicturePlanes runtype="x"><sPlane runtype="x">{listed}</sPlane></sPicturePlanes>'
    return f'<variant version="1.0"><no_name runtype="x">{inner}</no_name></variant>'.encode()


def box(kind: bytes, content: bytes) -> bytes:
    """One box of a JPEG 2000 file."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def made(frames: np.ndarray, dimensions: str) -> bytes:
    """A file of frames × channels × Y × X."""
    out = bytearray(box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 "))
    height, width = frames.shape[2:]
    table = [(b"jP  ", b"\0\0\0\0", 0), (b"ftyp", b"\0\0\0\0", 12)]

    def add(kind: bytes, own: bytes, content: bytes) -> None:
        table.append((kind, own, len(out)))
        out.extend(box(kind, content))

    bits = 8 * frames.itemsize
    add(b"jp2h", b"\0\0\0\0", box(b"ihdr", struct.pack(">IIHBBBB", height, width, 1, bits - 1, 7, 0, 0)))
    for channels in frames:
        for picture in channels:
            add(b"jp2c", b"LUNK", imagecodecs.jpeg2k_encode(picture, level=0, codecformat="j2k", reversible=True))
    said = variant_item("Text", "CLxStringW", f"Metadata:&#13;&#10;Dimensions: {dimensions}&#13;&#10;- Step 0.5 um&#13;&#10;")
    add(b"xml ", b"VIMD", frame_metadata(frames.shape[1]))
    add(b"xml ", b"TINF", f'<variant><TextInfo runtype="x">{said}</TextInfo></variant>'.encode())
    entries = b"".join(struct.pack("<4s4sI", kind, own, at) + bytes(4) for kind, own, at in table)
    tail = len(table).to_bytes(4, "big") + entries
    return bytes(out) + tail + SIGNATURE + struct.pack("<Q", len(tail) + 40)


def test_positions_stacks_and_channels_of_an_old_file(tmp_path: Path) -> None:
    stored = values(12, height=8, width=8, components=2, dtype="uint8").transpose(0, 3, 1, 2)
    path = tmp_path / "dataset_1.dat"
    path.write_bytes(made(stored, "T(2) x XY(3) x Z(2) x λ(2)"))
    with readers.open(Location(path)) as dataset:
        assert dataset.format == "ND2 1.0 (JPEG 2000)"
        assert [tuple(image.shape) for image in dataset.images] == [(2, 2, 2, 8, 8, 1)] * 3
        expected = stored.reshape(2, 3, 2, 2, 8, 8)
        for position, image in enumerate(dataset.images):
            source = image.levels[0].pixels
            assert np.array_equal(source.read(Region.whole(source.shape))[..., 0], expected[:, position].swapaxes(1, 2))
        metadata = dataset.images[0].metadata
        assert [(channel.name, channel.color) for channel in metadata.channels] == [("DAPI", 65535), ("FITC", 16711935)]
        assert (metadata.pixel_size_x, metadata.pixel_size_z) == (Quantity(0.25, "µm"), Quantity(0.5, "µm"))
        assert metadata.instrument is not None
        assert (metadata.instrument.objectives[0].model, metadata.instrument.objectives[0].numerical_aperture) == ("Plan 20x", 0.75)
        assert not dataset.images[0].lossy


def test_sixteen_bits_and_a_part_of_a_plane(tmp_path: Path) -> None:
    stored = values(2, height=8, width=9).transpose(0, 3, 1, 2)
    path = tmp_path / "old.nd2"
    path.write_bytes(made(stored, "T(2)"))
    with readers.open(Location(path)) as dataset:
        box_ = dataset.images[0].levels[0].pixels.read(Region((1, 2), (0, 1), (0, 1), (2, 5), (3, 9)))
        assert np.array_equal(box_[0, 0, 0, :, :, 0], stored[1, 0, 2:5, 3:9])


@pytest.mark.parametrize("cut", [1, 41, 200])
def test_an_old_file_without_its_end_is_an_error(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "old.nd2"
    path.write_bytes(made(values(2).transpose(0, 3, 1, 2), "T(2)")[:-cut])
    with pytest.raises(UnreadableError):
        readers.open(Location(path))


def test_a_damaged_picture_is_an_error(tmp_path: Path) -> None:
    data = bytearray(made(values(1, height=64, width=64).transpose(0, 3, 1, 2), "T(1)"))
    start = data.index(b"\xff\x4f\xff\x51")
    data[start + 12 : start + 14] = b"\1\1"
    path = tmp_path / "old.nd2"
    path.write_bytes(data)
    with pytest.raises(UnreadableError), readers.open(Location(path)) as dataset:
        source = dataset.images[0].levels[0].pixels
        source.read(Region.whole(source.shape))
