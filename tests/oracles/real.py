"""The real files, found by listing their folder, and what an oracle reads of each.

Bio-Formats reads what it can. `UNREAD` lists what it cannot, with the reason and the oracle that takes its place; files that none
reads fail the tests, unless this suite refuses them too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from lightmicroscopy.errors import SuiteError
from lightmicroscopy.image import Region

from ..conftest import REALFILES
from . import stores
from .bioformats import Seen, SeenSeries, look, plane_crcs
from .workshop import crcs, open_image, stores_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lightmicroscopy.image import Image

ABSENT: Final = [pytest.param(Path("absent"), marks=pytest.mark.skip(reason="the real microscope files are not part of this repository"))]
NO_IMAGES: Final = {".tsv", ".txt", ".md", ".json", ".csv", ".xml", ".zip", ""}
_HDF5: Final = {".ims", ".h5", ".hdf5", ".hdf", ".he5"}

STORES: Final = [path for folder in sorted(REALFILES.glob("*")) if folder.is_dir() for path in stores_in(folder)]
FILES: Final = sorted(
    path
    for path in REALFILES.rglob("*")
    if path.is_file() and path.suffix.lower() not in NO_IMAGES and ".zarr" not in str(path.relative_to(REALFILES))
)
EVERYTHING: Final = [*FILES, *STORES]


def each(paths: Iterable[Path]) -> list[Any]:
    """Parameters with their names; one that skips where there are none."""
    return [pytest.param(path, id=named(path)) for path in paths] or ABSENT


def named(path: Path) -> str:
    """A file's path among the real files."""
    return path.relative_to(REALFILES).as_posix()


def shown(path: Path) -> Path:
    """What Bio-Formats is given of a file: of BigDataViewer's HDF5 the XML beside it."""
    beside = path.with_suffix(".xml")
    return beside if path.suffix.lower() in _HDF5 and beside.is_file() else path


def look_at(paths: Iterable[Path]) -> dict[Path, Seen]:
    """Files as Bio-Formats sees them."""
    wanted = list(paths)
    found = look(map(shown, wanted))
    return {path.resolve(): found[shown(path).resolve()] for path in wanted}


@dataclass(frozen=True, slots=True)
class Expected:
    """One series as an oracle reads it: its shape along T C Z Y X S, type, and the planes of every level."""

    shape: tuple[int, ...]
    type: str
    levels: tuple[tuple[int, ...], ...]

    @classmethod
    def of_array(cls, array: NDArray[np.generic]) -> Expected:
        """Of an array along T C Z Y X S."""
        return cls(array.shape, array.dtype.name, (plane_crcs(array),))

    @classmethod
    def of_seen(cls, series: SeenSeries) -> Expected:
        """Of a series as Bio-Formats sees it."""
        return cls(series.shape, {"float": "float32", "double": "float64"}.get(series.type, series.type), tuple(level.crc for level in series.levels))

    @classmethod
    def of_ours(cls, image: Image) -> Expected:
        """Of a series as our reader gives it."""
        return cls(tuple(image.shape), image.dtype.name, tuple(crcs(image, level) for level in range(len(image.levels))))

    @property
    def first(self) -> tuple[Any, ...]:
        """What a copy, which has levels of its own, must keep."""
        return self.shape, self.type, self.levels[0]


# What Bio-Formats cannot read


def by_h5py(path: Path) -> list[Expected]:
    """The series of an HDF5 file by h5py: of Imaris its channels and time points without their padding, else every array of numbers."""
    import h5py

    with h5py.File(path) as file:
        return [Expected.of_array(_imaris(file))] if "DataSetInfo" in file and "DataSet" in file else _plain(file)


def _imaris(file: Any) -> NDArray[np.generic]:
    level = file["DataSet/ResolutionLevel 0"]
    times = sorted(level, key=lambda name: int(name.split()[-1]))
    first = level[f"{times[0]}/Channel 0"]
    z, y, x = (int(b"".join(first.attrs[f"ImageSize{axis}"].tolist()).rstrip(b"\0")) for axis in "ZYX")
    stacks = [[level[f"{t}/Channel {c}/Data"][:z, :y, :x] for c in range(len(level[t]))] for t in times]
    return np.asarray(stacks)[..., np.newaxis]


def _plain(file: Any) -> list[Expected]:
    found: list[Expected] = []

    def visit(_: str, item: Any) -> None:
        if getattr(item, "dtype", None) is not None and item.dtype.kind in "iuf" and item.ndim > 1:
            array = item[()].squeeze()
            # Axes that no attribute names are z, y, x.
            found.append(Expected.of_array(array.reshape((1,) * (5 - array.ndim) + array.shape)[..., np.newaxis]))

    file.visititems(visit)
    return found


@dataclass(frozen=True, slots=True)
class Unread:
    """Files that Bio-Formats does not open."""

    suffixes: frozenset[str]
    error: str
    reason: str
    oracle: Callable[[Path], list[Expected]]


UNREAD: Final = (
    Unread(frozenset(_HDF5), "superblock", "Bio-Formats 7.3 reads HDF5 up to superblock 2. The oracle is h5py.", by_h5py),
    Unread(frozenset(_HDF5), "UnknownFormatException", "Bio-Formats knows HDF5 of a few programs only. The oracle is h5py.", by_h5py),
)
"""Every reason for which Bio-Formats may refuse a file that this suite reads, by a part of its error."""


def refusal(path: Path, seen: Seen) -> Unread | None:
    """The row that explains why Bio-Formats does not open a file."""
    return next((row for row in UNREAD if seen.error and path.suffix.lower() in row.suffixes and row.error in seen.error), None)


