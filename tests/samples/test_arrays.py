"""Arrays in files: the values that NumPy and scipy wrote, and a message for everything else."""

import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat, savemat

from bisenet.errors import InputError
from bisenet.samples.arrays import read_array, read_image_array

RNG = np.random.default_rng(1)
IDS = RNG.integers(0, 100, (6, 9))
RGB = RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(save=np.savez, **arrays):
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


def mat(compress=True, form="5", **variables):
    buffer = io.BytesIO()
    savemat(buffer, variables, format=form, do_compression=compress)
    return buffer.getvalue()


def big_endian_mat(name, array):
    """A MATLAB 5 file of a Sun or Mac, from the format's description; the name is a small element."""

    def element(kind, content):
        return struct.pack(">II", kind, len(content)) + content + b"\0" * (-len(content) % 8)

    parts = element(6, struct.pack(">II", 11, 0)) + element(5, struct.pack(">ii", *array.shape))
    parts += struct.pack(">HH4s", len(name), 1, name) + element(4, array.astype(">u2").tobytes(order="F"))
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\1\0MI" + element(14, parts)


@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", ">u2", ">f8", "<i4"]
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_ids_of_any_type(dtype, order):
    label = read_array("a.npy", npy(np.asarray(IDS, dtype, order=order)))
    assert label.dtype == np.uint8 and label.flags.c_contiguous
    assert (label == IDS).all()


def test_booleans_and_large_ids():
    label = read_array("a.npy", npy(IDS > 50))
    assert label.dtype == np.uint8 and (label == (IDS > 50)).all()
    assert read_array("a.npy", npy(np.array([[256, 0]]))).tolist() == [[256, 0]]
    label = read_array("a.NPY", npy(IDS * 600))
    assert label.dtype == np.uint16 and (label == IDS * 600).all()


@pytest.mark.parametrize("shape", [(6, 9, 1), (1, 6, 9), (1, 6, 9, 1)])
def test_axes_of_length_1_are_dropped(shape):
    assert (read_array("a.npy", npy(IDS.reshape(shape))) == IDS).all()


def test_a_label_of_one_row_or_column_keeps_its_axes():
    for shape in ((1, 7), (7, 1), (1, 1)):
        assert read_array("a.npy", npy(np.ones(shape, int))).shape == shape


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_the_only_array_of_an_npz(save):
    assert (read_array("a.npz", npz(save, label=IDS)) == IDS).all()


def test_rgb_labels():
    assert (read_array("a.npy", npy(RGB)) == RGB).all()
    assert (read_array("a.npz", npz(x=RGB[None])) == RGB).all()
    assert read_array("a.npy", npy(RGB[:1])).tolist() == RGB[:1].tolist()


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
    assert (read_array("a.mat", data) == ids).all()


def test_a_matlab_file_of_another_byte_order():
    data = big_endian_mat(b"LM", IDS * 600)
    assert (loadmat(io.BytesIO(data))["LM"] == IDS * 600).all()
    assert (read_array("a.mat", data) == IDS * 600).all()


@pytest.mark.parametrize(
    "array, message",
    [
        (np.array([[1.0, 2.5], [np.nan, 2.5]]), "not 2.5 \\(2 pixels\\), nan \\(1 pixels\\)"),
        (np.array([[np.inf, 1]]), "not inf"),
        (np.array([[-1, -32769, 70000]]), "not -32769 \\(1 pixels\\), 70000 \\(1 pixels\\)"),
        (-np.arange(40001, 40009)[None], "and 3 more; convert"),
        (np.array([[2**64 - 1]], np.uint64), "18446744073709551615"),
        (np.zeros((0, 4)), "empty, of shape \\(0, 4\\)"),
        (np.zeros(4), "this is of shape \\(4,\\)"),
        (np.zeros((4, 5, 4), np.uint8), "this is of shape \\(4, 5, 4\\)"),
        (np.zeros((4, 5, 3), np.int64), "uint8 RGB, this is of shape \\(4, 5, 3\\), int64"),
        (np.array(3), "this is of shape \\(\\)"),
        (np.array([["a"]]), "whole numbers, this array is <U1"),
        (np.array([[1j]]), "complex128"),
        (np.zeros((2, 2), [("a", int)]), "whole numbers, this array is"),
        (np.zeros((2, 2), "M8[s]"), "datetime64"),
        (np.array([[None, 1]]), "cannot be read as .npy \\(Object arrays"),
    ],
)
def test_a_wrong_array(array, message):
    with pytest.raises(InputError, match=f"dir/a.npy: .*{message}"):
        read_array("dir/a.npy", npy(array))


