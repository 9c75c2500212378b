"""An HDF5 file as analysis programs leave it: pixels, and not a word about them."""

from __future__ import annotations

import io

from .drawing import stack


def hdf5() -> bytes:
    """One dataset of three dimensions, without attributes and without times of its making."""
    import h5py

    image, _ = stack()
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver="earliest") as file:
        file.create_dataset("images/raw", data=image[0], track_times=False)
    return buffer.getvalue()
