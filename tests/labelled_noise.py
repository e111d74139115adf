"""A small dataset of noise in files, with a label for each image, and five ways to break its files."""

import numpy as np
from PIL import Image

from bisenet.samples.classes import ClassTable

TABLE = ClassTable.from_dict(
    {
        "classes": [
            {"name": "road", "id": 7, "color": [128, 64, 128]},
            {"name": "car", "id": [26, 27], "color": [0, 0, 142]},
            {"name": "never", "id": 99, "color": [1, 2, 3]},
        ],
        "ignore": [255, 0],
    },
    "table",
)
SIZES = [(9, 7), (1, 1), (33, 5), (9, 7), (2, 40)]
RNG = np.random.default_rng(5)
IMAGES = [(RNG.integers(0, 256, (*size, 3), dtype=np.uint8) // [1, 2, 5]).astype(np.uint8) for size in SIZES]
LABELS = [np.array([7, 26, 27, 255, 0], np.uint8)[RNG.integers(0, 5, size)] for size in SIZES]
LABELS[2][:] = 7


def write_pairs(root, images=IMAGES, labels=LABELS):
    """Names of the files, relative to the root."""
    pairs = []
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        names = f"own/{i}, x.png", f"own/{i} label.png"
        (root / "own").mkdir(exist_ok=True)
        for name, array in zip(names, (image, label), strict=True):
            Image.fromarray(array).save(root / name)
        pairs.append(names)
    return pairs


def without_labels(pairs):
    return [(image, None) for image, _ in pairs]


def break_files(root, pairs):
    """Five faults; what the message must hold of each."""
    image, label = root / pairs[0][0], root / pairs[1][1]
    image.write_bytes(image.read_bytes()[:-20])
    Image.fromarray(np.full((1, 1), 127, np.uint8)).save(label)
    (root / pairs[2][0]).unlink()
    Image.new("L", (3, 3)).save(root / pairs[3][1])
    (root / pairs[4][1]).write_bytes(b"")
    return [
        (image, "cut short"),
        (label, "127 (1 pixel)"),
        (root / pairs[2][0], "cannot be read"),
        (root / pairs[3][1], "3 x 3"),
        (root / pairs[4][1], "empty"),
    ]
