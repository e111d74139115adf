"""PNG files, written as all files are: whole or not at all, and the same bytes for the same pixels."""

import io

import cv2
import numpy as np
from PIL import Image

from bisenet.system.artifacts import write_bytes


def write_png(path, array, palette=None):
    """Write (H, W) uint8 or uint16, or (H, W, 3) uint8 RGB.

    palette: (256, 3) RGB that (H, W) uint8 are the indices of, 0..255
    """
    write_bytes(path, png_bytes(array) if palette is None else _encode_palette_png(array, palette))


def png_bytes(array):
    """The file of (H, W) uint8 or uint16, or (H, W, 3) uint8 RGB."""
    return cv2.imencode(".png", array if array.ndim == 2 else array[..., ::-1])[1].tobytes()  # OpenCV writes BGR


def _encode_palette_png(indices, palette):
    # Pillow; OpenCV writes no palettes. With all 256 colours an index is always one byte.
    image = Image.fromarray(np.ascontiguousarray(indices))
    image.putpalette(np.asarray(palette, np.uint8).tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()
