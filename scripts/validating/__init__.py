"""Asks validators of OME-Zarr that are not ours; see scripts/compare_validators.py."""
