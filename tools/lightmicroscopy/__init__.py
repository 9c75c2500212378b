"""Galaxy light microscopy suite: read, convert and check microscope images."""

__version__ = "0.1.0"
