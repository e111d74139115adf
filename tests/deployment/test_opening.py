"""Exported files through the same interface as checkpoints."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from deployed_networks import pictures
from project import ROOT

import bisenet
from bisenet.deployment.description import Description
from bisenet.deployment.formats.contract import Engine
from bisenet.deployment.formats.table import format_of, open_engine
from bisenet.deployment.graph import DeployedNetwork
from bisenet.deployment.opening import Network, open_network
from bisenet.deployment.predictor import EnginePredictor
from bisenet.errors import InputError
from bisenet.inference.predictor import Predictor
from bisenet.inference.protocols import RULES
from bisenet.inference.upstream import UPSTREAM_RULES
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


def sided(checkpoint, **mirrors):
    """Its first two classes look like left and right, and have these mirrors."""
    names = ("left", "right", *checkpoint.table.names[2:])
    mirrors = tuple(mirrors.get(name) for name in names) if mirrors else ()
    return replace(checkpoint, table=replace(checkpoint.table, names=names, mirrors=mirrors))


SWAPPED = {"left": "right", "right": "left"}


def test_an_exported_file_swaps_the_classes_of_mirror_images(checkpoint):
    images = torch.from_numpy(np.stack(pictures(1)))
    (one, other), (plain, _) = (
        [
            EnginePredictor(InPyTorch(network)).by(**PROTOCOLS["msf"]).probabilities(images),
            Predictor.of(network, device=torch.device("cpu")).by(**PROTOCOLS["msf"]).probabilities(images),
        ]
        for network in (sided(checkpoint, **SWAPPED), sided(checkpoint))
    )
    assert (one - other).abs().max() < 1e-4
    assert (one - plain)[:, 2:].abs().max() < 1e-4 < (one - plain)[:, :2].abs().max()


@pytest.mark.parametrize(
    ("mirrors", "rules", "protocol", "told"),
    [
        ({}, RULES, "msf", "but of these weights, which have the table of their training, left and right look like"),
        ({}, RULES, "ss", None),
        (SWAPPED, RULES, "msf", None),
        (SWAPPED, UPSTREAM_RULES, "msf", "upstream's rules add mirror images without a swap of left and right"),
        (SWAPPED, UPSTREAM_RULES, "ss", None),
    ],
)
def test_a_protocol_that_takes_left_for_right_says_so(checkpoint, capsys, mirrors, rules, protocol, told):
    network = Network.of(sided(checkpoint, **mirrors), torch.device("cpu"), rules=rules)
    assert network.by(**PROTOCOLS[protocol]).predictor.protocol == PROTOCOLS[protocol]
    said = capsys.readouterr().err
    assert told in said if told else not said


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


def test_a_gpu_that_the_runtime_cannot_use_is_told_and_done_without(onnx_path, capsys):
    network = open_network(onnx_path, torch.device("cuda", 0), cache=None)
    assert network.predictor.labels(torch.from_numpy(np.stack(pictures(1)))).shape == (1, 67, 101)
    assert "runs on the CPU" in capsys.readouterr().err


def test_a_name_that_no_format_has(tmp_path):
    with pytest.raises(InputError, match="these end in .onnx"):
        open_engine(tmp_path / "model.foo")
    assert format_of("https://a.org/model.onnx#sha256=00").name == format_of("https://a.org/m.onnx?x=1").name == "onnx"


def test_flags_that_messages_name_are_there():
    """Of each `--flag` that is named in this room, a script of ours knows it, or a program of others."""
    scripts = "".join(path.read_text() for path in (ROOT / "stages").rglob("*.py"))
    known = set(re.findall(r'"(--[a-z-]+)"', scripts)) | {"--mean", "--std"}
    of_others = {"--noTF32", "--onnx", "--saveEngine"}  # trtexec
    of_others |= {"--model-repository", "--ignore-scripts", "--silent", "--pack-destination"}  # tritonserver, npm
    for path in (ROOT / "bisenet/deployment").rglob("*.py"):
        assert set(re.findall(r"(?<![\w-])(--[a-zA-Z][a-zA-Z0-9-]+)", path.read_text())) <= known | of_others, path


def test_a_list_and_a_batch(onnx_path):
    net = bisenet.load(onnx_path, device="cpu", threads=1)
    one, other = pictures(2)
    both = net._predictor.labels(torch.from_numpy(np.stack([one, other]))).numpy()
    assert [np.array_equal(seen.labels, labels) for seen, labels in zip(net([one, other]), both, strict=True)] == [
        True
    ] * 2
