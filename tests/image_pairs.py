"""Images and labels that fit, of random values or of values that say where a pixel came from."""

import numpy as np

from bisenet.samples.classes import IGNORE

FILL = (10, 20, 30)
PLAIN = {  # options with which a `TrainTransform` only cuts and pads
    "scales": (1, 1),
    "flip": 0,
    "jitter": 0,
    "mean": [channel / 255 for channel in FILL],
}


def coordinates(height, width):
    """An image whose pixels say where they come from, and a label that agrees with it."""
    y, x = np.mgrid[:height, :width]
    image = np.stack([y, x, np.full_like(y, 7)], axis=-1).astype(np.uint8)
    return image, ((y * 3 + x) % 5).astype(np.uint8)


def random_pair(size, seed=0, values=(0, 1, 2, 7, IGNORE)):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (*size, 3), dtype=np.uint8), rng.choice(np.array(values, np.uint8), size)


def random_image(size, channels, dtype, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, (*size, channels), dtype=dtype)
