"""What a format of exported networks must tell, and what its runtime must do."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bisenet.errors import InputError


@dataclass(frozen=True)
class Source:
    """What is exported.

    checkpoint: its model on the CPU; description: of what is to come of it
    images: (H, W, C) arrays of the training set that int8 is calibrated with, as a sized iterable that begins anew
    size: (H, W) for formats that are made for one size
    cache: the folder of what is fetched
    made: what several formats begin with, kept from the first of them
    """

    checkpoint: object
    description: object
    images: object = ()
    size: tuple = (512, 1024)
    cache: Path = Path(".cache")
    made: dict = field(default_factory=dict, compare=False)


class Engine:
    """An exported network in its own runtime.

    path: of its file; description: its `Description`; precision: what the runtime says it computes in
    runtime: which one and its version, in words
    """

    path = description = precision = runtime = None
    longest = None  # pixels of a side that it takes; None for any

    def run(self, images):
        """(N, H, W, C) array of the description's `input` -> labels (N, H, W) uint8 or logits (N, classes, H, W)"""
        raise NotImplementedError

    @property
    def shows_logits(self):
        return self.description.output == "logits"

    def logits(self, images):
        """(N, classes, H, W) float32, where `shows_logits`"""
        return self.run(images)


@dataclass(frozen=True)
class Format:
    """name: as in `export.formats`; words: what it is, in a line

    file: what of it is opened; suffixes: by which such a file is known, where it can be run here
    packages: what must be installed to export, and to run, as they are imported
    export: (Source, folder) -> writes `file` and what belongs to it there
    open: (path, device, threads) -> `Engine`; None where nothing here can run it
    devices: cpu, cuda: where its runtime can run it
    agreement: least share of the labels that must be the checkpoint's
    install: the command that installs the packages
    """

    name: str
    words: str
    file: str
    export: Callable
    open: Callable | None = None
    suffixes: tuple = ()
    packages: tuple = ()
    runtime_packages: tuple = ()
    devices: tuple = ("cpu",)
    agreement: float = 0.995
    install: str = "make extras"

    def check_installed(self, packages=None):
        """Raise `InputError` that says how to install what is missing."""
        check_installed(self.name, packages or self.packages, self.install)


@dataclass(frozen=True)
class Runtime:
    """A program for the files of a format: the format's own, or a further one.

    name: as `open_engine` takes it; formats: names of those whose files it runs
    open, devices: as of `Format`; packages: what it needs, as they are imported; install: what installs them
    """

    name: str
    formats: tuple
    open: Callable
    packages: tuple
    install: str = "make extras"
    devices: tuple = ("cpu",)


def check_installed(name, packages, install):
    """Raise `InputError` that says how to install what `name` needs and is missing."""
    missing = [package for package in packages if not _is_installed(package)]
    if missing:
        raise InputError(f"{name}: needs {', '.join(missing)}, which is not installed: {install}")


def _is_installed(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # of a package within one that is not there
        return False


def one_by_one(run, images):
    """`run` of each image alone, for runtimes that take one at a time: (N, H, W, C) -> what it gives, concatenated"""
    return np.concatenate([run(images[place : place + 1]) for place in range(len(images))])
