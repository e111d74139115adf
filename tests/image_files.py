"""Image files of every form, made on the spot, and what they hold."""

import io

import cv2
import numpy as np
import tifffile
from PIL import Image

from bisenet.samples.images import read_image

RNG = np.random.default_rng(0)
SMALL = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
PHOTO = cv2.resize(SMALL, (40, 30), interpolation=cv2.INTER_CUBIC)
RGBA = np.dstack([SMALL, RNG.integers(0, 256, (5, 7), dtype=np.uint8)])
WIDE = RNG.integers(0, 65536, (5, 7, 4), dtype=np.uint16)


def encoded(array, form, **options):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, form, **options)
    return buffer.getvalue()


def read(tmp_path, data, channels=None, bit_depth=None):
    path = tmp_path / "file"
    path.write_bytes(data)
    return read_image(path, channels, bit_depth)


def tiff(array, **options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **{"photometric": "minisblack", "planarconfig": "contig"} | options)
    return buffer.getvalue()


def palette_image(indices, colors):
    image = Image.fromarray(indices.astype(np.uint8), "L")
    image = image.convert("P")
    image.putpalette(np.asarray(colors, np.uint8).ravel().tolist())
    image.putdata(indices.ravel().tolist())
    return image
