"""What is saved comes back; what is no checkpoint is refused with a reason and never run."""

import pathlib
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from bisenet.deployment.opening import Network
from bisenet.errors import InputError
from bisenet.interface import Segmenter
from bisenet.models.architectures import MODELS, architecture_options, build_model, resolve_architecture
from bisenet.samples.classes import ClassTable, Values
from bisenet.weights.checkpoint import FORMAT, Checkpoint, load_checkpoint, save_checkpoint

PARAMS = {"lr": 1e-05, "crop": [128, 192], "class_weights": "enet", "flip": 0.5}


class Small(nn.Sequential):
    def __init__(self, num_classes, in_channels=3):
        super().__init__(nn.Conv2d(in_channels, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, num_classes, 1))


class Other(nn.Sequential):
    def __init__(self, num_classes, in_channels=3):
        super().__init__(nn.Conv2d(in_channels, num_classes, 1))


def labels(checkpoint, image):
    return Segmenter(Network.of(checkpoint, torch.device("cpu")))(image).labels


@pytest.fixture(autouse=True)
def small_models(monkeypatch):
    monkeypatch.setitem(MODELS, "small", Small)
    monkeypatch.setitem(MODELS, "other", Other)


def table(count):
    return ClassTable(
        names=tuple(f"class {i}" for i in range(count)),
        values=tuple(Values((i, 300 + i), ((i, 0, 255 - i),), (f"other {i}",)) for i in range(count)),
        ignore=Values((255,), ((1, 2, 3),), ("unsure",)),
        skip=("scratch",),
    )


def a_checkpoint(name="small", model=None, count=3):
    model = model or build_model(name, count)
    return Checkpoint(name, model, table(count), [0.1, 0.2, 0.3], [0.4, 0.5, 0.6], PARAMS)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.pt"
    save_checkpoint(path, a_checkpoint())
    return path


@pytest.mark.parametrize("name", ["small", "bisenetv2"])
def test_everything_comes_back(tmp_path, name):
    first = a_checkpoint(name)
    path = tmp_path / "new folder" / "model.pt"
    save_checkpoint(path, first)
    second = load_checkpoint(path)
    assert second.model_name == name
    assert second.table == first.table
    assert (second.mean, second.std, second.params) == (first.mean, first.std, PARAMS)
    assert second.bit_depth == 8
    assert not second.model.training
    ours, theirs = first.model.state_dict(), second.model.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_mirrors_of_classes_come_back_and_are_not_there_where_none_are(saved):
    """So old checkpoints are read, and tables without give the bytes that they always gave."""
    entries = torch.load(saved, weights_only=True)["classes"]["classes"]
    assert all(set(entry) == {"name", "id", "color"} for entry in entries)
    assert load_checkpoint(saved).table.mirrored is None
    sided = replace(a_checkpoint(), table=replace(table(3), mirrors=("class 0", "class 2", "class 1")))
    save_checkpoint(saved, sided)
    assert load_checkpoint(saved).table == sided.table
    assert load_checkpoint(saved).table.mirrored == (0, 2, 1)


def test_channels_and_bit_depth_come_back_and_say_how_to_read_images(tmp_path):
    mean, std = [i / 10 for i in range(6)], [0.5] * 6
    first = Checkpoint("small", build_model("small", 3, in_channels=6), table(3), mean, std, PARAMS, bit_depth=16)
    save_checkpoint(tmp_path / "model.pt", first)
    second = load_checkpoint(tmp_path / "model.pt")
    assert second.image_form == {"channels": 6, "bit_depth": 16}
    assert second.normalize(torch.full((1, 1, 1, 6), 65535, dtype=torch.uint16))[0, 1].item() == pytest.approx(1.8)
    image = np.random.default_rng(0).integers(0, 65536, (9, 12, 6), dtype=np.uint16)
    first.model.eval()
    assert (labels(second, image) == labels(first, image)).all()


def test_a_checkpoint_of_before_bit_depths_is_of_8_bits(saved):
    data = torch.load(saved, weights_only=True)
    del data["bit_depth"]
    torch.save(data, saved)
    assert load_checkpoint(saved).image_form == {"channels": 3, "bit_depth": 8}


