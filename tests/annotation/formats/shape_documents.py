"""Small documents of each format of shapes, and how they are drawn.

reference/polygons.json holds label maps that labelme 6.3.1 and cityscapesScripts 2.3.0 made of hand-made and random
shapes (with Pillow 13.0; 11.2 and later draw the same); in its rows `.` is a pixel that no shape covers.
"""

import base64
import copy
import io
import json

import numpy as np
from PIL import Image
from project import ROOT
from pycocotools import mask as coco

from bisenet.annotation.formats.contract import Drawing
from bisenet.annotation.formats.documents import parse_json
from bisenet.annotation.formats.table import draw_part, drawn_format, read_parts
from bisenet.samples.classes import IGNORE

REFERENCE = json.loads((ROOT / "tests" / "reference" / "polygons.json").read_text(encoding="utf-8"))
NAMES = {"car": 1, "road": 2, "plate": None}
TRIANGLE = [[1, 2], [3.5, 9], [8, 1]]
BACKGROUND = 9


def png_text(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def labelme(*shapes, height=12, width=15, **keys):
    document = {"imagePath": "x.jpg", "imageData": None, "imageHeight": height, "imageWidth": width, **keys}
    return document | {"shapes": list(shapes)}


def shape(label="car", points=TRIANGLE, **keys):
    return {"label": label, "points": copy.deepcopy(points), **keys}


def cityscapes(*objects, height=12, width=15):
    return {"imgHeight": height, "imgWidth": width, "objects": list(objects)}


def item(label="car", polygon=TRIANGLE, **keys):
    return {"label": label, "polygon": copy.deepcopy(polygon), **keys}


def annotation(segmentation, category=1, image=1, number=1):
    return {"id": number, "image_id": image, "category_id": category, "segmentation": segmentation}


def coco_document(*annotations, height=12, width=15):
    return {
        "images": [{"id": 1, "file_name": "x.jpg", "height": height, "width": width}],
        "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "road"}, {"id": 3, "name": "plate"}],
        "annotations": list(annotations),
    }


def drawn(document, names=NAMES, background=BACKGROUND, path="x.json"):
    """Of one image: from the bytes of a file, by the format that they show."""
    document = parse_json(json.dumps(document).encode(), path)
    return drawn_format(document, path).draw(document, Drawing(names, background, path))


def drawn_coco(tmp_path, document, names=NAMES):
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(document))
    part = read_parts(path)[0]["x.jpg"]
    return draw_part(part, Drawing(names, BACKGROUND, path))


def uncompressed(mask):
    """Run lengths, column by column, the first of zeros: by a plain loop."""
    runs, current = [0], 0
    for value in mask.ravel(order="F").tolist():
        if value != current:
            runs.append(0)
            current = value
        runs[-1] += 1
    return {"size": list(mask.shape), "counts": runs}


def compressed(mask):
    rle = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def check_reference(form, name):
    case = REFERENCE[form]["cases"][name]
    truth = [[IGNORE if pixel == "." else int(pixel) for pixel in row] for row in case["label"]]
    label = drawn(case["document"], REFERENCE[form]["names"], IGNORE)
    assert label.dtype == np.uint8
    assert label.tolist() == truth


MASK = png_text(np.ones((3, 4), bool))
BOX = [[1, 2], [4, 4]]  # 4 x 3 pixels
