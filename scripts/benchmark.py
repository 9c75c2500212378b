#!/usr/bin/env python3
"""Measure this suite beside its peers, in paired and interleaved runs, and beside what the machine allows.

python3 scripts/benchmark.py --output results            conversions, everything: about an hour and 10 GB of disk
python3 scripts/benchmark.py --output results --quick    to see that it works
python3 scripts/benchmark.py downloads --scratch DIR     downloads beside curl, wget and ome_zarr, from nginx some milliseconds away
python3 scripts/benchmark.py images-of-archives --scratch DIR    whole calls of the download tools on the sample archive, likewise
python3 scripts/benchmark.py annotate --scratch DIR      writing metadata into an image beside a plain copy of it
python3 scripts/benchmark.py remote --scratch DIR        a store on a server beside the same on disk

Makes its images and its environments; see ``--help``. Exit code 0 if this suite gave every result, 1 if not, 2 for wrong usage.
"""

import sys
from importlib import import_module

from local.lifeline import Stop, end_with_caller

OTHERS = ("annotate", "downloads", "images-of-archives", "remote")

if __name__ == "__main__":
    end_with_caller()
    other = sys.argv[1] if sys.argv[1:] and sys.argv[1] in OTHERS else ""
    main = import_module(f"benchmarking.{other.replace('-', '_') or 'commands'}").main
    try:
        sys.exit(main(sys.argv[2:]) if other else main())
    except Stop as stop:
        sys.exit(128 + stop.number)
