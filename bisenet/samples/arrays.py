"""Arrays in files and as values: images as NumPy's .npy, and what numbers may be label ids.

Nothing is unpickled. What a file has wrong is an `InputError`.
"""

import io
from pathlib import Path

import numpy as np

from bisenet.errors import InputError, counted, name_some
from bisenet.samples.classes import HIGHEST, LOWEST


def read_image_array(path, data):
    """The image in the bytes of a .npy file: (H, W, C) uint8 or uint16."""
    array = read_npy(path, data)
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3 or array.size == 0 or array.dtype.newbyteorder("=") not in (np.uint8, np.uint16):
        raise InputError(
            f"{path}: an image is an array of (height, width) or (height, width, channels), uint8 or uint16, this is "
            f"of shape {array.shape}, {array.dtype}; convert it"
        )
    if array.shape[0] <= 16 < array.shape[2]:
        raise InputError(
            f"{path}: the array of shape {array.shape} has its channels first; save it as (height, width, channels)"
        )
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


def read_npy(path, data):
    """The array in the bytes of a .npy file, of any shape and type."""
    return guarded(path, lambda: np.lib.format.read_array(io.BytesIO(data), allow_pickle=False))


def guarded(path, load):
    """What `load()` makes of a file, or an `InputError`: damaged bytes let readers of arrays raise nearly anything."""
    try:
        return load()
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: cannot be read as {Path(path).suffix} ({reason}); save it again") from None


def as_ids(path, array):
    """(H, W) of any real type -> uint8, uint16 or, where some are negative, int32; an `InputError` for other values."""
    if array.dtype.kind not in "buif":
        raise InputError(f"{path}: labels are whole numbers, this array is {array.dtype}; convert it")
    with np.errstate(all="ignore"):
        wrong = array[~(np.isfinite(array) & (array >= LOWEST) & (array <= HIGHEST) & (array == np.floor(array)))]
    if wrong.size:
        values, counts = np.unique(wrong, return_counts=True)
        first = [f"{v} ({counted(n, 'pixel')})" for v, n in zip(values[:5].tolist(), counts[:5], strict=True)]
        listed = name_some(first, total=len(values))
        raise InputError(f"{path}: labels are whole numbers from {LOWEST} to {HIGHEST}, not {listed}; convert them")
    dtype = np.int32 if array.min() < 0 else np.uint8 if array.max() < 256 else np.uint16
    return array.astype(dtype, order="C")
