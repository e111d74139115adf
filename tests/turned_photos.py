"""Photographs that EXIF turns, beside masks, whose edges agree on the pixels as stored or on the upright image."""

import numpy as np
from PIL import Image, ImageOps

OWN = """\
splits: {images: photos, labels: masks, val: 0.4}
classes:
- {name: a, id: 0, color: [0, 0, 0]}
- {name: b, id: 1, color: [9, 0, 0]}
- {name: c, id: 2, color: [0, 9, 0]}
"""


def scene(size, seed):
    """(image, label) that agree: a few rectangles in light and dark, with noise."""
    rng = np.random.default_rng(seed)
    label = np.zeros(size, np.uint8)
    for place in range(8):
        top, left = rng.integers(0, size[0] * 3 // 4), rng.integers(0, size[1] * 3 // 4)
        label[top : top + size[0] // 4, left : left + size[1] // 4] = place % 3
    shades = np.array([[200, 190, 180], [90, 120, 60], [30, 40, 90]])[label]
    return (shades + rng.integers(-20, 21, (*size, 3))).clip(0, 255).astype(np.uint8), label


def save(path, image, orientation, **options):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, exif=exif, **options)


def upright(array, orientation):
    """As Pillow turns it."""
    image = Image.fromarray(array)
    image.getexif()[0x0112] = orientation
    return np.asarray(ImageOps.exif_transpose(image))


def folder_of(root, orientations, size=(60, 60), drawn="stored", suffix=".jpg", untagged=0):
    """Photographs and masks; {name: label on the upright image}"""
    truth = {}
    for number, orientation in enumerate([*orientations, *[1] * untagged]):
        image, label = scene(size, number)
        name = f"{number:02}"
        save(root / f"photos/{name}{suffix}", image, orientation)
        truth[name] = upright(label, orientation)
        (root / "masks").mkdir(exist_ok=True)
        Image.fromarray(label if drawn == "stored" else truth[name]).save(root / f"masks/{name}.png")
    return truth
