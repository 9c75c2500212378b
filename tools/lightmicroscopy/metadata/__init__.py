"""Metadata: reading, writing and checking what is known about images."""
