"""Pictures of labels: colours, overlays, legends and panels. Every picture is (H, W, 3) uint8 RGB."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bisenet.classes import IGNORE

BACKGROUND = (255, 255, 255)
INK = (30, 30, 30)
GAP = 8


def colorize(label, table):
    """(H, W) train ids -> each class in its table's colour, ignored pixels black."""
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(table)] = table.colors
    return palette[label]


def id_palette(table):
    """(256, 3) uint8 RGB: the colour of each raw id that `table.to_raw` writes, all below 256; the others are black."""
    palette = np.zeros((256, 3), np.uint8)
    palette[[ids[0] for ids in table.ids]] = table.colors
    return palette


def displayable(image):
    """(H, W, C) uint8 or uint16, any C -> (H, W, 3) uint8 RGB to look at; 8 bit RGB stays as it is.

    Fewer than three channels show the first as grey, more show the first three. 16 bits, of which sensors often fill a
    part, are stretched so that the 1st to the 99th percentile of all values fills 0 to 255.
    """
    image = image[..., :3] if image.shape[2] >= 3 else image[..., [0, 0, 0]]
    if image.dtype == np.uint8:
        return np.ascontiguousarray(image)
    low, high = np.percentile(image, (1, 99))
    scaled = (image.astype(np.float32) - low) * (255 / max(high - low, 1))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def blend(image, label, table, alpha):
    """The image under its label's colours. alpha 0 gives the image back, 1 the colours alone; ignored pixels stay."""
    mixed = np.rint((1 - alpha) * image + alpha * colorize(label, table)).astype(np.uint8)
    return np.where((label == IGNORE)[..., None], image, mixed)


def legend(label, table, width):
    """A strip, `width` pixels wide, of the classes that occur in the label: colour and name, most frequent first."""
    ids, counts = np.unique(label[label != IGNORE], return_counts=True)
    order = ids[np.argsort(-counts, kind="stable")].tolist()
    size = font_size(width)
    font, row_height = ImageFont.load_default(size), round(size * 1.7)
    places, x, y = [], GAP, 0
    for i in order:
        length = round(size * 1.6 + font.getlength(table.names[i]))
        if x > GAP and x + length > width - GAP:
            x, y = GAP, y + row_height
        places.append((i, x, y))
        x += length + size
    strip = Image.new("RGB", (width, y + row_height), BACKGROUND)
    draw = ImageDraw.Draw(strip)
    for i, x, y in places:
        middle = y + row_height / 2
        box = x, middle - size * 0.45, x + size * 0.9, middle + size * 0.45
        draw.rectangle(box, fill=table.colors[i], outline=INK)
        draw.text((x + size * 1.4, middle), table.names[i], fill=INK, font=font, anchor="lm")
    return np.asarray(strip)


def font_size(width):
    """Pixels; readable on thumbnails, not shouting on large photographs."""
    return int(np.clip(width / 50, 12, 40))


def titled(image, title):
    """The image with a line of text above it."""
    size = font_size(image.shape[1])
    bar = Image.new("RGB", (image.shape[1], round(size * 1.8)), BACKGROUND)
    ImageDraw.Draw(bar).text((GAP / 2, size * 0.9), title, fill=INK, font=ImageFont.load_default(size), anchor="lm")
    return np.vstack([np.asarray(bar), image])


def comparison(image, truth, prediction, table, alpha):
    """Image, truth, prediction and overlay, two by two, above the legend of all classes seen."""
    tiles = {
        "image": image,
        "truth": colorize(truth, table),
        "prediction": colorize(prediction, table),
        "prediction over image": blend(image, prediction, table, alpha),
    }
    a, b, c, d = (titled(tile, title) for title, tile in tiles.items())
    gap = np.full((a.shape[0], GAP, 3), BACKGROUND, np.uint8)
    rows = [np.hstack([a, gap, b]), np.hstack([c, gap, d])]
    seen = np.concatenate([truth.ravel(), prediction.ravel()])
    return np.vstack([*rows, legend(seen, table, rows[0].shape[1])])


def shrink_to(image, longest):
    """The image, made smaller where its longer side exceeds `longest` pixels."""
    scale = longest / max(image.shape[:2])
    if scale >= 1:
        return image
    size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
