"""One holder at a time, among the processes of a machine; a lock ends with its process, however that ends."""

import os
import tempfile
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

from bisenet.errors import InputError

POLL_SECONDS = 0.2


def lock(path, wait=0.0):
    """The open file that holds the lock on `path` until it is closed; None if others have it for `wait` seconds."""
    deadline = time.monotonic() + wait
    while (file := _try(path)) is None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return file


def _try(path):
    path = Path(path)
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a")  # noqa: SIM115 - open as long as it is locked
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # its last holder has removed it meanwhile


_held = []  # the locks on GPUs, until the process ends


def take_gpu(count, wait):
    """The index of a GPU, of `count`, that no other process has taken; from now on this one has.

    wait: where all are taken, wait for one; else raise `InputError`.
    """
    told = False
    while True:
        for index in range(count):
            if hold_gpu(index):
                return index
        if not wait:
            raise InputError(
                f"device: other runs have taken all {count} GPUs ({_folder()}); wait for one with gpu_wait: true, "
                "or name a device: cpu, cuda:0, ..."
            )
        if not told:
            print(f"device: waiting for one of {count} GPUs", flush=True)
            told = True
        time.sleep(POLL_SECONDS)


def take_gpus(count, wait):
    """The same for the first `count` GPUs together; one after the other, so that two runs never wait for each other."""
    for index in range(count):
        while not hold_gpu(index):
            if not wait:
                raise InputError(
                    f"device: another run has taken GPU {index} ({_folder()}); wait for it with gpu_wait: true, or "
                    "choose others with the environment variable CUDA_VISIBLE_DEVICES"
                )
            time.sleep(POLL_SECONDS)


def hold_gpu(index):
    """Whether this process now holds the lock on a GPU."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    name = visible.split(",")[index].strip() if visible else index  # the machine's own name for it
    file = lock(_folder() / f"{name}.lock")
    if file is not None:
        _held.append(file)
    return file is not None


def _folder():
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"bisenet-gpus-{user}"
