"""What an image knows of itself, as the texts of a sheet's cells. What it does not know stays empty."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ...inspection import instrument, made_by, objective, objective_used
from ...reports.tables import cell
from ..ngff_units import micrometres
from .fields import join, split_term, suggestions
from .sheet import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...image import Channel, Dataset, Image, Quantity

LONGEST: Final = 4000
"""Characters taken of a description that the file has."""
_LARGEST: Final = 1e12
"""Above what a microscope can measure, in any of the units of a sheet."""
_PARTS: Final = 12
_SAMPLE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "organism": "organism",
        "characteristics [organism]": "organism",
        "cell line": "cell_line",
        "characteristics [cell line]": "cell_line",
    }
)
"""Keys by which the IDR's annotations, and those of others after it, tell of the sample."""
_METHODS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "BrightField": "bright-field microscopy (FBbi:00000243)",
        "Brightfield": "bright-field microscopy (FBbi:00000243)",
        "Darkfield": "dark-field microscopy (FBbi:00000244)",
        "DIC": "differential interference contrast microscopy (FBbi:00000245)",
        "Fluorescence": "fluorescence microscopy (FBbi:00000246)",
        "Phase": "phase contrast microscopy (FBbi:00000247)",
        "PolarizedLight": "polarization microscopy (FBbi:00000248)",
        "LaserScanningConfocalMicroscopy": "confocal microscopy (FBbi:00000251)",
        "SpinningDiskConfocal": "spinning disk confocal microscopy (FBbi:00000253)",
        "SlitScanConfocal": "slit-scan confocal microscopy (FBbi:00000392)",
        "MultiPhotonMicroscopy": "multi-photon microscopy (FBbi:00000255)",
        "StructuredIllumination": "structured illumination microscopy (SIM) (FBbi:00000332)",
        "STED": "stimulated emission depletion (STED) (FBbi:00000334)",
        "PALM": "PALM (photoactivation localization microscopy) (FBbi:00000335)",
        "STORM": "STORM (stochastic optical reconstruction microscopy) (FBbi:00000336)",
        "SPIM": "SPIM (FBbi:00000369)",
    }
)
"""OME's acquisition modes and contrast methods that FBbi has a term for. Source: FBbi, https://github.com/foundingGIDE/fbbi, CC BY 4.0."""


@dataclass(frozen=True, slots=True)
class Known:
    """What one way of imaging is known to be; images for which it is equal were taken alike."""

    imaging_method: str = ""
    instrument: str = ""
    parameters: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """What an image's annotations tell of its sample."""

    organism: str = ""
    cell_line: str = ""


def sample_values(image: Image) -> Sample:
    """Texts of the row that says what an image shows, from its key-value pairs. What is told in two ways stays open."""
    told: dict[str, set[str]] = {"organism": set(), "cell_line": set()}
    for annotation in image.metadata.annotations:
        for key, value in annotation.pairs:
            name = _SAMPLE.get(key.strip().casefold())
            if name and value.strip():
                told[name].add(" ".join(value.split()))
    organism, cell_line = (next(iter(values)) if len(values) == 1 else "" for values in told.values())
    known = {split_term(term)[0]: term for term in suggestions("biosample", "organism")}
    return Sample(clean(known.get(organism, organism)), clean(cell_line))


def image_values(name: str, dataset: Dataset, image: Image) -> dict[str, str]:
    """Texts of an image's row by field.

    Parameters
    ----------
    name
        The element identifier: what the inspect table calls the input.
    """
    metadata, shape = image.metadata, image.shape
    lens = objective_used(image)
    channels = metadata.channels
    size_z = _micrometres(metadata.pixel_size_z)
    texts = {
        "image": name,
        "series": str(image.series),
        "image_name": image.name,
        "channel_names": _of_each(channel.name for channel in channels),
        "channel_contents": _of_each(channel.fluor for channel in channels),
        "excitation_nm": _of_each(_measured(channel.excitation_nm) for channel in channels),
        "emission_nm": _of_each(_measured(channel.emission_nm) for channel in channels),
        "pixel_size_x_um": _measured(_micrometres(metadata.pixel_size_x)),
        "pixel_size_y_um": _measured(_micrometres(metadata.pixel_size_y)),
        # A stack taken downwards has a negative step, and the same distance between its planes.
        "pixel_size_z_um": _measured(abs(size_z)) if size_z is not None else "",
        "time_increment_s": _measured(metadata.time_increment_s),
        "objective_model": made_by(lens.manufacturer, lens.model) if lens else "",
        "objective_magnification": _measured(lens.magnification) if lens else "",
        "objective_na": _measured(lens.numerical_aperture) if lens else "",
        "objective_immersion": (lens.immersion if lens else "") or metadata.immersion_medium or "",
        "acquisition_date": metadata.acquisition_date or "",
        "description": metadata.description or "",
        "type": "label image" if image.kind == "label" else "",
        "format_compression": f"{dataset.format}, {_compression(image)}",
        "dimension_extents": ", ".join(f"{axis} {getattr(shape, axis.lower())}" for axis in "XYZCT")
        + (f", {shape.s} colour samples" if shape.s > 1 else ""),
        "size_description": _size(image),
    }
    # What is too long for a cell is left to the image: cut, it would be written back so by lm_annotate.
    return {name: clean(text) for name, text in texts.items() if text and (name == "image" or len(text) <= LONGEST)}


