#!/usr/bin/env python3
"""Every check and test of this repository, from nothing.

python3 scripts/test.py                  everything
python3 scripts/test.py --only checks    style, types, wrappers, workflows
python3 scripts/test.py --only fast      the tests that need no Galaxy
python3 scripts/test.py --only galaxy    the tests in a local Galaxy
python3 scripts/test.py -k zarr -x       whatever else is given goes to pytest

Makes its environments in .local (or $LIGHTMICROSCOPY_LOCAL). As root on Debian it installs Java and Chromium if they are missing.
The Galaxy is started only if all else is well. Exit code 0 if everything passed, else 1.
"""

import os
import shutil
import subprocess
import sys

SUPPORTED = [(3, minor) for minor in range(11, 14)]

# Before any other import of ours: those need the supported syntax.
if __name__ == "__main__" and sys.version_info[:2] not in SUPPORTED:
    for _version in reversed(SUPPORTED):
        _better = shutil.which("python%d.%d" % _version)
        if _better and subprocess.call([_better, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            os.execv(_better, [_better] + sys.argv)
    sys.exit("test: Python 3.11, 3.12 or 3.13 is needed and none was found on the PATH; install one and try again.")

if __name__ == "__main__":
    from local.checks import main

    sys.exit(main())
