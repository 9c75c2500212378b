"""RDKit, in a process of its own: the InChI library in it is C that strangers' texts can crash or send in circles.

A request is one line of JSON, an InChI; so is an answer, an object: ``key`` is the InChIKey of that very text, ``again`` the InChI of
the molecule it was read as, empty if it is read as none; ``unusual`` whether it is one to the InChI library, though not to RDKit.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
from importlib import import_module
from typing import Any, Final

SECONDS: Final = 5.0
"""Processor time of one request; drugs and dyes take milliseconds."""
_MEMORY: Final = 2 << 30


def main() -> None:
    """Answer until there are no more requests."""
    try:
        chem: Any = import_module("rdkit.Chem")
    except ImportError:
        print(json.dumps({"missing": True}), flush=True)
        return
    resource.setrlimit(resource.RLIMIT_AS, (_in_use() + _MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    for request in sys.stdin:
        inchi = json.loads(request)
        # Nothing of Python's runs while the library does; the signal's own effect is to end the process.
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        molecule = chem.MolFromInchi(inchi)
        again = chem.MolToInchi(molecule) if molecule is not None else ""
        # Boranes and the like have bonds that RDKit's model of valence refuses, and are molecules all the same.
        unusual = molecule is None and chem.MolFromInchi(inchi, sanitize=False, removeHs=False) is not None
        answer = {"unusual": unusual, "key": chem.InchiToInchiKey(inchi) or "", "again": again}
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps(answer), flush=True)


def _in_use() -> int:
    with open("/proc/self/statm", encoding="ascii") as stream:  # noqa: PTH123 - pathlib is not loaded here
        return int(stream.read().split()[0]) * resource.getpagesize()
