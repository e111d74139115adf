"""Folders as people have them: photographs, labels of bands in any form, and what is true of them."""

import json

import numpy as np
from PIL import Image

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.pairing import pair_split
from bisenet.annotation.reading import AnnotationReader
from bisenet.errors import refuse
from bisenet.suggestion.suggest import suggest
from bisenet.system.png import write_png
from bisenet.system.yaml12 import read_yaml

SIZE = 24, 32
# dataset.yaml of a dataset of one's own, whose labels lie beside the images
OWN = """\
splits:
  train: {images: train/*.jpg, labels: train/*.png}
  val: {images: val/*.jpg, labels: val/*.png}
classes:
- {name: a, id: 3, color: [0, 0, 0]}
"""


class Maker:
    """Draws photographs and labels of bands into a folder, and remembers what is true."""

    def __init__(self, root):
        self.root = root
        self.truth = {}  # image -> (H, W), the number of the band
        self.rng = np.random.default_rng(5)

    def path(self, name):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def image(self, name):
        pixels = self.rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(self.path(name))

    def bands(self, image, count=3):
        bands = self.truth[image] = np.repeat(np.arange(SIZE[1]) * count // SIZE[1], SIZE[0]).reshape(SIZE[::-1]).T
        return bands

    def pair(self, image, label, values=(0, 1, 2)):
        """values: what stands in the label for each band, numbers or colours"""
        self.image(image)
        raw = np.array(values)[self.bands(image, len(values))]
        write_png(self.path(label), raw.astype(np.uint16 if max(raw.ravel()) > 255 else np.uint8))

    def text(self, name, *lines):
        self.path(name).write_text("\n".join([*lines, ""]), encoding="utf-8")

    def labelme(self, image, label, names=("sky", "road", "tree")):
        self.image(image)
        bands = self.bands(image, len(names))
        shapes = []
        for number, name in enumerate(names):
            columns = np.flatnonzero((bands == number)[0])
            points = [[int(x), int(y)] for x, y in zip(columns[[0, -1, -1, 0]], [0, 0, SIZE[0], SIZE[0]], strict=True)]
            shapes.append({"label": name, "points": points, "shape_type": "polygon"})
        document = {"shapes": shapes, "imagePath": image, "imageData": None}
        self.path(label).write_text(json.dumps(document | {"imageHeight": SIZE[0], "imageWidth": SIZE[1]}))

    def coco(self, images, label, names=("sky", "road", "tree"), at=""):
        document = {"images": [], "annotations": [], "categories": [{"id": 0, "name": "all"}]}
        document["categories"] += [{"id": 10 + i, "name": name} for i, name in enumerate(names)]
        for key, image in enumerate(images):
            self.image(image)
            bands = self.bands(image, len(names))
            file = image.removeprefix(at)
            document["images"].append({"id": key, "file_name": file, "height": SIZE[0], "width": SIZE[1]})
            for number in range(len(names)):
                runs = np.flatnonzero((bands == number)[0])
                counts = [int(runs[0]) * SIZE[0], len(runs) * SIZE[0]]
                counts.append(SIZE[0] * SIZE[1] - sum(counts))
                segmentation = {"size": list(SIZE), "counts": counts}
                annotation = {"id": len(document["annotations"]), "image_id": key, "category_id": 10 + number}
                document["annotations"].append(annotation | {"segmentation": segmentation, "iscrowd": 1})
        self.path(label).write_text(json.dumps(document))


def of_values(make, values):
    for i in range(10):
        make.pair(f"images/{i}.png", f"masks/{i}.png", values)
    return make


def pairs_that_are_true(make):
    """How many pairs the pipeline finds; each band is one class or ignored, the same in all labels."""
    dataset = load_dataset(make.root.name, make.root.parent)
    read, meaning, count = AnnotationReader(dataset.table), set(), 0
    for split in ("train", "val"):
        found = pair_split(dataset, split)
        assert found.faults == found.unmatched() == []
        assert found.pairs
        for image, label in found.pairs:
            part, path = found.parts.get(label), make.root / label
            train_ids = read(path, part)
            meaning |= set(zip(make.truth[image].ravel().tolist(), train_ids.ravel().tolist(), strict=True))
        count += len(found.pairs)
    bands = {band for band, _ in meaning}
    assert len(meaning) == len(bands) == len({train_id for _, train_id in meaning})
    return count


def suggested(make):
    """The classes and `ignore` of the suggestion, once it has been shown to be true."""
    suggest(make.root)
    assert pairs_that_are_true(make) == len(make.truth)
    data = read_yaml(make.root / "dataset.yaml")
    return data["classes"], data.get("ignore")


def pairs_of(dataset):
    """Raises `InputError` with the faults."""
    found = pair_split(dataset, "train")
    refuse("faults:", found.faults)
    return found.pairs
