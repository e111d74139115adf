"""TIFF images: any number of channels, planes or pixels, compressed or not; or an error that says how to save them."""

import io
import struct
import subprocess
import sys

import imagecodecs
import numpy as np
import pytest
import tifffile
from image_files import SMALL, encoded, read, tiff
from PIL import Image
from tiff_files import packed

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


def test_pages_are_named(tmp_path):
    with pytest.raises(InputError, match=r"file: holds several pictures \(6 pages\); save the channels in one"):
        read(tmp_path, tiff(np.zeros((6, 8, 9), np.uint8), planarconfig=None))


@pytest.mark.parametrize("compression", ["lzw", "zlib", "zstd", "lzma", "packbits", "lerc"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4, 6])
def test_compressed_tiffs_are_read_whatever_their_channels_are_called(tmp_path, channels, dtype, compression):
    array = RNG.integers(0, np.iinfo(dtype).max + 1, (20, 37, channels), dtype=dtype)
    found = read(tmp_path, tiff(array if channels > 1 else array[..., 0], compression=compression, rowsperstrip=6))
    assert found.dtype == dtype
    assert (found == array).all()


def test_lossless_webp_and_jpeg_xl_in_a_tiff_are_read(tmp_path):
    for options in ({"compression": "webp", "compressionargs": {"lossless": True}}, {"compression": "jpegxl"}):
        assert (read(tmp_path, tiff(SMALL, photometric="rgb", **options)) == SMALL).all()


def bare_jpeg(array):
    """As libtiff writes it: no marker that names the colours, and components numbered from 0."""
    data = imagecodecs.jpeg8_encode(array, level=95, **({"outcolorspace": "rgb"} if array.ndim == 3 else {}))
    found, place = data[:2], 2
    while True:
        kind, size = data[place + 1], int.from_bytes(data[place + 2 : place + 4])
        segment = bytearray(data[place : place + 2 + size])
        place += 2 + size
        if kind in (0xC0, 0xDA):  # start of frame, start of scan
            count, first, step = (segment[9], 10, 3) if kind == 0xC0 else (segment[4], 5, 2)
            segment[first : first + step * count : step] = bytes(range(count))
        if kind not in (0xE0, 0xEE):  # JFIF, Adobe
            found += segment
        if kind == 0xDA:
            return found + data[place:]


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("photometric", ["minisblack", "rgb"])
def test_three_channels_in_jpeg_are_not_taken_for_ycbcr(tmp_path, photometric, planar):
    array = np.stack([np.full((16, 24), value, np.uint8) for value in (30, 200, 90)], 2)
    planes = np.moveaxis(array, 2, 0)
    parts = [bare_jpeg(plane.copy()) for plane in planes] if planar else [bare_jpeg(array)]
    options = {"compressionargs": {"outcolorspace": "rgb"}, "planarconfig": "separate" if planar else "contig"}
    shape = planes.shape if planar else array.shape
    data = tiff(iter(parts), shape=shape, dtype=np.uint8, photometric=photometric, compression="jpeg", **options)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert file.pages[0].photometric.name.lower() == photometric
    assert np.abs(read(tmp_path, data).astype(int) - array).max() <= 2


def test_ycbcr_becomes_rgb(tmp_path):
    array = np.full((16, 24, 3), (30, 200, 90), np.uint8)
    ycbcr = np.asarray(Image.fromarray(array).convert("YCbCr"))
    for data in (
        tiff(array, photometric="rgb", compression="jpeg", compressionargs={"level": 95}, subsampling=(2, 2)),
        tiff(ycbcr, photometric="ycbcr", extratags=[(530, "H", 2, (1, 1), True)]),
    ):
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            assert file.pages[0].photometric == tifffile.PHOTOMETRIC.YCBCR
        assert np.abs(read(tmp_path, data).astype(int) - array).max() <= 3


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_0_for_white_is_turned_round(tmp_path, dtype):
    array = RNG.integers(0, np.iinfo(dtype).max + 1, (5, 7), dtype=dtype)
    assert (read(tmp_path, tiff(array, photometric="miniswhite"))[..., 0] == np.iinfo(dtype).max - array).all()


@pytest.mark.parametrize(("bits", "factor"), [(1, 255), (2, 85), (3, 1), (4, 17), (7, 1), (12, 1)])
@pytest.mark.parametrize("white", [False, True])
def test_1_2_and_4_bits_fill_the_range_and_others_keep_their_values(tmp_path, white, bits, factor):
    values = RNG.integers(0, 2**bits, (5, 7))
    found = read(tmp_path, packed(values, bits, photometric=0 if white else 1))
    assert found.dtype == (np.uint16 if bits > 8 else np.uint8)
    assert (found[..., 0] == factor * (2**bits - 1 - values if white else values)).all()


@pytest.mark.parametrize("scale", [1, 257])
def test_a_palette_becomes_rgb(tmp_path, scale):
    colors, indices = RNG.integers(0, 256, (256, 3)), RNG.integers(0, 256, (5, 7), dtype=np.uint8)
    data = tiff(indices, photometric="palette", colormap=(colors.T * scale).astype(np.uint16))
    assert (read(tmp_path, data) == colors[indices]).all()


def test_what_cannot_be_read_is_named(tmp_path):
    lab = tiff(SMALL, photometric="cielab")
    with pytest.raises(InputError, match="file: 3 channels of 8 bits in photometric interpretation 8 cannot be read"):
        read(tmp_path, lab)
    compressed = tiff(SMALL[..., 0], compression="lzw")
    place = compressed.index(struct.pack("<HHIH", 259, 3, 1, 5)) + 8
    for number, name in ((6, "OJPEG"), (34661, "JBIG"), (54321, "54321")):
        data = compressed[:place] + struct.pack("<H", number) + compressed[place + 2 :]
        with pytest.raises(InputError, match=f"file: {name} compression cannot be read; save the file uncompressed"):
            read(tmp_path, data)


def test_no_line_is_printed(tmp_path):
    code = "import sys; from bisenet.samples.images import read_image; print(read_image(sys.argv[1]).shape)"
    wrong = tiff(SMALL, photometric="rgb", extratags=[(42113, "s", 0, "no number", True), (0x0112, "H", 1, 99, True)])
    (tmp_path / "x.tif").write_bytes(wrong)
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "x.tif"], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("(5, 7, 3)\n", "")


def test_a_chain_of_pages_that_is_a_loop_is_an_error(tmp_path):
    data = bytearray(tiff(SMALL, photometric="rgb"))
    (first,) = struct.unpack_from("<I", data, 4)
    (tags,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * tags, first)
    with pytest.raises(InputError, match="file: cannot be decoded as a TIFF"):
        read(tmp_path, bytes(data))


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
