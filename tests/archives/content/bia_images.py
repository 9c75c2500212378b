"""Images that the BioImage Archive keeps as OME-Zarr: what its own service says of them, and the stores.

Identifiers, sizes, dataset names and pixel sizes of S-BIAD634's two images are the real ones; pixels, the other identifiers and everything of
S-BIAD1556 but its path are invented.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from .more_stores import container
from .seeds import Nuclei
from .zarr import Pyramid, Tree, image_tree

BUCKET = "bioimaging-integrator-data"
OLD_HOST = "https://uk1s3.embassy.ebi.ac.uk/bia-integrator-data"
HOST = f"https://livingobjects.ebi.ac.uk/{BUCKET}"
PIXEL = 0.35277777777777776
"""Millimetres: the 72 dpi of a drawing program, which the real stores have taken for a pixel size."""


@dataclass(frozen=True)
class BiaImage:
    """An image; without `path` the service does not say which file it was made from."""

    accession: str
    dataset: str
    uuid: str
    store: str
    path: str
    sizes: tuple[int, int]
    attributes: tuple[tuple[str, str], ...] = ()
    host: str = HOST
    gone: bool = False

    @property
    def key(self) -> str:
        """Where its store lies in the bucket."""
        return f"{self.accession}/{self.uuid}/{self.store}.ome.zarr"

    def tree(self) -> Tree:
        """Return its store."""
        y, x = self.sizes
        scene = Nuclei(int(self.uuid[:6], 16), 1, y, x, 20, np.dtype(np.uint8), 150.0)
        sizes = {"t": 1, "c": 1, "z": 1, "y": y, "x": x}
        pyramid = Pyramid(scene, "tczyx", sizes, (1.0, 1.0, 1.0, PIXEL, PIXEL), 2, dict.fromkeys("yx", "millimeter"))
        pixels = (
            f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="{x}" SizeY="{y}" SizeZ="1" SizeC="1" SizeT="1">'
            '<Channel ID="Channel:0:0" SamplesPerPixel="1"/><MetadataOnly/></Pixels>'
        )
        name = self.path.rpartition("/")[2] or self.uuid
        return container("0.4", [image_tree("0.4", pyramid)], [name], f'<Image ID="Image:0" Name="{name}">{pixels}</Image>')


def _uuid(number: int, kind: int = 0) -> str:
    return f"{number:08x}-0000-4000-8000-{kind:012x}"


@functools.cache
def bia_images() -> tuple[BiaImage, ...]:
    """Return every image."""
    raw = ("dataset/rawimages/otherspecimen_3.tif", (("Magnification", "63x"), ("Modality", "FM")))
    first = BiaImage(
        "S-BIAD634", "Raw images", "0931a00e-d4dc-4c82-9809-4fdeffb1fc2e", "45407560-58f9-4b1a-b268-0e4caea3f094", raw[0], (763, 1014), raw[1]
    )
    mask = BiaImage(
        "S-BIAD634",
        "Segmentation masks",
        "2b3c7b46-c31f-4b0a-ac1b-29c2dee8eebf",
        "ae7a197e-a6ad-46dc-aee0-e5f6b3829a93",
        "dataset/groundtruth/otherspecimen_3.tif",
        (763, 1014),
        host=OLD_HOST,
    )
    component = "Image analysis of HEK293T Cells with GFP-ZFTA::RELA constructs"
    gone = BiaImage("S-BIAD1556", component, _uuid(1), _uuid(1, 1), "", (8, 8), gone=True)
    twins = [BiaImage("S-BIAD1556", component, _uuid(number), _uuid(number, 1), "Delta_IDR_mutants/two.sld", (32, 40)) for number in (2, 3)]
    many = [BiaImage("S-BIAD1495", "Analysis of nuclear YAP localization", _uuid(100 + n), _uuid(100 + n, 1), f"{n}.tif", (8, 8)) for n in range(230)]
    return (first, mask, gone, *twins, *many)


@functools.cache
def bia_stores() -> dict[str, Tree]:
    """Return the stores by bucket and key."""
    return {f"{BUCKET}/{image.key}": image.tree() for image in bia_images() if not image.gone}


def study_uuid(accession: str) -> str:
    """Return the service's own name of a study."""
    return _uuid(int(accession.removeprefix("S-BIAD")), 0xA)


def datasets(accession: str) -> dict[str, str]:
    """Return titles of datasets by the service's names of them."""
    titles = dict.fromkeys(image.dataset for image in bia_images() if image.accession == accession)
    return {_uuid(int(accession.removeprefix("S-BIAD")), 0xD00 + number): title for number, title in enumerate(titles)}


def described(image: BiaImage) -> dict[str, Any]:
    """Return what the service says of an image."""
    notes: list[dict[str, Any]] = []
    if image.attributes:
        notes.append(
            {
                "provenance": "bia_image_assignment",
                "name": f"attributes_from_file_reference_{image.uuid}",
                "value": {"attributes": dict(image.attributes)},
            }
        )
    if image.path:
        notes.append({"provenance": "bia_image_assignment", "name": "file_pattern", "value": {"file_pattern": image.path}})
    return {"uuid": image.uuid, "version": 0, "model": {"type_name": "Image", "version": 5}, "additional_metadata": notes, "label": None}


def representations(image: BiaImage) -> list[dict[str, Any]]:
    """Return what the service says of how an image is kept: the submitted file, and the OME-Zarr."""
    y, x = image.sizes
    uploaded = {
        "uuid": _uuid(1, 0xF),
        "image_format": ".tiff",
        "file_uri": [f"https://www.ebi.ac.uk/biostudies/files/{image.accession}/{image.path}"],
    }
    converted = {
        "uuid": image.store,
        "image_format": ".ome.zarr",
        "file_uri": [f"{image.host}/{image.key}/0"],
        "total_size_in_bytes": 2 * y * x,
        "voxel_physical_size_x": PIXEL / 1000,
        "voxel_physical_size_y": PIXEL / 1000,
        "size_x": x,
        "size_y": y,
        "size_z": 1,
        "size_c": 1,
        "size_t": 1,
    }
    return [uploaded, converted]
