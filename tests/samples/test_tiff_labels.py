"""TIFF labels: the values that were written, whatever the form; or an error that says how to save them."""

import io

import numpy as np
import pytest
import tifffile
from image_files import tiff
from tiff_files import packed

from bisenet.errors import InputError
from bisenet.samples.classes import IGNORE, ClassTable
from bisenet.samples.labels import READERS, LabelReader, read_raw

RNG = np.random.default_rng(4)
IDS = RNG.integers(0, 6, (40, 53), dtype=np.uint8)
RGB = RNG.integers(0, 256, (40, 53, 3), dtype=np.uint8)


def label(tmp_path, data):
    (tmp_path / "l.tif").write_bytes(data)
    return read_raw(tmp_path / "l.tif")


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "?"])
@pytest.mark.parametrize("options", [{}, {"byteorder": ">", "bigtiff": True}, {"tile": (16, 16)}])
def test_ids_of_any_type_are_what_was_written(tmp_path, dtype, options):
    ids = IDS.astype(dtype)
    if ids.dtype.kind in "if":
        ids[:3] = -1
    assert np.array_equal(label(tmp_path, tiff(ids, **options)), ids)


@pytest.mark.parametrize("compression", ["lzw", "zlib", "zstd", "lzma", "packbits", "lerc", "png"])
@pytest.mark.parametrize("rows", [1, 7, 40])
def test_compressed_ids_are_what_was_written(tmp_path, compression, rows):
    for dtype in (np.uint8, np.uint16):
        ids = IDS.astype(dtype) * dtype(1 if dtype == np.uint8 else 300)
        found = label(tmp_path, tiff(ids, compression=compression, rowsperstrip=rows))
        assert np.array_equal(found, ids)


def test_predictors_are_undone(tmp_path):
    assert np.array_equal(label(tmp_path, tiff(IDS, compression="lzw", predictor=2)), IDS)
    assert np.array_equal(label(tmp_path, tiff(IDS.astype("f4"), compression="zstd", predictor=3)), IDS)


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6, 7, 9, 12, 15])
@pytest.mark.parametrize("photometric", [0, 1])
def test_values_of_any_number_of_bits_are_neither_stretched_nor_inverted(tmp_path, bits, photometric):
    ids = RNG.integers(0, 2**bits, (5, 11))
    assert np.array_equal(label(tmp_path, packed(ids, bits, photometric)), ids)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_0_for_white_is_not_inverted(tmp_path, dtype):
    assert np.array_equal(label(tmp_path, tiff(IDS.astype(dtype), photometric="miniswhite")), IDS)


def test_a_palette_gives_its_indices(tmp_path):
    colormap = RNG.integers(0, 65536, (3, 256)).astype(np.uint16)
    assert np.array_equal(label(tmp_path, tiff(IDS, photometric="palette", colormap=colormap)), IDS)


def pages(*written):
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for array, kind in written:
            writer.write(array, photometric="minisblack", subfiletype=kind, tile=(16, 16), compression="lzw")
    return buffer.getvalue()


def test_reduced_copies_and_masks_are_passed_over(tmp_path):
    mask = IDS > 2
    data = pages((IDS, 0), (mask, 4), (IDS[::2, ::2], 1), (mask[::2, ::2], 5))
    assert np.array_equal(label(tmp_path, data), IDS)
    with pytest.raises(InputError, match=r"l\.tif: holds 2 pictures; a label is one"):
        label(tmp_path, pages((IDS, 0), (IDS, 0)))
    with pytest.raises(InputError, match=r"l\.tif: holds no picture"):
        label(tmp_path, pages((mask, 4)))


def test_alpha_says_nothing_and_a_second_band_is_refused(tmp_path):
    two = np.dstack([IDS, RNG.integers(0, 256, IDS.shape, dtype=np.uint8)])
    for alpha in ("unassalpha", "assocalpha"):
        assert np.array_equal(label(tmp_path, tiff(two, extrasamples=[alpha])), IDS)
        four = np.dstack([RGB, two[..., 1]])
        assert np.array_equal(label(tmp_path, tiff(four, photometric="rgb", extrasamples=[alpha])), RGB)
    for array in (two, np.dstack([two, two]), np.dstack([two, RGB])):
        count = array.shape[2]
        with pytest.raises(InputError, match=rf"l\.tif: a label is one band of ids, or RGB, this has {count} bands"):
            label(tmp_path, tiff(array))


def test_colours_are_read_in_8_bits_alone(tmp_path):
    for options in ({"photometric": "rgb"}, {}, {"compression": "lzw"}):
        assert np.array_equal(label(tmp_path, tiff(RGB, **options)), RGB)
    with pytest.raises(InputError, match=r"l\.tif: labels are ids or 8 bit RGB, this is 16 bit RGB of uint16"):
        label(tmp_path, tiff(RGB.astype(np.uint16), photometric="rgb"))


LOSSY = {
    "JPEG": tiff(IDS, compression="jpeg"),
    "WEBP": tiff(RGB, compression="webp", photometric="rgb", compressionargs={"level": 80, "lossless": False}),
    "JPEG2000": tiff(IDS, compression="jpeg2000"),
    "JPEGXL": tiff(IDS, compression="jpegxl"),
    "LERC": tiff(IDS, compression="lerc", compressionargs={"level": 1.0}),
}


