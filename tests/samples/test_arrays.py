"""Images in .npy files, and numbers that are ids of labels, with a message for everything else."""

import numpy as np
import pytest
from array_files import npy

from bisenet.errors import InputError
from bisenet.samples.arrays import as_ids, read_image_array

RNG = np.random.default_rng(1)
RGB = RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)


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


@pytest.mark.parametrize(
    "array, message",
    [
        (np.array([[1.0, 2.5], [np.nan, 2.5]]), "not 2.5 \\(2 pixels\\), nan \\(1 pixel\\)"),
        (np.array([[np.inf, 1]]), "not inf"),
        (np.array([[-1, -32769, 70000]]), "not -32769 \\(1 pixel\\), 70000 \\(1 pixel\\)"),
        (-np.arange(40001, 40009)[None], "and 3 more; convert"),
        (np.array([[2**64 - 1]], np.uint64), "18446744073709551615"),
        (np.array([["a"]]), "whole numbers, this array is <U1"),
        (np.array([[1j]]), "complex128"),
        (np.zeros((2, 2), [("a", int)]), "whole numbers, this array is"),
        (np.zeros((2, 2), "M8[s]"), "datetime64"),
    ],
)
def test_numbers_that_are_no_ids(array, message):
    with pytest.raises(InputError, match=f"dir/a.npy: .*{message}"):
        as_ids("dir/a.npy", array)


@pytest.mark.parametrize("stored", [np.int64, np.float32])
@pytest.mark.parametrize("values, dtype", [([[0, 255]], "u1"), ([[0, 256]], "u2"), ([[-1, 300]], "i4")])
def test_ids_have_the_smallest_type_that_holds_them(values, dtype, stored):
    found = as_ids("a.npy", np.array(values, stored))
    assert found.tolist() == values
    assert found.dtype == dtype
