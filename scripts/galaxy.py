#!/usr/bin/env python3
"""A local Galaxy with the light microscopy tools: to look at, to run a workflow in, to test with.

python3 scripts/galaxy.py serve   opens a Galaxy for the browser, until Ctrl-C
python3 scripts/galaxy.py run     runs a workflow and saves its results
python3 scripts/galaxy.py test    runs the tests of the tools and workflows

Everything it installs and keeps is in the folder .local (or $LIGHTMICROSCOPY_LOCAL).
"""

import os
import shutil
import subprocess
import sys

SUPPORTED = [(3, minor) for minor in range(11, 14)]


def _python_that_will_do():
    """Return another interpreter of a supported version, or None."""
    for major, minor in reversed(SUPPORTED):
        program = shutil.which("python%d.%d" % (major, minor))
        if program and subprocess.call([program, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return program
    return None


# Before any other import of ours: those need the supported syntax.
if __name__ == "__main__" and sys.version_info[:2] not in SUPPORTED:
    better = _python_that_will_do()
    if better is None:
        sys.exit("galaxy: Python 3.11, 3.12 or 3.13 is needed and none was found on the PATH; install one and try again.")
    os.execv(better, [better] + sys.argv)

if __name__ == "__main__":
    from local.commands import main

    sys.exit(main())
