"""Labels that are cut short, damaged or none: an error that names the file, and never a wrong label."""

import io

import numpy as np
import pytest
from image_files import palette_image
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bisenet.errors import InputError
from bisenet.samples.labels import read_raw

RNG = np.random.default_rng(1)


def test_damage_in_a_compressed_tiff_is_never_read_as_labels(tmp_path):
    image = Image.fromarray(RNG.integers(0, 3, (64, 64), dtype=np.uint8))
    image.save(tmp_path / "l.tif", compression="tiff_adobe_deflate")
    data = bytearray((tmp_path / "l.tif").read_bytes())
    offset, count = image_strip(tmp_path / "l.tif")
    data[offset + count // 2 : offset + count // 2 + 9] = b"\xff" * 9
    (tmp_path / "l.tif").write_bytes(data)
    with pytest.raises(InputError, match=r"l\.tif: "):
        read_raw(tmp_path / "l.tif")


def image_strip(path):
    """(offset, bytes) of the first strip of a TIFF."""
    with Image.open(path) as image:
        return image.tag_v2[273][0], image.tag_v2[279][0]


def labels_to_damage():
    ids = RNG.integers(0, 5, (20, 30), dtype=np.uint8)
    for name, image in ("palette", palette_image(ids, np.arange(15))), ("ids", Image.fromarray(ids)):
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        yield pytest.param(buffer.getvalue(), id=name)


@pytest.mark.parametrize("data", list(labels_to_damage()))
def test_a_cut_label_is_an_error(tmp_path, data):
    for cut in [*range(0, len(data) - 4, 3), len(data) - 5]:
        (tmp_path / "cut.png").write_bytes(data[:cut])
        with pytest.raises(InputError, match=r"cut\.png: "):
            read_raw(tmp_path / "cut.png")


@pytest.mark.parametrize("data", list(labels_to_damage()))
def test_a_damaged_label_is_an_error_or_still_whole(tmp_path, data):
    path = tmp_path / "bad.png"
    path.write_bytes(data)
    truth, errors = read_raw(path), 0
    for place in range(data.index(b"IDAT") + 4, len(data), 3):
        damaged = bytearray(data)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        try:
            assert (read_raw(path) == truth).all()
        except InputError as error:
            assert str(error).startswith(f"{path}: ")
            errors += 1
    assert errors > len(data) // 8


def test_a_palette_label_with_damage_beside_its_pixels_is_an_error_or_whole(tmp_path):
    ids = RNG.integers(0, 5, (4, 6), dtype=np.uint8)
    text = PngInfo()
    text.add_text("Software", "x" * 20)
    path = tmp_path / "bad.png"
    palette_image(ids, np.arange(15)).save(path, pnginfo=text)
    data = path.read_bytes()
    for place in range(8, len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 0x55
        path.write_bytes(damaged)
        try:
            assert (read_raw(path) == ids).all()
        except InputError as error:
            assert str(error).startswith(f"{path}: ")


@pytest.mark.parametrize("data", [b"", b"a text", b"\x89PNG\r\n\x1a\n\0\0\0\0IEND\xaeB`\x82"])
def test_what_is_no_label_is_an_error_that_names_the_file(tmp_path, data):
    (tmp_path / "x.png").write_bytes(data)
    with pytest.raises(InputError, match=r"x\.png: "):
        read_raw(tmp_path / "x.png")


def test_a_folder_or_a_missing_file_is_an_error(tmp_path):
    for path in (tmp_path, tmp_path / "absent.png"):
        with pytest.raises(InputError, match=f"{path}: cannot be read"):
            read_raw(path)
