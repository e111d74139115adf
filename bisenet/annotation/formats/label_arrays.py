"""Arrays that are labels: their shape and type, and which one of several."""

import numpy as np

from bisenet.errors import InputError
from bisenet.samples.arrays import as_ids


def as_label(path, array):
    """(H, W) uint8, uint16 or, where some are negative, int32 ids, or (H, W, 3) uint8 RGB; `path` is for messages.

    Ids may be stored as any type that holds them: integers, booleans, whole floats; axes of length 1 are dropped.
    """
    array = _squeeze(array)
    if array.size == 0:
        raise InputError(f"{path}: the array is empty, of shape {array.shape}; save the label again")
    if _is_rgb(array):
        return np.ascontiguousarray(array)
    if array.ndim != 2:
        raise InputError(
            f"{path}: a label is an array of (height, width) ids or (height, width, 3) uint8 RGB, this is of shape "
            f"{array.shape}, {array.dtype}; save one channel, of scores for each class the argmax"
        )
    return as_ids(path, array)


def only_one(path, arrays):
    """The array of {name: array}; raises `InputError` where there are several or none."""
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    names = f": {', '.join(sorted(arrays)[:10])}" if arrays else ""
    raise InputError(f"{path}: holds {len(arrays)} arrays that may be the label{names}; save it with exactly one")


def _is_rgb(array):
    return array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8


def _squeeze(array):
    while array.ndim > 2 and array.shape[-1] == 1:
        array = array[..., 0]
    while array.ndim > 2 and array.shape[0] == 1 and not _is_rgb(array):
        array = array[0]
    return array
