"""MATLAB files: the values that scipy wrote, and a message for everything else."""

import io
import struct
import zlib

import numpy as np
import pytest
from array_files import mat
from scipy.io import loadmat

from bisenet.annotation.formats.matlab import parse
from bisenet.errors import InputError

IDS = np.random.default_rng(1).integers(0, 100, (6, 9))


def big_endian_mat(name, array):
    """A MATLAB 5 file of a Sun or Mac, from the format's description; the name is a small element."""

    def element(kind, content):
        return struct.pack(">II", kind, len(content)) + content + b"\0" * (-len(content) % 8)

    parts = element(6, struct.pack(">II", 11, 0)) + element(5, struct.pack(">ii", *array.shape))
    parts += struct.pack(">HH4s", len(name), 1, name) + element(4, array.astype(">u2").tobytes(order="F"))
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\1\0MI" + element(14, parts)


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f8", "bool"])
@pytest.mark.parametrize(
    "variables",
    [
        lambda ids: {"S": ids, "captions": np.array(["a", "two words"], object), "regionLabelsStuff": np.arange(9)},
        lambda ids: {"GTcls": {"Boundaries": np.array([[ids]], object), "Segmentation": ids, "CategoriesPresent": 3}},
        lambda ids: {"LabelMap": ids, "other": ids * 0},
        lambda ids: {"mine": ids, "scalar": 3.0, "text": "abc", "complex": ids + 1j, "struct": {"a": ids}},
    ],
)
def test_matlab_files_of_the_known_datasets_and_ones_own(variables, dtype, compress):
    ids = IDS.astype(dtype)
    data = mat(compress, **variables(ids))
    loadmat(io.BytesIO(data))  # a whole file
    assert (parse(data, "a.mat") == ids).all()


def test_a_matlab_file_of_another_byte_order():
    data = big_endian_mat(b"LM", IDS * 600)
    assert (loadmat(io.BytesIO(data))["LM"] == IDS * 600).all()
    assert (parse(data, "a.mat") == IDS * 600).all()


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "is not a MATLAB file of version 5 to 7"),
        (mat(S=IDS)[:-9], "cannot be read as .mat"),
        (mat(False, S=IDS)[:-9], "cannot be read as .mat \\(the file is cut short\\)"),
        (mat(form="4", S=IDS), "is not a MATLAB file of version 5 to 7 .* '-v7'"),
        (b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + b"\0" * 384 + b"\x89HDF", "7.3 is HDF5.* '-v7'"),
        (mat(a=IDS, b=IDS, c=1), "holds 2 arrays that may be the label: a, b; "),
        (mat(a="text"), "holds 0 arrays"),
        (mat(S=IDS - 40000), "whole numbers from -32768 to 65535"),
    ],
)
def test_a_wrong_matlab_file(data, message):
    with pytest.raises(InputError, match=f"dir/a.mat: .*{message}"):
        parse(data, "dir/a.mat")


def test_a_compressed_element_within_itself_is_no_traceback():
    content = b"\0" * 8
    for _ in range(1100):
        content = zlib.compress(content)
        content = struct.pack("<II", 15, len(content)) + content
    with pytest.raises(InputError, match="a.mat: cannot be read"):
        parse(b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + content, "a.mat")
