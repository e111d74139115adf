"""The Python interface, as somebody uses it who never sees the pipeline."""

import json
import re
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from project import ROOT

import bisenet
from bisenet.inference.protocols import predict
from bisenet.interface import PROTOCOLS
from bisenet.models.architectures import build_model
from bisenet.models.normalize import Normalize
from bisenet.samples.classes import ClassTable
from bisenet.weights.checkpoint import Checkpoint, save_checkpoint

NAMES = "road", "car", "tree", "sky"
COLORS = (128, 64, 128), (0, 0, 142), (107, 142, 35), (70, 130, 180)
IDS = 7, 26, 21, 23
MEAN, STD = [0.3, 0.4, 0.5], [0.2, 0.25, 0.3]


def table():
    rows = zip(NAMES, IDS, COLORS, strict=True)
    classes = [{"name": name, "id": number, "color": list(color)} for name, number, color in rows]
    return ClassTable.from_dict({"classes": classes, "ignore": [0]}, "table")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return build_model("bisenetv2", 4, architecture={"head_channels": 16, "width": 0.5}).eval()


@pytest.fixture(scope="module")
def weights(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "model.pt"
    with torch.no_grad():
        for module in model.modules():  # so that every class is seen somewhere
            if isinstance(module, torch.nn.Conv2d) and module.bias is not None:
                module.weight.mul_(100)
    save_checkpoint(path, Checkpoint("bisenetv2", model, table(), MEAN, STD, {"amp": "off"}))
    return path


@pytest.fixture(scope="module")
def net(weights):
    return bisenet.load(weights, device="cpu", precision="off")


@pytest.fixture
def photo():
    """(61, 83, 3): no side is a multiple of anything."""
    coarse = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    return cv2.resize(coarse, (83, 61), interpolation=cv2.INTER_LINEAR)


def logits_of(model, image):
    shares = (torch.from_numpy(image).float() / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    with torch.inference_mode():
        return model(shares.permute(2, 0, 1)[None])[0]


# --- what is seen ----------------------------------------------------------------------------------


def test_labels_and_what_follows_from_them(net, model, photo):
    seen = net(photo)
    expected = logits_of(model, photo).argmax(0).numpy()
    assert seen.labels.dtype == np.uint8
    assert (seen.labels == expected).mean() > 0.999
    assert (seen.ids == np.array(IDS)[seen.labels]).all()
    counts = {name: int((seen.labels == i).sum()) for i, name in enumerate(NAMES)}
    assert len([count for count in counts.values() if count]) > 1
    assert seen.names == sorted((name for name in NAMES if counts[name]), key=lambda name: -counts[name])
    assert [seen.share(name) for name in NAMES] == [counts[name] / (61 * 83) for name in NAMES]
    assert repr(seen).startswith(f"<Segmentation of 83 x 61 pixels: {seen.names[0]} ")
    assert net.names == NAMES


def test_probabilities_are_computed_when_asked_for_and_not_before(net, model, photo, monkeypatch):
    calls = []
    monkeypatch.setattr(type(net._predictor), "probabilities", counting(type(net._predictor).probabilities, calls))
    seen = net(photo)
    assert seen.labels.shape == (61, 83) and not calls
    assert seen.probabilities is seen.probabilities
    assert len(calls) == 1
    assert seen.probabilities.dtype == np.float32
    np.testing.assert_allclose(seen.probabilities, logits_of(model, photo).softmax(0), atol=1e-4)
    assert (seen.probabilities.argmax(0) == seen.labels).all()


def counting(function, calls):
    def counted(*arguments):
        calls.append(arguments)
        return function(*arguments)

    return counted


def test_pictures(net, photo, tmp_path):
    seen = net(photo)
    assert (np.asarray(seen.overlay(0)) == photo).all()
    colors = np.array(COLORS, np.uint8)[seen.labels]
    assert (np.asarray(seen.overlay(1)) == colors).all()
    assert (np.asarray(seen.color()) == colors).all()
    half = (photo.astype(float) + colors) / 2
    assert np.abs(np.asarray(seen.overlay()) - half).max() <= 0.5
    seen.overlay(alpha=0.5).save(tmp_path / "out.png")
    seen.save_ids(tmp_path / "new" / "ids.png")
    seen.save_color(str(tmp_path / "color.png"))
    assert (cv2.imread(str(tmp_path / "new" / "ids.png"), cv2.IMREAD_UNCHANGED) == seen.ids).all()
    assert (np.asarray(Image.open(tmp_path / "color.png")) == seen.ids).all()
    assert (np.asarray(Image.open(tmp_path / "color.png").convert("RGB")) == colors).all()


def test_real_photographs(net, model, camvid):
    paths = sorted((camvid / "val").iterdir())[:2]
    found = net(paths)
    for path, seen in zip(paths, found, strict=True):
        image = cv2.imread(str(path))[..., ::-1]
        assert seen.image.tolist() == image.tolist()
        assert (seen.labels == logits_of(model, np.ascontiguousarray(image)).argmax(0).numpy()).mean() > 0.999


# --- what is taken ---------------------------------------------------------------------------------


def test_a_list_of_mixed_sizes_and_kinds(net, photo, tmp_path):
    Image.fromarray(photo).save(tmp_path / "photo.png")
    found = net([photo, photo[:1, :1], str(tmp_path / "photo.png"), Image.fromarray(photo), photo[:40, ::-1]])
    assert [seen.labels.shape for seen in found] == [(61, 83), (1, 1), (61, 83), (61, 83), (40, 83)]
    assert (found[0].labels == found[2].labels).all() and (found[0].labels == found[3].labels).all()
    assert net([]) == []


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1"])
def test_a_pil_image_is_taken_as_the_file_of_it(net, photo, tmp_path, mode):
    image = Image.fromarray(photo).convert(mode)
    image.save(tmp_path / "photo.png")
    assert (net(image).image == net(tmp_path / "photo.png").image).all()


def test_grey_and_alpha_arrays(net, photo):
    grey = photo[..., 0]
    assert (net(grey).image == np.repeat(grey[..., None], 3, axis=2)).all()
    assert (net(grey[..., None]).labels == net(grey).labels).all()
    assert (net(np.dstack([photo, grey])).image == photo).all()


def test_a_turned_photograph_is_upright(net, photo, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photo).save(tmp_path / "turned.jpg", exif=exif)
    with Image.open(tmp_path / "turned.jpg") as image:
        assert net(image).labels.shape == net(tmp_path / "turned.jpg").labels.shape == (83, 61)


def test_many_channels_of_16_bits(tmp_path):
    torch.manual_seed(0)
    model = build_model("bisenetv1", 4, 6).eval()
    save_checkpoint(tmp_path / "model.pt", Checkpoint("bisenetv1", model, table(), [0.5] * 6, [0.2] * 6, {}, 16))
    net = bisenet.load(tmp_path / "model.pt", device="cpu", precision="off")
    image = np.random.default_rng(0).integers(0, 65536, (33, 40, 6), np.uint16)
    with torch.inference_mode():
        expected = predict(model, Normalize([0.5] * 6, [0.2] * 6, 16)(torch.from_numpy(image)[None]))[0]
    assert (net(image).labels == expected.numpy()).mean() > 0.999
    assert net(image).overlay().size == (40, 33)
    with pytest.raises(bisenet.InputError, match="is 8 bit, and 16 bit is wanted"):
        net(image.astype(np.uint8))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (None, "an image is a path, a PIL image or an array .* not NoneType"),
        (7, "not int"),
        ({"image": 1}, "not dict"),
        (torch.zeros(4, 4, 3), "not Tensor"),
        (np.zeros((4, 5, 3), np.float32), "8 or 16 bit .* this is float32"),
        (np.zeros((4, 5, 3), np.uint16), "is 16 bit, and 8 bit is wanted"),
        (np.zeros((3, 40, 50), np.uint8), "has 50 channels, and 3 are wanted"),
        (np.zeros((2, 4, 5, 3), np.uint8), r"not one of shape \(2, 4, 5, 3\)"),
        (np.zeros((0, 5, 3), np.uint8), r"not one of shape \(0, 5, 3\)"),
        ("absent.jpg", "absent.jpg: cannot be read"),
        (".", "cannot be read"),
        ([np.zeros((4, 5, 3), np.uint8), "absent.jpg"], "absent.jpg: cannot be read"),
    ],
)
def test_what_is_no_image_is_refused(net, wrong, message):
    with pytest.raises(bisenet.InputError, match=message):
        net(wrong)


