"""What a format may need besides its own file: the image, a list of names, a picture for each image."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bisenet.annotation.digests import pair_digests
from bisenet.annotation.formats import table
from bisenet.annotation.formats.contract import Format
from bisenet.annotation.formats.table import read_parts
from bisenet.annotation.pairs import Pairs
from bisenet.annotation.rendering import render_labels
from bisenet.errors import Faults, InputError
from bisenet.samples.classes import ClassTable
from bisenet.system import file_cache
from bisenet.system.png import write_png

CLASSES = ClassTable.from_dict(
    {"classes": [{"name": "road", "color": [1, 2, 3]}, {"name": "sky", "color": [4, 5, 6]}]}, "table"
)


def names_of(path):
    return Path(path).parent / "names.txt"


def draw_number(number, drawing):
    """One class everywhere, called by its place in the list of names, as large as the image."""
    with Image.open(drawing.image) as picture:
        name = names_of(drawing.path).read_text().split()[number]
        return np.full(picture.size[::-1], drawing.names[name], np.uint8)


@dataclass(frozen=True)
class Mask:
    file: Path


def draw_mask(part, drawing):
    return np.asarray(Image.open(part.file))


NUMBER = Format(
    "numbers",
    (".number",),
    lambda data, path: int(data),
    marks=frozenset({"number"}),
    shows=lambda content: ["number"],
    label_names=lambda number: {str(number): 1},
    draw=draw_number,
    beside=lambda path, image: (names_of(path), image),
)
MASKS = replace(
    NUMBER,
    suffixes=(".masks",),
    draw=draw_mask,
    part=Mask,
    image_names=lambda count: ["a.png"],
    parts=lambda count, path: {"a.png": Mask(path.parent / "mask.png")},
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An image of 5 x 3 pixels, labels of it in both formats, the names. Files of this moment count as old enough."""
    monkeypatch.setattr(file_cache, "RACY", 0)
    monkeypatch.setattr(table, "FORMATS", (*table.FORMATS, NUMBER, MASKS))
    write_png(tmp_path / "a.png", np.zeros((3, 5), np.uint8))
    write_png(tmp_path / "mask.png", np.eye(3, 5, dtype=np.uint8))
    for name, text in [("a.number", "1"), ("all.masks", "1"), ("names.txt", "road sky")]:
        (tmp_path / name).write_text(text)
    return tmp_path


def rendered(found):
    faults = Faults()
    kept = {"workers": 1, "cache_folder": found.root / "cache"}
    digests = pair_digests(found, faults=faults, **kept)
    found = render_labels(found, CLASSES, found.root / "annos", "labels", digests=digests, faults=faults, **kept)
    faults.check()
    with Image.open(found.root / "annos" / found.rendered[found.pairs[0][1]]) as label:
        return np.asarray(label).tolist()


def test_a_label_is_drawn_anew_when_the_image_or_a_file_beside_changes(folder):
    found = Pairs(folder, [("a.png", "a.number")])
    assert rendered(found) == [[1] * 5] * 3
    (folder / "names.txt").write_text("sky road")
    assert rendered(found) == [[0] * 5] * 3
    write_png(folder / "a.png", np.zeros((2, 4), np.uint8))
    assert rendered(found) == [[0] * 4] * 2


def test_what_has_not_changed_is_kept(folder, monkeypatch):
    found = Pairs(folder, [("a.png", "a.number")])
    before = rendered(found)
    monkeypatch.setattr(table, "FORMATS", (replace(NUMBER, draw=lambda *_: 1 / 0),))
    assert rendered(found) == before
    (folder / "names.txt").write_text("sky sky sky")
    with pytest.raises(ZeroDivisionError):
        rendered(found)


def test_the_digest_of_a_part_is_of_the_files_that_it_names(folder):
    part = read_parts(folder / "all.masks")[0]["a.png"]
    found = Pairs(folder, [("a.png", "all.masks: a.png")], parts={"all.masks: a.png": part})
    assert rendered(found) == np.eye(3, 5).tolist()
    digests = []
    for pixels in (np.eye(3, 5), np.eye(3, 5), np.ones((3, 5))):
        write_png(folder / "mask.png", pixels.astype(np.uint8))
        digests.append(pair_digests(found, faults=Faults(), workers=1)["all.masks: a.png"])
    assert digests[0] == digests[1] != digests[2]
    (folder / "mask.png").unlink()
    faults = Faults()
    pair_digests(found, faults=faults, workers=1)
    with pytest.raises(InputError, match="mask.png: cannot be read"):
        faults.check()
