"""EXIF orientation is applied, whatever the form."""

import io

import numpy as np
import pytest
from image_files import RGBA, SMALL, WIDE, encoded, read, tiff
from PIL import Image, ImageOps

from bisenet.samples.images import read_image

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
