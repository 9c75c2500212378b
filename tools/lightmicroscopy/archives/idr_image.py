"""What the IDR knows of an image, put together with what the image's own file knows."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

from ..errors import UnreadableError
from ..image import Channel, Dataset, Image, ImageMetadata, Level, MapAnnotation, Region, Roi, Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from .idr import Annotation, ImageRecord
    from .study import Study

NAMESPACE: Final = "lightmicroscopy/archive"
"""Namespace of the map annotation that names archive, study, licence and how to cite."""
_AXES: Final = "TCZYX"


@dataclass(frozen=True, slots=True)
class Unfetched:
    """Pixels that are only known to exist."""

    shape: Shape
    dtype: np.dtype[Any]

    @property
    def unit(self) -> Shape:
        """A plane."""
        return self.shape._replace(t=1, c=1, z=1)

    def read(self, region: Region) -> NDArray[Any]:
        """Fail: nothing was fetched."""
        raise UnreadableError(f"The pixels {region} were not fetched: only metadata were asked for.")


def shape_of(record: ImageRecord) -> Shape:
    """Sizes the IDR states."""
    return Shape(record.size_t, record.size_c, record.size_z, record.size_y, record.size_x)


def without_pixels(record: ImageRecord) -> Image:
    """Return an image that has everything but pixels: selections are tried on it, and its metadata are written."""
    import numpy as np

    metadata = ImageMetadata(channels=tuple(Channel() for _ in range(record.size_c)))
    pixels = Unfetched(shape_of(record), np.dtype(record.dtype))
    image = Image(record.name, record.series, (Level(pixels),), _AXES, metadata=metadata)
    return with_record(image, record)


def with_record(image: Image, record: ImageRecord) -> Image:
    """Lay what the IDR says over what the file says; what only the file knows is kept."""
    own = image.metadata
    changes: dict[str, Any] = {
        name: value
        for name in ("pixel_size_x", "pixel_size_y", "pixel_size_z", "time_increment_s", "description")
        if (value := getattr(record, name)) not in (None, "")
    }
    if own.acquisition_date is None:
        changes["acquisition_date"] = record.acquisition_date
    if len(record.channels) == image.shape.c:
        known = own.channels if len(own.channels) == image.shape.c else [Channel()] * image.shape.c
        changes["channels"] = tuple(_channel(theirs, ours) for theirs, ours in zip(record.channels, known, strict=True))
    bits = image.significant_bits or record.significant_bits
    return replace(image, name=record.name, significant_bits=bits, metadata=replace(own, **changes))


def _channel(record: Channel, own: Channel) -> Channel:
    """Fill what the IDR does not say of a channel from the file."""
    said = {field.name: value for field in fields(Channel) if (value := getattr(record, field.name)) != field.default}
    if record.color is not None:
        said["color_invented"] = record.color_invented
    return replace(own, **said)


def with_origin(image: Image, record: ImageRecord, annotations: Sequence[Annotation], study: Study | None) -> Image:
    """Add the archive's map annotations, and which study this is under which licence."""
    by_namespace: dict[str, list[tuple[str, str]]] = {}
    for annotation in annotations:
        if annotation.object_type == "image":
            by_namespace.setdefault(annotation.namespace or "openmicroscopy.org/omero/client/mapAnnotation", []).append(
                (annotation.key, annotation.value)
            )
    maps = [MapAnnotation(namespace, tuple(pairs)) for namespace, pairs in by_namespace.items()]
    pairs = [("Archive", "Image Data Resource (IDR)"), ("Image", str(record.id)), ("URL", record.url)]
    if study is not None:
        facts = (("Study", study.name), ("Licence", study.licence), ("Licence URL", study.licence_url))
        pairs += [(key, value) for key, value in (*facts, ("Data DOI", study.data_doi), ("Publication DOI", study.publication_doi)) if value]
    origin = MapAnnotation(NAMESPACE, tuple(pairs))
    return replace(image, metadata=replace(image.metadata, annotations=(*image.metadata.annotations, *maps, origin)))


def with_regions(image: Image, rois: Sequence[Roi]) -> Image:
    """Add the archive's regions of interest, unless the image's own file has some: those are where they come from."""
    if not rois or image.metadata.rois:
        return image
    return replace(image, metadata=replace(image.metadata, rois=tuple(rois)))


def only(dataset: Dataset, record: ImageRecord, series: int | None) -> Dataset:
    """Narrow what was opened to the one image meant, with its label maps.

    Raises
    ------
    UnreadableError
        If it is not there, or has other sizes or another type than the IDR states, and so is another image.
    """
    import numpy as np

    name = dataset.location.name
    if not dataset.images:
        raise UnreadableError(f"{name} holds no image.")
    if series is not None and dataset.plates and dataset.plate_layout and len(dataset.images) > 1:
        # Its fields are counted as far as they are there: where one is missing, the next would be taken for it.
        raise UnreadableError(f"{name} is a whole plate, in which no image is known by a number alone. Its own field was not found.")
    # Where images are missing, the one that is left is not taken for another.
    alone = [image.series for image in dataset.images] == [0] and not any("listed but not there" in sentence for sentence in dataset.warnings)
    wanted = 0 if series is None or alone else series
    image = next((image for image in dataset.images if image.series == wanted), None)
    if image is None:
        raise UnreadableError(f"{name} has {len(dataset.images)} series, and none numbered {wanted}.")
    found, stated = image.shape, shape_of(record)
    # Colours kept as samples are channels to the IDR.
    if found._replace(c=found.c * found.s, s=1) != stated:
        raise UnreadableError(
            f"{name} is another image: it is {_sizes(found)} in x, y, z, c, t, where the IDR has {_sizes(stated)} for image {record.id}."
        )
    if image.dtype != np.dtype(record.dtype) and {image.dtype.name, record.dtype} != {"bool", "uint8"}:
        raise UnreadableError(f"{name} is another image: its pixels are {image.dtype}, where the IDR has {record.dtype} for image {record.id}.")
    labels = tuple(label for label in dataset.labels if label.label_of == image.series)
    return replace(dataset, images=(with_record(image, record),), labels=labels)


def _sizes(shape: Shape) -> str:
    return " × ".join(str(size) for size in (shape.x, shape.y, shape.z, shape.c * shape.s, shape.t))
