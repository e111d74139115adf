"""TensorRT without a GPU: the ONNX file that an engine is made of, the command, and what is asked of the package.

The package cannot even be imported without its CUDA libraries, so it is played here, by the names that its manual has.
"""

import shlex
import sys
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from deployed_networks import pictures, small_checkpoint

from bisenet.deployment.description import Description
from bisenet.deployment.formats import tensorrt_engine
from bisenet.deployment.formats.contract import Source
from bisenet.errors import InputError

PROFILE = (1, 33, 33, 3), (1, 512, 1024, 3), (4, 2048, 2048, 3)


@pytest.fixture(scope="module")
def folder(onnx_path, source, tmp_path_factory):
    """What is written where no engine can be made; the ONNX file is not exported anew."""
    folder = tmp_path_factory.mktemp("tensorrt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tensorrt_engine.onnx_file, "to_onnx", lambda _: onnx.load(onnx_path))
        patch.setattr(torch.cuda, "is_available", lambda: False)
        tensorrt_engine.export(source, folder)
    return folder


def test_labels_become_bytes_by_way_of_float(folder, onnx_path):
    model = onnx.load(folder / "model.onnx")
    *_, argmax, first, last = model.graph.node
    assert [argmax.op_type, first.op_type, last.op_type] == ["ArgMax", "Cast", "Cast"]
    assert (first.attribute[0].i, last.attribute[0].i) == (onnx.TensorProto.FLOAT, onnx.TensorProto.UINT8)
    images = {"image": np.stack(pictures(2))}
    labels, plain = (
        onnxruntime.InferenceSession(path).run(None, images)[0] for path in (folder / "model.onnx", onnx_path)
    )
    assert labels.dtype == np.uint8 and (labels == plain).all()


def test_the_command_names_files_and_sizes_alone(folder):
    words = shlex.split((folder / "trtexec.txt").read_text())
    assert words[:4] == ["trtexec", "--onnx=model.onnx", "--saveEngine=model.engine", "--noTF32"]
    assert words[4:] == [
        "--minShapes=image:1x33x33x3",
        "--optShapes=image:1x512x1024x3",
        "--maxShapes=image:4x2048x2048x3",
    ]


def test_without_an_engine_the_onnx_file_is_run_and_says_so(folder, source):
    engine = tensorrt_engine.open_best(folder / "model.engine")
    assert "no engine was made" in engine.runtime and engine.description == source.description


def test_large_sizes_are_within_the_range():
    assert tensorrt_engine.shapes((2000, 3000), 1)[2] == (4, 4000, 6000, 1)


@pytest.fixture
def tensorrt(monkeypatch):
    played = MagicMock(__version__="11.4")
    builder = played.Builder.return_value
    builder.build_serialized_network.return_value = memoryview(b"an engine")
    monkeypatch.setitem(sys.modules, "tensorrt", played)
    return SimpleNamespace(played=played, builder=builder, parser=played.OnnxParser.return_value)


def test_an_engine_is_made_without_tf32_for_the_range_of_sizes(tensorrt):
    assert tensorrt_engine.build(b"onnx", PROFILE) == b"an engine"
    tensorrt.parser.parse.assert_called_once_with(b"onnx")
    config = tensorrt.builder.create_builder_config.return_value
    config.clear_flag.assert_called_once_with(tensorrt.played.BuilderFlag.TF32)
    ranges = tensorrt.builder.create_optimization_profile.return_value
    ranges.set_shape.assert_called_once_with("image", *PROFILE)
    config.add_optimization_profile.assert_called_once_with(ranges)


def test_what_tensorrt_refuses_is_told(tensorrt):
    tensorrt.builder.build_serialized_network.return_value = None
    with pytest.raises(InputError, match="made no engine"):
        tensorrt_engine.build(b"onnx", PROFILE)
    tensorrt.parser.parse.return_value = False
    tensorrt.parser.num_errors, tensorrt.parser.get_error.return_value = 1, "no such operator"
    with pytest.raises(InputError, match="no such operator"):
        tensorrt_engine.build(b"onnx", PROFILE)


def test_an_engine_without_a_gpu_names_the_onnx_file(tensorrt, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="none is here; take model.onnx"):
        tensorrt_engine.TensorRT(tmp_path / "model.engine")


def test_16_bits_are_refused(tmp_path):
    checkpoint = small_checkpoint(bit_depth=16)
    with pytest.raises(InputError, match="--input float32"):
        tensorrt_engine.export(Source(checkpoint, Description.of(checkpoint, "x")), tmp_path)
