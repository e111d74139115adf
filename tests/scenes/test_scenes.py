"""The drawn scenes keep what the data set promises: sizes, ids, chance, shares, honest edges."""

import numpy as np
import pytest

from bisenet.samples.class_tables import BUILT_IN
from bisenet.samples.classes import ClassTable
from bisenet.scenes.canvas import CLASS_IDS, Canvas
from bisenet.scenes.drawing import draw_scene
from bisenet.system.yaml12 import read_yaml

SIZE = (180, 300)
CITYSCAPES_IDS = {1, 3, 7, 8, 11, 17, 19, 20, 21, 23, 24, 25, 26, 33}
CLASSES = {name: i for name, i in CLASS_IDS.items() if name not in ("ego vehicle", "out of roi")}


@pytest.fixture(scope="module")
def scenes():
    return [draw_scene(*SIZE, seed=(7, index)) for index in range(12)]


@pytest.mark.parametrize("size", [(24, 24), (37, 53), (61, 24), (180, 300), (130, 517)])
def test_any_size_gives_an_image_and_its_label(size):
    image, label = draw_scene(*size, seed=3)
    assert image.shape == (*size, 3)
    assert label.shape == size
    assert image.dtype == label.dtype == np.uint8
    assert set(np.unique(label)) <= CITYSCAPES_IDS


def test_a_seed_is_one_scene():
    first, second, other = (draw_scene(60, 100, seed=seed) for seed in ((1, 2), (1, 2), (1, 3)))
    for a, b, c in zip(first, second, other, strict=True):
        assert a.tobytes() == b.tobytes()
        assert a.tobytes() != c.tobytes()


def test_every_class_is_in_nearly_every_scene(scenes):
    for name, class_id in CLASSES.items():
        pixels = np.array([(label == class_id).sum() for _, label in scenes])
        assert (pixels >= 40).sum() >= 10, f"{name}: {pixels}"


def test_shares_of_pixels(scenes):
    labels = np.stack([label for _, label in scenes])
    bounds = {  # per cent of all pixels
        "road": (20, 38),
        "building": (13, 28),
        "sky": (8, 22),
        "vegetation": (6, 17),
        "sidewalk": (6, 14),
        "car": (4, 12),
        "person": (0.8, 4),
        "pole": (0.8, 4),
        "rider": (0.5, 3),
        "bicycle": (0.5, 3),
        "traffic light": (0.5, 3),
        "traffic sign": (0.5, 3),
    }
    assert bounds.keys() == CLASSES.keys()
    for name, (low, high) in bounds.items():
        share = 100 * (labels == CLASS_IDS[name]).mean()
        assert low < share < high, f"{name}: {share:.1f} %"
    ignored = 100 * np.isin(labels, (CLASS_IDS["ego vehicle"], CLASS_IDS["out of roi"])).mean()
    assert 3 < ignored < 8


def test_colour_alone_does_not_tell_the_classes(scenes):
    """A nearest-mean-colour classifier must do poorly on scenes that it has not seen."""

    def pixels(part):
        colour = np.concatenate([image.reshape(-1, 3) for image, _ in part]).astype(float)
        return colour, np.concatenate([label.ravel() for _, label in part])

    colour, label = pixels(scenes[:6])
    means = np.stack([colour[label == class_id].mean(0) for class_id in CLASSES.values()])
    colour, label = pixels(scenes[6:])
    nearest = np.argmin(((colour[:, None] - means) ** 2).sum(-1), axis=1)
    guess = np.array(list(CLASSES.values()))[nearest]
    recalls = [(guess[label == class_id] == class_id).mean() for class_id in CLASSES.values()]
    assert np.mean(recalls) < 0.4


def test_label_edges_are_painted_edges(monkeypatch):
    """Bicycles painted green, all else purple: image and label must outline the same bicycles.

    The lens blurs by less than a pixel, so a pixel whose neighbours all share its class is unmixed.
    """
    paint, is_bicycle = Canvas.paint, CLASS_IDS["bicycle"]

    def paint_flat(canvas, rows, cols, colour, name, *, depth, glow=0.0, opacity=1.0):
        flat = (0.0, 1.0, 0.0) if name == "bicycle" else (0.5, 0.0, 0.5)
        opacity = 0.0 if name == "out of roi" else 1.0
        paint(canvas, rows, cols, flat, name, depth=0.0, glow=1.0, opacity=opacity)

    monkeypatch.setattr(Canvas, "paint", paint_flat)
    monkeypatch.setattr(Canvas, "shade", lambda canvas, points, strength: None)
    image, label = draw_scene(*SIZE, seed=5)
    bicycle = label == is_bicycle
    red, green = image[..., 0].astype(int), image[..., 1].astype(int)
    seen = green > 2 * red  # at half coverage the two mixed colours are (0.25, 0.5, 0.25)

    assert bicycle.sum() > 200
    padded = np.pad(bicycle, 1, mode="edge")
    shifts = [padded[i : i + SIZE[0], j : j + SIZE[1]] for i in range(3) for j in range(3)]
    all_near, any_near = np.all(shifts, 0), np.any(shifts, 0)
    assert all_near.sum() > 50
    assert seen[all_near].all()
    assert not seen[~any_near].any()
    assert (seen == bicycle)[any_near & ~all_near].mean() > 0.85


def test_the_dataset_file_names_what_is_drawn():
    table = ClassTable.from_dict(read_yaml(BUILT_IN / "synthetic.yaml"), "synthetic.yaml")
    drawn = {name: (class_id,) for name, class_id in CLASSES.items()}
    assert dict(zip(table.names, table.ids, strict=True)) == drawn
    assert set(table.ignore.ids) == set(CLASS_IDS.values()) - set(CLASSES.values())


def test_the_colours_are_those_of_cityscapes():
    tables = [ClassTable.from_dict(read_yaml(BUILT_IN / f"{name}.yaml"), name) for name in ("synthetic", "cityscapes")]
    drawn, known = (dict(zip(table.names, zip(table.ids, table.colors, strict=True), strict=True)) for table in tables)
    assert drawn.items() <= known.items()
