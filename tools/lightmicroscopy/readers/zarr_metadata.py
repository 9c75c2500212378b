"""Metadata of one OME-Zarr image: out of its NGFF attributes, and joined with its OME-XML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ..image import Channel, Image, ImageMetadata, Level, Modulo, Quantity
from ..metadata.ngff_axes import AxisInfo, folded_letter
from ..metadata.ngff_read import Multiscale, read_channels
from ..metadata.ngff_units import ome_length, seconds
from .zarr_source import AXES, ZarrPixels

if TYPE_CHECKING:
    from ..metadata.ome_read import OmeImage

_WHITE = -1
_UNIT: Final = 40
"""Most letters kept of the unit of an axis OME does not have."""
_LARGEST: Final = 1e6
"""Most that a level's pixels may plausibly exceed those of level 0 along an axis."""


def usable_levels(sources: Sequence[ZarrPixels], multiscale: Multiscale) -> tuple[tuple[Level, ...], list[str]]:
    """Levels that are one image at several resolutions, and warnings.

    A level that is not (other channels, time points or type, or larger than the one before) ends the pyramid: those after
    it were made from it.

    Parameters
    ----------
    sources
        Pixels of the levels of `multiscale`, in its order.
    """
    levels: list[Level] = []
    warnings: list[str] = []
    for position, pixels in enumerate(sources):
        fault = _fault(pixels, sources[0], levels)
        if fault:
            rest = f" and the {len(sources) - position - 1} after it are" if position + 1 < len(sources) else " is"
            warnings.append(f"Its resolution level {multiscale.levels[position].path} {fault}; it{rest} left out.")
            break
        factor, disagreement = _factor(position, sources, multiscale)
        warnings += disagreement
        levels.append(Level(pixels, factor))
    return tuple(levels), warnings


def _fault(pixels: ZarrPixels, first: ZarrPixels, before: Sequence[Level]) -> str | None:
    if not before:
        return None
    last, own = before[-1].pixels.shape, pixels.shape
    if (own.t, own.c) != (first.shape.t, first.shape.c):
        return f"has {own.t} time points and {own.c} channels, where the largest has {first.shape.t} and {first.shape.c}"
    if pixels.dtype != first.dtype:
        return f"has pixels of the type {pixels.dtype}, where those of the largest are {first.dtype}"
    if pixels.folded != first.folded or ("z" in pixels.folded and own.z != first.shape.z):
        return "has another size than the largest along an axis that OME does not have, or along the z it is folded into"
    if any(ours > theirs for ours, theirs in zip(own[2:5], last[2:5], strict=True)):
        sizes = " × ".join(map(str, own[2:5]))
        return f"has {sizes} pixels (Z Y X), which is larger than the level before it with {' × '.join(map(str, last[2:5]))}"
    return None


def _factor(position: int, sources: Sequence[ZarrPixels], multiscale: Multiscale) -> tuple[tuple[float, float, float], list[str]]:
    """How many pixels of level 0 one of this level is long along z, y, x: as stated, else by their sizes."""
    if position == 0:
        return (1.0, 1.0, 1.0), []
    names = [axis.name for axis in multiscale.axes] if multiscale.axes else list(AXES)
    level, path = multiscale.levels[position], multiscale.levels[position].path
    factors, warnings = [], []
    for axis in "zyx":
        whole, size = (getattr(source.shape, axis) for source in (sources[0], sources[position]))
        stated = _stated_factor(multiscale.levels[0].scale, level.scale, names.index(axis) if axis in names else None)
        factors.append(whole / size if stated is None else stated)
        # Sizes are rounded, perhaps at each level anew: that adds up to less than one pixel.
        if stated is not None and abs(whole / stated - size) > 1 + 1e-6:
            warnings.append(
                f"The scale of its resolution level {path} says that pixels are {stated:g} times as large along {axis} as at full "
                f"resolution, but its size says {whole / size:g} times; the scale is kept."
            )
    return (factors[0], factors[1], factors[2]), warnings


def _stated_factor(first: Sequence[float] | None, own: Sequence[float] | None, axis: int | None) -> float | None:
    if first is None or own is None or axis is None or first[axis] <= 0:
        return None
    factor = own[axis] / first[axis]
    return factor if 1 / _LARGEST <= factor <= _LARGEST else None


