"""segments.ai: bitmaps of instances in each form in which the package leaves them."""

import copy
import json
import random
import re

import numpy as np
import pytest
from PIL import Image
from segment_files import REFERENCE, check_suggested, label_of, photograph, put
from test_table import VALUES, places

from bisenet.annotation.formats.contract import Drawing
from bisenet.annotation.formats.table import draw_part, read_label_names, read_parts
from bisenet.errors import InputError

MADE = REFERENCE["segments.ai"]
NAMES = {"sky": 1, "road": 2, "tree": 5}
RELEASE = "flowers-v1.json"


def drawn(path):
    found, form = read_parts(path)
    assert form.name == "segments.ai"
    return {name: draw_part(part, Drawing(NAMES, 0, path)).tolist() for name, part in found.items()}


TRUTH = {f"{name}.jpg": label_of(rows).tolist() for name, rows in MADE["labels"].items()}


@pytest.mark.parametrize("form", ["url", "stored", "semantic"])
@pytest.mark.parametrize("below", ["", "segments/jane_flowers/v1/"])
def test_every_form_of_bitmaps(tmp_path, form, below):
    """The third sample has no label, and is left out."""
    path = put(tmp_path, MADE["release"], {below + name: text for name, text in MADE[form].items()}, RELEASE)
    assert drawn(path) == TRUTH


def test_instances_as_they_are_exported(tmp_path):
    pngs = {name.replace(".png", "_instance.png"): text for name, text in MADE["stored"].items()}
    assert drawn(put(tmp_path, MADE["release"], pngs, RELEASE)) == TRUTH


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_what_is_suggested(tmp_path, suffix):
    """The bitmaps lie among the images, which may be PNGs themselves."""
    release = copy.deepcopy(MADE["release"])
    del release["dataset"]["samples"][2]
    text = json.dumps(release).replace(".jpg", suffix)
    put(tmp_path / "raw", json.loads(text), {f"v1/{name}": png for name, png in MADE["url"].items()}, RELEASE)
    for number, (name, rows) in enumerate(MADE["labels"].items()):
        photograph(tmp_path / "raw" / "v1" / f"{name}{suffix}", rows, number)
    check_suggested(tmp_path / "raw", MADE["labels"], {"sky": "1", "road": "2", "tree": "5"})


def test_moved_ids_of_categories_are_refused(tmp_path):
    path = put(tmp_path, MADE["release"], MADE["semantic"], RELEASE)
    png = tmp_path / "img0_label_ground-truth_semantic.png"
    with Image.open(png) as image:
        ids = np.asarray(image).copy()
    ids[ids > 0] += 1
    Image.fromarray(ids).save(png)
    with pytest.raises(InputError, match="does not hold just the categories .* without 'id_increment'"):
        drawn(path)


def test_a_category_0_cannot_be_told_from_none(tmp_path):
    release = json.loads(re.sub(r'("(?:category_)?id": )5\b', r"\g<1>0", json.dumps(MADE["release"])))
    path = put(tmp_path, release, MADE["semantic"], RELEASE)
    for number in range(2):
        png = tmp_path / f"img{number}_label_ground-truth_semantic.png"
        with Image.open(png) as image:
            ids = np.asarray(image)
        Image.fromarray(ids * (ids != 5)).save(png)
    with pytest.raises(InputError, match="does not hold just the categories"):
        drawn(path)


def test_an_instance_that_is_not_listed(tmp_path):
    release = copy.deepcopy(MADE["release"])
    gone = release["dataset"]["samples"][0]["labels"]["ground-truth"]["attributes"]["annotations"].pop()["id"]
    path = put(tmp_path, release, MADE["url"], RELEASE)
    with pytest.raises(InputError, match=rf"img0_label_ground-truth\.png: holds the segment {gone} \(\d+ pixels\)"):
        drawn(path)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda label: label.pop("segmentation_bitmap"), "number 1 of 'samples': has no 'segmentation_bitmap'"),
        (lambda label: label["annotations"][0].update(id=0), "its instance 0 stands twice or is no number from 1"),
        (lambda label: label["annotations"][0].update(category_id=4), "has the category 4, which is not there"),
    ],
)
def test_a_faulty_label(tmp_path, change, message):
    release = copy.deepcopy(MADE["release"])
    change(release["dataset"]["samples"][0]["labels"]["ground-truth"]["attributes"])
    with pytest.raises(InputError, match=message):
        drawn(put(tmp_path, release, MADE["url"], RELEASE))


def test_no_bitmaps_and_no_labels(tmp_path):
    path = put(tmp_path, MADE["release"], {}, RELEASE)
    with pytest.raises(InputError, match=r"none of its 2 PNGs .* such as img0_label_ground-truth\.png"):
        drawn(path)
    release = copy.deepcopy(MADE["release"])
    del release["dataset"]["samples"][:2]
    with pytest.raises(InputError, match="no sample has a label in the label set 'ground-truth'"):
        drawn(put(tmp_path, release, {}, RELEASE))


def test_an_only_label_set_of_another_name(tmp_path):
    release = json.loads(json.dumps(MADE["release"]).replace("ground-truth", "second"))
    pngs = {name.replace("ground-truth", "second"): text for name, text in MADE["url"].items()}
    assert drawn(put(tmp_path, release, pngs, RELEASE)) == TRUTH


def test_any_damage_ends_in_a_label_or_a_message(tmp_path):
    path = put(tmp_path, MADE["release"], MADE["url"], RELEASE)
    rng, outcomes = random.Random(1), set()
    for _ in range(250):
        release = copy.deepcopy(MADE["release"])
        container, key = rng.choice(places(release))
        container[key] = rng.choice([*VALUES, "http://[", "../img0.jpg"])
        path.write_text(json.dumps(release))
        read_label_names(path)
        try:
            for part in read_parts(path)[0].values():
                draw_part(part, Drawing(NAMES, 9, path))
            outcomes.add("label")
        except InputError as error:
            str(error).encode()
            outcomes.add("message")
    assert outcomes == {"label", "message"}
