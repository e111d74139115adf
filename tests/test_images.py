"""Images: the same pixels as Pillow, or an error that names the file."""

import io
import os

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from bisenet.errors import InputError
from bisenet.images import files_below, find_images, read_image, write_png

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


def test_a_grey_file_has_three_equal_channels(tmp_path):
    found = read(tmp_path, encoded(SMALL[..., 0], "PNG"))
    assert (found == SMALL[..., :1]).all()
    assert found.shape == (5, 7, 3)


def test_16_bit_grey_keeps_the_upper_8_bits(tmp_path):
    values = np.array([[0, 255, 256, 12800, 65535]], np.uint16)
    assert read(tmp_path, encoded(values, "PNG"))[..., 0].tolist() == [[0, 0, 1, 50, 255]]


def test_alpha_is_dropped(tmp_path):
    rgba = np.dstack([SMALL, RNG.integers(0, 256, (5, 7), dtype=np.uint8)])
    assert (read(tmp_path, encoded(rgba, "PNG")) == SMALL).all()


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
