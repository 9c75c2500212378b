"""REMBI, the Recommended Metadata for Biological Images: its fields, and the sheet that people fill in."""
