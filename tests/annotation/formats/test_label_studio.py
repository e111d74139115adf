"""Label Studio: as its own converter, whichever of its files is read, and nothing taken for what it is not.

reference/label_studio.json holds what the converter made of random tasks, brushes and rectangles.
"""

import base64
import copy
import io
import json
import math
import random

import numpy as np
import pytest
from PIL import Image
from project import ROOT
from pycocotools import mask as coco
from test_table import VALUES, places

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.formats.contract import Drawing
from bisenet.annotation.formats.label_studio import FORMAT
from bisenet.annotation.formats.table import draw_part, find_format, read_parts, read_remarks
from bisenet.annotation.listing import list_dataset
from bisenet.errors import InputError
from bisenet.suggestion.suggest import suggest

REFERENCE = json.loads((ROOT / "tests" / "reference" / "label_studio.json").read_text(encoding="utf-8"))
NAMES = {"car": 0, "road": 1, "tree": 2, "busy": None}
BACKGROUND = 9
TRIANGLE = {"points": [[10, 10], [90, 10], [50, 80]], "closed": True, "polygonlabels": ["car"]}
HEIGHT, WIDTH = 12, 15


def result(value=TRIANGLE, height=HEIGHT, width=WIDTH, control="shape", **keys):
    size = {"original_height": height, "original_width": width, "image_rotation": 0}
    return {"id": "r1", "from_name": control, "to_name": "img", **size, "value": copy.deepcopy(value), **keys}


def annotation(*results, **keys):
    return {"id": 5, "created_at": "2024-05-01T10:00:00Z", "was_cancelled": False, "result": list(results), **keys}


def task(*annotations, image="/data/upload/1/0a1b2c3d-x.png", **keys):
    return {"id": 7, "data": {"image": image}, "annotations": list(annotations), "predictions": [], **keys}


def parts(tmp_path, content):
    (tmp_path / "export.json").write_text(json.dumps(content))
    found, form = read_parts(tmp_path / "export.json")
    assert form is FORMAT
    return found


def drawn(tmp_path, *results, names=NAMES):
    (part,) = parts(tmp_path, [task(annotation(*results))]).values()
    return draw_part(part, Drawing(names, BACKGROUND, "export.json"))


def truth(image):
    """What the converter's COCO file says of an image, painted by pycocotools."""
    document, size = REFERENCE["coco"], (image["height"], image["width"])
    names = {category["id"]: category["name"] for category in document["categories"]}
    label = np.full(size, BACKGROUND)
    for item in document["annotations"]:
        if item["image_id"] == image["id"]:
            mask = coco.decode(coco.merge(coco.frPyObjects(item["segmentation"], *size)))
            label[mask == 1] = NAMES[names[item["category_id"]]]
    return label


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("export", ["tasks", "json_min"])
def test_polygons_are_those_of_the_coco_export(tmp_path, export):
    found = parts(tmp_path, REFERENCE[export])
    images = REFERENCE["coco"]["images"]
    assert [name.removeprefix("upload/") for name in found] == [image["file_name"].split("/")[-1] for image in images]
    for image, part in zip(images, found.values(), strict=True):
        assert (draw_part(part, Drawing(NAMES, BACKGROUND, "x")) == truth(image)).all()


@pytest.mark.parametrize("brush", REFERENCE["brushes"], ids=range(len(REFERENCE["brushes"])))
def test_brushes_are_decoded_as_by_the_converter(tmp_path, brush):
    value = {"format": "rle", "rle": brush["rle"], "brushlabels": ["road"]}
    label = drawn(tmp_path, result(value, brush["original_height"], brush["original_width"]))
    assert (label == np.where(np.array(brush["alpha"]) > 0, 1, BACKGROUND)).all()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("entry", REFERENCE["rectangles"], ids=range(len(REFERENCE["rectangles"])))
