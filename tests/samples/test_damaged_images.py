"""Images that are cut short, damaged or none: an error that names the file, and never half an image."""

import numpy as np
import pytest
from image_files import PHOTO, SMALL, encoded, read, tiff

from bisenet.errors import InputError
from bisenet.samples.images import read_image


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


def test_a_pointer_of_git_lfs_is_told_as_one(tmp_path):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"
    with pytest.raises(InputError, match="file: is a pointer of Git LFS, .* git lfs pull") as caught:
        read(tmp_path, pointer)
    assert caught.value.kind == "not fetched"


def test_a_real_photograph_cut_at_any_hundredth_is_an_error(camvid, tmp_path):
    data = min((camvid / "val").glob("*.jpg")).read_bytes()
    for hundredth in range(1, 100):
        with pytest.raises(InputError, match="file: the file is cut short"):
            read(tmp_path, data[: len(data) * hundredth // 100])
    assert read(tmp_path, data).shape == (360, 480, 3)