def test_files_that_are_no_images_are_named(net, tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "empty.png").touch()
    cv2.imwrite(str(tmp_path / "deep.png"), np.zeros((4, 4, 3), np.uint16))
    for name, why in (("notes.txt", "cannot be decoded"), ("empty.png", "empty"), ("deep.png", "is 16 bit")):
        with pytest.raises(bisenet.InputError, match=f"{name}: .*{why}"):
            net(tmp_path / name)


@pytest.mark.parametrize(("name", "message"), [("roat", "did you mean 'road'"), (3, "there are road, car, tree, sky")])
def test_a_class_that_is_none_is_refused(net, photo, name, message):
    with pytest.raises(bisenet.InputError, match=message):
        net(photo).share(name)


@pytest.mark.parametrize("alpha", [-0.1, 1.5, "half", None])
def test_an_overlay_of_no_share_is_refused(net, photo, alpha):
    with pytest.raises(bisenet.InputError, match="alpha: must be a number from 0 to 1"):
        net(photo).overlay(alpha)


# --- protocols and precision -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "changes"), [("ss", {}), ("msf", {}), ("half", {}), ("ss", {"window": (32, 40), "flip": True})]
)
def test_protocols_see_what_predict_sees(net, model, photo, name, changes):
    row = PROTOCOLS[name] | changes
    seen = net.protocol(name, **changes)(photo)
    with torch.inference_mode():
        batch = Normalize(MEAN, STD)(torch.from_numpy(photo)[None])
        assert (seen.labels == predict(model, batch, **row)[0].numpy()).mean() > 0.999
    np.testing.assert_allclose(seen.probabilities.sum(0), 1, atol=1e-5)
    assert (seen.probabilities.argmax(0) == seen.labels).mean() > 0.999
    assert net.protocol(name, **changes).names == net.names


