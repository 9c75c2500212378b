"""Write a dataset as an OME-Zarr store (NGFF 0.4 or 0.5): a folder, or a zip."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..metadata import zarr_json
from .atomic import new_output
from .blocks import refuse_large_units
from .options import SeriesWritten, WriteOptions, Written
from .pipeline import Task, run
from .sources import refuse_complex
from .store import OME_XML, Folder, Store, Zip, check_store
from .zarr_groups import ArrayGroup, plan_group
from .zarr_layout import Layout, lay_out

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..image import Dataset, Image

_FILE_BYTES = 4096


def write_ome_zarr(dataset: Dataset, path: Path, options: WriteOptions) -> Written:
    """Write all images and label maps of a dataset as one store.

    One image lies at the root; several lie in the bioformats2raw layout; the fields of a plate in the layout of
    high-content screening. ``OME/METADATA.ome.xml`` is always there.

    Parameters
    ----------
    dataset
        What to write; the first level of each image is read, smaller ones are made anew. Samples (RGB) become channels.
    path
        The final name, which must not exist yet; it appears when the store is whole and checked.
    options
        See `WriteOptions`.

    Returns
    -------
    Written
        With one series per image, then one per label map, in the dataset's order.

    Raises
    ------
    UsageError
        If something is at `path`, or the options do not suit Zarr.
    UnwritableError
        If the pixels are of a type that cannot be written, or the store cannot be.
    """
    from ..metadata.ome_write import build_ome_with_losses

    for image in (*dataset.images, *dataset.labels):
        refuse_complex(image)
        refuse_large_units(image, options.memory, dataset.location.name)
    layout = lay_out(dataset)
    groups = [plan_group(image, layout.paths[number], options) for number, image in enumerate(dataset.images)]
    parents: dict[int | None, ArrayGroup] = {image.series: group for image, group in zip(dataset.images, groups, strict=True)}
    for label, place in zip(dataset.labels, layout.label_paths, strict=True):
        groups.append(plan_group(label, place, options, parent=parents.get(label.label_of)))
    describe = partial(
        build_ome_with_losses, storage="ome-zarr", source=dataset, original=options.original, provenance=options.provenance, plates=layout.plates
    )
    xml, unsaid = describe(dataset.images)
    most = sum(group.most_bytes + group.plan.chunk_count() * (0 if options.zip else _FILE_BYTES) for group in groups) + len(xml) + _FILE_BYTES
    with new_output(path, most_bytes=most) as temporary:
        store: Store = Zip(temporary) if options.zip else Folder(temporary)
        try:
            _begin(store, layout, groups, options)
            tasks = [Task(group.plan, group.sink(store, options.ngff_version, verify=options.verify), group.extremes) for group in groups]
            run(tasks, threads=options.threads, memory=options.memory, progress=options.progress)
            for group in groups:
                _put_all(store, group.path, group.files(options.ngff_version))
            if options.complete:
                xml, unsaid = describe([options.complete(image) for image in dataset.images])
            store.put(OME_XML, xml)
            store.finish()
        finally:
            store.close()
        size = check_store(temporary, {group.path: group.expected() for group in groups}, options.ngff_version)
    return Written(
        path,
        size,
        tuple(_series(group, options) for group in groups),
        (*layout.losses, *_lost_alpha(dataset.images), *unsaid),
    )


def _lost_alpha(images: Sequence[Image]) -> tuple[str, ...]:
    """Say of which images it is not written that their colours are multiplied by their opacity."""
    return tuple(
        f"{image.name}: that its values are already multiplied by its alpha is not written; OME-Zarr has alpha as a channel like any other."
        for image in images
        if image.alpha == "associated" and image.shape.s in (2, 4)
    )


def _begin(store: Store, layout: Layout, groups: Sequence[ArrayGroup], options: WriteOptions) -> None:
    """Write everything that is known before the pixels are, the root first."""
    version = options.ngff_version
    for group in groups:
        if group.path == "":
            # Display windows are known when all pixels have been seen, but the root's metadata should come first in a zip.
            for name, content in group.files(version).items():
                store.reserve(name, content)
    for place, attributes in layout.groups(version).items():
        _put_all(store, place, zarr_json.group_files(attributes, version))
    for group in groups:
        for level in range(len(group.plan.shapes)):
            _put_all(store, _join(group.path, str(level)), zarr_json.array_files(group.array(level, version)))


def _put_all(store: Store, place: str, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        store.put(_join(place, name), content)


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _series(group: ArrayGroup, options: WriteOptions) -> SeriesWritten:
    chunks = group.plan.chunk_count()
    verified = chunks if options.verify else 0
    return SeriesWritten(group.image.name, group.plan.shapes, group.image.dtype.name, group.codec.name, chunks, verified, group.path)
