"""Pictures of labels: colours, overlays, legends and panels. Every picture is (H, W, 3) uint8 RGB."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bisenet.samples.classes import IGNORE

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
    counts = np.bincount(label.ravel(), minlength=256)
    return _legend_of(counts, table, width, font_size(width))


def _legend_of(counts, table, width, size):
    """counts: (256,) pixels of each train id; size: of the font, in pixels"""
    order = [i for i in np.argsort(-counts[:IGNORE], kind="stable").tolist() if counts[i]]
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
    """Image, truth, prediction and overlay, two by two, above the legend of all classes seen.

    truth: (H, W) train ids, or None where there is none: then the other three, side by side
    """
    tiles = {
        "image": image,
        **({} if truth is None else {"truth": colorize(truth, table)}),
        "prediction": colorize(prediction, table),
        "prediction over image": blend(image, prediction, table, alpha),
    }
    tiles = [titled(tile, title) for title, tile in tiles.items()]
    gap = np.full((tiles[0].shape[0], GAP, 3), BACKGROUND, np.uint8)
    columns = 2 if len(tiles) == 4 else len(tiles)
    rows = _rows_of(tiles, columns, gap)
    seen = [label.ravel() for label in (truth, prediction) if label is not None]
    return np.vstack([*rows, legend(np.concatenate(seen), table, rows[0].shape[1])])


def _rows_of(tiles, columns, gap):
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    return [np.hstack([part for tile in row for part in (tile, gap)][:-1]) for row in rows]


def shrink_to(image, longest, interpolation=cv2.INTER_AREA):
    """The image or label, made smaller where its longer side exceeds `longest` pixels."""
    scale = longest / max(image.shape[:2])
    if scale >= 1:
        return image
    size = [max(1, round(side * scale)) for side in image.shape[1::-1]]
    return cv2.resize(image, size, interpolation=interpolation)


def contact_sheet(tiles, table, columns=4, width=360, height=270):
    """Titled pictures in a grid, each fitted into `width` x `height` pixels, above the legend of all labels.

    tiles: [(title, picture (H, W, 3), its train ids (H, W))], one or more
    """
    cells = [titled(_fitted(picture, width, height), _shortened(title, width)) for title, picture, _ in tiles]
    columns = min(columns, len(cells))
    cells += [np.full_like(cells[0], BACKGROUND)] * (-len(cells) % columns)
    gap = np.full((cells[0].shape[0], GAP, 3), BACKGROUND, np.uint8)
    rows = _rows_of(cells, columns, gap)
    counts = sum(np.bincount(label.ravel(), minlength=256) for _, _, label in tiles)
    return np.vstack([*rows, _legend_of(counts, table, rows[0].shape[1], font_size(width))])


def _fitted(picture, width, height):
    """The picture as large as it can be, in the middle of a white box."""
    scale = min(width / picture.shape[1], height / picture.shape[0])
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    box = np.full((height, width, 3), BACKGROUND, np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    box[top : top + size[1], left : left + size[0]] = small
    return box


def _shortened(title, width):
    """The title, without its middle where it is wider than the picture."""
    font = ImageFont.load_default(font_size(width))
    kept = len(title)
    short = title
    while font.getlength(short) > width - GAP and kept > 2:
        kept -= 1
        short = f"{title[: kept - kept // 2]}…{title[len(title) - kept // 2 :]}"
    return short
