"""Published weights give the logits of the code that they come from; truth are those (tests/reference)."""

import pytest
import torch
from foreign_weights import (
    light,
    mmsegmentation,
    pixel_shuffled,
    reference,
    reference_input,
    reference_weights,
    trunk,
    upstream,
)

from bisenet.errors import InputError
from bisenet.models.architectures import build_model
from bisenet.samples.class_tables import load_table
from bisenet.samples.classes import ClassTable
from bisenet.weights.checkpoint import Checkpoint, save_checkpoint
from bisenet.weights.published import IMAGENET_MEAN_STD, NORMALIZATION, open_checkpoint


@pytest.fixture
def file(tmp_path):
    def file(data):
        torch.save(data, tmp_path / "file.pth")
        return tmp_path / "file.pth"

    return file


@pytest.mark.parametrize("name", ["bisenetv1", "bisenetv2"])
def test_logits_of_upstreams_files_are_upstreams(file, name):
    heads = reference(name)
    path = file({f"module.{key}": value for key, value in reference_weights(heads["state_dict"]).items()})
    checkpoint = open_checkpoint(path, cache="cache", model=name, dataset="cityscapes")
    with torch.inference_mode():
        logits = checkpoint.model(reference_input())
    theirs = heads["heads"][0]
    assert (logits.flatten()[:: heads["every"]] - torch.tensor(theirs["values"])).abs().max() < 1e-4 * theirs["std"]
    assert (checkpoint.mean, checkpoint.std) == NORMALIZATION["upstream", "cityscapes"]
    assert checkpoint.table == load_table("cityscapes")
    assert not checkpoint.model.training


@pytest.mark.parametrize("size", ["64x96", "61x91"])
@pytest.mark.parametrize("name", ["bisenetv1", "bisenetv2"])
def test_logits_of_mmsegmentations_files_are_mmsegmentations(file, name, size):
    theirs = mmsegmentation(name)
    path = file({"state_dict": reference_weights(theirs["state_dict"])})
    checkpoint = open_checkpoint(path, cache="cache", dataset="cityscapes")
    assert (checkpoint.mean, checkpoint.std) == IMAGENET_MEAN_STD
    height, width = map(int, size.split("x"))
    with torch.inference_mode():
        logits = checkpoint.model(reference_input()[..., :height, :width])
    expected = theirs["logits"][size]
    difference = logits.flatten()[:: theirs["every"]] - torch.tensor(expected["values"])
    assert difference.abs().max() < 1e-4 * expected["std"]


def test_the_table_and_normalisation_of_the_caller_win(file):
    table = ClassTable.from_dict({"classes": [{"name": f"c{i}", "color": [i, 0, 0]} for i in range(19)]}, "table")
    given = {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}
    checkpoint = open_checkpoint(file(light(upstream("bisenetv2"))), cache="cache", table=table, **given)
    assert checkpoint.table == table
    assert (checkpoint.mean, checkpoint.std) == (given["mean"], given["std"])
    assert checkpoint.image_form == {"channels": 3, "bit_depth": 8}


