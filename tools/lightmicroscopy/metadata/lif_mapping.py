"""Leica's metadata → the image model.

| Image model                  | Leica                                                                                    |
|------------------------------|------------------------------------------------------------------------------------------|
| name                         | names of the Elements below the first, joined with "/", as Bio-Formats shows them        |
| description                  | Attachment "ContextDescription", User-Comment, TextDescription: the first that is there  |
| acquisition_date             | first time stamp, a FILETIME, which is UTC (a real file's folder name bears it out)      |
| pixel_size_x, y, z           | Length / (NumberOfElements − 1) in metres; z with its sign (decision of science 4)       |
| planes: delta_t_s            | each plane's time stamp, in the order of the memory, from the first of the image         |
| planes: exposure_s           | exposure of the plane's channel                                                          |
| planes: position_x, y        | tile of TileScanInfo, else the stage: swapped and turned as SwapXY, FlipX, FlipY say     |
| planes: position_z           | Origin + index × step of the z dimension                                                 |
| time_increment_s             | mean of the time stamps, or the dimension's length, if regular within 1 %                |
| modulo                       | a dimension OME does not have, where it counts fastest in T or Z                         |
| channel colour               | LUTName; ``Gradient (r, g, b)`` of newer files                                           |
| channel window               | ViewerScaling: BlackValue and WhiteValue, fractions of the range; not if they are 0 and 1 |
| channel settings, instrument | the table of `lif_settings`                                                              |
| rois                         | ROISingle and Annotation elements                                                        |

An xz scan has z in Y (Bio-Formats does the same); an xt scan has time in Y, which has no pixel size then. Positions are in the
frame of the image as Bio-Formats 7.3 gives them, in micrometres; the stage's zero is the origin.
Sources: those of `lif_layout` and `lif_settings`; Microsoft, FILETIME structure (100 ns since 1601-01-01 UTC).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ..image import Channel, ImageMetadata, MapAnnotation, Modulo, Plane, Quantity
from .lif_facts import Settings, micrometres
from .lif_rois import read_rois
from .lif_settings import read_settings
from .lif_times import Stamps
from .lif_xml import first, flat, integer, number, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from ..readers.lif_layout import Dimension, Layout

EMISSION, ROTATION, EXCITATION = 5, 6, 9
LEICA_NAMESPACE: Final = "lightmicroscopy/leica"
_MODULO: Final = {EMISSION: "lambda", EXCITATION: "lambda", ROTATION: "angle"}
_COLORS: Final = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "cyan": (0, 255, 255),
    "magenta": (255, 0, 255),
    "yellow": (255, 255, 0),
    "gray": (255, 255, 255),
    "grey": (255, 255, 255),
}
_GRADIENT: Final = re.compile(r"gradient\s*\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", re.IGNORECASE)
_METRE_NM: Final = 1e9
_REGULAR: Final = 0.01
_MOST_PLANES: Final = 500_000


@dataclass(frozen=True, slots=True)
class TileField:
    """One tile of a tile scan: its place in the grid, and its position in metres in the frame of the image."""

    field_x: int
    field_y: int
    x: float | None
    y: float | None


class ImageDescription:
    """Everything said of one image, of which each tile becomes a series.

    Parameters
    ----------
    image
        Its ``Image`` element.
    layout
        How its pixels lie.
    """

    def __init__(self, image: etree._Element, layout: Layout) -> None:
        self._image = image
        self._layout = layout
        descriptions = [group[0].element for group in layout.channels]
        self._settings = read_settings(image, descriptions)
        self._stamps = Stamps(image, layout)
        self.fields = _fields(image, self._settings)
        self.pixel_m = (_metres(layout.x), _metres(layout.y))
        self._rois, self._lost = read_rois(image, (layout.shape.x, layout.shape.y), self.pixel_m)
        self._original = (*flat(image), *_of_experiment(image))
        self._common = self._of_image()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know."""
        said = []
        if self._lost:
            said.append(f"{self._lost} of its drawings are of a kind that is not read; they are lost.")
        if self._layout.y.id in (3, 4):
            what = "z" if self._layout.y.id == 3 else "time"
            said.append(f"This is a scan along x and {what}; {what} was put in the place of Y, as Bio-Formats does.")
        if self._layout.shape.planes > _MOST_PLANES:
            said.append(f"Times and positions of its {self._layout.shape.planes:,} planes are not kept; at most {_MOST_PLANES:,} are.")
        shape = self._layout.shape
        for along, steps, folded in (("T", shape.t, self._layout.t), ("Z", shape.z, self._layout.z)):
            said += [
                f"Its dimension '{dimension.name}' of {dimension.size} was folded into {along} (of {steps} in all), as Bio-Formats does; "
                f"a{' Modulo' if dimension is folded[0] else 'n'} annotation records it."
                for dimension in folded
                if dimension.id not in (2, 3, 4)
            ]
        return tuple(said)

    def of_tile(self, tile: int) -> ImageMetadata:
        """What is said of one tile; of the only one where there are none."""
        field = self.fields[tile] if tile < len(self.fields) else None
        annotations = self._common.annotations
        if field is not None and len(self.fields) > 1:
            pairs = (("FieldX", str(field.field_x)), ("FieldY", str(field.field_y)), ("Tile", str(tile)))
            annotations = (*annotations, MapAnnotation(f"{LEICA_NAMESPACE}/tile", pairs))
        return replace(self._common, planes=self._planes(tile, field), annotations=annotations)

    def of_whole(self) -> ImageMetadata:
        """What is said of all tiles together: times and positions are those of single tiles, and drawings relate to one."""
        rule = MapAnnotation(
            f"{LEICA_NAMESPACE}/mosaic", (("Rule", "tiles placed by their stage positions; the later one on top; 0 where there is none"),)
        )
        return replace(self._common, rois=(), annotations=(*self._common.annotations, rule))

    def _of_image(self) -> ImageMetadata:
        layout, settings = self._layout, self._settings
        return ImageMetadata(
            description=_description(self._image),
            acquisition_date=self._stamps.date,
            pixel_size_x=_pixel_size(layout.x),
            pixel_size_y=_pixel_size(layout.y),
            pixel_size_z=next((_pixel_size(dimension, signed=dimension.id == 3) for dimension in layout.z if dimension.id in (2, 3)), None),
            time_increment_s=self._increment(),
            channels=_channels(self._image, layout, settings),
            modulo=tuple(_modulo(layout)),
            instrument=settings.instrument,
            objective_id=settings.objective_id,
            immersion_medium=None,
            refractive_index=settings.refractive_index if settings.objective_id else None,
            rois=self._rois,
            annotations=_annotations(layout),
            original=self._original,
        )

    def _increment(self) -> float | None:
        times = [dimension for dimension in self._layout.t if dimension.size > 1]
        if len(times) != 1 or times[0].id != 4:
            return None
        stamped = self._stamps.of_time_points(0)
        if stamped is None:
            return _seconds(times[0])
        mean = (stamped[-1] - stamped[0]) / (len(stamped) - 1)
        regular = mean > 0 and all(abs(later - earlier - mean) <= _REGULAR * mean for earlier, later in pairwise(stamped))
        return round(mean, 7) if regular else None

    def _planes(self, tile: int, field: TileField | None) -> tuple[Plane, ...]:
        shape, settings = self._layout.shape, self._settings
        if shape.planes > _MOST_PLANES:
            return ()
        x, y = (field.x, field.y) if field is not None else _turned(settings.stage, settings.turned)
        unit = "m" if field is not None else settings.stage_unit
        place_x, place_y = _position(x, unit), _position(y, unit)
        heights = _heights(self._layout)
        exposures = settings.exposures_s
        planes = []
        for t in range(shape.t):
            for c in range(shape.c):
                exposure = exposures[c] if c < len(exposures) else None
                for z in range(shape.z):
                    stamp = self._stamps.of(tile, t, c, z)
                    planes.append(Plane(t, c, z, stamp, exposure, place_x, place_y, heights[z] if z < len(heights) else None))
        known = any((plane.delta_t_s, plane.exposure_s, plane.position_x, plane.position_y, plane.position_z) != (None,) * 5 for plane in planes)
        return tuple(planes) if known else ()


