"""Exported files through the same interface as checkpoints."""

import numpy as np
import pytest
import torch
from deployed_networks import pictures

import bisenet
from bisenet.deployment.description import Description
from bisenet.deployment.formats.contract import Engine
from bisenet.deployment.graph import DeployedNetwork
from bisenet.deployment.predictor import EnginePredictor
from bisenet.errors import InputError
from bisenet.inference.predictor import Predictor
from bisenet.interface import PROTOCOLS
from bisenet.weights.checkpoint import save_checkpoint


class InPyTorch(Engine):
    """The exported network before any runtime, of fractions and logits, which every protocol can be asked of."""

    runtime, precision = "PyTorch", "float32"

    def __init__(self, checkpoint):
        self.description = Description.of(checkpoint, "x", "float32", "logits")
        self._network = DeployedNetwork(checkpoint, self.description)

    @torch.inference_mode()
    def run(self, images):
        assert images.dtype == np.float32
        return self._network(torch.from_numpy(images)).numpy()


@pytest.fixture(scope="module")
def checkpoint_path(checkpoint, tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "model.pt"
    save_checkpoint(path, checkpoint)
    return path


def test_it_sees_what_the_checkpoint_sees(onnx_path, checkpoint_path):
    (image,) = pictures(1)
    seen, expected = (bisenet.load(path, device="cpu", precision="off")(image) for path in (onnx_path, checkpoint_path))
    assert (seen.ids == expected.ids).mean() > 0.999 and seen.names == expected.names
    assert np.abs(seen.probabilities - expected.probabilities).max() < 1e-4


@pytest.mark.parametrize("protocol", ["ss", "half", "msf"])
def test_protocols_of_logits(checkpoint, protocol):
    images = torch.from_numpy(np.stack(pictures(1)))
    row = PROTOCOLS[protocol]
    found = EnginePredictor(InPyTorch(checkpoint)).by(**row)
    expected = Predictor.of(checkpoint, device=torch.device("cpu")).by(**row)
    assert (found.labels(images) == expected.labels(images)).float().mean() > 0.999
    assert (found.probabilities(images) - expected.probabilities(images)).abs().max() < 1e-4


def test_labels_serve_a_mirror_image_but_no_other_size(onnx_path, checkpoint_path):
    (image,) = pictures(1)
    nets = [bisenet.load(path, device="cpu", precision="off") for path in (onnx_path, checkpoint_path)]
    seen, expected = (net.protocol("ss", flip=True, window=[32, 48])(image).labels for net in nets)
    assert (seen == expected).mean() > 0.999
    with pytest.raises(InputError, match="--input float32"):
        nets[0].protocol("half")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"precision": "bf16"}, "precision of its own"),
        ({"mean": [0.5, 0.5, 0.5]}, "mean and std inside"),
        ({"model": "bisenetv1"}, "holds a bisenetv2"),
        ({"dataset": "camvid"}, "other classes than camvid"),
        ({"runtime": "abacus"}, "runtime: there is no 'abacus'"),
    ],
)
def test_what_does_not_fit_an_exported_file(onnx_path, told, words):
    with pytest.raises(InputError, match=words):
        bisenet.load(onnx_path, device="cpu", **told)


def test_runtimes_are_of_exported_files(checkpoint_path):
    with pytest.raises(InputError, match="runs in PyTorch"):
        bisenet.load(checkpoint_path, device="cpu", threads=2)


def test_a_list_and_a_batch(onnx_path):
    net = bisenet.load(onnx_path, device="cpu", threads=1)
    one, other = pictures(2)
    both = net._predictor.labels(torch.from_numpy(np.stack([one, other]))).numpy()
    assert [np.array_equal(seen.labels, labels) for seen, labels in zip(net([one, other]), both, strict=True)] == [
        True
    ] * 2
