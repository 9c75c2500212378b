"""Packages of ``scripts``, loaded by their place.

That folder may not go onto the path, where its ``galaxy.py`` would hide Galaxy's own package from every other test.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


def load(name: str) -> None:
    """Make a package of ``scripts`` importable by its name."""
    if name in sys.modules:
        return
    package = SCRIPTS / name
    spec = importlib.util.spec_from_file_location(name, package / "__init__.py", submodule_search_locations=[str(package)])
    if spec is None or spec.loader is None:
        raise ImportError(f"{package} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