def acquisition_values(image: Image) -> Known:
    """Texts of the row that says how an image was taken."""
    metadata = image.metadata
    methods = dict.fromkeys(
        _METHODS[word] for channel in metadata.channels for word in (channel.acquisition_mode, channel.contrast_method) if word and word in _METHODS
    )
    numbered = [(number, channel) for number, channel in enumerate(metadata.channels)]
    lines = (_channel(image, number, channel) for number, channel in numbered)
    return Known(clean(join(methods)), clean(_instrument(image)), clean("\n".join(line for line in lines if line)[:LONGEST]))


def _compression(image: Image) -> str:
    return f"{image.compression}, {'lossy' if image.lossy else 'lossless'}" if image.compression else "lossy" if image.lossy else "uncompressed"


def _measured(value: float | None) -> str:
    """Write a number that is above 0: files have a 0 where nothing was measured."""
    return cell(value) if value is not None and 0 < value < _LARGEST else ""


def _of_each(values: Iterable[str | None]) -> str:
    found = [value or "" for value in values]
    return join(found) if any(found) else ""


def _micrometres(size: Quantity | None) -> float | None:
    return None if size is None else micrometres(size)


def _size(image: Image) -> str:
    """Extents times pixel size, as far as both are known."""
    shape, metadata = image.shape, image.metadata
    sizes = [(metadata.pixel_size_x, shape.x), (metadata.pixel_size_y, shape.y), *([(metadata.pixel_size_z, shape.z)] if shape.z > 1 else [])]
    lengths = [None if (step := _micrometres(size)) is None else abs(step) * count for size, count in sizes]
    told = [*([" × ".join("?" if length is None else _rounded(length, 4) for length in lengths) + " µm"] if any(lengths) else [])]
    if shape.t > 1 and metadata.time_increment_s:
        told.append(f"{_rounded(metadata.time_increment_s * (shape.t - 1), 4)} s from the first to the last time")
    return ", ".join(told)


def _instrument(image: Image) -> str:
    known = image.metadata.instrument
    lens = objective(image)
    kind = known.microscope_type if known and known.microscope_type not in (None, "Other", "Unknown") else ""
    told = [" ".join(word for word in (instrument(image), f"({kind.lower()})" if kind else "") if word), f"objective {lens}" if lens else ""]
    for name, parts in (("detector", known.detectors), ("light source", known.light_sources)) if known else ():
        for part in parts[:_PARTS]:
            wavelength = getattr(part, "wavelength_nm", None)
            words = (made_by(part.manufacturer, part.model) or part.type, f"{wavelength:g} nm" if wavelength else "")
            said = " ".join(word for word in words if word)
            if said:
                told.append(f"{name} {said}")
    return "; ".join(dict.fromkeys(word for word in told if word))


def _rounded(value: float, digits: int) -> str:
    """Write a number with so many digits that count, as people do: 1000, not 1e+03."""
    return f"{float(f'{value:.{digits}g}'):.12g}"


def _channel(image: Image, number: int, channel: Channel) -> str:
    """Say how a channel was taken, with exposures rounded, so that those of images taken alike are equal."""
    exposures = [plane.exposure_s for plane in image.metadata.planes if plane.c == number and plane.exposure_s]
    shortest, longest = (_rounded(1000 * limit(exposures), 3) if exposures else "" for limit in (min, max))
    facts = (
        f"excitation {channel.excitation_nm:g} nm" if channel.excitation_nm else "",
        f"emission {channel.emission_nm:g} nm" if channel.emission_nm else "",
        f"exposure {shortest}{f' to {longest}' if longest != shortest else ''} ms" if exposures else "",
        f"pinhole {_rounded(channel.pinhole.value, 3)} {channel.pinhole.unit}" if channel.pinhole else "",
        f"binning {channel.detector_binning}" if channel.detector_binning else "",
        f"gain {_rounded(channel.detector_gain, 4)}" if channel.detector_gain else "",
        channel.acquisition_mode or "",
        channel.contrast_method or "",
    )
    told = ", ".join(dict.fromkeys(fact for fact in facts if fact))
    return f"{channel.name or f'channel {number}'}: {told}" if told else ""
