"""Any HDF5 file: every dataset of numbers of two or more dimensions is a series, and its path its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..errors import LimitError, UnreadableError, UsageError
from ..image import Dataset, Image, ImageMetadata, Level, Location
from ..metadata.hdf5_mapping import Axes, channel_names, find_axes, find_pixel_size, misfit
from .hdf5_array import HdfArray
from .hdf5_file import HdfFile, Node, natural, printable
from .hdf5_pixels import HdfPixels

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGES: Final = 100_000
_ENTRIES: Final = 20_000
_NAMED: Final = 5


def open_plain(location: Location, file: HdfFile) -> Dataset:
    """Open an HDF5 file of no layout known.

    Raises
    ------
    UnreadableError
        If it has no dataset that is an image, or none that can be read.
    UsageError
        If axes are given that fit none of its datasets.
    """
    images: list[Image] = []
    failed: list[UnreadableError | LimitError] = []
    reason = ""
    fits = not location.axes
    for node in _datasets(file):
        if not fits and not node.closed:
            why = misfit(location.axes or "", node.shape)
            fits, reason = not why, reason or f"for {node.name} {why}"
        try:
            images.append(_image(file, node, len(images), location))
        except (UnreadableError, LimitError) as error:
            failed.append(error)
    if not images:
        raise failed[0] if failed else _nothing(file)
    if not fits:
        raise UsageError(
            f"The axes {location.axes} fit no dataset of {file.name}: {reason}. "
            "Give a letter for each dimension in its order, Z, T or C for one of planes, such as ZYX, TYX or CYX."
        )
    # What cannot be read of several costs itself only.
    left_out = [str(error) for error in failed[:_NAMED]]
    left_out += [f"{len(failed) - _NAMED} more datasets of {file.name} are not read."] if len(failed) > _NAMED else []
    return Dataset(
        location=location,
        format="HDF5",
        images=tuple(images),
        files=(location.path,),
        warnings=tuple(dict.fromkeys((*left_out, *file.damages()))),
        close_files=file.close,
    )


def _datasets(file: HdfFile) -> Iterator[Node]:
    """Datasets that may be images, and what takes their place but lies elsewhere."""
    found = [node for node in file.nodes.values() if node.closed or (node.dtype is not None and len(node.shape) > 1 and all(node.shape))]
    if len(found) > IMAGES:
        raise LimitError(f"{file.name} has {len(found):,} datasets of two or more dimensions; at most {IMAGES:,} are read. Split the file.")
    return iter(sorted(found, key=lambda node: natural(node.path)))


def _nothing(file: HdfFile) -> UnreadableError:
    others = [node for node in file.nodes.values() if node.shape and not node.group]
    seen = "; ".join(f"{node.name} of {' × '.join(map(str, node.shape))} {node.reason or node.dtype}" for node in others[:_NAMED])
    return UnreadableError(
        f"{file.name} is an HDF5 file without an image: it has no dataset of numbers of two or more dimensions"
        + (f" ({seen}{' …' if len(others) > _NAMED else ''})." if seen else ".")
        + " Check that it is the right file."
    )


def _image(file: HdfFile, node: Node, series: int, location: Location) -> Image:
    if node.closed:
        raise file.refused(node)
    array = HdfArray(file, node)
    if unknown := array.pipeline.unknown:
        raise file.unknown_filter(node, unknown)
    above = [file.nodes[path] for path in _above(node.path)]
    axes = find_axes(
        node.attributes,
        node.shape,
        asked=location.axes,
        colours=array.dtype.itemsize == 1 and array.dtype.kind == "u",
        reversed_order="MATLAB_class" in node.attributes,
    )
    size, increment, remarks = find_pixel_size([own.attributes for own in (node, *above)], axes, location.pixel_size)
    pixels = HdfPixels([[array]], axes.letters)
    metadata = ImageMetadata(
        pixel_size_x=size.x,
        pixel_size_y=size.y,
        pixel_size_z=size.z if pixels.shape.z > 1 else None,
        time_increment_s=increment if pixels.shape.t > 1 else None,
        channels=channel_names(node.attributes, pixels.shape.c),
        modulo=axes.modulo,
        original=_original(node, above),
    )
    return Image(
        name=node.name,
        series=series,
        levels=(Level(pixels),),
        axes=axes.declared,
        kind="rgb" if pixels.shape.s in {3, 4} else "intensity",
        fill_value=array.fill.item(),
        metadata=metadata,
        compression=array.pipeline.name,
        lossy=array.lossy,
        path=node.path,
        warnings=(*axes.warnings, *remarks, *_palette(node, axes)),
    )


def _palette(node: Node, axes: Axes) -> tuple[str, ...]:
    if node.attributes.get("IMAGE_SUBCLASS") == "IMAGE_INDEXED" and len(axes.letters) > 1:
        return ("Its pixels are numbers of colours in a palette, which is not read; the numbers are kept.",)
    return ()


def _above(path: str) -> Iterator[str]:
    """Groups that a dataset is in, the nearest first."""
    while path != "/":
        path = path.rpartition("/")[0] or "/"
        yield path


def _original(node: Node, above: list[Node]) -> tuple[tuple[str, str], ...]:
    """Attributes of a dataset and of the groups it is in, the outermost first."""
    pairs = []
    for own in (*reversed(above), node):
        pairs += [(f"{own.name} {printable(key)}", text) for key, value in own.attributes.items() if (text := _shown(value))]
    return tuple(pairs[-_ENTRIES:])


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(_shown(item) for item in value)
    return printable(str(value)).strip()