def test_rectangles_have_the_corners_of_the_yolo_export(tmp_path, entry):
    height, width = (entry["value"][f"original_{side}"] for side in ("height", "width"))
    value = {key: number for key, number in entry["value"].items() if not key.startswith("original")}
    label = drawn(tmp_path, result(value | {"rectanglelabels": ["road"]}, height, width))
    flat = [number for corner in entry["corners"] for number in corner]
    mask = coco.decode(coco.frPyObjects([flat], height, width))[..., 0]
    assert (label == np.where(mask, 1, BACKGROUND)).all()


def test_an_ellipse_is_the_pixels_whose_centres_lie_in_it(tmp_path):
    value = {"x": 40, "y": 55, "radiusX": 30, "radiusY": 15, "rotation": 30, "ellipselabels": ["car"]}
    label = drawn(tmp_path, result(value, 40, 60))
    cos, sin = math.cos(math.radians(30)), math.sin(math.radians(30))
    for row in range(40):
        for column in range(60):
            x, y = column + 0.5 - 24, row + 0.5 - 22
            inside = ((x * cos + y * sin) / 18) ** 2 + ((y * cos - x * sin) / 6) ** 2 <= 1
            assert label[row, column] == (0 if inside else BACKGROUND)


def url(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def test_a_bitmask_is_what_is_not_transparent(tmp_path):
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    pixels[3:7, 2:9, 3] = 255
    label = drawn(tmp_path, result({"imageDataURL": url(Image.fromarray(pixels)), "bitmasklabels": ["car"]}))
    assert (label == np.where(pixels[..., 3], 0, BACKGROUND)).all()
    with pytest.raises(InputError, match="without transparency"):
        drawn(tmp_path, result({"imageDataURL": url(Image.new("L", (WIDTH, HEIGHT))), "bitmasklabels": ["car"]}))


def test_a_region_of_two_controls_is_one_and_has_the_names_of_both(tmp_path):
    bare = {"points": TRIANGLE["points"], "closed": True}
    whole = drawn(tmp_path, result())
    assert (
        drawn(tmp_path, result(bare, control="poly"), result(bare | {"labels": ["car"]}, control="tag")) == whole
    ).all()
    twice = result(bare | {"labels": ["car"]}, control="a"), result(bare | {"labels": ["busy"]}, control="b")
    assert (drawn(tmp_path, *twice) == whole).all()  # 'busy' is skipped
    with pytest.raises(InputError, match="has more names, 'road', and a pixel has one class"):
        drawn(tmp_path, result(TRIANGLE | {"polygonlabels": ["car", "road"]}))
    with pytest.raises(InputError, match="has no label name"):
        drawn(tmp_path, result(bare))
    with pytest.raises(InputError, match="label name 'van'"):
        drawn(tmp_path, result(TRIANGLE | {"polygonlabels": ["car", "van"]}))


def test_which_annotation_counts(tmp_path):
    old, new = annotation(created_at="2024-01-01T00:00:00Z"), annotation(result(), created_at="2024-01-02T00:00:00Z")

    def shapes(*annotations):
        content = [task(*annotations)]
        return [len(part.regions) for part in parts(tmp_path, content).values()], list(FORMAT.hints.remarks(content))

    told = "1 tasks have several annotations: the ground truth counts, else the latest"
    assert shapes(new, old) == ([1], [told])
    assert shapes(new, old | {"ground_truth": True}) == ([0], [told])
    assert shapes(old, new | {"was_cancelled": True}) == ([0], [])


def test_a_task_without_an_annotation_is_not_labelled(tmp_path):
    guess = task(image="b.png", predictions=[{"result": [result()]}])
    assert list(parts(tmp_path, [task(annotation(result())), guess])) == ["upload/0a1b2c3d-x.png"]
    with pytest.raises(InputError, match="export.json: has only predictions, which nobody has looked at"):
        parts(tmp_path, [guess])
    record = {"image": "b.png", "id": 1, "annotator": 1, "annotation_id": None, "lead_time": None}
    with pytest.raises(InputError, match="export.json: has no annotation"):
        parts(tmp_path, [record])


@pytest.mark.parametrize(
    "address, name, others",
    [
        ("/data/upload/1/0a1b2c3d-x.png", "upload/0a1b2c3d-x.png", ["0a1b2c3d-x.png", "x.png"]),
        ("http://host/data/upload/1/0a1b2c3d-a%20b.png", "upload/0a1b2c3d-a b.png", ["0a1b2c3d-a b.png", "a b.png"]),
        ("/data/local-files/?d=all/train/x%2By.JPG", "all/train/x+y.JPG", ["train/x+y.JPG"]),
        ("s3://bucket/a/0a1b2c3d-x%20.png", "bucket/a/0a1b2c3d-x%20.png", ["a/0a1b2c3d-x%20.png"]),
        ("https://host/a/x.png?token=b.jpg", "a/x.png", []),
        (r"c:\a\x.png", "c:/a/x.png", ["a/x.png"]),
    ],
)
def test_the_image_of_a_task(tmp_path, address, name, others):
    (found,) = parts(tmp_path, [task(annotation(result()), image=address)])
    assert found == name
    assert FORMAT.aliases(found) == others


@pytest.mark.parametrize(
    "data, told",
    [
        ({"image": "http://[x.png"}, "has no image, or several"),
        ({"image": 3}, "has no image, or several"),
        ({"a": "a.png", "b": "b.png"}, "has no image, or several"),
        ({"pages": ["a.png", "b.png"]}, "has no image, or several"),
    ],
)
def test_a_task_without_an_image(tmp_path, data, told):
    with pytest.raises(InputError, match=rf"export.json: task \(id 7\): {told}"):
        parts(tmp_path, [task(annotation(result())) | {"data": data}])
    both = {"img": "a.png", "other": "b.png"}
    assert list(parts(tmp_path, [task(annotation(result())) | {"data": both}])) == ["a.png"]  # as 'to_name' tells


def test_an_image_that_stands_twice(tmp_path):
    with pytest.raises(InputError, match="the image 'upload/0a1b2c3d-x.png' stands twice; keep one"):
        parts(tmp_path, [task(annotation(result())), task(annotation(result()), id=8)])
    with pytest.raises(InputError, match="stands twice; one of them counts: export JSON, not JSON-MIN"):
        parts(tmp_path, [REFERENCE["json_min"][0], REFERENCE["json_min"][0]])


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"image_rotation": 90}, "the image was turned by 90 degrees"),
        ({"item_index": 1}, "of a task with several images"),
        ({"value": {"x": 1, "y": 1, "width": 0.5, "keypointlabels": ["car"]}}, "a keypoint has no area"),
        ({"value": {"vertices": [], "vectorlabels": ["car"]}}, "a vector has no area"),
        ({"value": {"ranges": [], "timelinelabels": ["car"]}}, "a region of an unknown kind has no area"),
        ({"value": TRIANGLE | {"polygonlabels": "car"}}, "'polygonlabels' is a list of names, not 'car'"),
        ({"value": TRIANGLE | {"points": [[1, 2], [3, 4]]}}, "a polygon is"),
        ({"value": TRIANGLE | {"points": [[1, 2], [3, 4], [5, 1e9]]}}, "far out"),
        ({"value": {"rle": [0] * 3, "brushlabels": ["car"]}}, "its brush is cut short"),
        ({"value": {"rle": [999], "brushlabels": ["car"]}}, "not a list of bytes"),
        ({"value": {"rle": REFERENCE["brushes"][0]["rle"], "brushlabels": ["car"]}}, "its brush is of .* values"),
        ({"value": {"imageDataURL": "x", "bitmasklabels": ["car"]}}, "not a PNG"),
        ({"original_width": "15"}, "an image of height 12 and width '15'"),
        ({"original_width": None}, "an image of height 12 and width None"),
    ],
)
def test_a_region_that_cannot_be_drawn(tmp_path, changes, told):
    with pytest.raises(InputError, match=f"export.json: .*{told}"):
        drawn(tmp_path, result() | changes)


