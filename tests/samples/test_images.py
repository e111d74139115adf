"""Images: the same pixels as Pillow, or an error that names the file."""

import io
import os

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from bisenet.errors import InputError
from bisenet.samples.images import files_below, find_images, read_image
from bisenet.system.png import write_png

RNG = np.random.default_rng(0)
SMALL = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
PHOTO = cv2.resize(SMALL, (40, 30), interpolation=cv2.INTER_CUBIC)


def encoded(array, form, **options):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, form, **options)
    return buffer.getvalue()


def read(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    return read_image(path)


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


def read_as(tmp_path, data, channels=None, bit_depth=None, name="file"):
    path = tmp_path / name
    path.write_bytes(data)
    return read_image(path, channels, bit_depth)


def tiff(array, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **{"photometric": "minisblack", "planarconfig": "contig"} | options)
    return buffer.getvalue()


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


RGBA = np.dstack([SMALL, RNG.integers(0, 256, (5, 7), dtype=np.uint8)])
WIDE = RNG.integers(0, 65536, (5, 7, 4), dtype=np.uint16)


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
    assert (read_as(tmp_path, data, channels=3) == SMALL).all()


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
        assert (read_as(tmp_path, data, channels=3, bit_depth=16) == wide[..., :3]).all()


def test_grey_with_alpha_is_rgb_with_alpha(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(RGBA).convert("LA").save(buffer, "PNG")
    grey = np.asarray(Image.fromarray(RGBA).convert("LA"))
    assert (read(tmp_path, buffer.getvalue()) == grey[..., [0, 0, 0, 1]]).all()
    assert (read_as(tmp_path, buffer.getvalue(), channels=1) == grey[..., :1]).all()


def test_cmyk_gives_rgb(tmp_path):
    cmyk = Image.fromarray(PHOTO).convert("CMYK")
    for form in ("JPEG", "TIFF"):
        buffer = io.BytesIO()
        cmyk.save(buffer, form, **({"quality": 95} if form == "JPEG" else {}))
        reference = np.asarray(Image.open(buffer).convert("RGB")).astype(int)
        found = read(tmp_path, buffer.getvalue())
        assert found.shape == PHOTO.shape
        assert np.abs(found - reference).max() <= 3


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
    three, one = read_as(tmp_path, data, channels=3), read_as(tmp_path, data, channels=1)
    assert three.dtype == one.dtype == array.dtype
    assert (three == (array[..., [0, 0, 0]] if array.shape[2] == 1 else array[..., :3])).all()
    luma = three.astype(float) @ [0.299, 0.587, 0.114]
    assert one.shape == (5, 7, 1)
    assert np.abs(one[..., 0] - luma).max() <= (1 if array.dtype == np.uint8 else 3)  # OpenCV's weights have 14 bits


@pytest.mark.parametrize(("found", "wanted"), [(1, 4), (3, 4), (6, 3), (2, 1), (3, 6)])
def test_other_numbers_of_channels_do_not_become_each_other(tmp_path, found, wanted):
    data = tiff(np.zeros((5, 7, found), np.uint8)) if found > 1 else encoded(SMALL[..., 0], "PNG")
    with pytest.raises(InputError, match=rf"file: has {found} channels?, and {wanted} (is|are) wanted"):
        read_as(tmp_path, data, channels=wanted)


def test_another_bit_depth_is_refused(tmp_path):
    with pytest.raises(InputError, match="file: is 8 bit, and 16 bit is wanted"):
        read_as(tmp_path, encoded(SMALL, "PNG"), bit_depth=16)
    with pytest.raises(InputError, match="file: is 16 bit, and 8 bit is wanted"):
        read_as(tmp_path, tiff(WIDE), channels=3, bit_depth=8)


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


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, orientation):
    blocks = np.kron(np.array([[1, 3, 5], [7, 9, 11]])[..., None] * [20, 10, 5], np.ones((16, 16, 1))).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(blocks, "JPEG", quality=95, exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))).astype(int)
    found = read(tmp_path, data)
    assert found.shape == upright.shape
    assert found.shape == ((48, 32, 3) if orientation > 4 else (32, 48, 3))
    assert np.abs(found - upright).max() <= 3


LOSSLESS = {"PNG": {}, "TIFF": {}, "WEBP": {"lossless": True, "exact": True}}


TURNS = [  # what sets each EXIF orientation from 2 on upright
    Image.FLIP_LEFT_RIGHT, Image.ROTATE_180, Image.FLIP_TOP_BOTTOM,
    Image.TRANSPOSE, Image.ROTATE_270, Image.TRANSVERSE, Image.ROTATE_90,
]  # fmt: skip


