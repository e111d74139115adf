"""The options of `python -m stages.demo`, what becomes of files that cannot be read, and images of every kind."""

import argparse
import io

import numpy as np
import pytest
import tifffile
import torch
from foreign_weights import reference_weights, upstream
from PIL import Image
from torch import nn

from bisenet.deployment.opening import Network
from bisenet.errors import InputError
from bisenet.inference.evaluation import evaluate
from bisenet.inference.predictor import Predictor
from bisenet.interface import Segmenter
from bisenet.models.architectures import MODELS, build_model
from bisenet.models.normalize import Normalize
from bisenet.samples.class_tables import BUILT_IN
from bisenet.samples.classes import IGNORE, ClassTable
from bisenet.samples.images import read_image
from bisenet.samples.labels import LabelReader
from bisenet.samples.loader import SegmentationDataset, train_loader, val_loader
from bisenet.system.png import write_png
from bisenet.system.yaml12 import read_yaml
from bisenet.training.losses import MultiHeadLoss, OhemCrossEntropy
from bisenet.training.optim import build_optimizer
from bisenet.training.trainer import Trainer
from bisenet.training.transforms import TrainTransform
from bisenet.visualize import id_palette
from bisenet.weights.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from stages import demo
from stages.demo import draw_files
from stages.params.arguments import share

TABLE = ClassTable.from_dict(
    {"classes": [{"name": n, "id": 7 + i, "color": [9, i, 0]} for i, n in enumerate("abc")]}, "table"
)
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("1", 1), ("0.5", 0.5), ("1.0", 1), ("1e-3", 0.001), ("-0", 0)])
def test_a_share_from_0_to_1_is_a_number(text, value):
    assert share(text) == value


@pytest.mark.parametrize("text", ["-0.1", "1.0001", "2", "nan", "inf", "-inf"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"^{text} is not a number from 0 to 1$"):
        share(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.5", "argument --alpha: 1.5 is not a number from 0 to 1"),
        ("half", "argument --alpha: invalid share value: 'half'"),
    ],
)
def test_a_wrong_alpha_ends_before_anything_is_read(monkeypatch, capsys, text, message):
    monkeypatch.setattr("sys.argv", ["demo", "--input", "absent", "--alpha", text])
    with pytest.raises(SystemExit) as end:
        demo.main()
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def net_of(path):
    cpu = torch.device("cpu")
    return Segmenter(Network.of(load_checkpoint(path), cpu))


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    monkeypatch.setitem(MODELS, "channels", lambda num_classes, in_channels: nn.Conv2d(in_channels, num_classes, 1))
    path = tmp_path / "model.pt"
    model = MODELS["channels"](3, 3)
    save_checkpoint(path, Checkpoint("channels", model, TABLE, [0.5] * 3, [0.25] * 3))
    return path


def jpeg(height, width):
    buffer = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def test_jpegs_with_bytes_after_their_end_are_drawn_and_cut_ones_are_named(tmp_path, checkpoint):
    photos = tmp_path / "photos"
    photos.mkdir()
    whole = jpeg(40, 60)
    files = {"whole.jpg": whole, "longer.jpg": whole + RNG.bytes(200_000), "cut.jpg": whole[:-500]}
    for name, data in files.items():
        (photos / name).write_bytes(data)
    for _ in range(2):  # the second time beside the results of the first, which are no input
        with pytest.raises(InputError) as caught:
            draw_files(photos, photos / "out", net_of(checkpoint), 0.5)
        lines = str(caught.value).split("\n  ")
        assert lines[0] == "1 of 3 files could not be read:"
        assert lines[1].startswith(f"{photos / 'cut.jpg'}: the file is cut short")
        written = {path.relative_to(photos / "out").as_posix() for path in (photos / "out").rglob("*.png")}
        kinds = ("overlay", "color", "id")
        assert written == {"legend.png", *(f"{kind}/{name}.png" for kind in kinds for name in ("whole", "longer"))}
    ids = [np.asarray(Image.open(photos / "out/id" / f"{name}.png")) for name in ("whole", "longer")]
    assert ids[0].shape == (40, 60)
    assert set(np.unique(ids[0]).tolist()) <= {7, 8, 9}
    assert (ids[0] == ids[1]).all()


