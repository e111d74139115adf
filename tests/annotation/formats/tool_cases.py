"""Files that other tools drew, in `reference/<name>.json`: of each a document, and its label as the tool made it."""

import copy
import json
import random

import numpy as np
from PIL import Image
from project import ROOT

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.formats.contract import Drawing
from bisenet.annotation.formats.documents import parse_json
from bisenet.annotation.formats.table import drawn_format, find_format
from bisenet.annotation.listing import list_dataset
from bisenet.errors import InputError
from bisenet.suggestion.suggest import suggest

VALUES = None, True, -1, 2.5, 1e9, 10**400, float("nan"), "", "a", "\ud800", [], {}, [[1, 2], [3, 4], [5, 6]], b"".hex()


def cases_of(name):
    return json.loads((ROOT / "tests" / "reference" / f"{name}.json").read_text(encoding="utf-8"))["cases"]


def drawn(document, names, background=9, path="x.json"):
    """(label, name of the format), from the bytes of a file."""
    document = parse_json(json.dumps(document).encode(), path)
    form = drawn_format(document, path)
    return form.draw(document, Drawing(names, background, path)), form.name


def check_case(case, form):
    truth = [[9 if pixel == "." else int(pixel) for pixel in row] for row in case["label"]]
    label, name = drawn(case["document"], {"a": 1, "b": 2, "c": 3})
    assert name == form
    assert label.dtype == np.uint8
    assert label.tolist() == truth


def _places(value):
    items = list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ())
    return [(value, key) for key, _ in items] + [place for _, child in items for place in _places(child)]


def check_damaged(documents, count=200):
    """Any damage ends in a label or in a message that can be printed, and both happen."""
    rng, outcomes = random.Random(1), set()
    for _ in range(count):
        document = copy.deepcopy(rng.choice(documents))
        container, key = rng.choice(_places(document))
        if rng.random() < 0.2 and isinstance(container, dict):
            del container[key]
        else:
            container[key] = rng.choice(VALUES)
        form = find_format(document, "x.json")
        assert form is None or isinstance(form.label_names(document), dict)
        try:
            label, _ = drawn(document, {"a": 1, "b": 2, "c": 3})
            assert label.ndim == 2
            outcomes.add("label")
        except InputError as error:
            assert str(error).startswith("x.json: ")
            str(error).encode()
            outcomes.add("message")
    assert outcomes == {"label", "message"}


def check_folder(root, place, case, names):
    """`--suggest` and the listing of ten images whose labels are a case; `place(number)`: where both lie."""
    truth = np.array([[0 if pixel == "." else int(pixel) for pixel in row] for row in case["label"]])
    for number in range(10):
        image, label = (root / path for path in place(number))
        for path in (image, label):
            path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((*truth.shape, 3), number, np.uint8)).save(image)
        label.write_text(json.dumps(case["document"]))
    suggest(root)
    dataset = load_dataset(root.name, root.parent)
    assert dataset.table.names == ("background", *names)
    found = list_dataset(dataset, root.parent / "annos", strict=True, workers=1, cache_folder=None)
    assert sum(len(pairs.pairs) for pairs in found.values()) == 10
    for pairs in found.values():
        for _, label in pairs.pairs:
            assert np.array_equal(Image.open(root.parent / "annos" / pairs.rendered[label]), truth)
