"""Folders of segment maps that other tools wrote: reference/segment_maps.json."""

import base64
import json

import numpy as np
from PIL import Image
from project import ROOT

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.listing import list_dataset
from bisenet.samples.classes import IGNORE
from bisenet.suggestion.suggest import suggest

REFERENCE = json.loads((ROOT / "tests" / "reference" / "segment_maps.json").read_text(encoding="utf-8"))


def put(folder, document, pngs, name="panoptic.json"):
    """Write a document, and its PNGs (names: base64) below `folder`; the path of the document."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(json.dumps(document))
    for png, text in pngs.items():
        (folder / png).parent.mkdir(parents=True, exist_ok=True)
        (folder / png).write_bytes(base64.b64decode(text))
    return path


def photograph(path, rows, number):
    """Noise of the size of a label; of another number it is another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, (len(rows), len(rows[0]), 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def label_of(rows, order=None):
    """(H, W) of rows of digits; order: {digit: train id}, of which a dot is none."""
    order = order or {str(digit): digit for digit in range(10)}
    return np.array([[IGNORE if pixel == "." else order[pixel] for pixel in row] for row in rows])


def check_suggested(root, labels, digits):
    """What --suggest writes is listed as it stands; labels: {image's stem: rows}, digits: {class name: digit}."""
    suggest(root)
    dataset = load_dataset(root.name, root.parent)
    annos = root.parent / "annos"
    found = list_dataset(dataset, annos, strict=True, workers=1, cache_folder=None)
    order = {digits[name]: train_id for train_id, name in enumerate(dataset.table.names)}
    drawn = [(pairs, *pair) for pairs in found.values() for pair in pairs.pairs]
    assert len(drawn) == len(labels)
    for pairs, image, label in drawn:
        with Image.open(annos / pairs.rendered[label]) as png:
            stem = image.rpartition("/")[2].rpartition(".")[0]
            assert np.asarray(png).tolist() == label_of(labels[stem], order).tolist()
