"""What a source cannot tell, or has changed: said by the converter when it happens and by the check when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..provenance import NAMESPACE, SOURCE, SOURCE_FORMAT, SOURCE_LOSSY, YES

if TYPE_CHECKING:
    from ..image import Dataset, Image

PREVIEW_TITLE = "Preview made by the Galaxy light microscopy suite"
"""What the previews of this suite say of themselves, as the Title in a PNG's text."""
SUMMARY_TITLE = "Verdict of a metadata check by the Galaxy light microscopy suite"
"""What the pictures of verdicts say of themselves."""
_NAME = 100
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
    # JPEG XL does not say whether anything was lost.
    changed_so = "need not be" if image.compression == "JPEG XL" else "are not"
    what = "label numbers are wrong along every edge" if image.kind == "label" else f"its pixel values {changed_so} the measured ones"
    return f"Series {image.series} is stored with lossy compression{how}: {what}."


def came_from(image: Image) -> tuple[tuple[str, str, bool], ...]:
    """Name, format and whether values had been lost, of each source that this suite has recorded in a series, the oldest first."""
    told = (dict(annotation.pairs) for annotation in image.metadata.annotations if annotation.namespace == NAMESPACE)
    return tuple((pairs.get(SOURCE, "")[:_NAME], pairs.get(SOURCE_FORMAT, "")[:_NAME], pairs.get(SOURCE_LOSSY) == YES) for pairs in told)


def preview(dataset: Dataset) -> str | None:
    """Say in a sentence that this is a picture made by this suite to look at; None for anything else."""
    told = {pair for image in dataset.images for pair in image.metadata.original}
    if ("Title", SUMMARY_TITLE) in told:
        return f"{dataset.location.name} is the verdict of a check, drawn by this suite, and no image. Choose the image that was checked."
    if ("Title", PREVIEW_TITLE) not in told:
        return None
    return f"{dataset.location.name} is a preview, made by this suite to look at, and not the image. Choose the image that it shows."