def test_weights_for_another_number_of_channels_are_named(saved):
    save_checkpoint(saved, a_checkpoint("small", Small(3, in_channels=4)))
    with pytest.raises(InputError, match="small of 3 classes and 3 channels, but .* 1 have another shape"):
        load_checkpoint(saved)


def test_the_file_holds_tensors_and_plain_types_alone(saved):
    data = torch.load(saved, weights_only=True)
    assert data["format"] == FORMAT
    assert {type(value) for value in data["state_dict"].values()} == {torch.Tensor}
    assert not any(value.requires_grad for value in data["state_dict"].values())


def test_the_same_values_are_the_same_bytes(tmp_path):
    first = a_checkpoint()
    save_checkpoint(tmp_path / "a" / "model.pt", first)
    first.model.to(memory_format=torch.channels_last)  # how the numbers lie in memory does not matter
    save_checkpoint(tmp_path / "b" / "model.pt", first)
    assert (tmp_path / "a" / "model.pt").read_bytes() == (tmp_path / "b" / "model.pt").read_bytes()


def test_an_image_is_segmented_after_the_normalisation_of_the_checkpoint():
    mean, std = [0.1, 0.5, 0.9], [0.25, 0.5, 1.0]
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    strongest = Checkpoint("small", nn.Sequential(nn.Conv2d(3, 3, 1, bias=False)), table(3), mean, std)
    strongest.model[0].weight.data = torch.eye(3).view(3, 3, 1, 1)  # a class for each channel
    found = labels(strongest, image)
    assert found.dtype == np.uint8
    assert (found == ((image / 255 - mean) / std).argmax(2)).all()
    assert (found != image.argmax(2)).any()


def test_a_save_that_fails_leaves_the_old_file(saved):
    before = saved.read_bytes()
    broken = a_checkpoint()
    broken.params = {"a function": lambda: None}
    with pytest.raises((pickle.PicklingError, AttributeError)):
        save_checkpoint(saved, broken)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_other_weights_than_the_model_has_can_be_kept(tmp_path):
    checkpoint, other = a_checkpoint(), build_model("small", 3)
    save_checkpoint(tmp_path / "best.pt", checkpoint, other.state_dict())
    found = load_checkpoint(tmp_path / "best.pt").model.state_dict()
    assert all(torch.equal(value, found[key]) for key, value in other.state_dict().items())


def test_a_missing_file_says_train_first(tmp_path):
    with pytest.raises(InputError, match=r"none\.pt: cannot be read .*train first"):
        load_checkpoint(tmp_path / "none.pt")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"hello world\n",
        lambda data: b"\x00" * 1000,
        lambda data: b"\x80\x02" + b"garbage" * 20,
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data[: len(data) // 3] + data[len(data) // 3 + 100 :],
        lambda data: b"PK\x03\x04" + b"\x00" * 100,
    ],
)
def test_a_damaged_file_is_refused(saved, damage):
    saved.write_bytes(damage(saved.read_bytes()))
    with pytest.raises(InputError, match=r"model\.pt: is no file of torch.save, or is damaged.*train again"):
        load_checkpoint(saved)


@pytest.mark.parametrize("data", [{}, {"format": "other"}, [1, 2], torch.zeros(3), {"weight": torch.zeros(3)}])
def test_a_file_of_another_program_is_refused(saved, data):
    torch.save(data, saved)
    with pytest.raises(InputError, match=r"model\.pt: is not a checkpoint that the stage train wrote"):
        load_checkpoint(saved)


def test_a_file_that_would_run_code_is_refused_and_not_run(saved):
    trace = saved.with_name("trace")

    class Attack:
        def __reduce__(self):
            return pathlib.Path.touch, (trace,)

    for write in (torch.save, lambda data, path: path.write_bytes(pickle.dumps(data, protocol=2))):
        write({"format": FORMAT, "model": Attack()}, saved)
        with pytest.raises(InputError, match="is not a checkpoint|is no file of torch.save"):
            load_checkpoint(saved)
    assert not trace.exists()


