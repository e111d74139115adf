"""Images: the same pixels as Pillow, or an error that names the file."""

import io
import zlib

import cv2
import numpy as np
import pytest
from image_files import PHOTO, RGBA, SMALL, WIDE, encoded, read, tiff
from PIL import Image

from bisenet.errors import InputError
from bisenet.samples.images import PNG_SIGNATURE, _decode_plain_png, read_image

RNG = np.random.default_rng(1)


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
def test_rgb_files_give_their_values_in_the_order_red_green_blue(tmp_path, form):
    found = read(tmp_path, encoded(SMALL, form))
    assert found.dtype == np.uint8
    assert (found == SMALL).all()


def test_lossless_webp_gives_its_values(tmp_path):
    assert (read(tmp_path, encoded(SMALL, "WEBP", lossless=True)) == SMALL).all()


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_is_what_pillow_makes_of_it(tmp_path, progressive):
    data = encoded(PHOTO, "JPEG", quality=90, progressive=progressive)
    reference = np.asarray(Image.open(io.BytesIO(data))).astype(int)
    assert np.abs(read(tmp_path, data) - reference).max() <= 3


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
def test_a_grey_file_has_one_channel(tmp_path, form):
    found = read(tmp_path, encoded(SMALL[..., 0], form))
    assert found.shape == (5, 7, 1)
    assert (found == SMALL[..., :1]).all()
    assert read(tmp_path, encoded(PHOTO[..., 0], "JPEG")).shape == (30, 40, 1)


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_16_bit_grey_is_kept(tmp_path, form):
    values = np.array([[0, 255, 256, 12800, 65535]], np.uint16)
    found = read(tmp_path, encoded(values, form))
    assert found.dtype == np.uint16
    assert found[..., 0].tolist() == values.tolist()


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_of_grey_fill_the_range(tmp_path, bits):
    image = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert("1" if bits == 1 else "L")
    data = encoded(np.asarray(image), "PNG", **({} if bits == 1 else {"bits": bits}))
    assert read(tmp_path, data).tolist() == [[[0], [255]], [[255], [0]]]


@pytest.mark.parametrize(
    "data",
    [
        encoded(RGBA, "PNG"),
        encoded(RGBA, "WEBP", lossless=True, exact=True),
        encoded(RGBA, "TIFF"),
        tiff(RGBA, photometric="rgb", extrasamples=["unassalpha"]),
        tiff(RGBA, photometric="rgb", extrasamples=["unspecified"], compression="zlib"),
        tiff(RGBA),
        tiff(np.moveaxis(RGBA, 2, 0).copy(), planarconfig="separate", photometric="rgb", extrasamples=["assocalpha"]),
    ],
)
def test_a_fourth_channel_is_kept_and_left_out_where_three_are_asked_for(tmp_path, data):
    assert (read(tmp_path, data) == RGBA).all()
    assert (read(tmp_path, data, channels=3) == SMALL).all()


@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_colours_are_kept(tmp_path, channels):
    wide = WIDE[..., :channels]
    order = [2, 1, 0, 3][:channels]
    planes = np.moveaxis(wide, 2, 0).copy()
    for data in (
        cv2.imencode(".png", wide[..., order])[1].tobytes(),
        tiff(wide, photometric="rgb"),
        tiff(wide, photometric="rgb", byteorder=">", compression="zlib", predictor=True),
        tiff(wide, photometric="rgb", tile=(16, 16)),
        tiff(planes, photometric="rgb", planarconfig="separate"),
    ):
        found = read(tmp_path, data)
        assert found.dtype == np.uint16
        assert (found == wide).all()
        assert (read(tmp_path, data, channels=3, bit_depth=16) == wide[..., :3]).all()


def test_grey_with_alpha_is_rgb_with_alpha(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(RGBA).convert("LA").save(buffer, "PNG")
    grey = np.asarray(Image.fromarray(RGBA).convert("LA"))
    assert (read(tmp_path, buffer.getvalue()) == grey[..., [0, 0, 0, 1]]).all()
    assert (read(tmp_path, buffer.getvalue(), channels=1) == grey[..., :1]).all()


def test_cmyk_gives_rgb(tmp_path):
    cmyk = Image.fromarray(PHOTO).convert("CMYK")
    for form in ("JPEG", "TIFF"):
        buffer = io.BytesIO()
        cmyk.save(buffer, form, **({"quality": 95} if form == "JPEG" else {}))
        reference = np.asarray(Image.open(buffer).convert("RGB")).astype(int)
        found = read(tmp_path, buffer.getvalue())
        assert found.shape == PHOTO.shape
        assert np.abs(found - reference).max() <= 3


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 6)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_array_file_is_an_image(tmp_path, shape, dtype):
    array = RNG.integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)
    np.save(tmp_path / "x.npy", array)
    found = read_image(tmp_path / "x.npy")
    assert found.dtype == dtype
    assert (found == array.reshape(5, 7, -1)).all()


