"""What the archive holds: true identity facts of real studies, and pixels made from small seeds."""

from __future__ import annotations

from .catalogue import Catalogue, catalogue

__all__ = ["Catalogue", "catalogue"]
