#!/usr/bin/env python3
"""Measure `lm_convert` beside its peers, in paired and interleaved runs, and beside what the machine allows.

python3 scripts/benchmark.py --output results            everything: about an hour and 10 GB of disk
python3 scripts/benchmark.py --output results --quick    to see that it works

Makes its images and its environments; see ``--help``. Exit code 0 if this suite gave every result, 1 if not, 2 for wrong usage.
"""

import sys

from benchmarking.commands import main
from local.lifeline import Stop, end_with_caller

if __name__ == "__main__":
    end_with_caller()
    try:
        sys.exit(main())
    except Stop as stop:
        sys.exit(128 + stop.number)
