"""NumPy: a .npy file, or the only array of a .npz file, is the label of an image."""

import io
import zipfile
from pathlib import Path

import numpy as np

from bisenet.annotation.formats.contract import Format
from bisenet.annotation.formats.label_arrays import as_label, only_one
from bisenet.errors import InputError
from bisenet.samples.arrays import guarded, read_npy


def parse(data, path):
    read = {".npy": read_npy, ".npz": _read_npz}[Path(path).suffix.lower()]
    return as_label(path, read(path, data))


def _read_npz(path, data):
    def load():
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if damaged := archive.testzip():  # NumPy may stop before the checksum
                raise ValueError(f"the checksum of {damaged} is another")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return dict(arrays)

    if not data.startswith(b"PK"):
        raise InputError(f"{path}: is not a .npz file; save it again with numpy.savez")
    arrays = {name: array for name, array in guarded(path, load).items() if isinstance(array, np.ndarray)}
    return only_one(path, arrays)


FORMAT = Format("NumPy", (".npy", ".npz"), parse)