@pytest.mark.parametrize(
    ("data", "asked", "message"),
    [
        (
            "v2",
            {"model": "bisenetv1"},
            "holds upstream's bisenetv2, 19 classes and 3 channels, not a bisenetv1; take other",
        ),
        ("v2", {}, "say which dataset these are of. As many classes have: bdd100k, celebamask_hq, cityscapes, kitti$"),
        ("v2", {"dataset": "ade20k"}, "19 classes and 3 channels, the dataset has 150 classes .wall, building"),
        ("v2", {"dataset": "nowhere"}, "dataset: 'nowhere' is neither built in nor .* Built in: a2d2, ade20k"),
        (
            "v2",
            {"dataset": "own"},
            "how the images were normalised for upstream's bisenetv2 of own is not known; give mean",
        ),
        ("v2", {"dataset": "cityscapes", "mean": [1, 2]}, r"mean: 3 numbers from 0 to 1 are wanted, .* not \[1, 2\]"),
        ("v2", {"dataset": "cityscapes", "std": [58.4, 57, 57]}, "std: 3 numbers from 0 to 1 are wanted"),
        (
            "trunk",
            {"dataset": "cityscapes"},
            "holds torchvision's ResNet-18, 3 channels, without a classifier that has a",
        ),
        ("shuffled", {"dataset": "cityscapes"}, "without a classifier that has a place here .*PixelShuffle"),
        (
            "partial",
            {"dataset": "cityscapes"},
            "the layers of a bisenetv2 of 19 classes and 3 channels .aggregation: semantic, .*:\n  unknown: detail.S1",
        ),
        (
            "more",
            {"dataset": "cityscapes"},
            "the layers of a bisenetv2 of 19 classes and 3 channels .boosters: False.:\n  unknown: extra$",
        ),
    ],
)
def test_what_is_missing_or_does_not_fit_is_named(file, tmp_path, monkeypatch, data, asked, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    entries = "".join(f"- {{name: c{i}, color: [{i}, 0, 0]}}\n" for i in range(19))
    (tmp_path / "own" / "dataset.yaml").write_text("classes:\n" + entries)
    v2 = upstream("bisenetv2")
    state = {
        "v2": lambda: light(v2),
        "trunk": lambda: light(trunk()),
        "shuffled": lambda: pixel_shuffled("bisenetv1"),
        "partial": lambda: {key: value for key, value in light(v2).items() if not key.startswith("bga.left1")},
        "more": lambda: light(v2 | {"extra.weight": [3]}),
    }[data]()
    with pytest.raises(InputError, match=message):
        open_checkpoint(file(state), cache="cache", **asked)


def test_own_checkpoints_need_no_more_and_must_be_what_is_asked_for(tmp_path):
    table = ClassTable.from_dict({"classes": [{"name": n, "color": [1, 2, 3]} for n in "ab"]}, "table")
    model = build_model("bisenetv2", 2, architecture={"width": 0.25})
    path = tmp_path / "model.pt"
    save_checkpoint(path, Checkpoint("bisenetv2", model, table, [0.5] * 3, [0.2] * 3))
    assert open_checkpoint(path, cache="cache").table == table
    assert open_checkpoint(path, cache="cache", model="bisenetv2", table=table, mean=[0.1] * 3).mean == [0.1] * 3
    with pytest.raises(InputError, match="holds bisenetv2 of this project, 2 classes and 3 channels, not a bisenetv1"):
        open_checkpoint(path, cache="cache", model="bisenetv1")
    with pytest.raises(
        InputError, match=r"was trained on 2 classes \(a, b\), the dataset has 19 classes .road, .* and 9 more\); train"
    ):
        open_checkpoint(path, cache="cache", dataset="cityscapes")


def test_an_own_checkpoint_is_read_once_and_refused_with_weights_that_are_no_numbers(tmp_path, monkeypatch):
    table = ClassTable.from_dict({"classes": [{"name": n, "color": [1, 2, 3]} for n in "ab"]}, "table")
    model, path, reads = build_model("bisenetv2", 2, architecture={"width": 0.25}), tmp_path / "model.pt", []
    save_checkpoint(path, Checkpoint("bisenetv2", model, table, [0.5] * 3, [0.2] * 3))
    load = torch.load
    monkeypatch.setattr(torch, "load", lambda *given, **options: reads.append(given) or load(*given, **options))
    assert open_checkpoint(path, cache="cache").table == table
    assert len(reads) == 1
    with torch.no_grad():
        model.head.conv.conv.weight[0] = float("nan")
    save_checkpoint(path, Checkpoint("bisenetv2", model, table, [0.5] * 3, [0.2] * 3))
    with pytest.raises(InputError, match="cannot be used.*\n  head.conv.conv.weight: has NaN or infinite values"):
        open_checkpoint(path, cache="cache")


def test_the_class_counts_of_upstreams_datasets_are_those_of_its_files():
    counts = {dataset: len(load_table(dataset)) for _, dataset in NORMALIZATION if dataset}
    assert counts == {"cityscapes": 19, "coco_stuff": 171, "ade20k": 150}
