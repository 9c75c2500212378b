"""Makes the files of ``test-data/``, one module for each kind of file.

The files are written with tifffile, imagecodecs, Pillow, plain JSON and plain bytes, and never with this suite's own
readers and writers, so that they can show these to be wrong.
"""