def lost_of_label(ome: Mapping[str, Any]) -> list[str]:
    """Warn of what an ``image-label`` says that the image model has no place for."""
    block = ome.get("image-label")
    lost = [name for name in ("colors", "properties") if isinstance(block, Mapping) and block.get(name)]
    return [f"The {' and '.join(lost)} of its labels (in 'image-label') are not kept."] if lost else []


def _lost_position(multiscale: Multiscale) -> list[str]:
    translation = multiscale.levels[0].translation
    axes = multiscale.axes or tuple(map(AxisInfo, AXES))
    # Of a folded axis it is where its Modulo annotation starts.
    if translation is None or not any(shift for axis, shift in zip(axes, translation, strict=True) if not axis.folded):
        return []
    names = [
        f"{axis.name} {shift:g}" + (f" {axis.unit[:20]}" if isinstance(axis.unit, str) else "")
        for axis, shift in zip(axes, translation, strict=True)
        if not axis.folded
    ]
    return [f"Its position by the 'translation' of its full resolution ({', '.join(names)}) is not kept: what is written starts at 0."]


def own_metadata(ome: Mapping[str, Any], multiscale: Multiscale, pixels: ZarrPixels) -> tuple[ImageMetadata, list[str]]:
    """Metadata that the NGFF attributes hold, and warnings.

    A scale is a pixel size only where its axis has a unit and it is above zero; along time also only where there is more
    than one time point.

    Parameters
    ----------
    pixels
        Of the full resolution.
    """
    times, channels = pixels.shape.t // pixels.folded.get("t", 1), pixels.shape.c
    warnings = _lost_position(multiscale)
    sizes: dict[str, Quantity | None] = {}
    increment = None
    scale = multiscale.levels[0].scale
    for position, axis in enumerate(multiscale.axes or ()):
        step = scale[position] if scale else None
        if step is None or axis.unit is None:
            continue
        if step <= 0:
            warnings.append(f"Its scale along {axis.name} is {step}, which is no size; it is left out.")
        elif axis.name == "t":
            increment = seconds(step, axis.unit) if times > 1 else None
        elif axis.name in "zyx":
            sizes[axis.name] = ome_length(step, axis.unit)
            if sizes[axis.name] is None:
                warnings.append(f"The unit {str(axis.unit)[:40]!r} of its axis {axis.name} is none of length; its pixel size is left out.")
    known = read_channels(ome, multiscale.invented_colors)
    if len(known) * pixels.folded.get("c", 1) == channels:
        known = _repeated(known, multiscale, pixels.folded.get("c", 1))
    if known and len(known) != channels:
        rest = "the rest is left out" if len(known) > channels else "the others have no name"
        warnings.append(f"Its 'omero' describes {len(known)} channels, but it has {channels}; {rest}.")
    known = (known + (Channel(),) * (channels - len(known)))[:channels] if known else ()
    metadata = ImageMetadata(
        pixel_size_x=sizes.get("x"), pixel_size_y=sizes.get("y"), pixel_size_z=sizes.get("z"), time_increment_s=increment, channels=known
    )
    return replace(metadata, modulo=_modulo(multiscale, pixels)), warnings


def folded_axes(multiscale: Multiscale) -> str:
    """Letters of the axes the source declared, as `Image.axes` has them."""
    axes = multiscale.axes or tuple(map(AxisInfo, AXES))
    return "".join(folded_letter(axis) if axis.folded else axis.name.upper() for axis in axes if axis.name != "-")


def _repeated(known: tuple[Channel, ...], multiscale: Multiscale, count: int) -> tuple[Channel, ...]:
    """Each channel once for every step of the axis folded into C, which its name is given too."""
    label = next((axis.label for axis in multiscale.axes or () if axis.name == "C"), None)
    if label is None:
        return known
    return tuple(replace(channel, name=f"{channel.name} {label} {step}" if channel.name else None) for channel in known for step in range(count))


