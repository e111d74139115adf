"""What fits is taken, all else is told; truth are counts by hand."""

import pytest
import torch
from foreign_weights import light, mmsegmentation, pixel_shuffled, trunk, upstream

from bisenet.errors import InputError
from bisenet.models.architectures import build_model
from bisenet.samples.classes import ClassTable
from bisenet.weights import pretrained
from bisenet.weights.checkpoint import Checkpoint, save_checkpoint
from bisenet.weights.download import file_digest
from bisenet.weights.pretrained import adapt_channels, load_pretrained
from bisenet.weights.weight_files import read_weights

FIRST = {
    "bisenetv1": ["cp.resnet.conv1", "sp.conv1.conv"],
    "bisenetv2": ["detail.S1.0.conv", "segment.S1S2.conv.conv"],
}
CLASSIFIERS = {
    "bisenetv1": ["conv_out.conv_out", "conv_out16.conv_out", "conv_out32.conv_out"],
    "bisenetv2": [f"{head}.conv_out.1" for head in ("head", "aux2", "aux3", "aux4", "aux5_4")],
}


@pytest.fixture
def load(tmp_path):
    """load(model, data): the text; the weights are those of a file that holds `data`."""

    def load(model, data, **options):
        torch.save(data, tmp_path / "file.pth")
        return load_pretrained(model, read_weights(tmp_path / "file.pth", "cache"), **options)

    return load


def line(text, start):
    [found] = [line for line in text.split("\n  ") if line.startswith(start)]
    return found


def modules(state):
    return {key.rpartition(".")[0] for key in state}


def changed(model, before):
    return {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}


def snapshot(model):
    return {key: value.clone() for key, value in model.state_dict().items()}


@pytest.mark.parametrize("name", ["bisenetv1", "bisenetv2"])
def test_all_of_upstreams_weights_are_taken_batch_statistics_too(load, name):
    state, model = light(upstream(name)), build_model(name, 19)
    text = load(model, state)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert f"loaded: 100.0% of what is no classifier or auxiliary head, {len(state)} tensors:" in text
    assert "SHA-256 " in text
    assert f"holds: upstream's {name}, 19 classes and 3 channels" in text
    assert not any(word in text for word in ("skipped", "left", "adapted", "differs"))


@pytest.mark.parametrize("num_classes", [11, 2, 1])
@pytest.mark.parametrize("name", ["bisenetv1", "bisenetv2"])
def test_another_number_of_classes_skips_exactly_the_classifiers(load, name, num_classes):
    model = build_model(name, num_classes)
    before = snapshot(model)
    text = load(model, light(upstream(name)))
    skipped = ", ".join(CLASSIFIERS[name])
    assert line(text, "skipped") == f"skipped, 19 classes there, {num_classes} here: {skipped}"
    assert line(text, "left") == f"left as they start: {skipped}"
    assert modules(before.keys() - changed(model, before)) == set(CLASSIFIERS[name])


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("name", ["bisenetv1", "bisenetv2"])
def test_another_number_of_channels_adapts_exactly_the_first_convolutions(load, name, channels):
    state, model = light(upstream(name)), build_model(name, 19, channels)
    text = load(model, state)
    adapted = [line for line in text.split("\n  ") if line.startswith("adapted")]
    assert adapted == [f"adapted to {channels} input channels: {key}" for key in FIRST[name]]
    ours = model.state_dict()
    assert {key.rpartition(".")[0] for key in ours if not torch.equal(ours[key], state[key])} == set(FIRST[name])


@pytest.mark.parametrize(("given", "wanted"), [(3, 1), (3, 2), (3, 3), (3, 4), (3, 6), (3, 7), (1, 3), (4, 3), (1, 1)])
def test_a_grey_image_gives_what_its_copy_in_colour_gave(given, wanted):
    torch.manual_seed(0)
    grey, weight = torch.randn(1, 1, 9, 9), torch.randn(5, given, 3, 3)
    adapted = adapt_channels(weight, wanted)
    assert adapted.shape == (5, wanted, 3, 3)
    theirs = torch.conv2d(grey.expand(-1, given, -1, -1), weight)
    ours = torch.conv2d(grey.expand(-1, wanted, -1, -1), adapted)
    torch.testing.assert_close(ours, theirs)


def test_the_channels_of_the_file_are_dealt_out_in_turn():
    weight = torch.tensor([1.0, 2.0, 4.0]).view(1, 3, 1, 1)
    dealt = {count: adapt_channels(weight, count).flatten().tolist() for count in (1, 2, 3, 4, 6)}
    assert dealt == {1: [7], 2: [5, 2], 3: [1, 2, 4], 4: [0.5, 2, 4, 0.5], 6: [0.5, 1, 2, 0.5, 1, 2]}


