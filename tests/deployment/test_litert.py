"""The LiteRT file, run by its interpreter as a program that is not ours would do it."""

import sys

import numpy as np
import pytest
import torch
from deployed_networks import pictures, small_checkpoint

from bisenet.deployment.description import Description
from bisenet.deployment.formats import litert
from bisenet.deployment.formats.contract import Source
from bisenet.errors import InputError
from bisenet.inference.predictor import Predictor

SIZE = 40, 72


@pytest.fixture(scope="module")
def interpreter():
    pytest.importorskip("litert_torch", reason="litert-torch is not installed: pip install litert-torch ai-edge-litert")
    return pytest.importorskip("ai_edge_litert.interpreter", reason="ai-edge-litert is not installed")


@pytest.fixture(scope="module")
def path(interpreter, checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("litert")
    litert.export(Source(checkpoint, Description.of(checkpoint, "x"), size=SIZE), folder)
    return folder / litert.FILE


def test_an_image_of_bytes_goes_in_and_its_labels_come_out(interpreter, path, checkpoint):
    image = np.stack(pictures(1, *SIZE))
    runner = interpreter.Interpreter(str(path))
    runner.allocate_tensors()
    runner.set_tensor(runner.get_input_details()[0]["index"], image)
    runner.invoke()
    labels = runner.get_tensor(runner.get_output_details()[0]["index"])
    expected = Predictor.of(checkpoint, device=torch.device("cpu")).labels(torch.from_numpy(image)).numpy()
    assert labels.dtype == np.uint8 and (labels == expected).mean() > 0.999


def test_the_description_is_inside_with_its_size(path, checkpoint):
    engine = litert.LiteRT(path, threads=1)
    assert engine.description == Description.of(checkpoint, "x").but(size=SIZE)
    images = np.stack(pictures(3, *SIZE))
    assert (engine.run(images) == np.concatenate([engine.run(image[None]) for image in images])).all()
    with pytest.raises(InputError, match="40 x 72, not 41 x 72.*--size 41 72"):
        engine.run(np.zeros((1, 41, 72, 3), np.uint8))


def test_a_file_that_is_none_is_named(interpreter, path, tmp_path):
    other, data = tmp_path / "model.tflite", path.read_bytes()
    for content in (b"", b"this is no model", data[: len(data) // 2], data[:100] + bytes(1000) + data[1100:]):
        other.write_bytes(content)
        with pytest.raises(InputError, match="LiteRT cannot open it"):
            litert.LiteRT(other)
    other.write_bytes(litert.with_metadata(data, "no JSON"))  # what stands first counts
    assert litert.LiteRT(other).description == litert.LiteRT(path).description
    other.write_bytes(data.replace(b"bisenet-export-1", b"bisenet-export-9"))
    with pytest.raises(InputError, match="format must be one of bisenet-export-1"):
        litert.LiteRT(other)


def test_16_bits_are_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "litert_torch", object())
    checkpoint = small_checkpoint(bit_depth=16)
    with pytest.raises(InputError, match="--input float32"):
        litert.export(Source(checkpoint, Description.of(checkpoint, "x"), size=SIZE), tmp_path)
    assert list(tmp_path.iterdir()) == []
