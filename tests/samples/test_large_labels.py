"""Pictures of many pixels: read, though Pillow takes them for an attack; or refused by their size."""

import struct
import zlib

import numpy as np
import pytest
from image_files import palette_image
from PIL import Image

from bisenet.annotation.palettes import look_at
from bisenet.errors import InputError
from bisenet.samples.images import PNG_SIGNATURE, read_image
from bisenet.samples.labels import read_raw

IDS = np.random.default_rng(6).integers(0, 5, (20, 30), dtype=np.uint8)


@pytest.mark.parametrize("form", ["PNG", "BMP"])
def test_palettes_are_read_beyond_pillows_limit(tmp_path, monkeypatch, form):
    path = tmp_path / "big.png"
    palette_image(IDS, np.arange(15)).save(path, form)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(path)
    assert np.array_equal(read_raw(path), IDS)
    assert look_at(path).rgb[:5].tolist() == np.arange(15).reshape(5, 3).tolist()
    assert Image.MAX_IMAGE_PIXELS == 5


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


@pytest.mark.parametrize("color_type", [0, 2, 3, 6])
@pytest.mark.parametrize("size", [(40000, 30000), (1_100_000, 2)])
def test_what_opencv_cannot_hold_is_named_with_its_size(tmp_path, size, color_type):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, color_type, 0, 0, 0))
    palette = chunk(b"PLTE", bytes(9)) if color_type == 3 else b""
    (tmp_path / "huge.png").write_bytes(
        PNG_SIGNATURE + head + palette + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )
    for read in (read_raw, read_image):
        with pytest.raises(InputError, match=rf"huge\.png: is {size[0]} x {size[1]} pixels; .*cut it into tiles"):
            read(tmp_path / "huge.png")
