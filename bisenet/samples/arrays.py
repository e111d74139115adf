"""Arrays in files: NumPy's .npy and .npz, MATLAB's .mat -> labels or images.

Nothing is unpickled. What a file has wrong is an `InputError`.

MATLAB files are those of versions 5 to 7, by MathWorks' "MAT-File Format" (Level 5). scipy.io reads them too, but a
damaged one can end the whole process there.
"""

import io
import struct
import zlib
from pathlib import Path

import numpy as np

from bisenet.errors import InputError
from bisenet.samples.classes import HIGHEST, LOWEST

# MATLAB Level 5
BYTE_ORDERS = {b"IM": "<", b"MI": ">"}  # bytes 126 and 127 of a file
LEVEL_5 = 0x0100
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}  # NumPy's names
MATRIX, COMPRESSED = 14, 15  # types of elements
STRUCT, NUMERIC = 2, range(6, 16)  # classes of matrices
COMPLEX = 0x0800


def read_array(path, data):
    """The label in the bytes of a .npy, .npz or .mat file: (H, W) uint8, uint16 or, where some are negative,
    int32 ids, or (H, W, 3) uint8 RGB.

    Ids may be stored as any type that holds them: integers, booleans, whole floats; axes of length 1 are dropped.
    """
    read = {".npy": _read_npy, ".npz": _read_npz, ".mat": _read_mat}[Path(path).suffix.lower()]
    array = _squeeze(read(path, data))
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


def read_image_array(path, data):
    """The image in the bytes of a .npy file: (H, W, C) uint8 or uint16."""
    array = _read_npy(path, data)
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


def _read_npy(path, data):
    return _load(path, lambda: np.lib.format.read_array(io.BytesIO(data), allow_pickle=False))


def _read_npz(path, data):
    def load():
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return dict(arrays)

    if not data.startswith(b"PK"):
        raise InputError(f"{path}: is not a .npz file; save it again with numpy.savez")
    arrays = {name: array for name, array in _load(path, load).items() if isinstance(array, np.ndarray)}
    return _only(path, arrays)


def _read_mat(path, data):
    """The label of COCO-Stuff 10k (`S`), SBD (`GTcls.Segmentation`), PASCAL-Context (`LabelMap`), or the only one."""
    order = BYTE_ORDERS.get(data[126:128])
    if order is None or struct.unpack_from(order + "H", data, 124)[0] != LEVEL_5:
        raise InputError(f"{path}: is not a MATLAB file of version 5 to 7 (7.3 is HDF5); save it in MATLAB with '-v7'")
    arrays = _load(path, lambda: dict(_variables(data[128:], order)))
    sbd = arrays.get("GTcls")
    known = [arrays.get("S"), sbd.get("Segmentation") if isinstance(sbd, dict) else None, arrays.get("LabelMap")]
    for array in known:
        if isinstance(array, np.ndarray):
            return array
    matrices = {k: v for k, v in arrays.items() if isinstance(v, np.ndarray) and v.ndim == 2}
    # in MATLAB every number is a matrix, and what it keeps for functions is one without a name
    return _only(path, {name: matrix for name, matrix in matrices.items() if name and matrix.size > 1})


def _variables(data, order):
    """(name, value) of each variable, the value as `_matrix` gives it."""
    for kind, content in _elements(data, order):
        if kind == COMPRESSED:
            yield from _variables(zlib.decompress(content), order)
        elif kind == MATRIX:
            yield _matrix(content, order)


def _elements(data, order):
    """(type, content) of each element of Level 5 data."""
    place = 0
    while place < len(data):
        kind, size = struct.unpack_from(order + "II", data, place)
        start, end = place + 8, place + 8 + size
        place = end if kind == COMPRESSED else end + -size % 8
        if kind >> 16:  # a small element: size, type and up to 4 bytes of content in 8 bytes
            kind, size, start = kind & 0xFFFF, kind >> 16, start - 4
            end, place = start + size, start + 4
        if end > len(data):
            raise ValueError("the file is cut short")
        yield kind, data[start:end]


def _matrix(data, order):
    """(name, value): a real numeric array, a dict of a struct's fields, or None for anything else."""
    parts = _elements(data, order)
    flags = int(_numbers(next(parts), order)[0])
    shape = _numbers(next(parts), order).tolist()
    name = next(parts)[1].decode("latin-1")
    if flags & 0xFF == STRUCT and shape == [1, 1]:
        width = int(_numbers(next(parts), order)[0])
        names = next(parts)[1]
        fields = [names[i : i + width].split(b"\0")[0].decode("latin-1") for i in range(0, len(names), width)]
        return name, {field: _matrix(content, order)[1] for field, (_, content) in zip(fields, parts, strict=True)}
    if flags & 0xFF in NUMERIC and not flags & COMPLEX:
        return name, _numbers(next(parts), order).reshape(shape, order="F")
    return name, None


def _numbers(element, order):
    kind, content = element
    if kind not in NUMBERS:
        raise ValueError(f"element type {kind} in place of numbers")
    return np.frombuffer(content, order + NUMBERS[kind])


def _load(path, load):
    try:
        return load()
    except Exception as error:  # damaged bytes let these readers raise nearly anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: cannot be read as {Path(path).suffix} ({reason}); save it again") from None


def _only(path, arrays):
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


def as_ids(path, array):
    """(H, W) of any real type -> uint8, uint16 or, where some are negative, int32; an `InputError` for other values."""
    if array.dtype.kind not in "buif":
        raise InputError(f"{path}: labels are whole numbers, this array is {array.dtype}; convert it")
    with np.errstate(all="ignore"):
        wrong = array[~(np.isfinite(array) & (array >= LOWEST) & (array <= HIGHEST) & (array == np.floor(array)))]
    if wrong.size:
        values, counts = np.unique(wrong, return_counts=True)
        listed = ", ".join(f"{v} ({n} pixels)" for v, n in zip(values[:5].tolist(), counts[:5], strict=True))
        more = f" and {len(values) - 5} more" if len(values) > 5 else ""
        raise InputError(
            f"{path}: labels are whole numbers from {LOWEST} to {HIGHEST}, not {listed}{more}; convert them"
        )
    dtype = np.int32 if array.min() < 0 else np.uint8 if array.max() < 256 else np.uint16
    return array.astype(dtype, order="C")