def _description(image: etree._Element) -> str | None:
    context = first(image, "Attachment[@Name='ContextDescription']")
    comments = (text("".join(map(str, each.itertext()))) for each in image.iter("User-Comment"))
    return (text(context.get("Content")) if context is not None else None) or next(comments, None) or text(image.get("TextDescription"))


def _metres(dimension: Dimension) -> float | None:
    step = dimension.step
    return abs(step) if step and dimension.unit == "m" else None


def _pixel_size(dimension: Dimension, *, signed: bool = False) -> Quantity | None:
    """The distance between pixels; that along z keeps its sign, except where z is in the place of y."""
    step = dimension.step
    if not step or dimension.unit != "m":
        return None
    return Quantity(micrometres(step if signed else abs(step)), "µm")


def _seconds(dimension: Dimension) -> float | None:
    step = dimension.step
    factor = {"s": 1.0, "ks": 1000.0, "ms": 1e-3}.get(dimension.unit.lower())
    return step * factor if step and step > 0 and factor else None


def _heights(layout: Layout) -> tuple[Quantity, ...]:
    """Where each plane lies along z; where z is in Y, nowhere."""
    if not layout.z or layout.z[0].id != 3 or layout.z[0].unit != "m" or math.prod(dimension.size for dimension in layout.z[1:]) > 1:
        return ()
    first_, step = layout.z[0].origin, layout.z[0].step
    return tuple(Quantity(micrometres(first_ + index * (step or 0)), "µm") for index in range(layout.z[0].size))


def _position(value: float | None, unit: str) -> Quantity | None:
    if value is None:
        return None
    return Quantity(micrometres(value), "µm") if unit == "m" else Quantity(value, unit)


def _turned(place: tuple[float | None, float | None], turned: tuple[bool, bool, bool]) -> tuple[float | None, float | None]:
    """A position along the stage's axes in the frame of the image: swapped first, then turned, as Bio-Formats does."""
    flip_x, flip_y, swap = turned
    x, y = reversed(place) if swap else place
    return (-x if flip_x and x is not None else x), (-y if flip_y and y is not None else y)


