"""One picture of a series as its microscope would show it, read with bounded memory."""

from __future__ import annotations

import base64
import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..image import Channel, Image, Level, Region
from ..palette import Table, eight_bits, ramp_color

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TILE = 384
CHANNELS_SHOWN = 6
BAND_BYTES = 32 << 20
TRANSMITTED_WEIGHT = 0.35
_WHITE = (255, 255, 255)
"""How strongly a transmitted-light channel is mixed under fluorescence, which it would otherwise wash out."""
PERCENTILES = (0.1, 99.9)
INVENTED_COLORS = ((0, 255, 0), (255, 0, 255), (0, 200, 255), (255, 200, 0), (255, 90, 90), (140, 140, 255))
"""For channels without a colour of their own. Green with magenta are told apart by all common kinds of colour vision."""
WHITE = -1
RGB_CHANNELS = ("Red", "Green", "Blue")
Thumbnail = tuple["NDArray[np.uint8]", float, str]
"""Pixels (y, x, RGB), level-0 pixels per thumbnail pixel along x, and a remark for the caption."""


def thumbnail(image: Image, tile: int = TILE) -> Thumbnail:
    """One picture of a series, at most `tile` pixels high and wide, read with bounded memory."""
    level = _level(image, tile)
    shape = level.pixels.shape
    step = max(1, math.ceil(max(shape.y, shape.x) / tile))
    mixable = _is_mixable(image)
    planes = [_plane(level, channel, step, not mixable and image.kind != "rgb") for channel in range(min(shape.c, CHANNELS_SHOWN if mixable else 1))]
    scale = step * level.factor[2]
    channels = image.metadata.channels
    if image.kind == "label":
        return _label_colors(planes[0][..., 0]), scale, "label map"
    if not mixable and image.kind == "indexed" and channels and channels[0].lut:
        return _through_table(planes[0][..., 0], channels[0].lut), scale, ""
    if image.kind == "rgb" and planes[0].shape[-1] >= 3:
        return _rgb(planes[0][..., :3], image), scale, ""
    if len(planes) == len(RGB_CHANNELS) and _were_samples(channels):
        # A colour picture whose samples OME-Zarr could only keep as channels: stretched one by one they would change its colours.
        return _rgb(np.concatenate(planes, axis=-1), image), scale, ""
    pixels, remark = _composite([plane[..., 0] for plane in planes], channels, image.white_is_zero)
    if shape.c > len(planes):
        remark = f"{len(planes)} of {shape.c} channels" + (f", {remark}" if remark else "")
    return pixels, scale, remark


