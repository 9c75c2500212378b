"""OME-TIFF files for tests, their OME-XML given as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from .tiff_files import noise

NAMESPACE = 'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'


def ome(pixel_attributes: str, inside: str, *, attributes: str = "", name: str = "cells") -> str:
    """Return the OME-XML of one image."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><OME {NAMESPACE} {attributes}><Image ID="Image:0" Name="{name}">'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="9" SizeY="7" {pixel_attributes}>{inside}</Pixels></Image></OME>'
    )


def sizes(t: int = 1, c: int = 1, z: int = 1) -> str:
    """Return the size attributes of Pixels."""
    return f'SizeT="{t}" SizeC="{c}" SizeZ="{z}"'


def channels(*samples: int) -> str:
    """Return Channel elements."""
    return "".join(f'<Channel ID="Channel:0:{number}" SamplesPerPixel="{count}"/>' for number, count in enumerate(samples))


def written(path: Path, pages: np.ndarray, xml: str, **options: Any) -> Path:
    """Write pages under a description of our own."""
    tifffile.imwrite(path, pages, description=xml.encode(), metadata=None, photometric=options.pop("photometric", "minisblack"), **options)
    return path


PAGES = noise((12, 7, 9))


HOLLOW = '<Image ID="Image:9" Name="hollow"/>'
