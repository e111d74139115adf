"""The state of an unfinished run on disk, where whatever ends a process or a machine leaves one that is whole.

A run has a folder of its own, named by the fingerprint of all that its result depends on. In it lie the newest save,
`last`, and the one before, `previous`: each the SHA-256 of what follows, then what `torch.save` writes, tensors and
plain Python types alone. Of a finished run the last one may stay, as `finished`, to be trained for longer; nothing but
a person's word goes on from that. `about.json` says what a run is of, and how far it is.
"""

import hashlib
import io
import json
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

import torch

from bisenet.errors import InputError
from bisenet.system.artifacts import write_json
from bisenet.system.distributed import from_first, rank, shared_faults
from bisenet.system.locks import lock
from bisenet.system.progress import warn

SAVES = "last", "previous"
FINISHED = "finished"
ABOUT = "about.json"
PARTIAL = ".partial"
LOCK_SECONDS = 10.0  # what a process whose parent was killed may take to leave
DIGEST_BYTES = hashlib.sha256().digest_size
RESERVE = 1 / 50, 2**28  # of a disk is left free by a save: this share, at most these bytes


def fingerprint(values, files, packages=()):
    """The name of a run, which changes with any value, and any byte of the files and of the code in use.

    values: as JSON has them; packages: of this project, of which the modules count that this process has imported
    """
    return name_of(values, digests(files, packages))


def name_of(values, contents):
    """`r` and 15 hexadecimal digits: no number, as which `-S` would take digits alone. contents: as of `digests`"""
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for name, content in sorted(contents.items()):
        digest.update(f"\0{name}\0{content}".encode())
    return f"r{digest.hexdigest()[:15]}"


def digests(files, packages=()):
    """{name: SHA-256} of files and of the code in use, as of `fingerprint`; "" of what is gone."""
    paths = {Path(path).as_posix(): Path(path) for path in files} | _imported_files(packages)
    return {name: path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() or "" for name, path in paths.items()}


def _imported_files(packages):
    """{name below the project: path}"""
    root = Path(__file__).resolve().parents[2]
    named = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    files = {Path(path) for path in named if any(package in path for package in packages)}  # resolving all takes 0.25 s
    inside = {file.resolve().relative_to(root) for file in files if root in file.resolve().parents}
    return {file.as_posix(): root / file for file in inside if file.parts[0] in packages}


class UnfinishedRun:
    """The folder of one run, for a `with` block: locked within it, and gone after it unless that ends with an error.

    Process 0 has it, for all. Raises `InputError` where another process is training this very run.
    about: plain values to keep beside the saves, and the `iteration` of the newest
    origin: the path of another run's save, to begin with where this run has none of its own
    keep: whether the last state stays when all has gone well
    """

    def __init__(self, folder, wait=LOCK_SECONDS, *, about=None, origin=None, keep=False):
        self.folder = Path(folder)
        self.wait = wait
        self.about = about
        self.origin = origin and Path(origin)
        self.keep = keep
        self.saved = None  # the iteration of the newest save
        self.source = self.folder  # whose save `load` has given
        self._lock = None

    def __enter__(self):
        with shared_faults():
            if rank() == 0:
                self._lock = lock(self.folder / "lock", self.wait)
                if self._lock is None:
                    raise InputError(f"{self.folder}: another process is training this very run; let it, or stop it")
                (self.folder / PARTIAL).unlink(missing_ok=True)
        return self

    def __exit__(self, error, *details):
        if self._lock is not None:
            if error is None:
                self._forget()
            self._lock.close()

    def load(self):
        """The state of the newest save that is whole, the same in every process; None where there is none."""
        with shared_faults():
            data, source = self._read() if rank() == 0 else None, self.folder
            if data is None and self.origin and rank() == 0:
                data, source = self._checked(self.origin), self.origin.parent
        data, self.source = from_first((data, source))
        if data is None:
            return None
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        if self.source == self.folder:
            self.saved = state["iteration"]
        return state

    def _read(self):
        paths = [self.folder / name for name in SAVES]
        found = [path for path in paths if path.exists()]
        for path in found:
            try:
                return self._checked(path)
            except InputError as error:
                warn(str(error))
                os.replace(path, path.with_suffix(".unusable"))  # else it would become `previous`
        if found:
            warn(f"{self.folder}: no save can be used, so the training starts afresh")
        return None

    def _checked(self, path):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: this save cannot be read ({error.strerror})") from None
        digest, data = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
        if hashlib.sha256(data).digest() != digest:
            raise InputError(f"{path}: this save is damaged, or was not made by this project")
        try:
            state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        except Exception:  # whatever foreign bytes trip in the reader
            raise InputError(f"{path}: this save holds more than tensors and plain values, so it is refused") from None
        if not isinstance(state, dict) or state.get("run") != path.parent.name:
            raise InputError(f"{path}: this save is of another run")
        return data

    def save(self, state):
        """Keep `state`, a dict with the number of its `iteration`, and the save before it; whether that succeeded.

        It says why it did not, and then the saves before are as they were.
        """
        if rank() > 0:
            return True
        data = io.BytesIO()
        torch.save({**state, "run": self.folder.name}, data)
        try:
            self._write(data.getbuffer())
        except OSError as error:
            kept = f"the last save is that of iteration {self.saved}" if self.saved else "there is no save yet"
            warn(f"{self.folder}: iteration {state['iteration']} could not be saved ({error.strerror}); {kept}")
            return False
        self.saved = state["iteration"]
        if self.about is not None:
            with suppress(OSError):  # which loses nothing of the run
                write_json(self.folder / ABOUT, {**self.about, "iteration": self.saved})
        return True

    def _write(self, data):
        last, previous = (self.folder / name for name in SAVES)
        partial = self.folder / PARTIAL
        disk = shutil.disk_usage(self.folder)
        missing = len(data) + min(disk.total * RESERVE[0], RESERVE[1]) - disk.free
        if missing > 0:
            raise OSError(None, f"the disk needs {missing / 2**20:.0f} MiB more of free space")
        try:
            with open(partial, "wb") as file:
                file.write(hashlib.sha256(data).digest())
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if last.exists():
                os.replace(last, previous)
            os.replace(partial, last)
            (self.folder / FINISHED).unlink(missing_ok=True)  # of the same run, made before
            _sync_folder(self.folder)
        finally:
            partial.unlink(missing_ok=True)

    def _forget(self):
        if hasattr(os, "sync"):
            os.sync()  # first the results must be safe
        last = self.folder / SAVES[0]
        if self.keep and last.exists():
            os.replace(last, self.folder / FINISHED)
        for name in SAVES:  # then before the lock, which whoever comes next may take
            (self.folder / name).unlink(missing_ok=True)
        if not self.keep or not (self.folder / FINISHED).exists():
            shutil.rmtree(self.folder, ignore_errors=True)


def _sync_folder(folder):
    if os.name == "posix":  # a rename is safe once the folder is on disk
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
