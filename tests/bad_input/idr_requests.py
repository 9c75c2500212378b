"""What is asked of the IDR in the rows of docs/bad-input.md that are about it: arguments of lm_idr_download, by row."""

from __future__ import annotations

PLANE = ("--z", "0", "--region", "0,0,8,8")
METADATA = ("--format", "metadata")

REQUESTS: dict[str, tuple[str, ...]] = {
    "id that is not a number": ("six million",),
    "id of nothing": ("77",),
    "id named twice": ("6001240 image-6001240", *METADATA),
    "no id": ("",),
    "link to a project": ("https://idr.openmicroscopy.org/webclient/?show=project-801",),
    "link to a dataset, encoded": ("https%3A%2F%2Fidr.openmicroscopy.org%2Fwebclient%2F%3Fshow%3Ddataset-11620",),
    "link to another site": ("https://example.org/webclient/?show=image-6001240",),
    "name of a study": ("idr0062",),
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
