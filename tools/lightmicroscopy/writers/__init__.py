"""Writers: OME-TIFF and OME-Zarr, through one pipeline of threads in bounded memory."""
