"""What a source cannot tell, or has changed: said by the converter when it happens and by the check when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..image import Image

_UNSAID = {
    "PNG": "pixel size, channel names, z and time steps, objective and date",
    "JPEG": "pixel size, channel names, z and time steps, objective and date",
    "TIFF": "which page is which channel, z plane or time point, and most often the pixel size",
}


def unsaid(format_name: str) -> str | None:
    """Say in a sentence what files of a format made for pictures leave unsaid; None for formats of microscopy."""
    kind = format_name.split(" ", maxsplit=1)[0]
    if kind not in _UNSAID:
        return None
    article = "A PNG" if kind == "PNG" else f"A {'plain ' if kind == 'TIFF' else ''}{kind}"
    return f"{article} file does not say {_UNSAID[kind]}."


def changed(image: Image) -> str | None:
    """Say in a sentence what lossy storage has done to a series; None where values are as they were measured."""
    if not image.lossy:
        return None
    how = f" ({image.compression})" if image.compression else ""
    what = "label numbers are wrong along every edge" if image.kind == "label" else "its pixel values are not the measured ones"
    return f"Series {image.series} is stored with lossy compression{how}: {what}."