def test_regions_of_several_sizes(tmp_path):
    with pytest.raises(InputError, match="images of several sizes"):
        drawn(tmp_path, result(), result(height=13))


def test_any_damage_ends_in_a_label_or_a_message(tmp_path):
    rng = random.Random(2)
    ellipse = {"x": 40, "y": 55, "radiusX": 30, "radiusY": 15, "rotation": 30, "ellipselabels": ["car"]}
    box = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 3, "rectanglelabels": ["road"]}
    brush = REFERENCE["brushes"][0]
    brush = result(
        {"rle": brush["rle"][:80], "format": "rle", "brushlabels": ["car"]},
        brush["original_height"],
        brush["original_width"],
    )
    whole = [task(annotation(result(), result(ellipse), result(box))), task(annotation(brush), image="s3://b/y.png")]
    record = {"image": "x.png", "annotation_id": 1, "annotator": 1, "lead_time": 1.0, "tag": [result()["value"] | box]}
    Image.new("L", (WIDTH, HEIGHT)).save(tmp_path / "x.png")
    outcomes = set()
    for _ in range(400):
        content = copy.deepcopy(rng.choice([whole, [record]]))
        container, key = rng.choice(places(content))
        container[key] = rng.choice(VALUES)
        assert isinstance(FORMAT.label_names(content), dict) and isinstance(FORMAT.image_names(content), list)
        list(FORMAT.hints.remarks(content))
        find_format(content, "x.json")
        try:
            for part in FORMAT.parts(content, "x.json").values():
                draw_part(part, Drawing(NAMES, BACKGROUND, "x.json", tmp_path / "x.png"))
            outcomes.add("label")
        except InputError as error:
            str(error).encode()
            outcomes.add("message")
    assert outcomes == {"label", "message"}


