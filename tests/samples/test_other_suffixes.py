"""Images and labels in formats that are seldom: by Pillow's writers."""

import numpy as np
import pytest
from PIL import Image

from bisenet.errors import InputError
from bisenet.samples.images import IMAGE_SUFFIXES, find_images, read_image
from bisenet.samples.labels import LOSSY, read_raw

PIXELS = np.random.default_rng(3).integers(0, 256, (9, 7, 3), dtype=np.uint8)


@pytest.mark.parametrize("suffix", [".ppm", ".pnm", ".jp2"])
def test_an_image_without_loss(tmp_path, suffix):
    Image.fromarray(PIXELS).save(tmp_path / f"x{suffix}")
    assert np.array_equal(read_image(tmp_path / f"x{suffix}"), PIXELS)


@pytest.mark.parametrize("suffix", [".jpe", ".jfif"])
def test_a_jpeg_of_another_suffix(tmp_path, suffix):
    for name in (f"x{suffix}", "x.jpg"):
        Image.fromarray(PIXELS).save(tmp_path / name)
    assert np.array_equal(read_image(tmp_path / f"x{suffix}"), read_image(tmp_path / "x.jpg"))
    (tmp_path / "x.jpg").unlink()
    assert suffix in IMAGE_SUFFIXES and list(find_images(tmp_path, tmp_path / "out")) == [tmp_path / f"x{suffix}"]


@pytest.mark.parametrize("suffix", [".gif", ".pgm", ".pnm"])
def test_a_mask(tmp_path, suffix):
    mask = (PIXELS[..., 0] > 99).astype(np.uint8)
    image = Image.fromarray(mask, "L")
    if suffix == ".gif":
        image = Image.fromarray(mask, "P")
        image.putpalette([0, 0, 0, 255, 255, 255])
    image.save(tmp_path / f"x{suffix}")
    assert np.array_equal(read_raw(tmp_path / f"x{suffix}"), mask)
    assert read_image(tmp_path / f"x{suffix}").shape[:2] == mask.shape


def test_a_jpeg_2000_is_no_label(tmp_path):
    Image.fromarray(PIXELS[..., 0]).save(tmp_path / "x.jp2")
    with pytest.raises(InputError, match=r"x\.jp2: a lossy format") as caught:
        read_raw(tmp_path / "x.jp2")
    assert caught.value.kind == LOSSY


def test_a_gif_of_several_pictures_is_refused(tmp_path):
    first, *more = (Image.fromarray(PIXELS + step) for step in range(3))
    first.save(tmp_path / "x.gif", save_all=True, append_images=more)
    with pytest.raises(InputError, match=r"x\.gif: holds 3 pictures; save each"):
        read_image(tmp_path / "x.gif")


@pytest.mark.parametrize("suffix", [".ppm", ".pgm", ".gif", ".jp2", ".jfif"])
def test_what_is_cut_short_is_an_error_that_names_it(tmp_path, suffix):
    Image.fromarray(PIXELS if suffix != ".pgm" else PIXELS[..., 0]).save(tmp_path / f"x{suffix}")
    data = (tmp_path / f"x{suffix}").read_bytes()
    (tmp_path / f"x{suffix}").write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(InputError, match=rf"x\{suffix}: "):
        read_image(tmp_path / f"x{suffix}")


@pytest.mark.parametrize("head", [b"P5 2 2 3\n", b"P5\n# made\n2 2\n1000\n"])
def test_a_pnm_that_readers_stretch_is_refused(tmp_path, head):
    (tmp_path / "x.pgm").write_bytes(head + bytes(8))
    for read in (read_image, read_raw):
        with pytest.raises(InputError, match=r"x\.pgm: its highest value is (3|1000), .*save it as PNG"):
            read(tmp_path / "x.pgm")


def test_the_bits_of_a_pbm_are_its_ids(tmp_path):
    (tmp_path / "x.pbm").write_bytes(b"P1\n3 2\n1 0 0\n0 1 1\n")
    assert read_raw(tmp_path / "x.pbm").tolist() == [[1, 0, 0], [0, 1, 1]]


def test_what_is_transparent_in_a_gif_keeps_its_colour(tmp_path):
    image = Image.fromarray(np.uint8([[0, 1], [2, 1]]), "P")
    image.putpalette([10, 20, 30, 200, 0, 0, 0, 200, 0])
    image.save(tmp_path / "x.gif", transparency=1)
    assert read_image(tmp_path / "x.gif").tolist() == [[[10, 20, 30], [200, 0, 0]], [[0, 200, 0], [200, 0, 0]]]
