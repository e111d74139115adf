"""TIFF images: any number of channels, planes or pixels, compressed or not; or an error that says how to save them."""

import io

import numpy as np
import pytest
import tifffile
from image_files import RGBA, SMALL, encoded, read, tiff

from bisenet.errors import InputError

RNG = np.random.default_rng(2)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [2, 5, 6, 13])
def test_a_tiff_of_any_number_of_channels_is_read(tmp_path, channels, dtype):
    array = RNG.integers(0, np.iinfo(dtype).max + 1, (20, 30, channels), dtype=dtype)
    planes = np.moveaxis(array, 2, 0).copy()
    for data in (
        tiff(array),
        tiff(array, compression="zlib", predictor=True, rowsperstrip=3),
        tiff(array, tile=(16, 16), byteorder=">", bigtiff=True),
        tiff(planes, planarconfig="separate"),
    ):
        found = read(tmp_path, data)
        assert found.dtype == dtype
        assert found.flags.c_contiguous
        assert (found == array).all()


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_compressed_tiffs_of_grey_and_rgb_are_read(tmp_path, compression):
    for array in (SMALL, SMALL[..., 0]):
        found = read(tmp_path, encoded(array, "TIFF", compression=compression))
        assert (found == array.reshape(5, 7, -1)).all()


def test_a_tiff_that_cannot_be_read_rightly_says_how_to_save_it(tmp_path):
    with pytest.raises(
        InputError, match="file: 4 channels compressed by LZW cannot be read; save the file uncompressed"
    ):
        read(tmp_path, encoded(RGBA, "TIFF", compression="tiff_lzw"))
    with pytest.raises(InputError, match=r"file: holds several pictures \(6 pages\); save the channels in one"):
        read(tmp_path, tiff(np.zeros((6, 8, 9), np.uint8), planarconfig=None))


def test_a_tiff_may_carry_smaller_copies_of_itself(tmp_path):
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(SMALL, photometric="rgb", subfiletype=0)
        writer.write(SMALL[::2, ::2], photometric="rgb", subfiletype=1)
    assert (read(tmp_path, buffer.getvalue()) == SMALL).all()


def test_a_tiff_with_any_damage_in_its_head_is_an_image_or_an_error_that_names_it(tmp_path):
    rng = np.random.default_rng(2)
    whole = tiff(RNG.integers(0, 256, (9, 11, 6), dtype=np.uint8))
    outcomes = set()
    for _ in range(400):
        damaged = bytearray(whole)
        damaged[rng.integers(8, 200)] = rng.integers(256)  # the tags; the pixels come after them
        try:
            outcomes.add(read(tmp_path, bytes(damaged)).ndim)
        except InputError as error:
            outcomes.add(str(error).split(": ")[0])
    assert outcomes == {3, str(tmp_path / "file")}


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint32])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 6)])
def test_other_numbers_are_named(tmp_path, shape, dtype):
    with pytest.raises(InputError, match=rf"file: images are 8 or 16 bit .*, this is {np.dtype(dtype)}; convert it"):
        read(tmp_path, tiff(np.ones(shape, dtype)))
