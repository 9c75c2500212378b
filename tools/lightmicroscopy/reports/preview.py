"""A contact sheet: one PNG that shows each series as its microscope would, for a report or a quick look.

Each picture is the middle z plane of the first time point, channels in their colours and each with its own contrast. It is
for the eye: nothing may be measured in it.
"""

from __future__ import annotations

import math
import unicodedata
from contextlib import ExitStack, suppress
from itertools import islice
from typing import TYPE_CHECKING

from ..errors import UnwritableError
from ..metadata.ngff_units import micrometres
from ..metadata.sources import PREVIEW_TITLE
from .tables import temporary
from .thumbnail import TILE, thumbnail

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont
    from PIL.PngImagePlugin import PngInfo

    from ..image import Image

GAP = 20
CAPTION = 52
LIMIT = 24
PAPER, INK, FAINT, EMPTY = (250, 250, 248), (28, 30, 33), (104, 110, 117), (226, 226, 222)
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

_STRETCHED = "Contrast is stretched for the eye. Nothing may be measured in this picture."


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
    more = f"and {note:,} more series, not shown: this sheet holds the first {limit}" if len(frames) == limit else f"and {note:,} more"
    text = "Nothing to show." if not frames else more if note else ""
    if text:
        ImageDraw.Draw(sheet).text((GAP, height - GAP - 16), text, fill=FAINT, font=_font(15))
    save_picture(sheet, path)


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
    line_of_text(draw, (left, top + tile + 6), title, INK, 17, tile)
    line_of_text(draw, (left, top + tile + 29), f"{sizes} · {remark}" if remark else sizes, FAINT, 13, tile)


def line_of_text(draw: ImageDraw, at: tuple[int, int], text: str, color: tuple[int, int, int], size: int, width: int) -> None:
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
    length = None if size is None else micrometres(size)
    if length is None or box[2] < 90 or box[3] < 60:
        return
    bar = scale_bar(length * scale, box[2])
    if bar is None:
        return
    pixels, label = bar
    font = _font(14)
    label = label.replace("µ", "u")
    text = round(ImageDraw.Draw(sheet).textlength(label, font=font))
    plate = Pillow.new("RGBA", (max(pixels, text) + 16, 34), (0, 0, 0, 150))
    draw = ImageDraw.Draw(plate)
    start = (plate.width - text) // 2
    draw.text((start, 3), label, fill=(255, 255, 255, 255), font=font)
    # The built-in font has no µ: its stem is drawn under a u.
    left, top, _, bottom = draw.textbbox((start + draw.textlength(label[:-2], font=font), 3), "u", font=font)
    draw.rectangle((round(left), round(top), round(left), round(bottom) + 3), fill=(255, 255, 255, 255))
    draw.rectangle(((plate.width - pixels) // 2, 24, (plate.width - pixels) // 2 + pixels - 1, 27), fill=(255, 255, 255, 255))
    sheet.paste(plate, (box[0] + box[2] - plate.width - 8, box[1] + box[3] - plate.height - 8), plate)


def _font(size: int) -> FreeTypeFont | ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _about(title: str, description: str) -> PngInfo:
    """Make the texts that tell people and `metadata.sources.preview` what a picture is."""
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("Title", title)
    texts.add_text("Description", description)
    return texts


def save_picture(sheet: Picture, path: Path, title: str = PREVIEW_TITLE, description: str = _STRETCHED) -> None:
    """Write a picture that says of itself what it is, as long as nothing else is said a preview; whole under its name, or not at all."""
    made = temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(made, format="PNG", pnginfo=_about(title, description))
        made.replace(path)
    except OSError as error:
        raise UnwritableError(f"{path.name} cannot be written: {error.strerror}. Check the free space and your rights on its folder.") from error
    finally:
        with suppress(OSError):
            made.unlink(missing_ok=True)