@pytest.mark.parametrize(
    ("arguments", "changes", "message"),
    [
        (["msff"], {}, "there is no 'msff'; choose one of ss, ssc, msf, mscf, half"),
        ([], {"scale": [1.0]}, "no parameter 'scale' here; did you mean 'scales'"),
        ([], {"scales": []}, "scales must be a list of one or more numbers above 0"),
        ([], {"flip": 1}, "flip must be true or false"),
        ([], {"window": 512}, "window must be"),
        ([], {"short_side": 100, "long_side": 200}, "exclude each other"),
    ],
)
def test_a_protocol_that_is_none_is_refused(net, arguments, changes, message):
    with pytest.raises(bisenet.InputError, match=message):
        net.protocol(*arguments, **changes)


@pytest.mark.parametrize("told", [{}, {"precision": "auto"}])
def test_precision_is_the_fastest_unless_told(weights, photo, tmp_path, monkeypatch, told):
    asked = []

    def measured(works, *, key, store, first_try, together):
        asked.append((list(works), list(first_try), store, together))
        assert json.loads(json.dumps(key)) == key and key["network"] == "bisenetv2"
        assert [work().shape for work in first_try.values()] == [(1, 64, 128)] * 2
        return "bf16"

    monkeypatch.setattr("bisenet.inference.predictor.fastest", measured)
    net = bisenet.load(weights, device="cpu", cache=tmp_path, **told)
    assert asked == [(["off", "bf16"], ["off", "bf16"], tmp_path / "precision.json", False)]
    assert net.precision == net.protocol("msf").precision == "bf16"
    seen = []
    classifier = net._predictor.model.head.conv_out
    classifier.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    assert net(photo).probabilities.dtype == np.float32
    assert seen == [torch.bfloat16] * 2


