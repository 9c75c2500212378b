"""Original files: small, made when first asked for, in the formats the studies have."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .seeds import Nuclei, noise

MICROSCOPE_FILE = b"not a file of this format; invented bytes\n"


@dataclass(frozen=True)
class Original:
    """A file of the tree: its size is known only once it is made."""

    make: Callable[[], bytes]

    @functools.cached_property
    def data(self) -> bytes:
        """The bytes."""
        return self.make()


def planes(seed: int, t: int, c: int, z: int, y: int, x: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    """Return an image of shape (T, C, Z, Y, X) with a few nuclei in it."""
    scene = Nuclei(seed, z, y, x, 6)
    return np.stack([scene.plane(i, j, k) for i in range(t) for j in range(c) for k in range(z)]).reshape(t, c, z, y, x)


def rgb_tiff(seed: int, y: int, x: int) -> bytes:
    """Return an RGB TIFF without any metadata, as cameras write them."""
    import tifffile

    out = io.BytesIO()
    picture = np.stack([noise(y, x, seed, sample) for sample in range(3)], -1).astype(np.uint8)
    tifffile.imwrite(out, picture, photometric="rgb", metadata=None, software=False)
    return out.getvalue()


def imagej_tiff(seed: int, c: int, z: int, y: int, x: int, spacing: float) -> bytes:
    """Return an ImageJ hyperstack."""
    import tifffile

    out = io.BytesIO()
    data = planes(seed, 1, c, z, y, x)[0].transpose(1, 0, 2, 3)
    tifffile.imwrite(out, data, imagej=True, metadata={"axes": "ZCYX", "spacing": spacing, "unit": "um"})
    return out.getvalue()


def ome_tiff(seed: int, sizes: list[tuple[int, int, int, int]], names: list[str], channels: list[str]) -> bytes:
    """Return an OME-TIFF with a series per size (C, Z, Y, X)."""
    import tifffile

    out = io.BytesIO()
    with tifffile.TiffWriter(out, ome=True) as writer:
        for number, ((c, z, y, x), name) in enumerate(zip(sizes, names, strict=True)):
            metadata = {
                "axes": "CZYX",
                "Name": name,
                "Channel": {"Name": channels[:c]},
                "PhysicalSizeX": 0.2,
                "PhysicalSizeXUnit": "µm",
                "PhysicalSizeY": 0.2,
                "PhysicalSizeYUnit": "µm",
                "PhysicalSizeZ": 0.5,
                "PhysicalSizeZUnit": "µm",
            }
            writer.write(planes(seed + number, 1, c, z, y, x)[0], photometric="minisblack", metadata=metadata)
    return out.getvalue()


@dataclass(frozen=True)
class Companion:
    """A set of one `.companion.ome` and one TIFF per channel.

    Parameters
    ----------
    sizes
        C, Z, Y, X.
    """

    seed: int
    stem: str
    sizes: tuple[int, int, int, int]

    def names(self) -> list[str]:
        """Return the names of the set, the companion first."""
        return [f"{self.stem}.companion.ome", *(f"{self.stem}_C{channel}.tif" for channel in range(self.sizes[0]))]

    def files(self) -> Iterator[tuple[str, Original]]:
        """Yield each name with its file."""
        companion, *tiffs = self.names()
        yield companion, Original(self._xml)
        for channel, name in enumerate(tiffs):
            yield name, Original(functools.partial(self._tiff, channel))

    def _tiff(self, channel: int) -> bytes:
        import tifffile

        _, z, y, x = self.sizes
        out = io.BytesIO()
        xml = (
            f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{self._uuid(channel + 1)}">'
            f'<BinaryOnly MetadataFile="{self.stem}.companion.ome" UUID="{self._uuid(0)}"/></OME>'
        )
        data = planes(self.seed, 1, channel + 1, z, y, x)[0, channel]
        tifffile.imwrite(out, data, photometric="minisblack", metadata=None, description=xml, software=False)
        return out.getvalue()

    def _uuid(self, number: int) -> str:
        return f"urn:uuid:00000000-0000-4000-8000-{self.seed:08d}{number:04d}"

    def _xml(self) -> bytes:
        c, z, y, x = self.sizes
        channels = "".join(f'<Channel ID="Channel:0:{channel}" Name="channel {channel}" SamplesPerPixel="1"/>' for channel in range(c))
        blocks = "".join(
            f'<TiffData IFD="{plane}" FirstC="{channel}" FirstZ="{plane}" FirstT="0" PlaneCount="1">'
            f'<UUID FileName="{self.stem}_C{channel}.tif">{self._uuid(channel + 1)}</UUID></TiffData>'
            for channel in range(c)
            for plane in range(z)
        )
        pixels = (
            f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="{x}" SizeY="{y}" SizeZ="{z}" SizeC="{c}" SizeT="1" '
            f'PhysicalSizeX="0.1" PhysicalSizeXUnit="µm" PhysicalSizeY="0.1" PhysicalSizeYUnit="µm" PhysicalSizeZ="0.3" PhysicalSizeZUnit="µm">'
        )
        head = f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="{self._uuid(0)}">'
        text = f'{head}<Image ID="Image:0" Name="{self.stem}">{pixels}{channels}{blocks}</Pixels></Image></OME>'
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()
