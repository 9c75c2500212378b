"""Makes the bad input of every row of docs/bad-input.md.

Each maker is named after its row. It gets an empty folder for the input and returns the arguments of ``lm_convert``
without ``--output``. Large things are made sparse or repetitive, so that they cost a reader who believes them more than
they cost us.
"""

from __future__ import annotations

import io
import json
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

DATA = Path(__file__).resolve().parents[2] / "test-data"
CELLS = DATA / "cells.ome.tiff"
STORE = DATA / "cells_04.ome.zarr"
TO_TIFF = ["--format", "ome-tiff"]
TO_ZARR = ["--format", "ome-zarr"]
GIGABYTE = 1 << 30
NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"

Maker = Callable[[Path], list[str]]
MAKERS: dict[str, Maker] = {}


def row(name: str) -> Callable[[Maker], Maker]:
    """Register a maker under the name of its row."""

    def register(maker: Maker) -> Maker:
        MAKERS[name] = maker
        return maker

    return register


def of_cells(folder: Path, *arguments: str) -> list[str]:
    """The well-formed image, asked for what it does not have."""
    shutil.copy(CELLS, folder)
    return [str(folder / CELLS.name), *TO_TIFF, *arguments]


SELECTIONS = {
    "region outside": ["--region", "100,0,64,64"],
    "region before the edge": ["--region=-1,0,10,10"],
    "region without area": ["--region", "0,0,0,10"],
    "region not four numbers": ["--region", "1,2,3"],
    "center outside": ["--center", "0,0,20,20"],
    "z outside": ["--z", "1:4"],
    "z beyond": ["--z", "3"],
    "z of no planes": ["--z", "2:2"],
    "z backwards": ["--z", "2:1"],
    "z not a number": ["--z", "one"],
    "t outside": ["--t", "1"],
    "channel by name": ["--channel", "Cy5"],
    "channel by index": ["--channel", "index:2"],
    "series by index": ["--series", "1"],
    "series by name": ["--series", "name:Overview"],
    "level": ["--level", "1"],
}
for _name, _arguments in SELECTIONS.items():
    MAKERS[_name] = lambda folder, arguments=tuple(_arguments): of_cells(folder, *arguments)


# Files that are not what they should be


@row("no such file")
def _(folder: Path) -> list[str]:
    return [str(folder / "gone.tif"), *TO_TIFF]


@row("empty file")
def _(folder: Path) -> list[str]:
    (folder / "empty.tif").touch()
    return [str(folder / "empty.tif"), *TO_TIFF]


@row("words")
def _(folder: Path) -> list[str]:
    shutil.copy(DATA / "not_an_image.txt", folder)
    return [str(folder / "not_an_image.txt"), *TO_TIFF]


@row("truncated TIFF")
def _(folder: Path) -> list[str]:
    shutil.copy(DATA / "truncated.tif", folder)
    return [str(folder / "truncated.tif"), *TO_TIFF]


@row("truncated OME-TIFF")
def _(folder: Path) -> list[str]:
    (folder / "cut.ome.tiff").write_bytes(CELLS.read_bytes()[:60_000])
    return [str(folder / "cut.ome.tiff"), *TO_TIFF]


@row("TIFF cut in its last plane")
def _(folder: Path) -> list[str]:
    (folder / "cut.tif").write_bytes((DATA / "plain.tif").read_bytes()[:-100])
    return [str(folder / "cut.tif"), *TO_ZARR]


@row("TIFF cut in its header")
def _(folder: Path) -> list[str]:
    (folder / "cut.tif").write_bytes(CELLS.read_bytes()[:6])
    return [str(folder / "cut.tif"), *TO_TIFF]


@row("damaged pixels in a TIFF")
def _(folder: Path) -> list[str]:
    content = bytearray(CELLS.read_bytes())
    with tifffile.TiffFile(CELLS) as tiff:
        start = tiff.pages[4].dataoffsets[0]  # type: ignore[union-attr]
    content[start : start + 64] = b"\xff" * 64
    (folder / "damaged.ome.tiff").write_bytes(content)
    return [str(folder / "damaged.ome.tiff"), *TO_ZARR]


@row("truncated PNG")
def _(folder: Path) -> list[str]:
    (folder / "cut.png").write_bytes((DATA / "rgb.png").read_bytes()[:3000])
    return [str(folder / "cut.png"), *TO_TIFF]