def picture_in_page(image: Image, tile: int) -> tuple[str, str]:
    """Draw a series as a ``data:`` address for a page, with a remark; the address is empty, and the remark says why, where it cannot be drawn."""
    from PIL import Image as Pillow

    try:
        pixels, _, remark = thumbnail(image, tile)
    except Exception as error:  # one damaged image must not cost the others their place on the page
        return "", f"cannot be shown ({type(error).__name__})"
    drawn = Pillow.fromarray(pixels, "RGB")
    stream = io.BytesIO()
    if image.kind in ("label", "indexed"):
        drawn.save(stream, format="PNG")
        return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}", remark
    drawn.save(stream, format="JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}", remark


def _were_samples(channels: Sequence[Channel]) -> bool:
    """Whether channels have the names that the samples of one get in OME-Zarr: ``Red``, ``Green``, ``Blue``, or each after one name."""
    names = [channel.name or "" for channel in channels]
    before = names[0].removesuffix(RGB_CHANNELS[0]) if names else ""
    return names == [before + colour for colour in RGB_CHANNELS] and (not before or before.endswith(" "))


def _level(image: Image, tile: int) -> Level:
    enough = [level for level in image.levels if max(level.pixels.shape.y, level.pixels.shape.x) >= tile]
    return min(enough or image.levels[:1], key=lambda level: level.pixels.shape.y * level.pixels.shape.x)


def _plane(level: Level, channel: int, step: int, nearest: bool) -> NDArray[Any]:
    """Middle z of t 0, shrunk by `step`: means of blocks, or every step-th pixel for values that must not be mixed."""
    shape, unit = level.pixels.shape, level.pixels.unit
    itemsize = level.pixels.dtype.itemsize * shape.s
    columns = max(step, min(shape.x, BAND_BYTES // (itemsize * step)) // step * step)
    fitting = max(step, BAND_BYTES // (itemsize * min(columns, shape.x)) // step * step)
    rows = min(fitting, max(step, math.ceil(unit.y / step) * step) if unit.y < shape.y else fitting)
    z = shape.z // 2
    strips = []
    for top in range(0, shape.y, rows):
        pieces = []
        for left in range(0, shape.x, columns):
            region = Region((0, 1), (channel, channel + 1), (z, z + 1), (top, min(top + rows, shape.y)), (left, min(left + columns, shape.x)))
            pieces.append(_shrink(level.pixels.read(region)[0, 0, 0], step, nearest))
        strips.append(np.concatenate(pieces, axis=1))
    return np.concatenate(strips, axis=0)


def _shrink(block: NDArray[Any], step: int, nearest: bool) -> NDArray[Any]:
    if step == 1:
        return np.array(block) if nearest else np.asarray(block, dtype=np.float32)
    if nearest:
        return np.array(block[::step, ::step])
    rows, columns = (np.arange(0, size, step) for size in block.shape[:2])
    sums = np.add.reduceat(np.add.reduceat(block.astype(np.float32), rows, axis=0), columns, axis=1)
    counts = np.diff([*rows, block.shape[0]])[:, None, None] * np.diff([*columns, block.shape[1]])[None, :, None]
    means: NDArray[Any] = (sums / counts).astype(np.float32)
    return means


def _stretch(plane: NDArray[Any]) -> NDArray[np.float32]:
    """To 0…1 between percentiles of the finite values; an even plane of zeros stays dark, of anything else mid-grey."""
    values = np.asarray(plane, dtype=np.float32)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.zeros(values.shape, np.float32)
    low, high = (float(v) for v in np.percentile(finite, PERCENTILES))
    if high <= low:
        low, high = float(finite.min()), float(finite.max())
    if high <= low:
        return np.full(values.shape, 0.5 if high else 0.0, np.float32)
    scaled: NDArray[np.float32] = np.clip((np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) / (high - low), 0, 1)
    return scaled


def _composite(planes: list[NDArray[Any]], channels: tuple[Channel, ...], white_is_zero: bool) -> tuple[NDArray[np.uint8], str]:
    known = tuple(channels[: len(planes)]) + (Channel(),) * (len(planes) - len(channels))
    colors, gray_ones, invented = _colors(known)
    mixed = np.zeros((*planes[0].shape, 3), np.float32)
    for plane, color, faint in zip(planes, colors, gray_ones, strict=True):
        gray = _stretch(plane)
        if white_is_zero:
            gray = 1 - gray
        weight = TRANSMITTED_WEIGHT if faint and not all(gray_ones) else 1.0
        mixed += gray[..., None] * (np.asarray(color, np.float32) * weight)
    chosen = "" if not invented else "colour chosen here for one channel" if invented == 1 else f"colours chosen here for {invented} channels"
    return np.clip(mixed, 0, 255).astype(np.uint8), "colours chosen here" if 1 < invented == len(planes) else chosen


def _colors(channels: tuple[Channel, ...]) -> tuple[list[tuple[int, int, int]], list[bool], int]:
    """Colours of the channels, which of them are a grey background to the others, and for how many a colour had to be invented."""
    own = [_own_color(channel) for channel in channels]
    gray = [_is_transmitted(channel) for channel in channels]
    bare = [index for index, color in enumerate(own) if color is None and not gray[index]]
    chosen = len(bare)
    if len(bare) == 1 and len(channels) > 1 and any(own):
        # Among channels with colours of their own, the one left white is the transmitted light or the camera's overview.
        gray[bare.pop()] = True
    if len(channels) == 1:
        return [own[0] or _WHITE], gray, 0
    given = [color or (_WHITE if gray[index] else INVENTED_COLORS[index % len(INVENTED_COLORS)]) for index, color in enumerate(own)]
    return given, gray, chosen


def _own_color(channel: Channel) -> tuple[int, int, int] | None:
    """The recorded colour, or that of a tinting colour table. White is OME's default and says nothing; black would show nothing."""
    if channel.lut and channel.color in (None, WHITE):
        return ramp_color(channel.lut)
    if channel.color is None or channel.color == WHITE or channel.color_invented:
        return None
    rgba = channel.color & 0xFFFFFFFF
    red, green, blue = rgba >> 24 & 255, rgba >> 16 & 255, rgba >> 8 & 255
    return (red, green, blue) if red or green or blue else None


def _is_transmitted(channel: Channel) -> bool:
    words = f"{channel.illumination_type} {channel.contrast_method}".lower()
    return any(word in words for word in ("transmitted", "brightfield", "phase", "dic", "oblique"))


def _rgb(plane: NDArray[Any], image: Image) -> NDArray[np.uint8]:
    if image.dtype == np.uint8:
        plain: NDArray[np.uint8] = np.clip(np.rint(plane), 0, 255).astype(np.uint8)
        return plain
    return (_stretch(plane) * 255).astype(np.uint8)


def _label_colors(plane: NDArray[Any]) -> NDArray[np.uint8]:
    """A steady, lively colour for each label, black for the background."""
    values = plane.astype(np.int64).astype(np.uint64)
    mixed = (values * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
    hue = (mixed & np.uint64(0xFFFF)).astype(np.float32) / 65536
    bright = 0.65 + 0.35 * ((mixed >> np.uint64(16)).astype(np.float32) / 255)
    thirds = np.array([0, 2 / 3, 1 / 3], np.float32)
    wheel = np.clip(np.abs((hue[..., None] + thirds) % 1 * 6 - 3) - 1, 0, 1)
    colors = (0.25 + 0.75 * wheel) * bright[..., None] * 255
    colors[values == 0] = 0
    return colors.astype(np.uint8)


def _through_table(plane: NDArray[Any], table: Table) -> NDArray[np.uint8]:
    colors = np.array(eight_bits(table), np.uint8)
    picked: NDArray[np.uint8] = colors[np.clip(plane.astype(np.int64), 0, len(colors) - 1)]
    return picked


def _is_mixable(image: Image) -> bool:
    """Whether values are intensities: also those of an indexed image whose tables only tint them."""
    tables = [channel.lut for channel in image.metadata.channels if channel.lut]
    return image.kind == "intensity" or (image.kind == "indexed" and bool(tables) and all(ramp_color(table) for table in tables))
