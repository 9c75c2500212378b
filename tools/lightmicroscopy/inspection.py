"""What is in these files? Every series of every input, one input at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Literal

from . import readers
from .errors import SuiteError, why_unreadable
from .inputs import Address, Given, bytes_of, location_of, names_of
from .metadata.ngff_units import micrometres
from .metadata.ome_private import scrub_map, scrub_pairs
from .metadata.sources import changed, preview, unsaid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .image import Dataset, Image, MapAnnotation, Modulo, Objective, Quantity

Original = Literal["keep", "scrub", "drop"]
UNEXPECTED = (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, ArithmeticError, MemoryError, RecursionError, AssertionError)
"""What a reader should have turned into a sentence; the other inputs are still inspected."""
OWN = {"C": "channels", "Z": "depth", "T": "time"}
"""What the axes hold that can hold something else beside it."""
_DIMENSIONS = {"lambda": "wavelength", "angle": "angle", "phase": "phase", "lifetime": "lifetime", "tile": "tile", "other": "another dimension"}
_LONGEST = 80
"""Characters of a name shown."""


@dataclass(frozen=True)
class Input:
    """One input, open or unreadable.

    Attributes
    ----------
    name
        The last part of its path, or the whole path where two would be called the same.
    part_of
        Name of the input that this file belongs to as part of a set, and was inspected with.
    """

    name: str
    path: Given
    bytes: int | None
    dataset: Dataset | None = None
    unreadable: str = ""
    part_of: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the input as a whole."""
        if self.dataset is None:
            return (self.unreadable,) if self.unreadable else ()
        # Where metadata were there and could not be used, the reader has said so already.
        said = (None if self.dataset.warnings else unsaid(self.dataset.format), preview(self.dataset))
        return (*self.dataset.warnings, *(sentence for sentence in said if sentence))


def inspect(paths: Sequence[Given], **known: Any) -> Iterator[Input]:
    """Open inputs one after another, sorted by name.

    Parameters
    ----------
    paths
        Files, folders, zips or stores on the web. All of them together are where the members of multi-file sets are looked for.
    known
        What `Location` is told of how to read them: ``mosaic``, ``axes``, ``pixel_size``.

    Yields
    ------
    Each input. Its dataset is closed when the next is asked for. One that cannot be read says why.
    """
    given = tuple(dict.fromkeys(paths))
    members: dict[Given, str] = {}
    for name, path in sorted(zip(names_of(given), given, strict=True), key=lambda pair: pair[0]):
        if path in members:
            yield Input(name, path, bytes_of(path), part_of=members[path])
            continue
        try:
            dataset = readers.open(location_of(path, given, **known))
        except (SuiteError, *UNEXPECTED) as error:
            yield Input(name, path, bytes_of(path), unreadable=why_unreadable(name, error))
            continue
        with dataset:
            members.update((file, name) for file in dataset.files if file != path)
            size = sum(bytes_of(file) or 0 for file in dataset.files) if len(dataset.files) > 1 else bytes_of(path)
            yield Input(name, path, size, dataset)


def other_names(dataset: Dataset) -> tuple[str, ...]:
    """Names of the other files of a set of OME-TIFF. Opening any of them opens the whole set, with the same series."""
    if dataset.format != "OME-TIFF":
        return ()
    return tuple(file.name for file in dataset.files if file != dataset.location.path)


def titles(name: str, images: Sequence[Image]) -> list[str]:
    """Name each series of an input for a picture of it: with its index where names are lacking or not different."""
    known = Counter(image.name for image in images)
    if len(images) == 1:
        return [name]
    return [
        f"{name}: {image.name}" if image.name and known[image.name] == 1 else f"{name}: series {image.series}{f' {image.name}' if image.name else ''}"
        for image in images
    ]


