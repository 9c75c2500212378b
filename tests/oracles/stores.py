"""OME-Zarr stores as programs that are not ours see them: zarr-python, tensorstore, ome-zarr-py and ome-zarr-models."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import zarr
    from numpy.typing import NDArray


TO_MICROMETRES = {"nanometer": 1e-3, "micrometer": 1.0, "millimeter": 1e3}


def open_group(path: Path) -> zarr.Group:
    """The root of a store, a folder or a zip, opened by zarr-python."""
    import zarr

    store: Any = zarr.storage.ZipStore(path, mode="r") if path.is_file() else path
    return zarr.open_group(store, mode="r")


def attributes(group: zarr.Group) -> dict[str, Any]:
    """NGFF attributes without the wrapping of version 0.5."""
    found = dict(group.attrs)
    return dict(found.get("ome", found))  # type: ignore[call-overload]


def image_paths(root: zarr.Group) -> list[str]:
    """Where the images of a store are, series by series."""
    described = attributes(root)
    if "multiscales" in described:
        return [""]
    if "plate" in described:
        wells = [well["path"] for well in described["plate"]["wells"]]
        return [f"{well}/{field['path']}" for well in wells for field in attributes(root[well])["well"]["images"]]
    assert described.get("bioformats2raw.layout") == 3, described
    return list(attributes(root["OME"])["series"]) if "OME" in root and "series" in attributes(root["OME"]) else sorted(root.group_keys(), key=int)


def axes(root: zarr.Group, image: str) -> str:
    """Names of the axes of an image, in order."""
    scales = attributes(root[image] if image else root)["multiscales"][0]
    return "".join(axis if isinstance(axis, str) else axis["name"] for axis in scales.get("axes", "tczyx"))


def level_paths(root: zarr.Group, image: str) -> list[str]:
    """Paths of the arrays of an image from the root, the largest first."""
    scales = attributes(root[image] if image else root)["multiscales"][0]
    return [f"{image}/{level['path']}".lstrip("/") for level in scales["datasets"]]


def by_zarr_python(root: zarr.Group, array: str) -> NDArray[np.generic]:
    """Read a whole array with zarr-python."""
    import numpy as np

    return np.asarray(root[array][...])  # type: ignore[index]


def by_tensorstore(path: Path, array: str) -> NDArray[np.generic]:
    """Read a whole array with tensorstore."""
    import numpy as np
    import tensorstore

    base: dict[str, Any] = {"driver": "file", "path": str(path)}
    if path.is_file():
        names = zipfile.ZipFile(path).namelist()
        kvstore: dict[str, Any] = {"driver": "zip", "base": base, "path": f"{array}/"}
        driver = "zarr3" if f"{array}/zarr.json" in names else "zarr"
    else:
        kvstore = {**base, "path": f"{path / array}/"}
        driver = "zarr3" if (path / array / "zarr.json").exists() else "zarr"
    opened = tensorstore.open({"driver": driver, "kvstore": kvstore}, read=True).result()
    return np.asarray(opened.read().result())


def by_ome_zarr_py(path: Path, image: str) -> list[NDArray[np.generic]]:
    """Read all levels of an image with ome-zarr-py."""
    import numpy as np
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    location = parse_url(str(path / image) if image else str(path))
    assert location is not None
    node = next(iter(Reader(location)()))
    return [np.asarray(level) for level in node.data]


def assert_valid(path: Path) -> None:
    """Let ome-zarr-models judge the root, and every image, label map and well below it."""
    import warnings

    from ome_zarr_models import open_ome_zarr
    from ome_zarr_models.v05.bioformats2raw import BioFormats2Raw

    root = open_group(path)
    version = "0.5" if "ome" in dict(root.attrs) else "0.4"
    with warnings.catch_warnings():
        # It warns where it tried a group as several kinds in turn.
        warnings.simplefilter("ignore")
        if version == "0.5" and "bioformats2raw.layout" in attributes(root):
            # ome-zarr-models 1.7 has a model of it, but does not look for it by itself.
            BioFormats2Raw.from_zarr(root)
        else:
            open_ome_zarr(root, version=version)
        for image in image_paths(root):
            if image:
                open_ome_zarr(root[image], version=version)
            labels = f"{image}/labels".lstrip("/")
            if labels in root:
                open_ome_zarr(root[labels], version=version)


def to_planes(array: NDArray[np.generic], names: str, samples: int = 1) -> NDArray[np.generic]:
    """T C Z Y X S from an array with named axes; samples of RGB come back from the channel axis, where NGFF has to keep them."""
    import numpy as np

    full = np.expand_dims(array, tuple(position for position, name in enumerate("tczyx") if name not in names))
    if samples == 1:
        return full[..., np.newaxis]
    t, c, z, y, x = full.shape
    return np.moveaxis(full.reshape(t, c // samples, samples, z, y, x), 2, -1)


def read_bytes(path: Path, name: str) -> bytes:
    """One file of a store."""
    if path.is_file():
        with zipfile.ZipFile(path) as archive:
            return archive.read(name)
    return (path / name).read_bytes()


def pixel_sizes(root: zarr.Group, image: str) -> dict[str, float | None]:
    """Sizes of a pixel of the largest level in µm by axis; None where the axis has no unit."""
    described = attributes(root[image] if image else root)["multiscales"][0]
    scale = described["datasets"][0]["coordinateTransformations"][0]["scale"]
    found = {axis["name"]: (size, axis.get("unit")) for axis, size in zip(described["axes"], scale, strict=True) if axis["type"] == "space"}
    return {name: float(f"{size * TO_MICROMETRES[unit]:.9g}") if unit else None for name, (size, unit) in found.items()}
