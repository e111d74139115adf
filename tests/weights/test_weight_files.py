"""Whose a file of weights is, and that every layer of it ends where it belongs.

Truth are names and shapes as upstream's and mmsegmentation's own modules have them (tests/reference).
"""

import pytest
import torch
from foreign_weights import AUXILIARY, light, mmsegmentation, pixel_shuffled, trunk, upstream, without
from weightless_models import weightless

from bisenet.errors import InputError
from bisenet.models.architectures import build_model
from bisenet.samples.classes import ClassTable
from bisenet.weights.checkpoint import Checkpoint, save_checkpoint
from bisenet.weights.weight_files import FORMS, read_weights


@pytest.fixture
def read(tmp_path):
    def read(data):
        torch.save(data, tmp_path / "file.pth")
        return read_weights(tmp_path / "file.pth", tmp_path / "cache")

    return read


WRAPPINGS = {
    "bare": lambda state: state,
    "without auxiliary heads": lambda state: without(state, *AUXILIARY),
    "DistributedDataParallel": lambda state: {f"module.{key}": value for key, value in state.items()},
    "state_dict": lambda state: {"epoch": 3, "state_dict": state, "optimizer": {"lr": 0.1}},
    "model": lambda state: {"model": {f"module.{key}": value for key, value in state.items()}},
    "net": lambda state: {"net": state, "it": 5},
    "Lightning": lambda state: {"state_dict": {f"model.{key}": value for key, value in state.items()}, "hparams": {}},
    "compiled": lambda state: {f"_orig_mod.module.{key}": value for key, value in state.items()},
    "fp16": lambda state: {key: value.half() if value.is_floating_point() else value for key, value in state.items()},
    "before torch 0.4.1": lambda state: {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")},
}


@pytest.mark.parametrize("name", ["bisenetv1", "bisenetv2"])
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_upstreams_files_however_they_are_wrapped(read, name, wrapping):
    state = light(upstream(name))
    found = read(WRAPPINGS[wrapping](state))
    assert (found.origin, found.model_name, found.num_classes, found.in_channels) == ("upstream", name, 19, 3)
    kept = {
        "without auxiliary heads": without(state, *AUXILIARY),
        "before torch 0.4.1": {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")},
    }.get(wrapping, state)
    assert found.state.keys() == kept.keys()
    assert all(torch.equal(found.state[key], value) for key, value in kept.items())
    assert {value.dtype for key, value in found.state.items() if "num_batches" not in key} == {torch.float32}
    architecture = build_model(name, 2).architecture | {"boosters": wrapping != "without auxiliary heads"}
    assert found.architecture == architecture
    assert found.dropped == {}


@pytest.mark.parametrize("name", ["bisenetv1", "bisenetv2"])
def test_every_layer_of_mmsegmentation_has_its_place(read, name):
    found = read({"meta": {"iter": 160000}, "state_dict": light(mmsegmentation(name)["state_dict"])})
    assert (found.origin, found.model_name, found.num_classes, found.in_channels) == ("mmsegmentation", name, 19, 3)
    told = {"bisenetv1": {"fusion": "mmseg"}, "bisenetv2": {"aggregation": "mmseg", "boosters": False}}[name]
    assert found.architecture == build_model(name, 2).architecture | told
    ours = weightless(name, 19, **found.architecture).state_dict()
    assert {key: value.shape for key, value in found.state.items()} == {key: value.shape for key, value in ours.items()}
    values = [value.flatten()[0].item() for value in found.state.values()]
    assert len(set(values)) == len(values)  # no layer stands twice
    dropped = [key for keys in found.dropped.values() for key in keys]
    assert len(dropped) == (0 if name == "bisenetv1" else 4 * (2 * 6 + 2))  # heads of two convolutions and a classifier
    assert all(key.startswith("auxiliary_head.") for key in dropped)


@pytest.mark.parametrize("nested", [True, False])
def test_upstreams_backbone_file(read, nested):
    state = without(light(upstream("bisenetv2")), "head", "bga", "aux")
    parts = {
        part: {key.partition(".")[2]: value for key, value in state.items() if key.startswith(part)}
        for part in ("detail", "segment")
    }
    found = read(parts if nested else state)
    assert (found.origin, found.model_name, found.num_classes) == ("upstream backbone", "bisenetv2", None)
    assert found.state.keys() == state.keys()
    assert str(found) == "upstream's backbone of bisenetv2, 3 channels"


def test_torchvisions_resnet_is_the_trunk_of_the_context_path(read):
    found = read(light(trunk()))
    assert (found.origin, found.model_name, found.num_classes) == ("torchvision", "bisenetv1", None)
    assert found.state.keys() == {key for key in upstream("bisenetv1") if key.startswith("cp.resnet.")}
    assert found.dropped == {"ImageNet's classifier": ["cp.resnet.fc.weight"]}


@pytest.mark.parametrize(
    ("blocks", "bottleneck", "words"),
    [(6, False, "ResNet-34"), (6, True, "ResNet-50"), (23, True, "ResNet-101"), (4, True, "unknown ResNet")],
)
def test_another_trunk_is_named(read, blocks, bottleneck, words):
    with pytest.raises(InputError, match=f"its trunk is a {words}, and bisenetv1 has a ResNet-18 here"):
        read(light(trunk(blocks, bottleneck)))


def test_mmsegmentations_bisenetv1_with_a_deeper_trunk_is_named(read):
    more = {f"backbone.context_path.backbone.layer3.{i}.conv1.weight": [256, 1024, 1, 1] for i in range(2, 6)}
    more["backbone.context_path.backbone.layer1.0.conv3.weight"] = [256, 64, 1, 1]
    with pytest.raises(InputError, match="its trunk is a ResNet-50"):
        read(light(mmsegmentation("bisenetv1")["state_dict"] | more))


def test_own_checkpoints_say_all(tmp_path):
    table = ClassTable.from_dict({"classes": [{"name": n, "color": [1, 2, 3]} for n in "ab"]}, "table")
    model = build_model("bisenetv2", 2, 4, {"width": 0.25, "boosters": False})
    save_checkpoint(tmp_path / "model.pt", Checkpoint("bisenetv2", model, table, [0.5] * 4, [0.2] * 4))
    found = read_weights(tmp_path / "model.pt", tmp_path)
    assert (found.origin, found.model_name, found.num_classes, found.in_channels) == ("ours", "bisenetv2", 2, 4)
    assert found.architecture == model.architecture
    assert all(torch.equal(found.state[key], value) for key, value in model.state_dict().items())
    assert str(found) == "bisenetv2 of this project, 2 classes and 4 channels"


def test_v1_without_a_spatial_path_and_with_the_attention_of_before_2022(read):
    state = without(light(upstream("bisenetv1")), "sp.", "ffm.conv.", "ffm.bn.")
    state |= light({"ffm.conv1.weight": [64, 256, 1, 1], "ffm.conv2.weight": [256, 64, 1, 1]})
    found = read(state)
    assert found.architecture["spatial_path"] == "res3"
    assert found.architecture["fusion"] == "squeeze"


def first_form(name):
    """Upstream's first layout: V1's classifiers without a bias, V2's as a layer and not the second of three."""
    state = light(upstream(name))
    if name == "bisenetv1":
        return {key: value for key, value in state.items() if not key.endswith("out.bias")}
    older = {key.replace("head.conv_out.1.", "head.conv_out."): value for key, value in state.items()}
    return without(older, "aux")


@pytest.mark.parametrize("name", ["bisenetv1", "bisenetv2"])
def test_classifiers_of_the_first_form_are_dropped_and_named(read, name):
    found = read(first_form(name))
    assert found.num_classes is None
    [(why, _)] = found.dropped.items()
    assert why == "upstream's classifiers of before July 2021 (align_corners=True)"


@pytest.mark.parametrize("aux", [True, False])
@pytest.mark.parametrize("name", ["bisenetv1", "bisenetv2"])
def test_classifiers_of_pixel_shuffle_are_dropped_and_named(read, name, aux):
    state = pixel_shuffled(name)
    found = read(state if aux else without(state, *AUXILIARY))
    assert found.num_classes is None
    [(why, keys)] = found.dropped.items()
    assert why == "upstream's classifiers of before July 2021 (PixelShuffle)"
    assert all("conv_out" in key for key in keys)
    assert not any(key.startswith(("conv_out.conv_out", "head.conv_out")) for key in found.state)
    assert any(key.startswith(("conv_out.conv.", "head.conv.")) for key in found.state)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([1, 2], "holds no tensors by name"),
        ({}, "holds no tensors by name"),
        (torch.zeros(3), "holds no tensors by name"),
        ({"state_dict": {"a": 1}}, "holds no tensors by name"),
        ({"a.weight": torch.zeros(3)}, r"its tensors \(a.weight\) are of no network that is known here: upstream's"),
        ({3: torch.zeros(3)}, r"its tensors \(3\) are of no network that is known"),
        ({form.telltale: torch.tensor(1.0) for form in FORMS[:1]}, "has layers of upstream's bisenetv1, but not all"),
        ({form.telltale: torch.tensor(1.0) for form in FORMS[1:2]}, "has layers of upstream's bisenetv2, but not all"),
        ({form.telltale: torch.tensor(1.0) for form in FORMS[2:3]}, "has layers of upstream's backbone"),
        ({form.telltale: torch.tensor(1.0) for form in FORMS[3:4]}, "has layers of torchvision's ResNet-18"),
        ({form.telltale: torch.tensor(1.0) for form in FORMS[4:5]}, "has layers of mmsegmentation's bisenetv1"),
        ({form.telltale: torch.tensor(1.0) for form in FORMS[5:6]}, "has layers of mmsegmentation's bisenetv2"),
    ],
)
def test_other_contents_are_named(read, data, message):
    with pytest.raises(InputError, match=f"file.pth: {message}"):
        read(data)


def test_a_wrapper_that_holds_itself_ends(read):
    data = {}
    data["model"] = data
    with pytest.raises(InputError, match="holds no tensors"):
        read(data)


def test_a_whole_pickled_model_is_named_with_the_cure(read):
    with pytest.raises(InputError, match=r"holds a whole pickled object; save its state_dict\(\) instead"):
        read(torch.nn.Linear(2, 2))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda value: value.to(torch.int8), "is int8, and a float is wanted"),
        (lambda value: torch.full_like(value, float("nan")), "has NaN or infinite values"),
        (lambda value: torch.full_like(value, float("inf")).half(), "has NaN or infinite values"),
        (lambda value: value.to_sparse(), "is no plain tensor, or an empty one"),
        (lambda value: value.to("meta"), "is no plain tensor, or an empty one"),
        (lambda value: value[:0], "is no plain tensor, or an empty one"),
    ],
)
def test_weights_that_are_no_finite_floats_are_named(read, change, fault):
    state = light(upstream("bisenetv1"))
    state["sp.conv2.bn.weight"] = change(state["sp.conv2.bn.weight"].clone())
    with pytest.raises(InputError, match=f"weights that cannot be used.*\n  sp.conv2.bn.weight: {fault}$"):
        read(state)
