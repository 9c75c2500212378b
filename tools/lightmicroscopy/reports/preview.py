"""A contact sheet: one PNG that shows each series as its microscope would, for a report or a quick look.

Each picture is the middle z plane of the first time point, channels in their colours and each with its own contrast. It is
for the eye: nothing may be measured in it.
"""

from __future__ import annotations

import math
import os
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UnwritableError
from ..image import Channel, Image, Level, Region
from ..metadata.sources import PREVIEW_TITLE
from ..palette import Table, eight_bits, ramp_color

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont
    from PIL.PngImagePlugin import PngInfo

TILE = 384
GAP = 20
CAPTION = 52
LIMIT = 24
CHANNELS_SHOWN = 6
BAND_BYTES = 32 << 20
TRANSMITTED_WEIGHT = 0.35
"""How strongly a transmitted-light channel is mixed under fluorescence, which it would otherwise wash out."""
PERCENTILES = (0.1, 99.9)
INVENTED_COLORS = ((0, 255, 0), (255, 0, 255), (0, 200, 255), (255, 200, 0), (255, 90, 90), (140, 140, 255))
"""For channels without a colour of their own. Green with magenta are told apart by all common kinds of colour vision."""
WHITE = -1
RGB_CHANNELS = ("Red", "Green", "Blue")
PAPER, INK, FAINT, EMPTY = (250, 250, 248), (28, 30, 33), (104, 110, 117), (226, 226, 222)
_MICROMETRES = {"m": 1e6, "cm": 1e4, "mm": 1e3, "µm": 1.0, "nm": 1e-3, "pm": 1e-6, "Å": 1e-4}
_GREEK = {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "κ": "kappa", "λ": "lambda", "μ": "u", "σ": "sigma", "ω": "omega"}
"""Letters in the names of proteins, channels and samples."""
_SPELT = {
    "ø": "o",
    "Ø": "O",
    "æ": "ae",
    "Æ": "AE",
    "ß": "ss",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "µ": "u",
    **_GREEK,
    "–": "-",
    "—": "-",
    "×": "x",
    "…": "…",
    "·": "·",
}
Thumbnail = tuple["NDArray[np.uint8]", float, str]
"""Pixels (y, x, RGB), level-0 pixels per thumbnail pixel along x, and a remark for the caption."""