def _fields(image: etree._Element, settings: Settings) -> tuple[TileField, ...]:
    info = first(image, "Attachment[@Name='TileScanInfo']")
    if info is None:
        return ()
    turned = (info.get("FlipX") == "1", info.get("FlipY") == "1", info.get("SwapXY") == "1")
    found = []
    for tile in info.iterfind("Tile"):
        x, y = _turned((number(tile.get("PosX")), number(tile.get("PosY"))), turned)
        found.append(TileField(integer(tile.get("FieldX")) or 0, integer(tile.get("FieldY")) or 0, x, y))
    return tuple(found)


def _channels(image: etree._Element, layout: Layout, settings: Settings) -> tuple[Channel, ...]:
    scaling = [*image.iterfind("Attachment[@Name='ViewerScaling']/ChannelScalingInfo")]
    channels = []
    for index, group in enumerate(layout.channels):
        channel = settings.channels[index] if index < len(settings.channels) else Channel()
        if len(group) == 1:
            channel = replace(channel, color=_color(group[0].lut))
            if len(scaling) == len(layout.channels):
                bits = group[0].bits if 0 < group[0].bits <= 8 * layout.dtype.itemsize else 8 * layout.dtype.itemsize
                channel = replace(channel, window=_window(scaling[index], bits) if layout.dtype.kind == "u" else None)
        channels.append(channel)
    return tuple(channels)


def _color(lut: str) -> int | None:
    """The colour of a look-up table; None for one of several colours (Glow, Fire) or of a name nobody knows."""
    gradient = _GRADIENT.fullmatch(lut)
    rgb = tuple(int(part) for part in gradient.groups()) if gradient else _COLORS.get(lut.lower())
    if rgb is None or max(rgb) > 255:
        return None
    value = rgb[0] << 24 | rgb[1] << 16 | rgb[2] << 8 | 0xFF
    return value - (1 << 32) if value >= 1 << 31 else value


def _window(info: etree._Element, bits: int) -> tuple[float, float] | None:
    black, white = number(info.get("BlackValue")), number(info.get("WhiteValue"))
    if black is None or white is None or not 0 <= black < white <= 1 or (black, white) == (0, 1):
        return None
    top = (1 << bits) - 1
    return round(black * top, 6), round(white * top, 6)


def _modulo(layout: Layout) -> list[Modulo]:
    """Dimensions that count fastest in T or Z; OME's annotation can describe no others."""
    found = []
    for along, folded in (("T", layout.t), ("Z", layout.z)):
        if not folded or folded[0].id in (2, 3, 4) or folded[0].size < 2:
            continue
        dimension = folded[0]
        type_ = _MODULO.get(dimension.id, "other")
        start, step = dimension.origin, dimension.step
        scale, unit = (_METRE_NM, "nm") if dimension.unit == "m" and type_ == "lambda" else (1.0, dimension.unit or None)
        known = step is not None
        found.append(
            Modulo(
                along=along,  # type: ignore[arg-type]
                type=type_,
                start=float(f"{start * scale:.9g}") if known else 0,
                end=float(f"{(start + dimension.length) * scale:.9g}") if known else dimension.size - 1,
                step=float(f"{(step or 1) * scale:.9g}") if known else 1,
                unit=unit if known else None,
                description=dimension.name,
            )
        )
    return found


def _annotations(layout: Layout) -> tuple[MapAnnotation, ...]:
    """What the names of OME's dimensions do not say."""
    pairs = []
    for axis, folded in (("T", layout.t), ("Z", layout.z)):
        if len(folded) > 1 or any(dimension.id not in (3, 4) for dimension in folded):
            pairs += [(f"{axis} holds, fastest first", f"{dimension.name} × {dimension.size}") for dimension in folded]
    if layout.y.id in (3, 4):
        pairs.append(("Y holds", layout.y.name))
        step = _seconds(layout.y) if layout.y.id == 4 else None
        if step:
            pairs.append(("Seconds between lines of Y", repr(step)))
        if layout.y.id == 3 and layout.y.step:
            pairs += [("Z of first line of Y (µm)", repr(micrometres(layout.y.origin))), ("Step of Y along z (µm)", repr(micrometres(layout.y.step)))]
    falling = next((dimension for dimension in layout.z if dimension.id == 3 and (dimension.step or 0) < 0), None)
    if falling is not None:
        pairs.append(("Direction of z", f"falling: each plane lies {abs(micrometres(falling.step or 0))!r} µm below the one before"))
    return (MapAnnotation(LEICA_NAMESPACE, tuple(pairs)),) if pairs else ()


def _of_experiment(image: etree._Element) -> Iterator[tuple[str, str]]:
    """What the experiment that an image belongs to says of itself, such as where it was saved."""
    for holder in image.iterancestors("Element"):
        for experiment in holder.iterfind("Data/Experiment"):
            yield from ((f"Experiment|{key!s}", str(value)) for key, value in experiment.attrib.items())