def upright(image, orientation):
    turned = np.asarray(image if orientation == 1 else image.transpose(TURNS[orientation - 2]))
    return turned.reshape(*turned.shape[:2], -1)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("form", "mode"),
    [("PNG", "L"), ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "LA"), ("PNG", "I;16"), ("PNG", "P")]
    + [("TIFF", "L"), ("TIFF", "RGB"), ("TIFF", "RGBA"), ("TIFF", "P"), ("WEBP", "RGB"), ("WEBP", "RGBA")],
)
def test_orientation_is_applied_in_every_form_and_mode(tmp_path, form, mode, orientation):
    image = Image.fromarray(WIDE[..., 0]) if mode == "I;16" else Image.fromarray(SMALL if mode == "P" else RGBA)
    image = image if image.mode == mode else image.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "x", form, exif=exif, **LOSSLESS[form])
    expected = upright(image.convert({"P": "RGB", "LA": "RGBA"}.get(mode, mode)), orientation)
    found = read_image(tmp_path / "x")
    assert found.shape == expected.shape
    assert (found == expected).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_to_tiffs_of_many_channels(tmp_path, orientation):
    many = RNG.integers(0, 256, (5, 7, 6), dtype=np.uint8)
    found = read(tmp_path, tiff(many, extratags=[(0x0112, "H", 1, orientation, True)]))
    for channel in range(6):
        assert (found[..., channel] == upright(Image.fromarray(many[..., channel]), orientation)[..., 0]).all()