def write_preview(
    entries: Iterable[tuple[str, Image]], path: Path, *, total: int | None = None, columns: int | None = None, tile: int = TILE, limit: int = LIMIT
) -> None:
    """Write a contact sheet of series.

    Parameters
    ----------
    entries
        Title and image, in the order of the sheet. An image whose pixels are damaged leaves an empty frame that says so.
        They may be made on the way: each is drawn before the next is asked for, and none beyond `limit` is.
    path
        The PNG; it appears under its name only when whole.
    total
        How many entries there are; by default they are counted.
    columns
        Pictures in a row; by default about as many as rows, at most four.
    tile
        Side of one picture, in pixels.
    limit
        Most pictures shown; the rest are counted in a note.

    Raises
    ------
    UnwritableError
        If the file cannot be written.
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    supply = iter(entries)
    frames = [_frame(title, image, tile) for title, image in islice(supply, limit)]
    note = (len(frames) + sum(1 for _ in supply) if total is None else total) - len(frames)
    across = columns or max(1, min(4, math.ceil(math.sqrt(len(frames)))))
    down = math.ceil(len(frames) / across)
    width = max(across * (tile + GAP) + GAP, 2 * GAP + 300)
    height = max(down * (tile + CAPTION + GAP) + GAP + (28 if note or not frames else 0), 80)
    sheet = Pillow.new("RGB", (width, height), PAPER)
    for number, frame in enumerate(frames):
        sheet.paste(frame, (GAP + number % across * (tile + GAP), GAP + number // across * (tile + CAPTION + GAP)))
    text = "Nothing to show." if not frames else f"and {note} more" if note else ""
    if text:
        ImageDraw.Draw(sheet).text((GAP, height - GAP - 16), text, fill=FAINT, font=_font(15))
    _save(sheet, path)


def preview_files(files: Iterable[Path], path: Path) -> None:
    """Write a contact sheet of the images in files and stores; see `write_preview`."""
    from .. import readers
    from ..image import Location

    with ExitStack() as stack:

        def entries() -> Iterator[tuple[str, Image]]:
            for file in files:
                dataset = stack.enter_context(readers.open(Location(file)))
                yield from ((image.name, image) for image in dataset.images)

        write_preview(entries(), path)


def _frame(title: str, image: Image, tile: int) -> Picture:
    from PIL import Image as Pillow
    from PIL import ImageDraw

    frame = Pillow.new("RGB", (tile, tile + CAPTION), PAPER)
    _place(frame, ImageDraw.Draw(frame), (0, 0), title, image, tile)
    return frame


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
    if tuple(channel.name for channel in channels) == RGB_CHANNELS and len(planes) == len(RGB_CHANNELS):
        # A colour picture whose samples OME-Zarr could only keep as channels: stretched one by one they would change its colours.
        return _rgb(np.concatenate(planes, axis=-1), image), scale, ""
    pixels, remark = _composite([plane[..., 0] for plane in planes], channels, image.white_is_zero)
    if shape.c > len(planes):
        remark = f"{len(planes)} of {shape.c} channels" + (f", {remark}" if remark else "")
    return pixels, scale, remark


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
    colors, invented = _colors(len(planes), channels)
    transmitted = [_is_transmitted(channels[i]) if i < len(channels) else False for i in range(len(planes))]
    mixed = np.zeros((*planes[0].shape, 3), np.float32)
    for plane, color, faint in zip(planes, colors, transmitted, strict=True):
        gray = _stretch(plane)
        if white_is_zero:
            gray = 1 - gray
        weight = TRANSMITTED_WEIGHT if faint and not all(transmitted) else 1.0
        mixed += gray[..., None] * (np.asarray(color, np.float32) * weight)
    return np.clip(mixed, 0, 255).astype(np.uint8), "colours chosen here" if invented else ""


def _colors(count: int, channels: tuple[Channel, ...]) -> tuple[list[tuple[int, int, int]], bool]:
    if count == 1:
        own = _own_color(channels[0]) if channels else None
        return [own or (255, 255, 255)], False
    colors: list[tuple[int, int, int]] = []
    invented = False
    for index in range(count):
        own = _own_color(channels[index]) if index < len(channels) else None
        if own is None:
            invented = True
            own = (255, 255, 255) if index < len(channels) and _is_transmitted(channels[index]) else INVENTED_COLORS[index % len(INVENTED_COLORS)]
        colors.append(own)
    return colors, invented


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


def _place(sheet: Picture, draw: ImageDraw, corner: tuple[int, int], title: str, image: Image, tile: int) -> None:
    from PIL import Image as Pillow

    left, top = corner
    draw.rectangle((left, top, left + tile - 1, top + tile - 1), fill=EMPTY)
    try:
        pixels, scale, remark = thumbnail(image, tile)
    except Exception as error:  # one damaged image must not cost the others their picture
        message = f"cannot be shown ({type(error).__name__})"
        draw.text((left + 12, top + tile // 2 - 8), message, fill=FAINT, font=_font(15))
        remark = ""
    else:
        picture = Pillow.fromarray(pixels, "RGB")
        grown = tile / max(picture.size)
        if grown > 1:
            size = (max(1, round(picture.width * grown)), max(1, round(picture.height * grown)))
            picture = picture.resize(size, Pillow.Resampling.NEAREST)
            scale /= grown
        at = (left + (tile - picture.width) // 2, top + (tile - picture.height) // 2)
        sheet.paste(picture, at)
        _scale_bar(sheet, image, scale, (*at, picture.width, picture.height))
    shape = image.shape
    sizes = f"T{shape.t} C{shape.c} Z{shape.z} Y{shape.y} X{shape.x} · {'RGB ' if image.kind == 'rgb' else ''}{image.dtype}"
    _line(draw, (left, top + tile + 6), title, INK, 17, tile)
    _line(draw, (left, top + tile + 29), f"{sizes} · {remark}" if remark else sizes, FAINT, 13, tile)


def _line(draw: ImageDraw, at: tuple[int, int], text: str, color: tuple[int, int, int], size: int, width: int) -> None:
    """One line of text, shortened in the middle until it fits."""
    font = _font(size)
    text = drawable(text[:400])
    kept, whole = len(text), text
    while draw.textlength(text, font=font) > width and kept > 8:
        kept -= 1
        text = f"{whole[: kept - kept // 2]}…{whole[len(whole) - kept // 2 :]}"
    draw.text(at, text, fill=color, font=font)


def drawable(text: str) -> str:
    """Write a text with the characters Pillow's built-in font has: letters lose their accents, other scripts become ``?``."""
    spelt = unicodedata.normalize("NFKD", "".join(_SPELT.get(character, character) for character in text))
    plain = (character for character in spelt if not unicodedata.combining(character))
    return "".join(character if " " <= character <= "~" or character in "·…" else "?" for character in plain)