@pytest.mark.parametrize("part", ["model", "classes", "mean", "std", "params", "state_dict"])
def test_a_part_that_is_missing_or_of_another_kind_is_named(saved, part):
    data = torch.load(saved, weights_only=True)
    for broken in ({key: value for key, value in data.items() if key != part}, data | {part: 3}):
        torch.save(broken, saved)
        with pytest.raises(InputError, match=rf"model\.pt: is not a checkpoint .*: {part} missing or of another kind"):
            load_checkpoint(saved)


def test_weights_of_another_architecture_are_counted(saved):
    save_checkpoint(saved, a_checkpoint("small", Other(3)))
    with pytest.raises(InputError) as error:
        load_checkpoint(saved)
    assert "model.pt: says it is a small of 3 classes" in str(error.value)
    # a weight and a bias stand in both, in other shapes
    assert "7 of 9 are missing, 0 are unknown, 2 have another shape" in str(error.value)


def test_weights_for_another_number_of_classes_are_named(saved):
    save_checkpoint(saved, a_checkpoint("small", Small(5), count=4))
    with pytest.raises(InputError) as error:
        load_checkpoint(saved)
    assert "model.pt: says it is a small of 4 classes" in str(error.value)
    assert "0 of 9 are missing, 0 are unknown, 2 have another shape" in str(error.value)


LARGER = {"width": 0.5, "depth": 2, "expand": "conv", "aggregation": "sum", "boosters": False}


def test_the_architecture_comes_back(tmp_path):
    first = a_checkpoint("bisenetv2", build_model("bisenetv2", 3, architecture=LARGER))
    save_checkpoint(tmp_path / "model.pt", first)
    second = load_checkpoint(tmp_path / "model.pt")
    assert second.architecture == first.architecture == resolve_architecture("bisenetv2", LARGER)
    image = torch.randn(1, 3, 40, 64)
    with torch.inference_mode():
        torch.testing.assert_close(first.model.eval()(image), second.model(image))


def test_a_checkpoint_of_before_options_has_the_defaults(tmp_path):
    path = tmp_path / "model.pt"
    save_checkpoint(path, a_checkpoint("bisenetv2"))
    data = torch.load(path, weights_only=True)
    assert data.pop("architecture") == architecture_options("bisenetv2")
    torch.save(data, path)
    assert load_checkpoint(path).architecture == architecture_options("bisenetv2")


def test_weights_of_another_architecture_are_named_with_the_one_that_the_file_says(tmp_path):
    path = tmp_path / "model.pt"
    other = build_model("bisenetv2", 4, architecture=LARGER)
    for says, architecture in (("bisenetv1", {"fusion": "paper"}), ("bisenetv2", {}), ("bisenetv2", {"depth": 3})):
        claimed = a_checkpoint(says, other)
        claimed.model.architecture = architecture
        save_checkpoint(path, claimed)
        options = "".join(rf" \({option}: {value}\)" for option, value in architecture.items())
        with pytest.raises(InputError) as error:
            load_checkpoint(path)
        assert re.search(
            rf"model\.pt: says it is a {says} of 3 classes and 3 channels{options}, but its weights are of "
            r"a bisenetv2 of 4 classes and 3 channels \(expand: conv, width: 0\.5, depth: 2, aggregation: sum, "
            r"boosters: False\): \d+ of \d+ are missing",
            str(error.value),
        )


def test_an_option_that_does_not_exist_is_told_with_the_file(saved):
    checkpoint = a_checkpoint()
    checkpoint.model.architecture = {"height": 2}
    save_checkpoint(saved, checkpoint)
    with pytest.raises(InputError, match=r"(?s)model\.pt: architecture:.*small: there is no option 'height'"):
        load_checkpoint(saved)


def test_an_architecture_that_does_not_exist_is_named(saved):
    save_checkpoint(saved, a_checkpoint("bisenetv9", Small(3)))
    with pytest.raises(InputError, match="no 'bisenetv9'"):
        load_checkpoint(saved)
