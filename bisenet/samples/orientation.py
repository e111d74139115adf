"""Which way up photographs are: how EXIF turns a file, and whether its label was drawn before or after that."""

import struct
from contextlib import suppress

import cv2
import numpy as np

from bisenet.samples import tiff
from bisenet.samples.tiff import ORIENTATION, first_tag, riff

UPRIGHT, STORED = "upright", "stored"  # what a label was drawn on: the image as EXIF turns it, or as its file has it
TURNED = range(5, 9)  # the orientations for which height and width change places
BACK = {6: 8, 8: 6}  # the orientation that undoes one, where that is another
SCAN, APP1 = 0xDA, 0xE1  # markers of a JPEG: after the first comes data, after the second metadata
EXIF = b"Exif\0\0"  # what EXIF begins with, in a JPEG always
LARGE, AROUND = 400, 21  # longer side of the pictures that are compared, and of what a border is compared with
CLEARLY = 1.1  # times the contrast
FOR_ONE_AGAINST = 4  # votes that decide


def orientation_of(data):
    """1 to 8: how `read_image` turns the picture in these bytes of a file; 1 where nothing tells, or nonsense."""
    if data.startswith(tiff.SIGNATURES):
        found = first_tag(data, ORIENTATION)
    elif data.startswith(b"\xff\xd8"):
        blocks = (data[start:end] for marker, start, end in segments(data) if marker == APP1)
        found = first_tag(next((block for block in blocks if block.startswith(EXIF)), b"")[len(EXIF) :], ORIENTATION)
    else:
        found = first_tag(_block(data), ORIENTATION)
    return found if found in range(1, 9) else 1


def _block(data):
    """The EXIF of a PNG or WebP file."""
    if b"eXIf" in data and data.startswith(b"\x89PNG"):
        place = 8
        while place < len(data):
            if data[place + 4 : place + 8] == b"eXIf":
                return data[place + 8 :]
            place += 12 + int.from_bytes(data[place : place + 4])
    start = next((start for name, start in riff(data) if name == b"EXIF"), len(data))
    return data[start:].removeprefix(EXIF)


def segments(data):
    """(marker, start, end) of what stands before the compressed data of a JPEG."""
    place = 2
    with suppress(struct.error):  # cut short
        while True:
            mark, marker = struct.unpack_from("BB", data, place)
            if mark != 0xFF or marker == SCAN:
                return
            if marker == 0xFF:  # any number of such bytes may stand before a marker
                place += 1
                continue
            (length,) = struct.unpack_from(">H", data, place + 2)
            yield marker, place + 4, place + 2 + length
            place += 2 + length


def drawn_on(image, if_upright, if_stored):
    """`UPRIGHT` or `STORED`, whichever a label fits clearly better; None where neither.

    By the size, or else by the borders of the label, which lie at edges of the image.
    image: (H, W, C) as `read_image` turned it
    if_upright, if_stored: what the label, (h, w), is on that image, if it was drawn on the one or the other
    """
    fit = [label.shape == image.shape[:2] for label in (if_upright, if_stored)]
    if fit[0] == fit[1]:
        fit = [_contrast_at_borders(image, label) for label in (if_upright, if_stored)]
    if fit[0] > CLEARLY * fit[1]:
        return UPRIGHT
    return STORED if fit[1] > CLEARLY * fit[0] else None


def _contrast_at_borders(image, label):
    """How steep the image is where the label changes, as a multiple of how steep it is around there; 0 for no border.

    What is around is compared with, or a border that is turned into a forest would fit better than its own.
    """
    height, width = image.shape[:2]
    scale = min(1, LARGE / max(height, width))
    size = max(2, round(width * scale)), max(2, round(height * scale))
    grey = image[..., :3].mean(2, dtype=np.float32) if image.shape[2] > 2 else image[..., 0].astype(np.float32)
    grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    label = cv2.resize(label, size, interpolation=cv2.INTER_NEAREST)
    steep = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    steep = cv2.dilate(steep, np.ones((3, 3), np.uint8))
    border = np.zeros(label.shape, bool)
    border[1:] |= label[1:] != label[:-1]
    border[:, 1:] |= label[:, 1:] != label[:, :-1]
    around = cv2.blur(steep, (AROUND, AROUND))[border].sum(dtype=np.float64)
    return steep[border].sum(dtype=np.float64) / around if around else 0.0


def verdict(votes):
    """`UPRIGHT`, `STORED` or None: what several labels say; votes: {what `drawn_on` gave: labels}."""
    for word, other in ((UPRIGHT, STORED), (STORED, UPRIGHT)):
        clear = votes.get(word, 0)
        if clear > 1 and clear >= FOR_ONE_AGAINST * votes.get(other, 0) and 3 * clear >= sum(votes.values()):
            return word
    return None
