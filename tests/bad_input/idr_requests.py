"""What is asked of the IDR in the rows of docs/bad-input.md that are about it: arguments of lm_idr_download, by row."""

from __future__ import annotations

PLANE = ("--z", "0", "--region", "0,0,8,8")
METADATA = ("--format", "metadata")

REQUESTS: dict[str, tuple[str, ...]] = {
    "id that is not a number": ("six million",),
    "id of nothing": ("77",),
    "id named twice": ("6001240 image-6001240", *METADATA),
    "no id": ("",),
    "link to a project that is not there": ("https://idr.openmicroscopy.org/webclient/?show=project-999999",),
    "link to an empty dataset, encoded": ("https%3A%2F%2Fidr.openmicroscopy.org%2Fwebclient%2F%3Fshow%3Ddataset-99002",),
    "link to another site": ("https://example.org/webclient/?show=image-6001240",),
    "study that is not there": ("idr0061",),
    "well that the plate has not": ("plate:2551/Q99",),
    "field that is no number": ("plate:2551/B07/first",),
    "something below a well's field": ("plate:2551/B07/0/x",),
    "link to a region of interest": ("https://idr.openmicroscopy.org/webclient/?show=roi-3",),
    "container with more images than allowed": ("dataset:99001", "--max-items", "5"),
    "plane that the image lacks": ("6001240", "--z", "236"),
    "more images than allowed": ("6001240 6001241", "--max-items", "1"),
    "more bytes than allowed": ("99000002", "--max-size", "1G"),
    "part of an original file": ("13441308", "--format", "original", "--z", "0"),
    "image whose pixels exist nowhere": ("99000001",),
    "image whose address leads into the private network": ("99000010",),
    "image whose original no reader knows": ("12922361",),
    "annotations with tabs and newlines": ("99000007", *METADATA),
    "image with a name that climbs out": ("99000004", *METADATA),
}
