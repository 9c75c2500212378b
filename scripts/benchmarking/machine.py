"""When and where it was measured, and what stands ready on the disk."""

from __future__ import annotations

import datetime
import os
import platform
import re
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """The machine and the day; memory in bytes."""

    date: str
    processor: str
    cores: int
    memory: int
    system: str

    @property
    def sentence(self) -> str:
        """All of it in words."""
        cores = f"{self.cores} core{'s' if self.cores > 1 else ''}"
        return f"{self.date}; {self.processor}, {cores}, {self.memory / 2**30:.0f} GiB of memory; {self.system}"


def this_machine() -> Machine:
    """Describe the machine this runs on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    system = f"{platform.system()} {platform.release()}"
    return Machine(datetime.datetime.now(datetime.UTC).date().isoformat(), _processor(), cores(), memory, system)


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))


def _processor() -> str:
    try:
        told = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        told = None
    return told.group(1).strip() if told else platform.processor() or platform.machine()


def free_space(folder: Path) -> int:
    """Bytes free on a folder's disk."""
    return shutil.disk_usage(folder).free
