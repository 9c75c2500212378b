"""Damaged copies of image files, and what the suite makes of them; see `scripts/damage.py`."""
