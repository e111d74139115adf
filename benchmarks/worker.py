"""One way to do a work, in a process of its own, which does it when it is told to.

So ways take turns and none sees the memory, threads or imports of another; and "ours" can be that of another checkout,
whose `bisenet` it then imports.
"""

import contextlib
import ctypes
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import numpy as np

from benchmarks import ENVIRONMENT

HERE = Path(__file__).resolve().parent.parent
START = (  # this package first, so that it is not that of the other checkout
    "import sys; sys.path.insert(0, {here!r}); import benchmarks.worker; "
    "sys.path.insert(0, {checkout!r}); benchmarks.worker.serve()"
)
PROC = Path("/proc/self")
TINY_SIDE = 96  # of what warms a work up before its memory is measured


class Worker:
    """way: plain or ours; checkout: whose `bisenet` is ours; job: see `inputs.py`"""

    def __init__(self, work, way, job, checkout=HERE):
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        command = [sys.executable, "-c", START.format(here=str(HERE), checkout=str(checkout)), work, way]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [*command, json.dumps(job)],
            cwd=checkout, env=ENVIRONMENT, stdin=pipe, stdout=pipe, stderr=self._errors, text=True,
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def ask(self, question, **arguments):
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps([question, arguments]) + "\n")
            self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            self._errors.seek(0)
            raise RuntimeError(f"a benchmark's process has ended:\n{self._errors.read()[-4000:]}")
        return json.loads(answer)

    def outcome(self, folder):
        """{name: array}; `folder` is for a file on the way"""
        path = Path(folder) / f"outcome-{id(self)}.npz"
        self.ask("outcome", path=str(path))
        with np.load(path) as found:
            return dict(found)

    def spent(self, seconds):
        """(seconds, processor seconds) for a piece, of as many calls as fit into so many seconds; one at least."""
        return self.ask("spent", seconds=seconds)

    def peak(self):
        """MiB that a call needs at most beyond what was there before it."""
        return self.ask("peak")


def serve():
    work, way, job = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the work prints is no answer
    if way == "ours":
        import_module("bisenet")  # before torch, for it says how threads wait
    served = Served(import_module(f"benchmarks.{way}").WORKS[work], job)
    for line in sys.stdin:
        question, arguments = json.loads(line)
        print(json.dumps(getattr(served, question)(**arguments)), file=answers, flush=True)


class Served:
    """What a worker can be asked for; the work is made when it is first needed."""

    def __init__(self, make, job):
        self.make, self.job, self.work = make, job, None

    def ready(self):
        """Make the work, and do it once."""
        self.work = self.make(self.job)
        self._do()

    def outcome(self, path):
        np.savez(path, **self.make(self.job).outcome())

    def spent(self, seconds):
        calls, started, used = 0, time.perf_counter(), processor_seconds()
        while calls == 0 or time.perf_counter() - started < seconds:
            self._do()
            calls += 1
        pieces = calls * self.work.pieces
        return (time.perf_counter() - started) / pieces, (processor_seconds() - used) / pieces

    def peak(self):
        self.work = self.make({**self.job, "size": [min(side, TINY_SIDE) for side in self.job["size"]]})
        self._do()
        self.work = None
        self.work = self.make(self.job)
        return peak_memory(self._do, self.job["device"])

    def _do(self):
        self.work()
        if self.job["device"] != "cpu":
            import_module("torch").cuda.synchronize()


def processor_seconds():
    """Of this process and of its children that have ended."""
    return sum(os.times()[:4])


def peak_memory(run, device):
    """MiB beyond what was in use before: of the GPU as PyTorch counts, else resident, as Linux counts after a reset."""
    if device != "cpu":
        cuda = import_module("torch").cuda
        cuda.reset_peak_memory_stats()
        before = cuda.memory_allocated()
        run()
        return (cuda.max_memory_allocated() - before) / 2**20
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # else what was freed before would be used again, and not count
    (PROC / "clear_refs").write_text("5")
    before = _status("VmRSS")
    run()
    return (_status("VmHWM") - before) / 1024


def _status(name):
    """KiB"""
    return next(int(line.split()[1]) for line in (PROC / "status").read_text().splitlines() if line.startswith(name))