@row("truncated JPEG")
def _(folder: Path) -> list[str]:
    (folder / "cut.jpg").write_bytes((DATA / "photo.jpg").read_bytes()[:1500])
    return [str(folder / "cut.jpg"), *TO_TIFF]


@row("CMYK JPEG")
def _(folder: Path) -> list[str]:
    from PIL import Image

    Image.new("CMYK", (16, 16), (10, 20, 30, 40)).save(folder / "print.jpg")
    return [str(folder / "print.jpg"), *TO_TIFF]


@row("complex numbers")
def _(folder: Path) -> list[str]:
    tifffile.imwrite(folder / "fourier.tif", np.ones((8, 8), np.complex64))
    return [str(folder / "fourier.tif"), *TO_TIFF]


@row("64-bit integers as OME-TIFF")
def _(folder: Path) -> list[str]:
    tifffile.imwrite(folder / "counts.tif", np.full((8, 8), 1 << 40, np.uint64))
    return [str(folder / "counts.tif"), *TO_TIFF]


# Promises of more than there is


def small_tiff(width: int, height: int, description: bytes = b"", count: int | None = None) -> bytes:
    """Write a TIFF directory by hand: 64 bytes of pixels under whatever size is claimed."""
    text_at, pixels_at = 200, 136
    count = len(description) if count is None else count
    fields = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        *([(270, 2, count, text_at)] if count else []),
        (273, 4, 1, pixels_at),
        (277, 3, 1, 1),
        (278, 4, 1, height),
        (279, 4, 1, min(width * height, 0xFFFFFFFF)),
    ]
    content = struct.pack("<2sHIH", b"II", 42, 8, len(fields)) + b"".join(struct.pack("<HHII", *field) for field in fields) + bytes(4)
    return content.ljust(pixels_at, b"\0") + bytes(range(64)) + description


def ome_text(sizes: dict[str, int], name: str = "image") -> bytes:
    """Write a small OME-XML document with these sizes."""
    attributes = " ".join(f'Size{axis}="{sizes.get(axis, 1)}"' for axis in "XYZCT")
    return (
        f'<?xml version="1.0"?><OME xmlns="{NAMESPACE}"><Image ID="Image:0" Name="{name}"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" '
        f'Type="uint8" {attributes}><Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels></Image></OME>'
    ).encode()


@row("TIFF of 10^12 pixels")
def _(folder: Path) -> list[str]:
    (folder / "huge.tif").write_bytes(small_tiff(1_000_000, 1_000_000))
    return [str(folder / "huge.tif"), *TO_TIFF]


@row("OME-XML of 10^12 planes")
def _(folder: Path) -> list[str]:
    text = ome_text({"X": 8, "Y": 8, "T": 1_000_000, "Z": 1_000_000}) + b"\0"
    (folder / "planes.ome.tiff").write_bytes(small_tiff(8, 8, text))
    return [str(folder / "planes.ome.tiff"), *TO_TIFF]