def images(folder, *names):
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (WIDTH, HEIGHT), (number, 0, 0)).save(folder / name)


def test_from_a_folder_to_its_labels(tmp_path):
    folder = tmp_path / "mine"
    names = ["0a1b2c3d-a.png", "c.png", "d.png"]  # the first as it was exported, the others as a person has them
    images(folder, *(f"photos/{name}" for name in names))
    addresses = [
        "/data/upload/1/0a1b2c3d-a.png",
        "/data/upload/1/77777777-c.png",
        "/data/local-files/?d=in/photos/d.png",
    ]
    tasks = [task(annotation(result()), image=address, id=n) for n, address in enumerate(addresses)]
    (folder / "project-1.json").write_text(json.dumps(tasks))
    suggest(folder)
    found = list_dataset(
        load_dataset("mine", tmp_path), tmp_path / "lists", strict=True, workers=1, cache_folder=tmp_path / "cache"
    )
    rendered = [path for split in ("train", "val") for path in found[split].rendered.values()]
    assert len(rendered) == 3
    expected = drawn(tmp_path, result(), names={"car": 1}) == 1  # the background is the first class
    for path in rendered:
        with Image.open(tmp_path / "lists" / path) as label:
            assert (np.asarray(label) == expected).all()


def test_two_tasks_of_the_same_name_are_never_taken_for_one_another(tmp_path):
    folder = tmp_path / "mine"
    images(folder, "c.png", "d.png")
    addresses = ["/data/upload/1/11111111-c.png", "/data/upload/1/22222222-c.png", "/data/upload/1/33333333-d.png"]
    tasks = [task(annotation(result()), image=address, id=n) for n, address in enumerate(addresses)]
    (folder / "project-1.json").write_text(json.dumps(tasks))
    assert "2 labels without an image: project-1.json: upload/11111111-c.png, " in suggest(folder)


def test_an_export_of_brushes_leads_to_no_image(tmp_path):
    images(tmp_path, "a.png", "b.png", *(f"task-{n}-annotation-1-by-1-tag-car-0.png" for n in (1, 2)))
    with pytest.raises(InputError, match=r"task-1-.*-0.png is of Label Studio's export of brushes.*export JSON"):
        suggest(tmp_path)


def test_what_is_chosen_is_told(tmp_path):
    box = {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": ["road"]}
    parts(tmp_path, [task(annotation(result(), result(box)))])
    (line,) = read_remarks(tmp_path / "export.json")
    assert line == "1 rectangles are filled; remove those that only frame an object"