def test_upstreams_weights_and_the_name_of_a_dataset_are_enough(tmp_path, monkeypatch):
    """Where there is no dataset, no parameters and no checkpoint; the numbers are upstream's for Cityscapes."""
    monkeypatch.chdir(tmp_path)
    weights = reference_weights(upstream("bisenetv2"))
    torch.save({f"module.{key}": value for key, value in weights.items()}, "model_final_v2_city.pth")
    (tmp_path / "photo.jpg").write_bytes(jpeg(45, 70))
    argv = "demo --input photo.jpg --weights model_final_v2_city.pth --model bisenetv2 --dataset cityscapes"
    monkeypatch.setattr("sys.argv", [*argv.split(), "--precision", "off"])
    demo.main()
    assert np.asarray(Image.open("out/overlay/photo.png")).shape == (45, 70, 3)
    pixels = torch.from_numpy(read_image("photo.jpg").astype(np.float32) / 255)
    normal = (pixels - torch.tensor([0.3257, 0.3690, 0.3223])) / torch.tensor([0.2112, 0.2148, 0.2115])
    model = build_model("bisenetv2", 19).eval()
    model.load_state_dict(weights)
    with torch.inference_mode():
        label = model(normal.permute(2, 0, 1)[None].contiguous()).argmax(1)[0].numpy()
    ids = np.array([7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33])
    assert (np.asarray(Image.open("out/id/photo.png")) == ids[label]).mean() > 0.999  # where two classes are equal
    assert len(np.unique(label)) > 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            "--weights none.pth",
            "none.pth: cannot be read .No such file or directory.; train first, or give another path",
        ),
        ("", "results/train/model.pt: cannot be read .*; train first"),
        ("--weights http://127.0.0.1:9/x.pth", "x.pth: cannot be fetched .*; download it by hand"),
        ("--checkpoint other.pth", "other.pth: holds no weights of PyTorch: it is a web page"),
    ],
)
def test_weights_that_are_not_there_are_named(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.pth").write_text("<html>404")
    monkeypatch.setattr("sys.argv", f"demo --input photo.jpg --device cpu {options}".split())
    with pytest.raises(InputError, match=message):
        demo.main()


def test_a_missing_input_is_named(tmp_path, checkpoint):
    with pytest.raises(InputError, match=f"{tmp_path / 'absent'}: there is no such file or folder"):
        draw_files(tmp_path / "absent", tmp_path / "out", net_of(checkpoint), 0.5)


def test_colours_are_a_palette_png_of_the_datasets_own_ids(tmp_path, checkpoint):
    (tmp_path / "photo.jpg").write_bytes(jpeg(20, 30))
    for output in ("one", "two"):
        draw_files(tmp_path / "photo.jpg", tmp_path / output, net_of(checkpoint), 0.5)
    with Image.open(tmp_path / "one/color/photo.png") as color, Image.open(tmp_path / "one/id/photo.png") as ids:
        assert (color.mode, ids.mode) == ("P", "L")
        assert (np.asarray(color) == np.asarray(ids)).all()
        seen = np.unique(np.asarray(color.convert("RGB")).reshape(-1, 3), axis=0)
        assert set(map(tuple, seen.tolist())) <= set(TABLE.colors)
    for file in (tmp_path / "one").rglob("*.png"):
        assert file.read_bytes() == (tmp_path / "two" / file.relative_to(tmp_path / "one")).read_bytes()


def test_ids_above_255_are_16_bit_and_their_colours_rgb(tmp_path, monkeypatch):
    monkeypatch.setitem(MODELS, "first", lambda num_classes, in_channels: nn.Conv2d(in_channels, num_classes, 1))
    entries = [{"name": "a", "id": 300, "color": [1, 2, 3]}, {"name": "b", "id": 4, "color": [4, 5, 6]}]
    table = ClassTable.from_dict({"classes": entries}, "table")
    model = MODELS["first"](2, 3)
    nn.init.zeros_(model.weight).requires_grad_(False)
    model.bias.data = torch.tensor([1.0, 0.0])
    save_checkpoint(tmp_path / "model.pt", Checkpoint("first", model, table, [0.5] * 3, [0.25] * 3))
    (tmp_path / "photo.jpg").write_bytes(jpeg(20, 30))
    draw_files(tmp_path / "photo.jpg", tmp_path / "out", net_of(tmp_path / "model.pt"), 0.5)
    assert (np.asarray(Image.open(tmp_path / "out/id/photo.png")) == 300).all()
    color = np.asarray(Image.open(tmp_path / "out/color/photo.png"))
    assert color.shape == (20, 30, 3)
    assert (color == (1, 2, 3)).all()


@pytest.mark.parametrize("file", sorted(BUILT_IN.glob("*.yaml")), ids=lambda file: file.stem)
def test_written_ids_are_read_back_as_the_same_classes(tmp_path, file):
    table = ClassTable.from_dict(read_yaml(file), file)
    classes = [*range(len(table)), *([IGNORE] if table.ignore.ids else [])]
    label = np.tile(np.array(classes, np.uint8), (3, 2))
    ids = table.to_raw(label)
    write_png(tmp_path / "id.png", ids)
    assert (LabelReader(table)(tmp_path / "id.png") == label).all()
    if ids.dtype == np.uint8:
        write_png(tmp_path / "color.png", ids, palette=id_palette(table))
        assert (LabelReader(table)(tmp_path / "color.png") == label).all()


def write_npy(path, array):
    np.save(path, array)


def write_tiff(path, array):
    tifffile.imwrite(path, array, photometric="minisblack", planarconfig="contig")


def write_pillow(path, array):
    Image.fromarray(array.squeeze()).save(path)


FORMS = {  # channels, bit depth, suffix, writer
    "grey": (1, 8, ".png", write_pillow),
    "rgb and one more": (4, 8, ".png", write_pillow),
    "six channels": (6, 8, ".npy", write_npy),
    "16 bit grey": (1, 16, ".png", write_pillow),
    "16 bit, five channels": (5, 16, ".tif", write_tiff),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["bisenetv1", "bisenetv2"])
def test_every_kind_of_image_is_trained_on_saved_measured_and_drawn(tmp_path, name, form):
    channels, bit_depth, suffix, write = FORMS[form]
    highest, dtype = 2**bit_depth - 1, np.dtype(f"uint{bit_depth}")
    rng = np.random.default_rng(0)
    pairs = [(f"images/{i}{suffix}", f"{i}-label.png") for i in range(2)]
    (tmp_path / "images").mkdir()
    for image, label in pairs:
        write(tmp_path / image, rng.integers(0, highest + 1, (40, 50, channels), dtype=dtype))
        Image.fromarray(rng.integers(7, 10, (40, 50), dtype=np.uint8)).save(tmp_path / label)
    normalization = {"mean": [0.5] * channels, "std": [0.3] * channels, "bit_depth": bit_depth}
    asked = {"channels": channels, "bit_depth": bit_depth}

    cpu = torch.device("cpu")
    transform = TrainTransform(crop=(32, 48), scales=(0.5, 1.5), flip=0.5, jitter=0.4, mean=normalization["mean"])
    batches = train_loader(
        SegmentationDataset(pairs, tmp_path, TABLE, transform, **asked),
        batch_size=2, max_iter=1, seed=0, workers=0, device=cpu,
    )  # fmt: skip
    torch.manual_seed(0)
    model = build_model(name, len(TABLE), in_channels=channels)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    rates = {"lr": 0.01, "head_lr_factor": 1, "weight_decay": 0}
    trainer = Trainer(
        model, criterion=MultiHeadLoss(OhemCrossEntropy(0.7), 1.0),
        optimizer=build_optimizer(model, **rates, optimizer="sgd", momentum=0.9), schedule=lambda step: 1.0,
        normalize=Normalize(**normalization), device=cpu, amp="off", batch_size=2,
    )  # fmt: skip
    [batch] = batches
    assert trainer.step(batch) is None
    assert any(
        (value != before[key]).any() for key, value in model.state_dict().items() if "conv1" in key or "S1" in key
    )

    save_checkpoint(tmp_path / "model.pt", Checkpoint(name, model, TABLE, params={}, **normalization))
    loaded = load_checkpoint(tmp_path / "model.pt")
    images = val_loader(SegmentationDataset(pairs, tmp_path, TABLE, **loaded.image_form), workers=0, device=cpu)
    matrix = evaluate(Predictor.of(loaded, device=cpu), images, len(TABLE))
    assert matrix.sum() == 2 * 40 * 50

    draw_files(tmp_path / "images", tmp_path / "out", net_of(tmp_path / "model.pt"), 0.5)
    counts = np.zeros(10, int)
    for i in range(2):
        counts += np.bincount(np.asarray(Image.open(tmp_path / f"out/id/{i}.png")).ravel(), minlength=10)
        assert np.asarray(Image.open(tmp_path / f"out/overlay/{i}.png")).shape == (40, 50, 3)
    assert counts[7:].tolist() == matrix.sum(0).tolist()


def test_an_image_of_another_kind_than_the_models_is_named(tmp_path, checkpoint):
    photos = tmp_path / "photos"
    photos.mkdir()
    write_pillow(photos / "deep.png", np.zeros((5, 6), np.uint16))
    write_npy(photos / "many.npy", np.zeros((5, 6, 7), np.uint8))
    write_pillow(photos / "grey.png", np.zeros((5, 6), np.uint8))
    with pytest.raises(InputError) as caught:
        draw_files(photos, tmp_path / "out", net_of(checkpoint), 0.5)
    lines = str(caught.value).split("\n  ")
    assert lines[0] == "2 of 3 files could not be read:"
    assert lines[1].startswith(f"{photos / 'deep.png'}: is 16 bit, and 8 bit is wanted")
    assert lines[2].startswith(f"{photos / 'many.npy'}: has 7 channels, and 3 are wanted")
    assert (tmp_path / "out/id/grey.png").is_file()
