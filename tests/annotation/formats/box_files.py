"""Files of each format of shapes, made of polygons: [(label name, [[x, y], ...])], in this order; how they are read."""

import json

import numpy as np
import shape_documents
import test_datumaro_json as datumaro
import test_label_studio as label_studio
import xml_files

from bisenet.annotation.formats.contract import Notes
from bisenet.annotation.pairing import pair_split
from bisenet.annotation.reading import AnnotationReader, Reading
from bisenet.annotation.sources import Source
from bisenet.samples.classes import ClassTable
from bisenet.system.png import write_png

SIZE = 12, 16  # height, width
NAMES = ["car", "road", "tree"]
TABLE = ClassTable.from_dict(
    {"classes": [{"name": name, "color": [9, 9, place]} for place, name in enumerate(["background", *NAMES])]}, "table"
)


def square(left, top, right, bottom):
    """Corners; of pixels, `right` and `bottom` are without or within by the rule of the format."""
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def _labelme(shapes, **keys):
    height, width = SIZE
    polygons = [shape_documents.shape(name, points, shape_type="polygon") for name, points in shapes]
    return json.dumps(shape_documents.labelme(*polygons, height=height, width=width, **keys))


def _cityscapes(shapes):
    items = [shape_documents.item(name, points) for name, points in shapes]
    return json.dumps(shape_documents.cityscapes(*items, height=SIZE[0], width=SIZE[1]))


def _isat(shapes):
    info = {"description": "ISAT", "height": SIZE[0], "width": SIZE[1]}
    objects = [{"category": name, "segmentation": points, "layer": 1} for name, points in shapes]
    return json.dumps({"info": info, "objects": objects})


def _supervisely(shapes):
    objects = [
        {"classTitle": name, "geometryType": "polygon", "points": {"exterior": points, "interior": []}}
        for name, points in shapes
    ]
    return json.dumps({"size": {"height": SIZE[0], "width": SIZE[1]}, "objects": objects, "tags": []})


def _yolo(shapes):
    rows = [(NAMES.index(name), [v for x, y in points for v in (x / SIZE[1], y / SIZE[0])]) for name, points in shapes]
    return "\n".join(f"{number} {' '.join(map(str, values))}" for number, values in rows)


def _labelme_xml(shapes):
    size = f"<nrows>{SIZE[0]}</nrows><ncols>{SIZE[1]}</ncols>"
    return xml_files.labelme(*(xml_files.item(name, points) for name, points in shapes), size=size)


def _coco(shapes):
    flat = [([v for point in points for v in point], NAMES.index(name) + 1) for name, points in shapes]
    annotations = [shape_documents.annotation([ring], place, number=i) for i, (ring, place) in enumerate(flat)]
    document = shape_documents.coco_document(*annotations, height=SIZE[0], width=SIZE[1])
    document["categories"] = [{"id": place, "name": name} for place, name in enumerate(NAMES, 1)]
    return json.dumps(document)


def _cvat(shapes):
    texts = [(name, ";".join(f"{x},{y}" for x, y in points)) for name, points in shapes]
    polygons = (xml_files.shape(label=name, points=text) for name, text in texts)
    return xml_files.cvat(*polygons, size=f'width="{SIZE[1]}" height="{SIZE[0]}"')


def _datumaro(shapes):
    flat = [(NAMES.index(name), [float(v) for point in points for v in point]) for name, points in shapes]
    annotations = [datumaro.annotation(label=place, points=points) for place, points in flat]
    item = datumaro.item(*annotations)
    item["image"] = {"path": "x.jpg", "size": list(SIZE)}
    labels = {"label": {"labels": [{"name": name, "parent": "", "attributes": []} for name in NAMES]}}
    return json.dumps(datumaro.document(item) | {"categories": labels})


def _label_studio(shapes):
    height, width = SIZE
    percents = [(name, [[100 * x / width, 100 * y / height] for x, y in points]) for name, points in shapes]
    values = [{"points": points, "closed": True, "polygonlabels": [name]} for name, points in percents]
    results = [label_studio.result(value, height, width, id=str(i)) for i, value in enumerate(values)]
    return json.dumps([label_studio.task(label_studio.annotation(*results), image="/data/upload/1/0a1b2c3d-x.jpg")])


WRITERS = {  # format: (the label file of the image x.jpg, its content)
    "labelme": ("x.json", _labelme),
    "X-AnyLabeling": ("x.json", lambda shapes: _labelme(shapes, version="4.2.1", checked=False)),
    "Cityscapes": ("x.json", _cityscapes),
    "ISAT": ("x.json", _isat),
    "Supervisely": ("x.json", _supervisely),
    "LabelMe": ("x.xml", _labelme_xml),
    "COCO": ("all.json", _coco),
    "CVAT": ("all.xml", _cvat),
    "Datumaro": ("all.json", _datumaro),
    "Label Studio": ("all.json", _label_studio),
    "YOLO": ("x.txt", _yolo),
}


def read(dataset, form, content, *, strict=True, looks_below=True, **reading):
    """(label, notes) of the one image of a dataset from `make_dataset`, whose label is the content of a file."""
    name, _ = WRITERS[form]
    write_png(dataset.root / "x.jpg", np.zeros(SIZE, np.uint8))
    (dataset.root / name).write_text(content)
    (dataset.root / "classes.txt").write_text("\n".join(NAMES))  # of YOLO
    dataset.splits["train"] = [Source.from_dict({"images": "*.jpg", "labels": name.replace("x.", "*.")}, "form")]
    found = pair_split(dataset, "train")
    ((image, label),) = found.pairs
    notes, reader = Notes(looks_below), AnnotationReader(TABLE, Reading(**reading), strict)
    train_ids, _ = reader.read(dataset.root / label, found.parts.get(label), dataset.root / image, notes=notes)
    return train_ids, notes
