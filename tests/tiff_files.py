"""TIFF files that no library writes, from the standard: values of any number of bits."""

import struct

import numpy as np


def packed(values, bits, photometric, tags=()):
    """An uncompressed little-endian TIFF of (H, W) values; `tags`: (number, type, value) more."""
    height, width = values.shape
    rows = ((values[..., None] >> np.arange(bits)[::-1]) & 1).astype(np.uint8).reshape(height, -1)
    pixels = np.packbits(rows, axis=1).tobytes()
    found = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1), (262, 3, photometric), (273, 4, 8)]
    found += [(277, 3, 1), (278, 4, height), (279, 4, len(pixels)), *tags]
    entries = b"".join(struct.pack("<HHII", number, kind, 1, value) for number, kind, value in sorted(found))
    return b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels + struct.pack("<H", len(found)) + entries + bytes(4)