def rows(item: Input) -> Iterator[dict[str, object]]:
    """Rows of the inspect table: one for each series, or one that says why there is none."""
    if item.part_of:
        return
    if item.dataset is None or not item.dataset.images:
        warnings = item.warnings or (f"{item.name} holds no image.",)
        yield {"input": item.name, "format": item.dataset.format if item.dataset else "", "bytes": item.bytes, "warnings": warnings}
        return
    for number, image in enumerate(item.dataset.images):
        yield _row(item, item.dataset, image, item.warnings if number == 0 else ())


def _row(item: Input, dataset: Dataset, image: Image, warnings: tuple[str, ...]) -> dict[str, object]:
    shape, metadata = image.shape, image.metadata
    names = [channel.name or "" for channel in metadata.channels]
    return {
        "input": item.name,
        "series": image.series,
        "series_name": image.name,
        "kind": image.kind,
        "axes": image.axes,
        "size_x": shape.x,
        "size_y": shape.y,
        "size_z": shape.z,
        "size_c": shape.c,
        "size_t": shape.t,
        "dtype": str(image.dtype),
        "significant_bits": image.significant_bits,
        "levels": len(image.levels),
        "pixel_size_x_um": _micrometres(metadata.pixel_size_x),
        "pixel_size_y_um": _micrometres(metadata.pixel_size_y),
        "pixel_size_z_um": _micrometres(metadata.pixel_size_z),
        "time_increment_s": metadata.time_increment_s,
        "channels": names if any(names) else None,
        "acquisition_date": metadata.acquisition_date,
        "objective": objective(image),
        "instrument": instrument(image),
        "format": dataset.format,
        "compression": image.compression,
        "lossy": image.lossy,
        "bytes": item.bytes,
        "warnings": (*warnings, *image_warnings(image)),
    }


def image_warnings(image: Image) -> tuple[str, ...]:
    """What is to be said of one series."""
    lost = changed(image)
    return (*folded(image), *image.warnings, *((lost,) if lost else ()))


def folded(image: Image) -> tuple[str, ...]:
    """Say of each dimension that C, Z or T holds beside or instead of its own, so that nobody takes it for channels, depth or time."""
    sentences = []
    for modulo in image.metadata.modulo:
        if any(f"folded into {modulo.along}" in told and (modulo.description or modulo.type) in told for told in image.warnings):
            continue
        beside = f"is not {OWN[modulo.along]} here but" if is_alone(image, modulo) else f"holds {OWN[modulo.along]} and, within it,"
        sentences.append(f"{modulo.along} {beside} {dimension(modulo)}.")
    return tuple(sentences)


def is_alone(image: Image, modulo: Modulo) -> bool:
    """Whether a folded dimension has its axis to itself."""
    return modulo.depth in (None, getattr(image.shape, modulo.along.lower()))


def dimension(modulo: Modulo) -> str:
    """Name a folded dimension: ``emission wavelength, 550 to 740 nm in steps of 10``."""
    called = modulo.description if modulo.description and modulo.type in ("lambda", "other") else _DIMENSIONS.get(modulo.type, modulo.type)
    name = " ".join(called.split())[:_LONGEST]
    if modulo.labels or modulo.start is None or modulo.end is None or not modulo.unit:
        return f"{name} ({modulo.depth} steps)" if modulo.depth else name
    steps = f" in steps of {modulo.step:g}" if modulo.step else ""
    return f"{name}, {modulo.start:g} to {modulo.end:g} {modulo.unit}{steps}"


def objective_used(image: Image) -> Objective | None:
    """Objective that was used, where the metadata say which of several, or there is only one."""
    metadata = image.metadata
    known = metadata.instrument.objectives if metadata.instrument else ()
    return next((lens for lens in known if lens.id == metadata.objective_id), known[0] if len(known) == 1 else None)


def objective(image: Image) -> str:
    """Name the objective that was used: ``Plan-Apochromat 63x/1.4 Oil (63×, NA 1.4, Oil)``; empty if it is not known."""
    used = objective_used(image)
    return "" if used is None else _lens(used)