def with_thumbnail():
    """A JPEG that carries a smaller JPEG, with an end marker of its own, in its EXIF block."""
    thumbnail = encoded(SMALL, "JPEG")
    block = b"Exif\0\0" + thumbnail
    data = encoded(PHOTO, "JPEG")
    return data[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + data[2:]


FILES = {
    "png": encoded(PHOTO, "PNG"),
    "jpeg": encoded(PHOTO, "JPEG"),
    "progressive jpeg": encoded(PHOTO, "JPEG", progressive=True),
    "jpeg with a thumbnail": with_thumbnail(),
    "webp": encoded(PHOTO, "WEBP"),
    "tiff": tiff(PHOTO, photometric="rgb", rowsperstrip=5),
    "deflated tiff": tiff(PHOTO, photometric="rgb", compression="zlib"),
}


@pytest.mark.parametrize("form", FILES)
def test_a_file_cut_anywhere_is_an_error(tmp_path, form):
    data = FILES[form]
    assert read(tmp_path, data).shape == PHOTO.shape
    end = len(data) - 4 if form == "png" else len(data)  # a PNG ends in a checksum of nothing
    for cut in [*range(1, end, 7), *range(end - 12, end)]:
        with pytest.raises(InputError, match="file: "):
            read(tmp_path, data[:cut])


def test_a_cut_file_is_called_cut_short(tmp_path):
    for form in ("png", "jpeg", "progressive jpeg", "jpeg with a thumbnail"):
        with pytest.raises(InputError, match="file: the file is cut short"):
            read(tmp_path, FILES[form][:-30])


@pytest.mark.parametrize("form", FILES)
def test_bytes_after_the_end_do_no_harm(tmp_path, form):
    assert (read(tmp_path, FILES[form] + bytes(200)) == read(tmp_path, FILES[form])).all()


@pytest.mark.parametrize("form", [form for form in FILES if "jpeg" in form])
def test_any_bytes_after_the_end_of_a_jpeg_do_no_harm(tmp_path, form):
    """Two million random ones hold some 30 of each marker, in any order."""
    expected = read(tmp_path, FILES[form])
    for seed in range(20):
        after = np.random.default_rng(seed).bytes(2_000_000)
        assert (read(tmp_path, FILES[form] + after) == expected).all(), seed
    assert (read(tmp_path, FILES[form] + FILES[form][:-2]) == expected).all()  # a second picture, itself cut


@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_jpegs_markers_may_be_padded(tmp_path, count):
    """ITU T.81, B.1.1.2: any number of bytes 0xFF may stand before a marker."""
    data = FILES["jpeg with a thumbnail"]
    expected = read(tmp_path, data)
    for marker in (b"\xff\xe1", b"\xff\xe0", b"\xff\xda"):
        place = data.rindex(marker)  # the thumbnail, in front, has markers of its own
        padded = data[:place] + b"\xff" * count + data[place:]
        assert (read(tmp_path, padded) == expected).all()
        with pytest.raises(InputError, match="cut short"):
            read(tmp_path, padded[:-2])


def test_a_damaged_png_is_an_error(tmp_path):
    data = FILES["png"]
    for place in range(60, len(data) - 20, 97):
        damaged = bytearray(data)
        damaged[place] ^= 0x55
        with pytest.raises(InputError, match="cannot be decoded"):
            read(tmp_path, bytes(damaged))


@pytest.mark.parametrize(
    "data", [b"hello\n", b"<html>404</html>", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xd9", b"BM", b"\0" * 100]
)
def test_what_is_no_image_is_an_error_that_names_the_file(tmp_path, data):
    with pytest.raises(InputError, match="file: "):
        read(tmp_path, data)


def test_an_empty_file_a_folder_and_a_missing_file_are_errors(tmp_path):
    with pytest.raises(InputError, match="file: the file is empty"):
        read(tmp_path, b"")
    with pytest.raises(InputError, match=f"{tmp_path}: cannot be read"):
        read_image(tmp_path)
    with pytest.raises(InputError, match=r"absent\.png: cannot be read"):
        read_image(tmp_path / "absent.png")


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


@pytest.fixture
def elsewhere(tmp_path_factory):
    """A folder for results that is nowhere near the images."""
    return tmp_path_factory.mktemp("elsewhere") / "out"


def test_images_are_found_in_folders_below_sorted_in_any_case(tmp_path, elsewhere):
    touch(tmp_path, "b.JPG", "a/z.png", "a/deep/er/x.WebP", "notes.txt", "a/labels.json", "c.tar.bmp", ".hidden", "png")
    found = find_images(tmp_path, elsewhere)
    assert {path.relative_to(tmp_path).as_posix(): name for path, name in found.items()} == {
        "a/deep/er/x.WebP": "a/deep/er/x.png",
        "a/z.png": "a/z.png",
        "b.JPG": "b.png",
        "c.tar.bmp": "c.tar.png",
    }
    assert list(found) == sorted(found)


def test_odd_names_are_found(tmp_path, elsewhere):
    names = ["a,b.png", " lead.png", "q\"'.png", "日本.png", "#1.png", "line\nbreak.png", "{x}[y]*.png", "-.png"]
    touch(tmp_path, *names)
    assert sorted(find_images(tmp_path, elsewhere).values()) == sorted(names)


def test_one_file_is_its_own_list(tmp_path, elsewhere):
    touch(tmp_path, "one.picture")
    for output in (elsewhere, tmp_path):
        assert find_images(tmp_path / "one.picture", output) == {tmp_path / "one.picture": "one.png"}


def test_a_folder_named_like_an_image_is_none(tmp_path, elsewhere):
    touch(tmp_path, "frames.png/a.jpg")
    assert list(find_images(tmp_path, elsewhere).values()) == ["frames.png/a.png"]


def test_linked_folders_are_followed_and_loops_end(tmp_path):
    touch(tmp_path, "elsewhere/a.png", "here/b.png", "here/sub/c.png")
    os.symlink(tmp_path / "elsewhere", tmp_path / "here/link")
    os.symlink("..", tmp_path / "here/sub/up")
    os.symlink(tmp_path / "here", tmp_path / "elsewhere/back")
    found = find_images(tmp_path / "here", tmp_path / "out")
    assert list(found.values()) == ["b.png", "link/a.png", "sub/c.png"]


def test_hidden_files_and_folders_are_left_out(tmp_path, elsewhere):
    touch(tmp_path, "a.jpg", "._a.jpg", ".hidden/b.jpg", "c/.ipynb_checkpoints/d.png", "c/e..png", "c/f.jpg")
    assert list(find_images(tmp_path, elsewhere).values()) == ["a.png", "c/e..png", "c/f.png"]
    (tmp_path / ".hidden/sub").mkdir()
    touch(tmp_path, ".hidden/sub/g.jpg")
    assert sorted(find_images(tmp_path / ".hidden", elsewhere).values()) == ["b.png", "sub/g.png"]


def test_links_that_lead_nowhere_are_files_and_errors_when_read(tmp_path, elsewhere):
    touch(tmp_path, "a.png")
    for name, target in {"loop.png": "loop.png", "lost.png": "absent", "long.png": "x" * 300}.items():
        os.symlink(target, tmp_path / name)
    found = find_images(tmp_path, elsewhere)
    assert sorted(found.values()) == ["a.png", "long.png", "loop.png", "lost.png"]
    for name in ("long", "loop", "lost"):
        with pytest.raises(InputError, match=rf"{name}\.png: cannot be read"):
            read_image(tmp_path / f"{name}.png")


def test_a_name_that_no_result_can_have_is_an_error_before_any_work(tmp_path, elsewhere):
    fits, over = "é" * 121 + ".jpg", "é" * 121 + "x.jpg"
    touch(tmp_path, fits)
    ((_, name),) = find_images(tmp_path, elsewhere).items()
    write_png(elsewhere / name, SMALL)
    touch(tmp_path, over)
    with pytest.raises(InputError, match=r"éx\.jpg: its result's name would be over 246 bytes; rename the file"):
        find_images(tmp_path, elsewhere)
    with pytest.raises(InputError, match="there is no such file or folder"):
        find_images(tmp_path / ("x" * 300), elsewhere)


def test_two_links_to_one_folder_are_two_folders(tmp_path):
    touch(tmp_path, "shared/a.png")
    for name in ("one", "two"):
        (tmp_path / "here").mkdir(exist_ok=True)
        os.symlink(tmp_path / "shared", tmp_path / "here" / name)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in files_below(tmp_path / "here")) == [
        "here/one/a.png",
        "here/two/a.png",
    ]


@pytest.mark.parametrize("output", ["out", "out/../out", "link", "deep/er/out"])
def test_earlier_results_below_the_images_are_left_out(tmp_path, monkeypatch, output):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "a.jpg", "out.png", "outside/b.png", "out/color/a.png", "out/legend.png", "deep/er/out/id/a.png")
    os.symlink("out", tmp_path / "link")
    results = "deep/er/out" if output == "deep/er/out" else "out"
    for source in (tmp_path, "."):  # absolute and relative paths together
        found = find_images(source, output)
        places = {path.resolve().relative_to(tmp_path.resolve()).as_posix() for path in found}
        assert {"a.jpg", "out.png", "outside/b.png"} <= places
        assert not any(place.startswith(f"{results}/") for place in places)
        assert len(places) == (5 if results == "deep/er/out" else 4)


