"""The HTML page of an inspection: a picture and the facts of each of the first series, and a list of them all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..inspection import OWN, dimension, image_warnings, instrument, is_alone, kept_metadata, made_by, objective, rows
from ..metadata.ngff_units import micrometres
from ..progress import size
from ..provenance import now
from .page import render, title
from .preview import LIMIT
from .tables import write_text
from .thumbnail import WHITE, picture_in_page
from .words import plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..image import Channel, Image, Modulo, Plate, Quantity
    from ..inspection import Input, Original

DETAILED = 60
"""Series with a picture and all facts."""
LISTED = 2000
"""Series in the list; the table holds all."""
PICTURE = 240
CHANNELS_SHOWN = 40
PAIRS_SHOWN = 60
FILES_SHOWN = 8
NAMED = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One series, or one unreadable input, in the list."""

    anchor: str
    input: str
    series: str
    name: str
    size: str
    dtype: str
    pixel_size: str
    channels: str
    warnings: int
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One series as the page shows it in detail."""

    title: str
    alt: str
    picture: str
    remark: str
    facts: tuple[tuple[str, str], ...]
    channel_columns: tuple[str, ...]
    channels: tuple[tuple[str, ...], ...]
    more_channels: int
    parts: tuple[tuple[str, str], ...]
    pairs: tuple[tuple[str, str], ...]
    more_pairs: int
    warnings: tuple[str, ...]


@dataclass
class Section:
    """One input as the page shows it."""

    anchor: str
    name: str
    format: str
    bytes: int | None
    series: int
    warnings: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    checksum: str = ""
    shown: list[Shown] = field(default_factory=list)


@dataclass
class Page:
    """Collects what the page will show, as much as it can hold."""

    parameters: Sequence[tuple[str, str]] = ()
    original: Original = "keep"
    counts: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    names: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)

    def add(self, item: Input, checksum: str = "", extra: tuple[str, ...] = ()) -> None:
        """Look at an input while it is open."""
        if item.part_of:
            return
        self.counts["inputs"] += 1
        images = item.dataset.images if item.dataset else ()
        self.counts["series"] += len(images)
        self.counts["unreadable"] += not images
        if item.dataset and images:
            self.formats[item.dataset.format] += 1
        detailed = self.counts["detailed"] < DETAILED and images
        anchor = f"input-{self.counts['inputs']}" if detailed else ""
        if len(self.names) < NAMED:
            self.names.append(item.name)
        for row, image in zip(rows(item), images or (None,), strict=True):
            self.counts["warned"] += bool(row["warnings"]) and bool(images)
            if len(self.lines) < LISTED:
                self.lines.append(_line(anchor, row, image))
        if detailed:
            self.sections.append(self._section(anchor, item, checksum, extra))

    def _section(self, anchor: str, item: Input, checksum: str, extra: tuple[str, ...]) -> Section:
        dataset = item.dataset
        images = dataset.images if dataset else ()
        facts = [(f"Plate {plate.name}".strip(), _plate(plate)) for plate in (dataset.plates if dataset else ())]
        files = [file.name for file in dataset.files] if dataset else []
        if len(files) > 1:
            facts.append(("Files", f"{len(files)}: {', '.join(files[:FILES_SHOWN])}{' …' if len(files) > FILES_SHOWN else ''}"))
        warnings = (*item.warnings, *extra)
        section = Section(anchor, item.name, dataset.format if dataset else "", item.bytes, len(images), warnings, tuple(facts), checksum)
        for image in (*images, *(dataset.labels if dataset else ())):
            if self.counts["detailed"] >= DETAILED:
                break
            self.counts["detailed"] += 1
            section.shown.append(_shown(item.name, image, self.original))
        return section

    def write(self, path: Path) -> None:
        """Write the page.

        Raises
        ------
        UnwritableError
            If it cannot be written.
        """
        values = {
            "page": self,
            "verdict": self.verdict(),
            "title": title(self.names, self.counts["inputs"]),
            "sheet": LIMIT,
            "counts": self.counts,
            "formats": sorted(self.formats.items()),
            "hidden": self.counts["series"] + self.counts["unreadable"] - len(self.lines),
            "date": now(),
            "parameters": self.parameters,
            "size": size,
        }
        write_text(path, render("inspection.html", values))

    def verdict(self) -> str:
        """One sentence for the top of the page."""
        readable = self.counts["inputs"] - self.counts["unreadable"]
        if not readable:
            return "None of the inputs can be read." if self.counts["inputs"] > 1 else "The input cannot be read."
        found = f"{plural(self.counts['series'], 'series')} in {plural(readable, 'input')}"
        bad = self.counts["unreadable"]
        return f"{found}; {bad} more cannot be read." if bad else f"{found}."


def _line(anchor: str, row: dict[str, Any], image: Image | None) -> Line:
    warnings = tuple(row["warnings"] or ())
    if image is None:
        return Line("", row["input"], "", "", "", "", "", "", 0, "; ".join(warnings))
    held = {
        modulo.along.lower(): _named(modulo) + ("" if is_alone(image, modulo) else f" and {OWN[modulo.along]}") for modulo in image.metadata.modulo
    }
    axes = "".join(
        f" · {axis.upper()}\u00a0{row[f'size_{axis}']}{f' ({held[axis]})' if axis in held else ''}" for axis in "zct" if row[f"size_{axis}"] > 1
    )
    sizes = [row[f"pixel_size_{axis}_um"] for axis in ("xyz" if row["size_z"] > 1 else "xy")]
    known = any(value is not None for value in sizes)
    names = [name or "(no name)" for name in row["channels"] or ()]
    return Line(
        anchor=anchor,
        input=row["input"],
        series=str(row["series"]),
        name=row["series_name"],
        size=f"{row['size_x']} × {row['size_y']}{axes}",
        dtype=row["dtype"] if row["kind"] == "intensity" else f"{row['kind']} {row['dtype']}",
        pixel_size=" × ".join("?" if value is None else f"{abs(value):.4g}" for value in sizes) + " µm" if known else "unknown",
        channels=", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "") or "unnamed",
        warnings=len(warnings),
    )


def _named(modulo: Modulo) -> str:
    return dimension(modulo).partition(",")[0]


def _shown(input_name: str, image: Image, original: Original) -> Shown:
    picture, remark = picture_in_page(image, PICTURE)
    columns, table = _channels(image)
    kept, annotations = kept_metadata(image, original)
    pairs = [*(pair for annotation in annotations for pair in annotation.pairs), *kept]
    called = (
        f"Label map {image.name}"
        if image.label_of is not None
        else f"Series {image.series}: {image.name}"
        if image.name
        else f"Series {image.series}"
    )
    return Shown(
        title=called,
        alt=f"{input_name}, {called}: {'; '.join(('middle z plane, first time', *([remark] if remark else [])))}",
        picture=picture,
        remark=remark,
        facts=tuple((name, value) for name, value in _facts(image) if value),
        channel_columns=columns,
        channels=table[:CHANNELS_SHOWN],
        more_channels=len(table) - CHANNELS_SHOWN,
        parts=tuple(_parts(image)),
        pairs=tuple(pairs[:PAIRS_SHOWN]),
        more_pairs=len(pairs) - PAIRS_SHOWN,
        warnings=image_warnings(image),
    )


def _facts(image: Image) -> list[tuple[str, str]]:
    shape, metadata = image.shape, image.metadata
    sizes = (metadata.pixel_size_x, metadata.pixel_size_y)
    alone: dict[str, str] = {modulo.along: f"of {_named(modulo)}" for modulo in metadata.modulo if is_alone(image, modulo)}
    counted = (
        (alone.get(axis, name), size) for axis, name, size in (("Z", "z planes", shape.z), ("C", "channels", shape.c), ("T", "times", shape.t))
    )
    axes = (*counted, ("colour samples", shape.s))
    bits = f", {image.significant_bits} significant bits" if image.significant_bits not in (None, image.dtype.itemsize * 8) else ""
    levels = [f"{level.pixels.shape.x} × {level.pixels.shape.y}" for level in image.levels]
    return [
        ("Size", f"{shape.x} × {shape.y} pixels" + "".join(f", {size} {name}" for name, size in axes if size > 1)),
        ("Pixel size", " × ".join(_length(size) or "?" for size in sizes) if any(sizes) else "unknown"),
        ("Field of view", _extent(image)),
        ("z step", (z_step(metadata.pixel_size_z) or "unknown") if shape.z > 1 else ""),
        ("Time step", f"{metadata.time_increment_s:.4g} s" if metadata.time_increment_s is not None else ""),
        ("Pixel type", f"{'' if image.kind == 'intensity' else image.kind + ', '}{image.dtype}{bits}"),
        ("Stored", f"{image.compression or 'uncompressed'}{', lossy' if image.lossy else ''}"),
        ("Resolutions", ", ".join(levels[:8]) if len(levels) > 1 else ""),
        ("Acquired", (metadata.acquisition_date or "").replace("T", " ")),
        ("Objective", objective(image)),
        ("Microscope", instrument(image)),
        ("Immersion medium", metadata.immersion_medium or ""),
        ("Folded dimensions", "; ".join(f"{modulo.along}: {dimension(modulo)}" for modulo in metadata.modulo)),
        ("Stage position", _position(image)),
        ("Mosaic", f"{len(metadata.tiles)} tiles" if metadata.tiles else ""),
        ("Regions drawn", str(len(metadata.rois) or "")),
        ("Description", (metadata.description or "")[:600]),
    ]


def _extent(image: Image) -> str:
    shape, metadata = image.shape, image.metadata
    lengths = [
        None if size is None or (length := micrometres(size)) is None else length * count
        for size, count in ((metadata.pixel_size_x, shape.x), (metadata.pixel_size_y, shape.y))
    ]
    return " × ".join(f"{length:.4g}" for length in lengths if length is not None) + " µm" if None not in lengths else ""


def z_step(size: Quantity | None) -> str:
    """Write the distance between planes; a stack taken downwards has a negative one."""
    return "" if size is None else f"{abs(size.value):.4g} {size.unit}{', downwards' if size.value < 0 else ''}"


def _length(size: Quantity | None) -> str:
    return "" if size is None else f"{size.value:.4g} {size.unit}"


def _position(image: Image) -> str:
    """Where the stage stood for the first plane: it tells series of one name apart."""
    first = next(iter(image.metadata.planes), None)
    places = (("x", first.position_x), ("y", first.position_y)) if first else ()
    return ", ".join(f"{axis} {place.value:.7g} {place.unit}" for axis, place in places if place is not None)


def _channels(image: Image) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Columns that have a value in some channel, and the channels' rows."""
    table = [_channel(image, number, channel) for number, channel in enumerate(image.metadata.channels)]
    columns = tuple(name for name in (table[0] if table else ()) if any(row[name] for row in table))
    return columns, tuple(tuple(row[name] for name in columns) for row in table)


