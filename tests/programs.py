"""Programs that tests start often: forks of a process that has PyTorch, whose import takes seconds of every start.

Each is a process of its own, with a folder, an environment and an output, as `python -m` and `torchrun` give it, and
can be killed. That Python itself starts them is held by the tests that run `dvc repro`, and by those that say so.
"""

import os
import runpy
import subprocess
import sys
import tempfile
from multiprocessing import get_context

import processes  # noqa: F401 - what the forks have imported
import torch


class Fork:
    """A process that runs `work(*given)`: what `subprocess.Popen` offers of it."""

    def __init__(self, work, *given, method):
        self._process = get_context(method).Process(target=work, args=given)
        self._process.start()
        self.pid = self._process.pid

    def poll(self):
        """None while it runs; then its status, or the number of the signal that ended it, below 0."""
        return self._process.exitcode

    returncode = property(poll)

    def wait(self, timeout=None):
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout)
        return self.poll()

    def kill(self):
        self._process.kill()


class Program(Fork):
    """`python -m module ...`, where `command` is `-m module ...`, or `torchrun ...`."""

    def __init__(self, *command, folder, environment):
        handle, self._output = tempfile.mkstemp()
        os.close(handle)
        super().__init__(_start, command, self._output, str(folder), environment, method="forkserver")

    def communicate(self, timeout):
        """(output and errors together, None), once it has ended."""
        try:
            self.wait(timeout)
        finally:
            self.kill()
        with open(self._output, encoding="utf-8") as file:
            output = file.read()
        os.unlink(self._output)
        return output, None


def _start(command, output, folder, environment):
    with open(output, "wb") as file:
        for stream in 1, 2:
            os.dup2(file.fileno(), stream)
    os.chdir(folder)
    sys.path.insert(0, folder)
    if command[0] != "torchrun":
        _run(command, environment)
    _set(environment)
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.subprocess_handler import subprocess_handler

    subprocess_handler.Popen = _Worker
    run.main(command[1:])


class _Worker(Fork):
    """A process that torchrun starts, `python -u -m module ...`, in a group of its own."""

    def __init__(self, args, env, **_):
        super().__init__(_run, args[args.index("-m") :], env, method="fork")
        os.setpgid(self.pid, self.pid)


def _run(command, environment):
    _set(environment)
    _, module, *arguments = command
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    sys.exit()


def _set(environment):
    os.environ.clear()
    os.environ.update(environment)
    torch.set_num_threads(int(environment["OMP_NUM_THREADS"]))  # which PyTorch reads as it is imported
