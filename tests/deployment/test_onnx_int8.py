"""ONNX of 8 bits: which operators there are, and what it costs."""

import numpy as np
import onnx
import pytest
import torch
from deployed_networks import pictures

from bisenet.deployment.formats import onnx_int8
from bisenet.deployment.formats.onnx_file import OnnxRuntime
from bisenet.inference.predictor import Predictor


@pytest.fixture(scope="module")
def path(onnx_path, source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx_int8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_int8, "to_onnx", lambda _: onnx.load(onnx_path))
        onnx_int8.export(source, folder)
    return folder / onnx_int8.FILE


def test_labels_are_nearly_the_checkpoint_s(path, checkpoint, source):
    images = np.stack(pictures(3))
    engine = OnnxRuntime(path, threads=1)
    expected = Predictor.of(checkpoint, device=torch.device("cpu")).labels(torch.from_numpy(images)).numpy()
    labels = engine.run(images)
    assert labels.dtype == np.uint8 and (labels == expected).mean() > 0.8
    assert engine.description == source.description.but(weights="int8") and engine.precision == "int8"
    assert (engine.logits(images).argmax(1) == labels).mean() > 0.9999


def test_only_convolutions_have_8_bits_and_operators_are_the_standard_s(path):
    model = onnx.load(path)
    assert {opset.domain for opset in model.opset_import} == {""} == {node.domain for node in model.graph.node}
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    made_by = {output: node for node in model.graph.node for output in node.output}
    *convolutions, classifier = [node for node in model.graph.node if node.op_type == "Conv"]
    for node in convolutions:
        sources = [made_by[name] for name in node.input[:2]]
        assert {source.op_type for source in sources} == {"DequantizeLinear"}
        scale = weights[sources[1].input[1]]
        assert list(scale.dims) == [weights[sources[1].input[0]].dims[0]]  # one for each channel
    assert classifier.input[1] in weights and weights[classifier.input[1]].data_type == onnx.TensorProto.FLOAT
    argmax = next(node for node in model.graph.node if node.op_type == "ArgMax")
    assert made_by[argmax.input[0]].op_type != "DequantizeLinear"
