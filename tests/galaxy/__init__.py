"""Tests of the local Galaxy's scripts, and in it.

The package ``local`` of ``scripts`` is loaded by its place: that folder may not go onto the path, where its ``galaxy.py`` would
hide Galaxy's own package from every other test.
"""

import importlib.util
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2] / "scripts" / "local"
_spec = importlib.util.spec_from_file_location("local", _PACKAGE / "__init__.py", submodule_search_locations=[str(_PACKAGE)])
if _spec is None or _spec.loader is None:
    raise ImportError(f"{_PACKAGE} cannot be loaded")
_module = importlib.util.module_from_spec(_spec)
sys.modules["local"] = _module
_spec.loader.exec_module(_module)
