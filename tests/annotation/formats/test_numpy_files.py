"""NumPy files: the values that NumPy wrote, and a message for everything else."""

import numpy as np
import pytest
from array_files import npy, npz

from bisenet.annotation.formats.numpy_files import parse
from bisenet.errors import InputError

RNG = np.random.default_rng(1)
IDS = RNG.integers(0, 100, (6, 9))
RGB = RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", ">u2", ">f8", "<i4"]
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_ids_of_any_type(dtype, order):
    label = parse(npy(np.asarray(IDS, dtype, order=order)), "a.npy")
    assert label.dtype == np.uint8 and label.flags.c_contiguous
    assert (label == IDS).all()


def test_booleans_and_large_ids():
    label = parse(npy(IDS > 50), "a.npy")
    assert label.dtype == np.uint8 and (label == (IDS > 50)).all()
    assert parse(npy(np.array([[256, 0]])), "a.npy").tolist() == [[256, 0]]
    label = parse(npy(IDS * 600), "a.NPY")
    assert label.dtype == np.uint16 and (label == IDS * 600).all()


@pytest.mark.parametrize("shape", [(6, 9, 1), (1, 6, 9), (1, 6, 9, 1)])
def test_axes_of_length_1_are_dropped(shape):
    assert (parse(npy(IDS.reshape(shape)), "a.npy") == IDS).all()


def test_a_label_of_one_row_or_column_keeps_its_axes():
    for shape in ((1, 7), (7, 1), (1, 1)):
        assert parse(npy(np.ones(shape, int)), "a.npy").shape == shape


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_the_only_array_of_an_npz(save):
    assert (parse(npz(save, label=IDS), "a.npz") == IDS).all()


def test_rgb_labels():
    assert (parse(npy(RGB), "a.npy") == RGB).all()
    assert (parse(npz(x=RGB[None]), "a.npz") == RGB).all()
    assert parse(npy(RGB[:1]), "a.npy").tolist() == RGB[:1].tolist()


@pytest.mark.parametrize(
    "array, message",
    [
        (np.array([[1.0, 2.5], [np.nan, 2.5]]), "not 2.5 \\(2 pixels\\), nan \\(1 pixel\\)"),
        (np.zeros((0, 4)), "empty, of shape \\(0, 4\\)"),
        (np.zeros(4), "this is of shape \\(4,\\)"),
        (np.zeros((4, 5, 4), np.uint8), "this is of shape \\(4, 5, 4\\)"),
        (np.zeros((4, 5, 3), np.int64), "uint8 RGB, this is of shape \\(4, 5, 3\\), int64"),
        (np.array(3), "this is of shape \\(\\)"),
        (np.array([[None, 1]]), "cannot be read as .npy \\(Object arrays"),
    ],
)
def test_a_wrong_array(array, message):
    with pytest.raises(InputError, match=f"dir/a.npy: .*{message}"):
        parse(npy(array), "dir/a.npy")


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
    ],
)
def test_a_wrong_numpy_file(name, data, message):
    with pytest.raises(InputError, match=f"dir/{name}: .*{message}"):
        parse(data, f"dir/{name}")


def test_negative_values_are_kept_for_the_class_table_to_ignore():
    found = parse(npy(np.array([[-1, 300]])), "a.npy")
    assert found.tolist() == [[-1, 300]]


def test_a_flipped_bit_in_an_npz_never_changes_a_label():
    """NumPy reads no further than a damaged shape says, and so never comes to the checksum."""
    ids = np.kron(IDS // 30, np.ones((20, 20), int)).astype(np.uint8)
    data = npz(np.savez_compressed, label=ids)
    for bit in range(8 * 30, 8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            assert np.array_equal(parse(bytes(damaged), "a.npz"), ids)
        except InputError:
            continue