def _lens(lens: Objective) -> str:
    name = made_by(lens.manufacturer, lens.model)
    facts = [
        *([f"{lens.magnification:g}×"] if lens.magnification else []),
        *([f"NA {lens.numerical_aperture:g}"] if lens.numerical_aperture else []),
        *([lens.immersion] if lens.immersion else []),
    ]
    numbers = ", ".join(facts)
    return f"{name} ({numbers})" if name and numbers else name or numbers


def instrument(image: Image) -> str:
    """Name the microscope; empty if it is not known."""
    known = image.metadata.instrument
    return "" if known is None else made_by(known.microscope_manufacturer, known.microscope_model)


def made_by(maker: str | None, model: str | None) -> str:
    """Join maker and model: the maker once, where the model begins with it already, and single spaces."""
    first, second = (" ".join((text or "").split()) for text in (maker, model))
    return second if f"{second} ".casefold().startswith(f"{first} ".casefold()) else f"{first} {second}".strip()


def document(item: Input, original: Original = "keep") -> dict[str, Any]:
    """Return everything that is known of an input as JSON-able data.

    Parameters
    ----------
    original
        What becomes of the source's own metadata, and with ``scrub`` of personal data in annotations.
    """
    dataset = item.dataset
    found: dict[str, Any] = {"name": item.name, "bytes": item.bytes} | ({"url": item.path.url} if isinstance(item.path, Address) else {})
    if item.part_of:
        return found | {"part_of": item.part_of}
    if dataset is None:
        return found | {"unreadable": item.unreadable}
    return found | {
        "format": dataset.format,
        "files": [file.name for file in dataset.files],
        "warnings": list(item.warnings),
        "series": [_series(image, original) for image in dataset.images],
        "label_maps": [_series(image, original) for image in dataset.labels],
        "plates": [_plain(plate) for plate in dataset.plates],
        "tables": [{"name": table.name, "columns": list(table.columns)} for table in dataset.tables],
    }


def kept_metadata(image: Image, original: Original) -> tuple[tuple[tuple[str, str], ...], tuple[MapAnnotation, ...]]:
    """Return the source's own metadata and the annotations of a series, as far as they are to be shown."""
    kept, annotations = image.metadata.original, image.metadata.annotations
    if original == "scrub":
        return scrub_pairs(kept), tuple(map(scrub_map, annotations))
    return () if original == "drop" else kept, annotations


def _series(image: Image, original: Original) -> dict[str, Any]:
    metadata = _plain(image.metadata, without=("element", "original", "annotations"))
    kept, annotations = kept_metadata(image, original)
    return {
        "series": image.series,
        "name": image.name,
        "kind": image.kind,
        "axes": image.axes,
        "shape": image.shape._asdict(),
        "dtype": str(image.dtype),
        "significant_bits": image.significant_bits,
        "fill_value": _plain(image.fill_value),
        "levels": [
            {"shape": level.pixels.shape._asdict(), "factor_zyx": list(level.factor), "unit": level.pixels.unit._asdict()} for level in image.levels
        ],
        "compression": image.compression,
        "lossy": image.lossy,
        "white_is_zero": image.white_is_zero,
        "label_of": image.label_of,
        "path": image.path,
        "objective": objective(image),
        "instrument": instrument(image),
        "warnings": list(image_warnings(image)),
        "metadata": metadata | {"annotations": [_plain(annotation) for annotation in annotations], "original": [list(pair) for pair in kept]},
    }


def _plain(value: Any, *, without: Sequence[str] = ()) -> Any:
    """Turn our own types into dictionaries, lists, texts and numbers; what JSON has no number for becomes text."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value) if field.name not in without}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, dict) or hasattr(value, "items"):
        return _plain_mapping(value)
    if isinstance(value, float) and not abs(value) < float("inf"):
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _plain_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): _plain(part) for key, part in value.items()}


def _micrometres(size: Quantity | None) -> float | None:
    return None if size is None else micrometres(size)