def test_a_file_without_auxiliary_heads_leaves_those(load):
    state = {key: value for key, value in light(upstream("bisenetv2")).items() if not key.startswith("aux")}
    model = build_model("bisenetv2", 19)
    before = snapshot(model)
    assert "left as they start: aux2.conv.conv" in load(model, state)
    assert {key.partition(".")[0] for key in before.keys() - changed(model, before)} >= set(model.AUX_HEADS)


def test_a_model_without_auxiliary_heads_skips_those(load):
    text = load(build_model("bisenetv1", 19, architecture={"boosters": False}), light(upstream("bisenetv1")))
    assert line(text, "skipped").startswith("skipped, no such layer here: conv_out16.conv.conv")
    assert "differs" not in text


@pytest.mark.parametrize(
    ("name", "data", "part"),
    [
        ("bisenetv1", lambda: light(trunk()), ("cp.resnet.",)),
        (
            "bisenetv2",
            lambda: light({k: v for k, v in upstream("bisenetv2").items() if k[0] in "ds"}),
            ("detail.", "seg"),
        ),
    ],
)
def test_a_trunk_is_measured_by_the_trunk(load, name, data, part):
    model = build_model(name, 5)
    before = snapshot(model)
    text = load(model, data())
    assert "loaded: 100.0% of the trunk" in text
    assert {key.startswith(part) for key in changed(model, before)} == {True}


def test_options_in_which_the_networks_differ_are_named(load):
    state = light(mmsegmentation("bisenetv1")["state_dict"])
    text = load(build_model("bisenetv1", 19), state)
    assert text.split("\n  ")[1:3] == [
        "holds: mmsegmentation's bisenetv1, 19 classes and 3 channels",
        "differs: fusion is mmseg there and upstream here",
    ]
    assert "differs" not in load(build_model("bisenetv1", 19, architecture={"fusion": "mmseg"}), state)


def test_own_checkpoints_are_taken_too(tmp_path):
    torch.manual_seed(0)
    first, second = build_model("bisenetv2", 3), build_model("bisenetv2", 2)
    table = ClassTable.from_dict({"classes": [{"name": n, "color": [1, 2, 3]} for n in "abc"]}, "table")
    save_checkpoint(tmp_path / "model.pt", Checkpoint("bisenetv2", first, table, [0.5] * 3, [0.2] * 3))
    text = load_pretrained(second, read_weights(str(tmp_path / "model.pt"), tmp_path))
    assert "holds: bisenetv2 of this project, 3 classes and 3 channels" in text
    assert torch.equal(second.bga.conv[0].weight, first.bga.conv[0].weight)


def own_file(folder, names):
    model = build_model("bisenetv2", len(names), architecture={"width": 0.25})
    table = ClassTable.from_dict({"classes": [{"name": n, "color": [1, 2, 3]} for n in names]}, "table")
    save_checkpoint(folder / "model.pt", Checkpoint("bisenetv2", model, table, [0.5] * 3, [0.2] * 3))
    return read_weights(str(folder / "model.pt"), folder)


@pytest.mark.parametrize("classes", ["ba", "ac"])
def test_as_many_classes_that_are_others_skip_exactly_the_classifiers(tmp_path, classes):
    model = build_model("bisenetv2", 2, architecture={"width": 0.25})
    before = snapshot(model)
    torch.nn.init.ones_(model.head.conv_out[1].bias)
    text = load_pretrained(model, own_file(tmp_path, "ab"), tuple(classes))
    assert line(text, "skipped") == (
        f"skipped, classifier of other classes (a, b): {', '.join(CLASSIFIERS['bisenetv2'])}"
    )
    assert (model.head.conv_out[1].bias == 1).all()
    assert torch.equal(model.head.conv_out[1].weight, before["head.conv_out.1.weight"])
    for same in (("a", "b"), ["a", "b"], None):
        assert "skipped" not in load_pretrained(model, own_file(tmp_path, "ab"), same)