def scale_bar(pixel_um: float, width: int) -> tuple[int, str] | None:
    """Length in pixels and label of a scale bar that is round and at most a third of the picture wide.

    Parameters
    ----------
    pixel_um
        Micrometres per pixel of the picture.
    width
        Width of the picture in pixels.
    """
    most = pixel_um * width / 3
    if not (math.isfinite(most) and most > 0):
        return None
    power = 10.0 ** math.floor(math.log10(most))
    length = max(factor * power for factor in (1, 2, 5) if factor * power <= most)
    return max(1, round(length / pixel_um)), f"{length:g} µm"


def _scale_bar(sheet: Picture, image: Image, scale: float, box: tuple[int, int, int, int]) -> None:
    from PIL import Image as Pillow
    from PIL import ImageDraw

    size = image.metadata.pixel_size_x
    factor = _MICROMETRES.get(size.unit) if size else None
    if size is None or factor is None or box[2] < 90 or box[3] < 60:
        return
    bar = scale_bar(size.value * factor * scale, box[2])
    if bar is None:
        return
    length, label = bar
    font = _font(14)
    label = label.replace("µ", "u")
    text = round(ImageDraw.Draw(sheet).textlength(label, font=font))
    plate = Pillow.new("RGBA", (max(length, text) + 16, 34), (0, 0, 0, 150))
    draw = ImageDraw.Draw(plate)
    start = (plate.width - text) // 2
    draw.text((start, 3), label, fill=(255, 255, 255, 255), font=font)
    # The built-in font has no µ: its stem is drawn under a u.
    left, top, _, bottom = draw.textbbox((start + draw.textlength(label[:-2], font=font), 3), "u", font=font)
    draw.rectangle((round(left), round(top), round(left), round(bottom) + 3), fill=(255, 255, 255, 255))
    draw.rectangle(((plate.width - length) // 2, 24, (plate.width - length) // 2 + length - 1, 27), fill=(255, 255, 255, 255))
    sheet.paste(plate, (box[0] + box[2] - plate.width - 8, box[1] + box[3] - plate.height - 8), plate)


def _font(size: int) -> FreeTypeFont | ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _about() -> PngInfo:
    """Make the texts that tell people and `metadata.sources.preview` what this picture is."""
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("Title", PREVIEW_TITLE)
    texts.add_text("Description", "Contrast is stretched for the eye. Nothing may be measured in this picture.")
    return texts


def _save(sheet: Picture, path: Path) -> None:
    temporary = path.with_name(f".{path.name[:40]}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(temporary, format="PNG", pnginfo=_about())
        temporary.replace(path)
    except OSError as error:
        raise UnwritableError(f"{path.name} cannot be written: {error.strerror}. Check the free space and your rights on its folder.") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
