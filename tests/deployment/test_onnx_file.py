"""The ONNX file, run by ONNX Runtime as a program that is not ours would do it."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from deployed_networks import pictures, small_checkpoint

from bisenet.deployment.description import Description
from bisenet.deployment.formats.contract import Source
from bisenet.deployment.formats.onnx_file import to_onnx
from bisenet.deployment.formats.table import open_engine
from bisenet.errors import InputError
from bisenet.inference.predictor import Predictor

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def session(onnx_path):
    return onnxruntime.InferenceSession(onnx_path, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("size", [(1, 361, 479), (1, 33, 200), (3, 67, 101), (1, 64, 96), (1, 7, 5), (2, 1, 1)])
def test_it_gives_the_checkpoint_s_labels_at_any_size(session, checkpoint, size):
    count, height, width = size
    images = np.stack(pictures(count, height, width))
    (labels,) = session.run(None, {"image": images})
    assert labels.dtype == np.uint8
    expected = Predictor.of(checkpoint, device=CPU).labels(torch.from_numpy(images)).numpy()
    assert (labels == expected).mean() > 0.9999


def test_the_file_says_all_and_nothing_of_this_machine(onnx_path, checkpoint):
    model = onnx.load(onnx_path)
    assert {opset.domain for opset in model.opset_import} == {""} and model.opset_import[0].version == 18
    (told,) = model.metadata_props
    told = json.loads(told.value)
    assert told["mean"] == checkpoint.mean and told["sha256"] == "0" * 64
    assert [entry["name"] for entry in told["classes"]["classes"]] == list(checkpoint.table.names)
    assert b"site-packages" not in onnx_path.read_bytes() and b".py" not in onnx_path.read_bytes()
    free = [[side.dim_param for side in part.type.tensor_type.shape.dim] for part in model.graph.input]
    assert free == [["batch", "height", "width", ""]]


def test_the_runtime_shows_the_logits_behind_labels(onnx_path, checkpoint):
    images = np.stack(pictures(2))
    engine = open_engine(onnx_path, threads=1)
    logits = engine.logits(images)
    with torch.inference_mode():
        expected = checkpoint.model(checkpoint.normalize(torch.from_numpy(images))).numpy()
    assert np.abs(logits - expected).max() < 1e-4
    assert (engine.run(images) == logits.argmax(1)).mean() > 0.9999


def test_16_bits_more_channels_and_logits_of_fractions_in_a_fixed_size_twice_the_same_bytes():
    checkpoint = small_checkpoint("bisenetv1", channels=4, bit_depth=16)
    images = np.stack(pictures(1, 40, 72, channels=4, dtype=np.uint16))
    with torch.inference_mode():
        expected = checkpoint.model(checkpoint.normalize(torch.from_numpy(images))).numpy()
    description = Description.of(checkpoint, "x", input="float32", output="logits").but(size=(40, 72))
    first, second = (to_onnx(Source(checkpoint, description)).SerializeToString(deterministic=True) for _ in range(2))
    assert first == second
    (logits,) = onnxruntime.InferenceSession(first).run(["logits"], {"image": images.astype(np.float32)})
    assert np.abs(logits - expected).max() < 1e-4


def damaged(path, data):
    data[len(data) // 2 :] = []


def of_others(path, data):
    node = onnx.helper.make_node("Identity", ["image"], ["labels"])
    values = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in ("image", "labels")]
    graph = onnx.helper.make_graph([node], "other", values[:1], values[1:])
    opset = [onnx.helper.make_opsetid("", 18)]
    data[:] = onnx.helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString()


def text(path, data):
    data[:] = b"this is no model"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (damaged, "cannot open it"),
        (text, "cannot open it"),
        (lambda *_: None, "cannot open it"),
        (of_others, "no metadata"),
    ],
)
def test_a_file_that_is_none_is_named(onnx_path, tmp_path, change, words):
    path, data = tmp_path / "model.onnx", bytearray(onnx_path.read_bytes() if change is damaged else b"")
    change(path, data)
    path.write_bytes(data)
    with pytest.raises(InputError, match=words) as error:
        open_engine(path)
    assert str(path) in str(error.value)


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(InputError, match="stages.export --formats onnx"):
        open_engine(tmp_path / "model.onnx")