@row("PNG of 10^12 pixels")
def _(folder: Path) -> list[str]:
    blocks = ((b"IHDR", struct.pack(">2I5B", 1_000_000, 1_000_000, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(10_000))), (b"IEND", b""))
    content = b"".join(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in blocks)
    (folder / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    return [str(folder / "huge.png"), *TO_TIFF]


def change_json(path: Path, **changes: Any) -> None:
    """Set keys of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def copy_store(folder: Path) -> Path:
    """Make a whole store to be damaged, without its label map."""
    copy = folder / "cells.ome.zarr"
    shutil.copytree(STORE, copy)
    shutil.rmtree(copy / "labels")
    return copy


@row("Zarr chunk of 10^12 pixels")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    change_json(store / "0" / ".zarray", shape=[1, 2, 3, 1_000_000, 1_000_000], chunks=[1, 1, 1, 1_000_000, 1_000_000])
    return [str(store), *TO_ZARR]


# Zips


def zip_of(folder: Path, members: dict[str, bytes]) -> list[str]:
    """Write a zip with exactly these names."""
    path = folder / "cells.ome.zarr.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return [str(path), *TO_TIFF]


def store_members() -> dict[str, bytes]:
    """List the files of the sound store by name."""
    return {str(path.relative_to(STORE)): path.read_bytes() for path in sorted(STORE.rglob("*")) if path.is_file()}


@row("zip that climbs out")
def _(folder: Path) -> list[str]:
    return zip_of(folder, {**store_members(), "../escaped.txt": b"outside"})


@row("zip with an absolute path")
def _(folder: Path) -> list[str]:
    return zip_of(folder, {**store_members(), "/escaped.txt": b"outside"})


@row("zip without an image")
def _(folder: Path) -> list[str]:
    return zip_of(folder, {"letter.txt": b"nothing to see"})


@row("zip cut short")
def _(folder: Path) -> list[str]:
    arguments = zip_of(folder, store_members())
    path = Path(arguments[0])
    path.write_bytes(path.read_bytes()[:-2000])
    return arguments


def million_entries(stated: int) -> bytes:
    """Write a zip whose directory lists a million empty files, and whose end claims `stated`."""
    number, width = 1_000_000, 12
    entry = np.dtype([("fixed", "S46"), ("name", f"S{width}")])
    fixed = struct.pack("<I6H3I5H2I", 0x02014B50, 20, 20, 0, 0, 0, 0, 0, 0, 0, width, 0, 0, 0, 0, 0, 0)
    entries = np.zeros(number, entry)
    # numpy strips trailing zeros of a string only when it is read, so the fixed part is stored whole.
    entries.view(np.uint8).reshape(number, -1)[:, :46] = np.frombuffer(fixed, np.uint8)
    entries["name"] = np.char.add(b"0/0/", np.char.zfill(np.arange(number).astype(f"S{width}"), width - 4))
    directory = entries.tobytes()
    first = b".zgroup"
    local = struct.pack("<I5H3I2H", 0x04034B50, 20, 0, 0, 0, 0, 0, 0, 0, len(first), 0) + first
    if stated > 0xFFFE:
        record = struct.pack("<IQ2H2I4Q", 0x06064B50, 44, 45, 45, 0, 0, stated, stated, len(directory), len(local))
        locator = struct.pack("<IIQI", 0x07064B50, 0, len(local) + len(directory), 1)
        end = record + locator + struct.pack("<I4H2IH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    else:
        end = struct.pack("<I4H2IH", 0x06054B50, 0, 0, stated, stated, len(directory), len(local), 0)
    return local + directory + end


@row("zip of a million entries")
def _(folder: Path) -> list[str]:
    (folder / "many.ome.zarr.zip").write_bytes(million_entries(1_000_000))
    return [str(folder / "many.ome.zarr.zip"), *TO_TIFF]


@row("zip of a million entries that claims three")
def _(folder: Path) -> list[str]:
    (folder / "many.ome.zarr.zip").write_bytes(million_entries(3))
    return [str(folder / "many.ome.zarr.zip"), *TO_TIFF]


# Stores


@row("folder that is no Zarr")
def _(folder: Path) -> list[str]:
    (folder / "holiday").mkdir()
    (folder / "holiday" / "beach.txt").write_text("sand")
    return [str(folder / "holiday"), *TO_ZARR]


@row("Zarr with broken JSON")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    (store / ".zattrs").write_text('{"multiscales": [')
    return [str(store), *TO_ZARR]


@row("Zarr without its array")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    shutil.rmtree(store / "0")
    return [str(store), *TO_ZARR]


@row("Zarr that points outside itself")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    shutil.copytree(STORE / "0", folder / "secret")
    attributes = json.loads((store / ".zattrs").read_text())
    attributes["multiscales"][0]["datasets"][0]["path"] = "../secret"
    (store / ".zattrs").write_text(json.dumps(attributes))
    return [str(store), *TO_ZARR]


@row("Zarr with a missing chunk")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    (store / "0" / "0" / "1" / "2" / "0" / "1").unlink()
    return [str(store), *TO_ZARR]


@row("Zarr with a damaged chunk")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    chunk = store / "0" / "0" / "1" / "2" / "0" / "1"
    content = bytearray(chunk.read_bytes())
    content[32:64] = b"\xaa" * 32
    chunk.write_bytes(content)
    return [str(store), *TO_ZARR]


@row("Zarr with a chunk cut short")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    chunk = store / "0" / "0" / "0" / "1" / "0" / "1"
    chunk.write_bytes(chunk.read_bytes()[:-100])
    return [str(store), *TO_TIFF]


@row("Zarr with an empty chunk")
def _(folder: Path) -> list[str]:
    store = copy_store(folder)
    (store / "0" / "0" / "0" / "0" / "0" / "0").write_bytes(b"")
    return [str(store), *TO_ZARR]


# XML


def tiff_with_text(folder: Path, text: bytes) -> list[str]:
    """Write a TIFF whose description is this text."""
    (folder / "cells.ome.tiff").write_bytes(small_tiff(8, 8, text + b"\0"))
    return [str(folder / "cells.ome.tiff"), *TO_TIFF]


@row("XML whose entities multiply")
def _(folder: Path) -> list[str]:
    laughs = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY l0 "ha">{laughs}]>'.encode()
    return tiff_with_text(folder, head + ome_text({"X": 8, "Y": 8}, "&l9;").split(b"?>", 1)[1])


@row("XML that fetches a file")
def _(folder: Path) -> list[str]:
    (folder / "secret.txt").write_text("do not read me")
    head = f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY stolen SYSTEM "file://{folder}/secret.txt">]>'.encode()
    body = ome_text({"X": 8, "Y": 8}).split(b"?>", 1)[1].replace(b"<Pixels", b"<Description>&stolen;</Description><Pixels")
    return tiff_with_text(folder, head + body)


@row("XML cut short")
def _(folder: Path) -> list[str]:
    return tiff_with_text(folder, ome_text({"X": 8, "Y": 8})[:-40])


@row("1 GB of text in a TIFF")
def _(folder: Path) -> list[str]:
    start = f'<?xml version="1.0"?><OME xmlns="{NAMESPACE}"><Image ID="Image:0"><Description>'.encode()
    path = folder / "wordy.ome.tiff"
    path.write_bytes(small_tiff(8, 8, start, GIGABYTE))
    with path.open("r+b") as stream:
        stream.truncate(GIGABYTE + 200)
    return [str(path), *TO_TIFF]


@row("1 GB of text in a companion file")
def _(folder: Path) -> list[str]:
    path = folder / "wordy.companion.ome"
    path.write_bytes(ome_text({"X": 8, "Y": 8}).split(b"<Pixels")[0] + b"<Description>")
    with path.open("r+b") as stream:
        stream.truncate(GIGABYTE)
    return [str(path), *TO_TIFF]


def deflated_spaces(count: int) -> bytes:
    """Compress `count` MB of spaces at the price of one: the same flushed block, over and over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(b" " * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * count + packer.flush()


def zip_bomb(name: str, members: dict[str, bytes]) -> bytes:
    """Write a zip in which `name` unpacks to 1 GB of spaces."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        entry = zipfile.ZipInfo(name)
        entry.compress_type = zipfile.ZIP_DEFLATED
        packed = deflated_spaces(GIGABYTE >> 20)
        entry.header_offset = buffer.tell()
        entry.compress_size, entry.file_size, entry.CRC = len(packed), GIGABYTE, 0
        buffer.write(entry.FileHeader() + packed)
        archive.start_dir = buffer.tell()
        archive.filelist.append(entry)
        archive.NameToInfo[name] = entry
    return buffer.getvalue()


@row("1 GB of text in a zipped store")
def _(folder: Path) -> list[str]:
    members = {name: content for name, content in store_members().items() if not name.endswith(".xml")}
    (folder / "bomb.ome.zarr.zip").write_bytes(zip_bomb("OME/METADATA.ome.xml", members))
    return [str(folder / "bomb.ome.zarr.zip"), *TO_TIFF]


@row("1 GB of JSON in a zipped store")
def _(folder: Path) -> list[str]:
    members = {name: content for name, content in store_members().items() if name != ".zattrs"}
    (folder / "bomb.ome.zarr.zip").write_bytes(zip_bomb(".zattrs", members))
    return [str(folder / "bomb.ome.zarr.zip"), *TO_TIFF]


# Names


def named_file(folder: Path, name: str) -> list[str]:
    """Copy the sound image under another name."""
    shutil.copy(CELLS, folder / name)
    return [str(folder / name), *TO_TIFF]


@row("file name with quotes")
def _(folder: Path) -> list[str]:
    return named_file(folder, 'it\'s "mine" $(touch x) `y`.ome.tiff')


@row("file name with a line break")
def _(folder: Path) -> list[str]:
    return named_file(folder, "one\ntwo\tthree.ome.tiff")


@row("file name with emoji")
def _(folder: Path) -> list[str]:
    return named_file(folder, "Zelle 🔬 ø µ.ome.tiff")


@row("file name of nothing but signs")
def _(folder: Path) -> list[str]:
    return named_file(folder, "🔬?!.ome.tiff")


@row("file name like a flag")
def _(folder: Path) -> list[str]:
    return named_file(folder, "-rf.ome.tiff")


@row("file name of 250 bytes")
def _(folder: Path) -> list[str]:
    return named_file(folder, "x" * 241 + ".ome.tiff")


def named_series(folder: Path, *names: str) -> list[str]:
    """Write a file with several series of these names (as XML has them)."""
    pixels = [ome_text({"X": 8, "Y": 8}, name).split(b"<Image", 1)[1].rsplit(b"</OME>", 1)[0] for name in names]
    images = b"".join(
        b"<Image" + text.replace(b":0", b":%d" % number).replace(b"<TiffData/>", b'<TiffData IFD="%d" PlaneCount="1"/>' % number)
        for number, text in enumerate(pixels)
    )
    path = folder / "set.ome.tiff"
    with tifffile.TiffWriter(path) as writer:
        description = b'<?xml version="1.0"?><OME xmlns="%s">' % NAMESPACE.encode() + images + b"</OME>"
        for number in range(len(names)):
            writer.write(np.full((8, 8), number, np.uint8), description=description if number == 0 else None, metadata=None, photometric="minisblack")
    return [str(path), *TO_TIFF]


@row("series names with slashes, quotes, line breaks and emoji")
def _(folder: Path) -> list[str]:
    return named_series(folder, "a/b\\c", "&quot;q&quot; &apos;r&apos;", "one&#10;two", "../../etc", "🔬")


@row("series names of 300 characters that differ at the end")
def _(folder: Path) -> list[str]:
    return named_series(folder, "n" * 300 + "1", "n" * 300 + "2")


@row("series names that are equal")
def _(folder: Path) -> list[str]:
    return named_series(folder, "same", "Same", "")


# Outputs


@row("output that is there already")
def _(folder: Path) -> list[str]:
    return of_cells(folder)


@row("output folder that is a file")
def _(folder: Path) -> list[str]:
    return of_cells(folder)


@row("no permission to write")
def _(folder: Path) -> list[str]:
    return of_cells(folder)


@row("no permission to read")
def _(folder: Path) -> list[str]:
    arguments = of_cells(folder)
    Path(arguments[0]).chmod(0)
    return arguments


def noise(folder: Path) -> str:
    """Write 3 MB that cannot be compressed."""
    pixels = np.random.default_rng(1).integers(0, 65536, (6, 512, 512), np.uint16)
    tifffile.imwrite(folder / "noise.tif", pixels, photometric="minisblack")
    return str(folder / "noise.tif")


@row("full disk, OME-TIFF")
def _(folder: Path) -> list[str]:
    return [noise(folder), *TO_TIFF]


@row("full disk, OME-Zarr folder")
def _(folder: Path) -> list[str]:
    return [noise(folder), *TO_ZARR]


@row("full disk, OME-Zarr zip")
def _(folder: Path) -> list[str]:
    return [noise(folder), *TO_ZARR, "--zip"]


def long_job(folder: Path) -> str:
    """Write 0.5 GB of pixels that take no space: enough to be caught at it."""
    path = folder / "long.tif"
    tifffile.imwrite(path, shape=(64, 2048, 2048), dtype=np.uint16, photometric="minisblack", bigtiff=True)
    return str(path)


@row("killed half-way (SIGKILL), OME-TIFF")
def _(folder: Path) -> list[str]:
    return [long_job(folder), *TO_TIFF]


@row("killed half-way (SIGKILL), OME-Zarr folder")
def _(folder: Path) -> list[str]:
    return [long_job(folder), *TO_ZARR]


@row("cancelled half-way (SIGTERM), OME-TIFF")
def _(folder: Path) -> list[str]:
    return [long_job(folder), *TO_TIFF]


@row("cancelled half-way (SIGTERM), OME-Zarr folder")
def _(folder: Path) -> list[str]:
    return [long_job(folder), *TO_ZARR]


@row("cancelled half-way (SIGTERM), OME-Zarr zip")
def _(folder: Path) -> list[str]:
    return [long_job(folder), *TO_ZARR, "--zip"]
