"""The processor cores that there are to work with."""

import math
import os
from contextlib import suppress
from pathlib import Path

CGROUPS, OWN_CGROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
CPU_MAX = "cpu.max"  # of version 2: microseconds of all cores together in each period, and the period; or `max`
CFS = "cpu.cfs_quota_us", "cpu.cfs_period_us"  # of version 1


def core_count():
    """How many cores this process may use, which can be fewer than the machine has: those it is bound to, or, in a
    container, those that its quota of processor time is worth, rounded up."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min([bound, *(max(1, math.ceil(quota)) for quota in _quotas())])


def threads_for(wanted):
    """How many threads a foreign runtime is asked for: those that a person wants, or 0, its own choice.

    Runtimes count the machine's processors, and do not see that a container has a quota of fewer.
    """
    return wanted or (core_count() if core_count() < (os.cpu_count() or 1) else 0)


def _quotas():
    """The cores that each of the control groups of this process, from its own up to the root, leaves it."""
    with suppress(OSError):
        for line in OWN_CGROUPS.read_text(encoding="utf-8").splitlines():
            _, kinds, inside = line.split(":", 2)
            root = CGROUPS / kinds if kinds else CGROUPS
            own = root / inside.lstrip("/")
            for folder in (own, *own.parents):
                yield from _quota(folder)
                if folder == root:
                    break


def _quota(folder):
    with suppress(OSError, ValueError):  # no limit, which is `max` or -1; or a folder outside this container
        if (folder / CPU_MAX).exists():
            time, period = (folder / CPU_MAX).read_text().split()
        else:
            time, period = ((folder / name).read_text() for name in CFS)
        if float(time) > 0 and float(period) > 0:
            yield float(time) / float(period)