@pytest.mark.parametrize("precision", ["off", "bf16", "fp16"])
def test_a_precision_that_is_told_is_not_measured(weights, photo, net, monkeypatch, precision):
    monkeypatch.setattr("bisenet.inference.predictor.fastest", None)
    told = bisenet.load(weights, device="cpu", precision=precision)
    assert told.precision == precision
    assert (told(photo).labels == net(photo).labels).mean() > 0.97


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("absent.pt", {}, "absent.pt: .*"),
        (None, {}, "weights: a file or a URL, not NoneType"),
        ("weights", {"device": "gpu"}, "device: 'gpu' is none of auto, cpu"),
        ("weights", {"device": 0}, "device: '0' is none of auto, cpu"),
        ("weights", {"precision": "half"}, "precision: 'half' is none of auto, off, bf16, fp16"),
        ("weights", {"model": "bisenetv1"}, "holds .*, not a bisenetv1"),
        ("weights", {"dataset": "cityscapes"}, "was trained on 4 classes"),
        ("weights", {"mean": [2, 0, 0]}, "mean: must be a list, each a number from 0 to 1, not "),
        ("weights", {"std": np.array([0.2, 0.2])}, "std: 3 numbers from 0 to 1"),
        ("weights", {"std": 0.2}, "std: must be a list, each a number from 0 to 1, not 0.2"),
    ],
)
def test_what_cannot_be_loaded_is_told(weights, source, options, message):
    with pytest.raises(bisenet.InputError, match=message):
        bisenet.load(weights if source == "weights" else source, device=options.pop("device", "cpu"), **options)


# --- import bisenet --------------------------------------------------------------------------------


def test_from_an_empty_folder_quick_to_import_and_nothing_left_behind(weights, photo, tmp_path):
    Image.fromarray(photo).save(tmp_path / "photo.png")
    work = tmp_path / "work"
    work.mkdir()
    code = """
import json, sys
import bisenet
light = sorted({"torch", "numpy", "cv2", "PIL", "yaml"} & set(sys.modules))
seen = bisenet.load(sys.argv[1], device="cpu")(sys.argv[2])
print(json.dumps([light, list(seen.labels.shape), dir(bisenet)]))
"""
    command = [sys.executable, "-c", code, str(weights), str(tmp_path / "photo.png")]
    environment = {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "PATH": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=True)
    *told, found = done.stdout.splitlines()
    light, shape, names = json.loads(found)
    assert light == [] and shape == [61, 83] and names == ["InputError", "Segmentation", "Segmenter", "load"]
    assert list(work.iterdir()) == []
    [line] = told  # the precision was measured, once
    assert str(tmp_path / ".cache" / "bisenet" / "precision.json") in line


def test_the_example_in_readme(weights, photo, tmp_path, monkeypatch, capsys):
    [code] = re.findall(
        "```python\n(import bisenet\n.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    (tmp_path / "results" / "train").mkdir(parents=True)
    shutil.copy(weights, tmp_path / "results" / "train" / "model.pt")
    Image.fromarray(photo).save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bisenet.inference.predictor.fastest", lambda works, **how: "off")
    found = {}
    exec(code, found)
    assert found["labels"].shape == (61, 83)
    assert Image.open("overlay.png").size == (83, 61)
    assert "road" in capsys.readouterr().out


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'bisenet' has no attribute 'lod'"):
        bisenet.lod  # noqa: B018
