"""EXIF orientation is applied, whatever the form; and whether a label was drawn before or after that can be told."""

import io
from collections import Counter

import numpy as np
import pytest
import turned_photos
from image_files import RGBA, SMALL, WIDE, encoded, read, tiff
from PIL import Image, ImageOps
from turned_photos import scene

from bisenet.samples.images import read_image
from bisenet.samples.orientation import STORED, UPRIGHT, drawn_on, orientation_of, verdict

RNG = np.random.default_rng(3)


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


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_what_the_file_tells_is_found(tmp_path, form, orientation):
    image, exif = Image.fromarray(SMALL), Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "x", form, exif=exif)
    assert orientation_of((tmp_path / "x").read_bytes()) == orientation
    for options in ({"bigtiff": True}, {"byteorder": ">"}):
        assert orientation_of(tiff(SMALL, extratags=[(0x0112, "H", 1, orientation, True)], **options)) == orientation


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_without_a_tag_or_with_nonsense_nothing_is_turned(tmp_path, form):
    assert orientation_of(encoded(SMALL, form)) == 1
    exif = Image.Exif()
    exif[0x0112] = 77
    assert orientation_of(encoded(SMALL, form, exif=exif)) == 1
    exif[0x0112] = 6
    data = encoded(SMALL, form, exif=exif)
    for cut in range(len(data)):
        assert orientation_of(data[:cut]) in (1, 6)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_borders_tell_what_a_square_label_was_drawn_on(orientation):
    for seed in range(4):
        image, label = scene((60, 60), seed)
        shown, turned = turned_photos.upright(image, orientation), turned_photos.upright(label, orientation)
        assert drawn_on(shown, label, turned) == STORED
        assert drawn_on(shown, turned, turned_photos.upright(turned, orientation)) == UPRIGHT


def test_the_size_tells_it_and_else_noise_and_plain_labels_tell_nothing():
    noise = RNG.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    label = np.repeat(np.arange(60) // 20, 40).reshape(60, 40).T.astype(np.uint8)
    assert drawn_on(noise, label, label.T) == UPRIGHT
    assert drawn_on(noise, label.T, label) == STORED
    assert drawn_on(noise, label, label[::-1, ::-1]) is None
    assert drawn_on(noise, np.zeros((40, 60), np.uint8), np.zeros((40, 60), np.uint8)) is None


def test_several_labels_decide_and_one_does_not():
    assert verdict({STORED: 9, UPRIGHT: 2, None: 5}) == STORED
    assert verdict({UPRIGHT: 2}) == UPRIGHT
    for unclear in ({STORED: 1}, {STORED: 5, UPRIGHT: 2}, {STORED: 3, None: 20}, {}):
        assert verdict(unclear) is None


def test_exif_of_a_webp_may_have_the_prefix_of_a_jpeg():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(SMALL, "WEBP", exif=exif)
    place = data.index(b"EXIF")
    block = b"Exif\0\0" + data[place + 8 :]
    data = data[: place + 4] + len(block).to_bytes(4, "little") + block + bytes(len(block) % 2)
    data = data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:]
    with Image.open(io.BytesIO(data)) as image:
        assert image.getexif()[0x0112] == 6
    assert orientation_of(data) == 6


@pytest.mark.parametrize("orientation", [2, 3, 4, 6])
@pytest.mark.parametrize("road_alone", [False, True])
def test_borders_tell_it_of_real_photographs(camvid, orientation, road_alone):
    """The border of the road, turned by 180 degrees, lies in trees, where everything is steep."""
    votes = Counter()
    for path in sorted((camvid / "val").glob("*.jpg"))[::6]:
        side = slice(0, 360)  # square, or the size would tell
        image = np.asarray(Image.open(path))[:, side]
        label = np.asarray(Image.open(camvid / "valannot" / f"{path.stem}.png"))[:, side]
        label = (label == 3).astype(np.uint8) if road_alone else label
        shown, turned = turned_photos.upright(image, orientation), turned_photos.upright(label, orientation)
        votes[drawn_on(shown, label, turned)] += 1
    assert votes[STORED] > (0.8 if road_alone else 0.9) * votes.total()