ALL_KINDS = {
    "grey": SMALL[..., :1],
    "rgb": SMALL,
    "rgba": RGBA,
    "16 bit grey": WIDE[..., :1],
    "16 bit rgb": WIDE[..., :3].copy(),
    "16 bit rgba": WIDE,
}


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_grey_and_colours_become_each_other(tmp_path, kind):
    array = ALL_KINDS[kind]
    data = cv2.imencode(".png", array[..., [2, 1, 0, 3][: array.shape[2]]] if array.shape[2] > 1 else array)[
        1
    ].tobytes()
    assert (read(tmp_path, data) == array).all()
    three, one = read(tmp_path, data, channels=3), read(tmp_path, data, channels=1)
    assert three.dtype == one.dtype == array.dtype
    assert (three == (array[..., [0, 0, 0]] if array.shape[2] == 1 else array[..., :3])).all()
    luma = three.astype(float) @ [0.299, 0.587, 0.114]
    assert one.shape == (5, 7, 1)
    assert np.abs(one[..., 0] - luma).max() <= (1 if array.dtype == np.uint8 else 3)  # OpenCV's weights have 14 bits


@pytest.mark.parametrize(("found", "wanted"), [(1, 4), (3, 4), (6, 3), (2, 1), (3, 6)])
def test_other_numbers_of_channels_do_not_become_each_other(tmp_path, found, wanted):
    data = tiff(np.zeros((5, 7, found), np.uint8)) if found > 1 else encoded(SMALL[..., 0], "PNG")
    with pytest.raises(InputError, match=rf"file: has {found} channels?, and {wanted} (is|are) wanted"):
        read(tmp_path, data, channels=wanted)


def test_another_bit_depth_is_refused(tmp_path):
    with pytest.raises(InputError, match="file: is 8 bit, and 16 bit is wanted"):
        read(tmp_path, encoded(SMALL, "PNG"), bit_depth=16)
    with pytest.raises(InputError, match="file: is 16 bit, and 8 bit is wanted"):
        read(tmp_path, tiff(WIDE), channels=3, bit_depth=8)


def test_a_palette_image_has_its_colours(tmp_path):
    image = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8)).convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.save(tmp_path / "p.png")
    assert read_image(tmp_path / "p.png").tolist() == [
        [[10, 20, 30], [40, 50, 60]],
        [[40, 50, 60], [10, 20, 30]],
    ]


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (33, 2000)])
def test_any_size_is_read(tmp_path, size):
    array = RNG.integers(0, 256, (*size, 3), dtype=np.uint8)
    assert (read(tmp_path, encoded(array, "PNG")) == array).all()


def test_photographs_are_byte_for_byte_what_opencv_makes_of_them(camvid, tmp_path):
    for path in [*sorted((camvid / "train").glob("*.jpg"))[::60], *sorted((camvid / "val").glob("*.jpg"))[::30]]:
        reference = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        cv2.imwrite(str(tmp_path / "x.png"), reference[..., ::-1])
        for file in (path, tmp_path / "x.png"):
            assert read_image(file).tobytes() == reference.tobytes()
            assert read_image(file, channels=3, bit_depth=8).tobytes() == reference.tobytes()


def test_a_real_photograph_is_what_pillow_makes_of_it(camvid):
    for path in sorted((camvid / "val").glob("*.jpg"))[:3]:
        difference = np.abs(read_image(path) - np.asarray(Image.open(path)).astype(int))
        assert difference.mean() < 0.5
        assert difference.max() <= 16


def chunk(name, body):
    return len(body).to_bytes(4) + name + body + zlib.crc32(name + body).to_bytes(4)


def png(size, color_type, raw, *before, depth=8, interlace=0):
    """A PNG file of raw rows, each behind the number of its filter."""
    head = size[1].to_bytes(4) + size[0].to_bytes(4) + bytes([depth, color_type, 0, 0, interlace])
    data = chunk(b"IDAT", zlib.compress(raw))
    return PNG_SIGNATURE + chunk(b"IHDR", head) + b"".join(before) + data + chunk(b"IEND", b"")


ROWS = bytes([0, *range(12), 1, *range(12), 2, *range(12)])  # filters: none, the pixel before, the row above
RGB = np.cumsum(np.arange(12).reshape(4, 3), axis=0)
RGB = np.stack([np.arange(12).reshape(4, 3), RGB, RGB + np.arange(12).reshape(4, 3)])


@pytest.mark.parametrize("channels", [None, 1, 3])
def test_the_fast_decoder_gives_the_pixels_of_plain_pngs(tmp_path, channels):
    data = png((3, 4), 2, ROWS, chunk(b"gAMA", (45455).to_bytes(4)), chunk(b"tEXt", b"a\0text"))
    assert (_decode_plain_png(data) == RGB).all()
    assert (_decode_plain_png(png((3, 12), 0, ROWS))[0, :, 0] == np.arange(12)).all()
    (tmp_path / "x.png").write_bytes(data)
    expected = RGB @ [[0.299], [0.587], [0.114]] if channels == 1 else RGB
    assert np.abs(read_image(tmp_path / "x.png", channels) - expected).max() <= (0.51 if channels == 1 else 0)


def test_what_is_more_than_a_plain_png_is_left_to_opencv():
    more = chunk(b"tRNS", bytes(6)), chunk(b"eXIf", bytes(8)), chunk(b"acTL", bytes(8))
    others = [png((3, 4), 2, ROWS, before) for before in more]
    others += [png((3, 4), 2, ROWS, interlace=1), png((3, 2), 2, ROWS, depth=16), png((3, 3), 6, ROWS)]
    others += [png((3, 4), 2, ROWS)[:-13] + b"?" * 13, png((3, 4), 2, ROWS[:-1]), png((2**16, 2**16), 2, ROWS)]
    others += [png((3, 12), 3, ROWS), b"", b"\xff\xd8\xff", PNG_SIGNATURE]
    assert [_decode_plain_png(data) for data in others] == [None] * len(others)
