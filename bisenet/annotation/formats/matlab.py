"""MATLAB: a .mat file of version 5 to 7, with the label of an image, by MathWorks' "MAT-File Format" (Level 5).

scipy.io reads these files too, but a damaged one can end the whole process there.
"""

import struct
import zlib

import numpy as np

from bisenet.annotation.formats.contract import Format
from bisenet.annotation.formats.label_arrays import as_label, only_one
from bisenet.errors import InputError
from bisenet.samples.arrays import guarded

BYTE_ORDERS = {b"IM": "<", b"MI": ">"}  # bytes 126 and 127 of a file
LEVEL_5 = 0x0100
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}  # NumPy's names
MATRIX, COMPRESSED = 14, 15  # types of elements
STRUCT, NUMERIC = 2, range(6, 16)  # classes of matrices
COMPLEX = 0x0800


def parse(data, path):
    return as_label(path, _label(path, data))


def _label(path, data):
    """The array of COCO-Stuff 10k (`S`), SBD (`GTcls.Segmentation`), PASCAL-Context (`LabelMap`), or the only one."""
    order = BYTE_ORDERS.get(data[126:128])
    if order is None or struct.unpack_from(order + "H", data, 124)[0] != LEVEL_5:
        raise InputError(f"{path}: is not a MATLAB file of version 5 to 7 (7.3 is HDF5); save it in MATLAB with '-v7'")
    arrays = guarded(path, lambda: dict(_variables(data[128:], order)))
    sbd = arrays.get("GTcls")
    known = [arrays.get("S"), sbd.get("Segmentation") if isinstance(sbd, dict) else None, arrays.get("LabelMap")]
    for array in known:
        if isinstance(array, np.ndarray):
            return array
    matrices = {k: v for k, v in arrays.items() if isinstance(v, np.ndarray) and v.ndim == 2}
    # in MATLAB every number is a matrix, and what it keeps for functions is one without a name
    return only_one(path, {name: matrix for name, matrix in matrices.items() if name and matrix.size > 1})


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


FORMAT = Format("MATLAB", (".mat",), parse)
