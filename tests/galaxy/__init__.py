"""Tests of the local Galaxy and of what runs in it."""

import sys
from pathlib import Path

# The package that scripts/galaxy.py is made of; tests of this folder import it as ``local``.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
