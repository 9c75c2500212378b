"""Makes the bad input of every row of docs/bad-input.md.

Each maker is named after its row. It gets an empty folder for the input and returns the arguments of ``lm_convert``
without ``--output``. Large things are made sparse or repetitive, so that they cost a reader who believes them more than
they cost us.
"""

from __future__ import annotations

from . import files, names, outputs, promises, selections, stores, text, units, zips
from .makers import DATA, MAKERS

__all__ = ["DATA", "MAKERS", "files", "names", "outputs", "promises", "selections", "stores", "text", "units", "zips"]