def _modulo(multiscale: Multiscale, pixels: ZarrPixels) -> tuple[Modulo, ...]:
    """What OME is told of each folded axis: the values along it where it has a unit, else their numbers."""
    found = []
    level = multiscale.levels[0]
    for position, axis in enumerate(multiscale.axes or ()):
        if axis.along is None:
            continue
        step = level.scale[position] if level.scale else None
        calibrated = step is not None and step > 0 and isinstance(axis.unit, str)
        start = level.translation[position] if calibrated and level.translation else 0.0
        step = step if calibrated and step is not None else 1.0
        found.append(
            Modulo(
                axis.along,
                axis.modulo,
                start=start,
                end=start + step * (pixels.folded[axis.name.lower()] - 1),
                step=step,
                unit=str(axis.unit)[:_UNIT] if calibrated else None,
                description=axis.label,
            )
        )
    return tuple(found)


def merge(image: Image, ome_image: OmeImage, multiscale: Multiscale) -> Image:
    """Join an image with its OME-XML.

    The arrays decide the shape; NGFF decides pixel sizes where it has a unit, and display ranges; OME-XML all the rest.
    """
    shape, ngff, ome = image.shape, image.metadata, ome_image.metadata
    stated = (ome_image.size_t, ome_image.size_c, ome_image.size_z, ome_image.size_y, ome_image.size_x)
    warnings = list(image.warnings)
    if stated != tuple(shape[:5]):
        sizes = " × ".join(map(str, stated))
        warnings.append(f"Its OME-XML says {sizes} pixels (T C Z Y X), but its arrays have {' × '.join(map(str, shape[:5]))}; the arrays are right.")
    metadata = replace(
        ome,
        pixel_size_x=ngff.pixel_size_x or ome.pixel_size_x,
        pixel_size_y=ngff.pixel_size_y or ome.pixel_size_y,
        pixel_size_z=_step(ngff.pixel_size_z, ome.pixel_size_z),
        time_increment_s=_increment(ngff.time_increment_s, ome.time_increment_s),
        channels=_channels(ngff.channels, _unfolded(ome_image), shape.c),
        modulo=ngff.modulo or ome.modulo,
        planes=tuple(plane for plane in ome.planes if plane.t < shape.t and plane.c < shape.c and plane.z < shape.z),
    )
    return replace(
        image,
        name=ome_image.name or multiscale.name or image.name,
        metadata=metadata,
        kind=ome_image.kind or image.kind,
        white_is_zero=ome_image.white_is_zero,
        significant_bits=_significant_bits(ome_image, image),
        warnings=tuple(warnings),
    )


def _increment(ngff: float | None, ome: float | None) -> float | None:
    # bioformats2raw writes 1.0 second where it knows nothing; its OME-XML then has no TimeIncrement.
    return ome if ngff is None or ngff == 1.0 else ngff


def _step(ngff: Quantity | None, ome: Quantity | None) -> Quantity | None:
    # NGFF has no falling z; where only the sign differs, OME-XML knows it.
    return ome if ngff is None or (ome is not None and ome == replace(ngff, value=-ngff.value)) else ngff


def _significant_bits(ome_image: OmeImage, image: Image) -> int | None:
    bits = ome_image.significant_bits
    return bits if bits is not None and image.dtype.kind in "iu" and 0 < bits <= image.dtype.itemsize * 8 else None


def _unfolded(ome_image: OmeImage) -> tuple[Channel, ...]:
    """One channel per sample: a Zarr has no samples, so that an RGB channel is three of its channels."""
    channels, samples = ome_image.metadata.channels, ome_image.samples_per_pixel
    if len(samples) != len(channels):
        return channels
    return tuple(channel for channel, count in zip(channels, samples, strict=True) for _ in range(max(1, min(count, 4))))


def _channels(ngff: tuple[Channel, ...], ome: tuple[Channel, ...], count: int) -> tuple[Channel, ...]:
    if len(ome) != count:
        return ngff or ome[:count]
    if not ngff:
        return ome
    return tuple(_channel(from_ngff, from_ome) for from_ngff, from_ome in zip(ngff, ome, strict=True))


def _channel(ngff: Channel, ome: Channel) -> Channel:
    own = ome.color is not None and ome.color != _WHITE
    return replace(
        ome,
        name=ome.name or ngff.name,
        color=ome.color if own or ngff.color is None else ngff.color,
        color_invented=ome.color_invented if own or ngff.color is None else ngff.color_invented,
        window=ngff.window or ome.window,
    )
