"""Names in the two forms in which Unicode writes an umlaut: macOS has the one (NFD), most others the other (NFC)."""

import json
import unicodedata

import pytest
from made_folders import pairs_of

from bisenet.annotation.choosing import hash_share
from bisenet.annotation.pairing import pair_split
from bisenet.errors import InputError


def nfc(text):
    return unicodedata.normalize("NFC", text)


def nfd(text):
    return unicodedata.normalize("NFD", text)


@pytest.mark.parametrize("forms", [(nfc, nfd), (nfd, nfc), (nfd, nfd)])
@pytest.mark.parametrize("name", ["bäume", "café 1", "が"])
def test_an_image_and_a_label_pair_in_any_forms(make_dataset, forms, name):
    image, label = forms[0](f"i/{name}.jpg"), forms[1](f"l/{name}_mask.png")
    assert pairs_of(make_dataset([image, label], images="i/*.jpg", labels="l/*_mask.png")) == [(image, label)]


def test_the_name_of_the_image_decides_on_the_share(make_dataset):
    files = [nfd("i/ä.jpg"), nfc("l/ä.png")]
    low = hash_share(nfd("ä"))
    dataset = make_dataset(files, images="i", labels="l")
    for share, count in ((low, 1), (low + 1e-9, 0)):
        object.__setattr__(dataset.splits["train"][0], "share", (share, 1))
        assert len(pair_split(dataset, "train").pairs) == count


@pytest.mark.parametrize("form", [nfc, nfd])
def test_patterns_lists_and_globs_may_be_in_another_form(make_dataset, form):
    files = [nfd(f"büro/i/{name}.jpg") for name in ("é1", "é2", "ü")] + [
        nfc(f"l/{name}.png") for name in ("é1", "é2", "ü")
    ]
    dataset = make_dataset(files, images=form("büro/i/*.jpg"), labels="l", only=form("bäume.txt"))
    (dataset.root / nfd("bäume.txt")).write_text(nfc("é1\nbüro/i/é2.jpg\n"))
    assert [image for image, _ in pairs_of(dataset)] == [nfd("büro/i/é1.jpg"), nfd("büro/i/é2.jpg")]
    dataset = make_dataset(files, name="globs", images=form("büro/i"), labels="l", **{"except": form("é*")})
    assert pairs_of(dataset) == [(nfd("büro/i/ü.jpg"), nfc("l/ü.png"))]
    dataset = make_dataset(files, name="rows", list="rows.csv")
    (dataset.root / "rows.csv").write_text(form("büro/i/ü.jpg,l/ü.png\n"))
    assert pairs_of(dataset) == [(nfd("büro/i/ü.jpg"), nfc("l/ü.png"))]


def test_files_of_many_images_and_masks_of_classes_pair_too(make_dataset):
    dataset = make_dataset([nfd("i/ä_b.jpg")], images="i", labels="coco.json")
    document = {
        "categories": [{"id": 3, "name": "a"}],
        "images": [{"id": 7, "file_name": nfc("ä_b.jpg"), "height": 4, "width": 6}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "segmentation": [[0, 0, 3, 0, 3, 3]]}],
    }
    (dataset.root / "coco.json").write_text(json.dumps(document))
    assert pairs_of(dataset) == [(nfd("i/ä_b.jpg"), nfc("coco.json: ä_b.jpg"))]
    masks = [nfc("m/ä_b_l_eye.png"), nfc("m/ä_b_nose.png")]
    dataset = make_dataset([nfd("i/ä_b.jpg"), *masks], name="masks", images="i", labels="m/*_{class}.png")
    found = pair_split(dataset, "train")
    assert [part.names for part in found.parts.values()] == [("l_eye", "nose")] and len(found.pairs) == 1


@pytest.mark.parametrize("twice", ["i/ä.jpg", "l/ä.png"])
def test_two_files_that_differ_in_their_form_alone_are_an_error(make_dataset, twice):
    dataset = make_dataset([nfc("i/ä.jpg"), nfc("l/ä.png"), nfd(twice)], images="i", labels="l")
    with pytest.raises(InputError, match=r"look alike, .*\(NFC, NFD\): .*\\u0308.*; keep one, or rename one"):
        pairs_of(dataset)