@pytest.mark.parametrize(
    "name, data, message",
    [
        ("a.npy", b"", "cannot be read as .npy"),
        ("a.npy", npy(IDS)[:-1], "cannot be read as .npy"),
        ("a.npy", npy(IDS)[:20], "cannot be read as .npy"),
        ("a.npz", npy(IDS), "is not a .npz file"),
        ("a.npz", npz(a=IDS)[:-40], "cannot be read as .npz"),
        ("a.npz", npz(a=IDS, b=IDS), "holds 2 arrays that may be the label: a, b; save it with exactly one"),
        ("a.npz", npz(), "holds 0 arrays that may be the label; "),
        ("a.mat", b"", "is not a MATLAB file of version 5 to 7"),
        ("a.mat", mat(S=IDS)[:-9], "cannot be read as .mat"),
        ("a.mat", mat(False, S=IDS)[:-9], "cannot be read as .mat \\(the file is cut short\\)"),
        ("a.mat", mat(form="4", S=IDS), "is not a MATLAB file of version 5 to 7 .* '-v7'"),
        ("a.mat", b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + b"\0" * 384 + b"\x89HDF", "7.3 is HDF5.* '-v7'"),
        ("a.mat", mat(a=IDS, b=IDS, c=1), "holds 2 arrays that may be the label: a, b; "),
        ("a.mat", mat(a="text"), "holds 0 arrays"),
        ("a.mat", mat(S=IDS - 40000), "whole numbers from -32768 to 65535"),
    ],
)
def test_a_wrong_file(name, data, message):
    with pytest.raises(InputError, match=f"dir/{name}: .*{message}"):
        read_array(f"dir/{name}", data)


def test_images():
    assert (read_image_array("a.npy", npy(RGB)) == RGB).all()
    deep = np.asfortranarray(RNG.integers(0, 65536, (6, 9, 5)).astype(">u2"))
    image = read_image_array("a.npy", npy(deep))
    assert image.dtype == np.dtype("=u2") and image.flags.c_contiguous and (image == deep).all()
    assert (read_image_array("a.npy", npy(RGB[..., 0])) == RGB[..., :1]).all()


@pytest.mark.parametrize(
    "array, message",
    [
        (RGB / 255, "uint8 or uint16, this is of shape \\(6, 9, 3\\), float64; convert"),
        (RGB.astype(np.int16), "int16"),
        (RGB[None], "of shape \\(1, 6, 9, 3\\)"),
        (RGB[:0], "of shape \\(0, 9, 3\\)"),
        (np.zeros((3, 30, 40), np.uint8), "has its channels first; save it as \\(height, width, channels\\)"),
    ],
)
def test_a_wrong_image(array, message):
    with pytest.raises(InputError, match=f"dir/a.npy: .*{message}"):
        read_image_array("dir/a.npy", npy(array))


def test_any_damage_ends_in_an_array_or_a_message():
    rng = random.Random(1)
    struct_file = mat(False, GTcls={"Segmentation": IDS, "Boundaries": IDS})
    files = [("a.npy", npy(IDS)), ("a.npz", npz(a=IDS)), ("a.mat", struct_file), ("a.mat", mat(False, S=IDS, T="a"))]
    outcomes = set()
    for _ in range(1500):
        name, data = rng.choice(files)
        data = bytearray(data)
        for _ in range(rng.choice([1, 1, 3])):
            data[rng.randrange(len(data))] = rng.choice([0, 255, rng.randrange(256)])
        try:
            read_array(name, bytes(data))
            outcomes.add("array")
        except InputError:
            outcomes.add("message")
    assert outcomes == {"array", "message"}


def test_a_compressed_element_within_itself_is_no_traceback():
    content = b"\0" * 8
    for _ in range(1100):
        content = zlib.compress(content)
        content = struct.pack("<II", 15, len(content)) + content
    with pytest.raises(InputError, match="a.mat: cannot be read"):
        read_array("a.mat", b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + content)


def test_real_labels_are_the_same_in_every_file(camvid):
    truth = np.asarray(Image.open(sorted((camvid / "trainannot").glob("*.png"))[0]))
    for name, data in {
        "a.npy": npy(truth.astype(float)),
        "a.npz": npz(np.savez_compressed, a=truth.astype(np.int64)[..., None]),
        "a.mat": mat(GTcls={"Segmentation": truth, "Boundaries": 0}),
    }.items():
        assert (read_array(name, data) == truth).all()


def test_negative_values_are_kept_for_the_class_table_to_ignore():
    found = read_array("a.npy", npy(np.array([[-1, 300]])))
    assert found.tolist() == [[-1, 300]]
