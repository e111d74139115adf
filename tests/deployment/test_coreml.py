"""The Core ML package: what it says of itself. Only macOS can run it, so its labels are not looked at here."""

import json
import sys

import numpy as np
import pytest
import torch
from deployed_networks import pictures, small_checkpoint

from bisenet.deployment.description import Description
from bisenet.deployment.formats import coreml
from bisenet.deployment.formats.contract import Source
from bisenet.errors import InputError


@pytest.fixture(scope="module")
def coremltools():
    return pytest.importorskip("coremltools", reason="coremltools is not installed: pip install coremltools")


@pytest.fixture(scope="module")
def package(coremltools, source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("coreml")
    coreml.export(source, folder)
    return folder / coreml.FILE


def test_it_takes_an_image_of_a_range_of_sizes_and_gives_labels(coremltools, package):
    form = coremltools.utils.load_spec(str(package)).description
    (image,), (labels,) = form.input, form.output
    sides = image.type.imageType.imageSizeRange
    assert (image.name, image.type.imageType.colorSpace) == ("image", 20)  # RGB, by Core ML's own numbers
    assert [(side.lowerBound, side.upperBound) for side in (sides.heightRange, sides.widthRange)] == [(33, 2048)] * 2
    assert (labels.name, labels.type.multiArrayType.dataType) == ("labels", 131104)  # int32


def test_the_description_is_inside_and_no_clock(coremltools, package, source):
    told = dict(coremltools.utils.load_spec(str(package)).description.metadata.userDefined)
    assert json.loads(told["bisenet"])["classes"]["classes"][1]["name"] == source.description.table.names[1]
    assert not [key for key in told if "date" in key]
    with pytest.raises(KeyError):
        told["com.github.apple.coremltools.conversion_date"]


def test_it_computes_in_float32(coremltools, package):
    program = coremltools.utils.load_spec(str(package)).mlProgram
    (block,) = program.functions["main"].block_specializations.values()
    convolutions = [part for part in block.operations if part.type == "conv"]
    kinds = {part.outputs[0].type.tensorType.dataType for part in convolutions}
    assert len(convolutions) > 20 and kinds == {11}  # FLOAT32


def test_the_names_of_the_parts_are_those_of_their_paths(package, tmp_path):
    before = (package / "Manifest.json").read_text()
    (tmp_path / "Manifest.json").write_text(before.replace(json.loads(before)["rootModelIdentifier"], "0-0"))
    coreml._name_parts(tmp_path / "Manifest.json")
    assert json.loads((tmp_path / "Manifest.json").read_text()) == json.loads(before)


@pytest.mark.parametrize("size", [(37, 41), (64, 96)])
def test_what_is_converted_gives_the_checkpoint_s_labels_at_other_sizes(checkpoint, source, size):
    image = torch.from_numpy(np.stack(pictures(1, *size)))
    program = coreml.traced(checkpoint, source.description, is_image=True)
    with torch.inference_mode():
        expected = checkpoint.model(checkpoint.normalize(image)).argmax(1)
        found = program(image.permute(0, 3, 1, 2).float())
    assert found.dtype == torch.int32 and (found == expected).float().mean() > 0.9999


def test_pixels_that_core_ml_has_no_image_for_are_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "coremltools", object())
    for form in ({"channels": 4}, {"bit_depth": 16}):
        checkpoint = small_checkpoint(**form)
        with pytest.raises(InputError, match="--input float32"):
            coreml.export(Source(checkpoint, Description.of(checkpoint, "x")), tmp_path)
    assert list(tmp_path.iterdir()) == []
