"""A stand-in for the public archives that the suite talks to, on the loopback interface only."""

from __future__ import annotations

from .faults import Fault, Faults
from .server import Archive
from .wire import Exchange

__all__ = ["Archive", "Exchange", "Fault", "Faults"]