def test_what_is_used_of_the_file_is_told_too(tmp_path):
    deep, model = build_model("bisenetv2", 2, architecture={"depth": 2}), build_model("bisenetv2", 2)
    torch.save(deep.state_dict(), tmp_path / "deep.pth")
    text = load_pretrained(model, read_weights(tmp_path / "deep.pth", tmp_path))
    sizes = [
        sum(p.numel() for k, p in of.named_parameters() if not k.startswith(("aux", "head.conv_out.1.")))
        for of in (model, deep)
    ]
    assert 0.7 < sizes[0] / sizes[1] < 0.8
    assert line(text, "loaded").startswith("loaded: 100.0% of ")
    assert line(text, "of the file") == f"of the file: {sizes[0] / sizes[1]:.1%}"
    assert line(text, "differs") == "differs: depth is 2 there and 1 here"


def test_classifiers_of_pixel_shuffle_are_left_out_and_named(load):
    text = load(build_model("bisenetv1", 19), pixel_shuffled("bisenetv1"))
    assert line(text, "skipped").startswith(
        "skipped, upstream's classifiers of before July 2021 (PixelShuffle): conv_out"
    )


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        (
            "bisenetv2",
            lambda: light(upstream("bisenetv1")),
            "holds upstream's bisenetv1, 19 classes and 3 channels, and has 0% of the parameters of the network here, "
            "a bisenetv2; at least 50% must fit. Take weights of a bisenetv2, or train a bisenetv1",
        ),
        (
            "bisenetv2",
            lambda: light(trunk()),
            "holds torchvision's ResNet-18, 3 channels, and has 0% of the parameters of the trunk here, a bisenetv2",
        ),
        (
            "bisenetv1",
            lambda: light(mmsegmentation("bisenetv2")["state_dict"]),
            "holds mmsegmentation's bisenetv2.* has 0%",
        ),
    ],
)
def test_weights_of_another_network_are_refused_and_leave_the_model_as_it_was(load, name, data, message):
    model = build_model(name, 19)
    before = snapshot(model)
    with pytest.raises(InputError, match=f"file.pth: {message}"):
        load(model, data())
    assert changed(model, before) == set()


def test_weights_of_another_width_are_refused_with_the_option(load):
    with pytest.raises(
        InputError,
        match="has 0% .* a bisenetv2; .*Set the options .* as they are there: width is 1.0 there and 0.5 here",
    ):
        load(build_model("bisenetv2", 19, architecture={"width": 0.5}), light(upstream("bisenetv2")))


def test_the_least_share_is_the_callers(load):
    state = {
        key: value for key, value in light(upstream("bisenetv1")).items() if not key.startswith("cp.resnet.layer4")
    }
    model = build_model("bisenetv1", 19)
    counted = {k: p.numel() for k, p in model.named_parameters() if not k.startswith(("conv_out16", "conv_out32"))}
    counted = {key: count for key, count in counted.items() if not key.startswith("conv_out.conv_out")}
    share = sum(count for key, count in counted.items() if key in state) / sum(counted.values())
    assert 0.3 < share < 0.4
    with pytest.raises(InputError, match=f"has {share:.0%} of the parameters .*; at least 50% must fit"):
        load(model, state)
    assert f"loaded: {share:.1%} of" in load(model, state, least_share=0.3)


def test_imagenet_means_the_weights_published_for_the_model(tmp_path, monkeypatch):
    names = {name: url.rpartition("/")[2] for name, url in pretrained.IMAGENET_WEIGHTS.items()}
    assert names == {"bisenetv1": "resnet18-5c106cde.pth", "bisenetv2": "backbone_v2.pth"}
    torch.save(light(trunk()), tmp_path / "trunk.pth")
    monkeypatch.setitem(pretrained.IMAGENET_WEIGHTS, "bisenetv1", (tmp_path / "trunk.pth").as_uri())
    recorded, [text] = pretrained.start_from("imagenet", build_model("bisenetv1", 2), tmp_path / "cache")
    assert recorded == {"pretrained_sha256": file_digest(tmp_path / "trunk.pth")}
    assert "holds: torchvision's ResNet-18" in text


@pytest.mark.parametrize(("place", "before"), [("0", 1), ("1", 0)])
def test_only_the_first_process_of_a_machine_fetches_before_all_read(tmp_path, monkeypatch, place, before):
    torch.save(light(trunk()), tmp_path / "trunk.pth")
    url, calls = (tmp_path / "trunk.pth").as_uri(), []
    monkeypatch.setenv("LOCAL_RANK", place)
    monkeypatch.setattr(pretrained, "fetch", lambda *given: calls.append("fetch"))
    monkeypatch.setattr(pretrained, "read_weights", lambda *given: calls.append("read") or read_weights(*given))
    pretrained.start_from(url, build_model("bisenetv1", 2), tmp_path / "cache")
    assert calls == ["fetch"] * before + ["read"]