@pytest.mark.parametrize("name", LOSSY)
def test_a_compression_that_may_lose_is_named(tmp_path, name):
    with pytest.raises(InputError, match=rf"l\.tif: {name} compression may change label values") as caught:
        label(tmp_path, LOSSY[name])
    assert caught.value.kind == "lossy label"


@pytest.mark.parametrize("inner", [None, "deflate", "zstd"])
def test_lerc_is_judged_by_the_error_that_it_admits(tmp_path, inner):
    values = IDS.astype("f4")
    for level, lossless in ((0, True), (0.01, False)):
        data = tiff(values, compression="lerc", compressionargs={"level": level, "compression": inner})
        if lossless:
            assert np.array_equal(label(tmp_path, data), IDS)
        else:
            with pytest.raises(InputError, match="LERC compression may change"):
                label(tmp_path, data)


def test_lossless_webp_is_read(tmp_path):
    data = tiff(RGB, compression="webp", photometric="rgb", compressionargs={"lossless": True})
    assert np.array_equal(label(tmp_path, data), RGB)


def test_a_sparse_file_is_its_nodata(tmp_path):
    """GDAL's SPARSE_OK: offsets and counts of 0."""
    data = packed(np.zeros((3, 4), int), 8, 1)
    for number, value in ((273, 8), (279, 12)):
        entry = number.to_bytes(2, "little") + b"\4\0\1\0\0\0"
        assert data.count(entry + value.to_bytes(4, "little")) == 1
        data = data.replace(entry + value.to_bytes(4, "little"), entry + bytes(4))
    assert label(tmp_path, data).tolist() == [[0] * 4] * 3


@pytest.mark.parametrize("size", [(1, 1), (1, 17), (17, 1)])
def test_labels_of_one_pixel_are_read(tmp_path, size):
    ids = RNG.integers(0, 5, size, dtype=np.uint8)
    for options in ({}, {"compression": "zstd"}, {"tile": (16, 16)}):
        assert np.array_equal(label(tmp_path, tiff(ids, **options)), ids)


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd", "lerc", "png"])
def test_a_cut_label_is_an_error_and_a_damaged_one_is_read_or_named(tmp_path, compression):
    data, rng = tiff(IDS, compression=compression, rowsperstrip=9), np.random.default_rng(5)
    for cut in rng.integers(1, len(data) - 1, 50):
        with pytest.raises(InputError, match=r"l\.tif: "):
            label(tmp_path, data[:cut])
    for _ in range(100):
        damaged = bytearray(data)
        for place in rng.integers(4, len(data), rng.integers(1, 4)):
            damaged[place] = rng.integers(256)
        try:
            label(tmp_path, bytes(damaged))
        except InputError as error:
            assert str(error).startswith(f"{tmp_path / 'l.tif'}: ")


def test_caches_know_of_the_reader():
    assert "bisenet.samples.tiff" in [module.__name__ for module in READERS]


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "f4", "f8"])
def test_minus_1_is_not_255(tmp_path, dtype):
    table = {"classes": [{"name": "a", "id": 0, "color": [0, 0, 0]}, {"name": "b", "id": 255, "color": [9, 0, 0]}]}
    (tmp_path / "l.tif").write_bytes(tiff(np.array([[0, -1]], dtype)))
    read_label = LabelReader(ClassTable.from_dict(table | {"ignore": [-1]}, "t"))
    assert read_label(tmp_path / "l.tif").tolist() == [[0, IGNORE]]
    with pytest.raises(InputError, match=r"l\.tif: label value -1 \(1 pixel\) is not in the class table"):
        LabelReader(ClassTable.from_dict(table, "t"))(tmp_path / "l.tif")


@pytest.mark.parametrize(
    ("dtype", "value", "told"), [("i8", 2**40, "1099511627776"), ("u4", 2**32 - 1, "4294967295"), ("f8", 0.5, "0.5")]
)
def test_values_that_are_no_ids_are_named(tmp_path, dtype, value, told):
    with pytest.raises(InputError, match=rf"l\.tif: labels are whole numbers from -32768 to 65535, not {told} \(2 pix"):
        label(tmp_path, tiff(np.array([[0, value, value]], dtype)))


def flipped(data, place):
    damaged = bytearray(data)
    damaged[place // 8] ^= 1 << place % 8
    return bytes(damaged)


@pytest.mark.parametrize("compression", ["zlib", "lzma", "png", "lerc"])
def test_a_flipped_bit_where_there_is_a_checksum_never_changes_a_label(tmp_path, compression):
    data = tiff(IDS, compression=compression, rowsperstrip=20)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        parts = list(zip(file.pages[0].dataoffsets, file.pages[0].databytecounts, strict=True))
    bits = [bit for start, count in parts for bit in range(8 * start, 8 * (start + count))]
    errors = 0
    for bit in RNG.choice(bits, 60, replace=False):
        try:
            assert np.array_equal(label(tmp_path, flipped(data, bit)), IDS)
        except InputError:
            errors += 1
    assert errors > 50
