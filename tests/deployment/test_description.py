import json

import pytest
from deployed_networks import NAMES, SHA

from bisenet.deployment.description import Description
from bisenet.errors import InputError


@pytest.fixture
def description(checkpoint):
    return Description.of(checkpoint, SHA)


def test_it_comes_back_whole(description):
    for told in (description, description.but(size=(512, 1024), weights="int8", output="logits")):
        assert Description.from_json(told.to_json(), "model.onnx") == told


def test_names_of_classes_stay_what_they_are(description):
    text = description.to_json()
    assert text.isascii() and Description.from_json(text, "file").table.names == tuple(
        " ".join(n.split()) for n in NAMES
    )


def test_whole_numbers_of_16_bits_are_uint16(checkpoint):
    checkpoint = type(checkpoint)(**{**vars(checkpoint), "bit_depth": 16})
    assert Description.of(checkpoint, SHA).input == "uint16"
    assert Description.of(checkpoint, SHA, input="float32").input == "float32"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"output": "masks"}, "output must be one of labels, logits, not 'masks'"),
        ({"format": "bisenet-export-9"}, "format must be one of bisenet-export-1"),
        ({"mean": [0.5, 300.0, 0.5]}, "mean must be a list"),
        ({"mean": [0.5], "std": [0.5, 0.5]}, "mean and std must be as many"),
        ({"bit_depth": "__import__('os')"}, "bit_depth must be one of 8, 16"),
        ({"size": [0, 5]}, "size must be"),
        ({"bit_depth": 16}, "input uint8 is not of 16 bits"),
        ({"classes": {"classes": []}}, "'classes' must be a list"),
        ({"classes": 5}, "must hold 'key: value' lines"),
        ({"architecture": "wide"}, "must hold 'key: value' lines"),
    ],
)
def test_what_is_wrong_is_named(description, change, words):
    changed = json.dumps(json.loads(description.to_json()) | change)
    with pytest.raises(InputError, match="model.onnx: its description") as error:
        Description.from_json(changed, "model.onnx")
    assert words in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null", "5", "[" * 100_000])
def test_no_description_at_all(text):
    with pytest.raises(InputError, match="model.onnx: its description"):
        Description.from_json(text, "model.onnx")


def test_a_file_of_others_is_told_as_such():
    with pytest.raises(InputError, match="was not exported by this project"):
        Description.from_json(None, "model.onnx")