def expected(path: Path, seen: Mapping[Path, Seen]) -> list[Expected]:
    """What the oracle of a file or store reads of it; of a store, zarr-python."""
    if path in STORES:
        root = stores.open_group(path)
        images = stores.image_paths(root)
        return [Expected.of_array(stores.to_planes(_array(root, image), stores.axes(root, image))) for image in images]
    found = seen[path.resolve()]
    if found.error is None:
        return [Expected.of_seen(series) for series in found.series]
    row = refusal(path, found)
    assert row is not None, f"Bio-Formats does not open it, for a reason that is not listed: {found.error}"
    return row.oracle(path)


def _array(root: Any, image: str) -> NDArray[np.generic]:
    return stores.by_zarr_python(root, stores.level_paths(root, image)[0])


# What Bio-Formats reads otherwise


@dataclass(frozen=True, slots=True)
class Otherwise:
    """Series whose pixels differ from Bio-Formats' on purpose, and the test by which the difference is that one and no other."""

    files: str
    reason: str
    holds: Callable[[Image, Expected, Path], bool]


def _blue_first(image: Image, other: Expected, _: Path) -> bool:
    """Whether Bio-Formats shows the samples as channels, the last first."""
    shape = image.shape
    if shape.s < 3 or other.shape != (shape.t, shape.c * shape.s, shape.z, shape.y, shape.x, 1):
        return False
    pixels = image.levels[0].pixels.read(Region.whole(shape))
    return plane_crcs(np.moveaxis(pixels[..., ::-1], -1, 2).reshape(other.shape)) == other.levels[0]


def _inverted(image: Image, other: Expected, _: Path) -> bool:
    if not image.white_is_zero or image.dtype.kind != "u" or tuple(image.shape) != other.shape:
        return False
    pixels = image.levels[0].pixels.read(Region.whole(image.shape))
    return plane_crcs(np.iinfo(image.dtype).max - pixels) == other.levels[0]


def _type_guessed(image: Image, other: Expected, _: Path) -> bool:
    pair = (image.dtype.name, other.type)
    return pair in {("uint32", "float32"), ("float16", "uint16")} and Expected.of_ours(image).levels == other.levels


def _red_first(image: Image, other: Expected, _: Path) -> bool:
    """Whether Bio-Formats has the samples the other way round."""
    pixels = image.levels[0].pixels.read(Region.whole(image.shape))
    return image.shape.s > 1 and tuple(image.shape) == other.shape and plane_crcs(pixels[..., ::-1]) == other.levels[0]


def _planes_in_other_places(image: Image, other: Expected, _: Path) -> bool:
    """Whether Bio-Formats has the same planes in another order, in an image with a folded dimension."""
    ours = Expected.of_ours(image)
    return bool(image.metadata.modulo) and ours.shape == other.shape and sorted(ours.levels[0]) == sorted(other.levels[0])


def _axes_told(image: Image, _: Expected, path: Path) -> bool:
    """Whether the array has the same values along the axes that its attributes name."""
    import h5py

    letters = image.axes.lower()
    with h5py.File(path) as file:
        array = file[image.path][()]
    if sorted(letters) != sorted(set(letters) & set("tczyxs")) or array.ndim != len(letters):
        return False
    ordered = array.transpose([letters.index(letter) for letter in "tczyxs" if letter in letters])
    return plane_crcs(ordered.reshape(image.shape)) == Expected.of_ours(image).levels[0]


OTHERWISE: Final = (
    Otherwise("*.nd2", "Bio-Formats takes the samples of a colour camera for channels, blue first (its issue 3761).", _blue_first),
    Otherwise("*.tif*", "MINISWHITE is kept raw and recorded; Bio-Formats inverts it (decision of science 7).", _inverted),
    Otherwise("*.l*f", "Bio-Formats guesses the type from the number of bytes; the file names it.", _type_guessed),
    Otherwise("*.l*f", "The file says that red lies first; Bio-Formats 7.3 always turns samples round.", _red_first),
    Otherwise("*.l*f", "Bio-Formats takes z for faster than wavelengths, whatever their distances in the file.", _planes_in_other_places),
    Otherwise("*.h*5", "Where attributes name the axes, h5py alone does not know their order.", _axes_told),
)
"""Kinds of differences of pixels. That each is really there is shown with files made for it: test_nd2, test_oracle_roundtrip, test_lif, test_hdf5."""


def decided(path: Path, image: Image, other: Expected) -> Expected:
    """What a series must be: what the oracle reads, or our own reading where the difference is one that was decided on."""
    ours = Expected.of_ours(image)
    if ours != other and any(fnmatch(path.name, row.files) and row.holds(image, other, path) for row in OTHERWISE):
        return ours
    return other


def in_store(path: Path, series: Iterable[Expected]) -> list[Expected]:
    """The series of a valid store by zarr-python, with as many samples as they are known to have."""
    stores.assert_valid(path)
    root = stores.open_group(path)
    pairs = zip(stores.image_paths(root), [one.shape[-1] for one in series], strict=True)
    return [Expected.of_array(stores.to_planes(_array(root, image), stores.axes(root, image), samples)) for image, samples in pairs]


def refused_by_all(path: Path, seen: Mapping[Path, Seen]) -> bool:
    """Whether neither Bio-Formats nor this suite reads a file."""
    found = seen.get(path.resolve())
    if found is None or found.error is None or refusal(path, found) is not None:
        return False
    with pytest.raises(SuiteError):
        open_image(path).close()
    return True