def _channel(image: Image, number: int, channel: Channel) -> dict[str, str]:
    known = image.metadata.instrument
    detector = next((part for part in (known.detectors if known else ()) if part.id == channel.detector_id), None)
    source = next((part for part in (known.light_sources if known else ()) if part.id == channel.light_source_id), None)
    exposures = {plane.exposure_s for plane in image.metadata.planes if plane.c == number and plane.exposure_s is not None}
    own = channel.color is not None and channel.color != WHITE and not channel.color_invented
    color = f"#{((channel.color or 0) & 0xFFFFFFFF) >> 8:06x}" if own else ""
    return {
        "No.": str(number),
        "Name": channel.name or "",
        "Colour": color,
        "Fluorophore": channel.fluor or "",
        "Excitation": f"{channel.excitation_nm:g} nm" if channel.excitation_nm else "",
        "Emission": f"{channel.emission_nm:g} nm" if channel.emission_nm else "",
        "Contrast": channel.contrast_method or "",
        "Mode": channel.acquisition_mode or "",
        "Exposure": f"{min(exposures) * 1000:.4g} ms" + (f" to {max(exposures) * 1000:.4g} ms" if len(exposures) > 1 else "") if exposures else "",
        "Pinhole": _length(channel.pinhole),
        "Detector": made_by(detector.manufacturer, detector.model or detector.type) if detector else "",
        "Light source": made_by(source.manufacturer, source.model or source.kind) if source else "",
    }


def _parts(image: Image) -> list[tuple[str, str]]:
    known = image.metadata.instrument
    if known is None:
        return []
    found = []
    for name, parts in (("Detector", known.detectors), ("Light source", known.light_sources), ("Filter", known.filters)):
        for part in parts[:12]:
            named = made_by(part.manufacturer, part.model)
            words = [named, *(getattr(part, key, None) for key in ("type", "medium"))]
            wavelength = getattr(part, "wavelength_nm", None)
            told = " ".join(str(word) for word in words if word) + (f" {wavelength:g} nm" if wavelength else "")
            if told.strip():
                found.append((name, told.strip()))
    return found


def _plate(plate: Plate) -> str:
    fields = sum(len(well.fields) for well in plate.wells)
    runs = f", {plural(len(plate.acquisitions), 'acquisition')}" if plate.acquisitions else ""
    return f"{plate.rows} × {plate.columns} wells, {plural(len(plate.wells), 'well')} and {plural(fields, 'field')} imaged{runs}"