@pytest.mark.parametrize("output", [".", "..", "../.."])
def test_results_that_go_above_the_images_leave_none_out(tmp_path, output):
    touch(tmp_path, "photos/trip/a.jpg", "photos/trip/b/c.jpg")
    source = tmp_path / "photos/trip"
    assert list(find_images(source, source / output).values()) == ["a.png", "b/c.png"]


def test_only_earlier_results_is_no_image(tmp_path):
    touch(tmp_path, "out/a.png")
    with pytest.raises(InputError, match=f"{tmp_path}: there is no image here"):
        find_images(tmp_path, tmp_path / "out")


def test_no_image_is_an_error_that_names_the_folder(tmp_path, elsewhere):
    touch(tmp_path, "notes.txt")
    with pytest.raises(InputError, match=f"{tmp_path}: there is no image here"):
        find_images(tmp_path, elsewhere)


def test_a_missing_path_is_called_missing(tmp_path, elsewhere):
    for source in (tmp_path / "absent", tmp_path / "absent" / "a.png"):
        with pytest.raises(InputError, match=f"{source}: there is no such file or folder"):
            find_images(source, elsewhere)


def test_two_images_with_one_result_are_an_error_that_names_both(tmp_path, elsewhere):
    touch(tmp_path, "a.jpg", "a.png", "b/a.png")
    with pytest.raises(InputError, match=r"a\.png: and .*a\.jpg have one name"):
        find_images(tmp_path, elsewhere)


@pytest.mark.parametrize(
    "array",
    [SMALL, SMALL[..., 0], np.array([[0, 255, 256, 65535]], np.uint16), SMALL[:, ::-1], SMALL[:1, :1]],
    ids=["rgb", "grey", "16 bit", "mirrored", "one pixel"],
)
def test_a_written_png_is_read_by_pillow_as_it_was(tmp_path, array):
    write_png(tmp_path / "new" / "x.png", array)
    found = np.asarray(Image.open(tmp_path / "new" / "x.png"))
    assert found.shape == array.shape
    assert (found == array).all()


@pytest.mark.parametrize("count", [1, 3, 256])
def test_a_written_palette_png_holds_indices_and_colours(tmp_path, count):
    indices = RNG.integers(0, count, (6, 9), dtype=np.uint8)
    palette = RNG.integers(0, 256, (256, 3), dtype=np.uint8)
    for name in ("a.png", "b.png"):
        write_png(tmp_path / name, np.asfortranarray(indices), palette=palette)
    with Image.open(tmp_path / "a.png") as found:
        assert found.mode == "P"
        assert (np.asarray(found) == indices).all()
        assert (np.asarray(found.convert("RGB")) == palette[indices]).all()
    assert (read_image(tmp_path / "a.png") == palette[indices]).all()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


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


def test_a_real_photograph_cut_at_any_hundredth_is_an_error(camvid, tmp_path):
    data = min((camvid / "val").glob("*.jpg")).read_bytes()
    for hundredth in range(1, 100):
        with pytest.raises(InputError, match="file: the file is cut short"):
            read(tmp_path, data[: len(data) * hundredth // 100])
    assert read(tmp_path, data).shape == (360, 480, 3)
