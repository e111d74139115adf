"""The proof must find what goes wrong in the field, each of it without a word from the runtime."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from deployed_networks import pictures

from bisenet.deployment.exporting import export_all
from bisenet.deployment.formats.contract import Engine, Format
from bisenet.deployment.formats.onnx_file import OnnxRuntime
from bisenet.deployment.pictures import DrawnStreets, pictures_of
from bisenet.deployment.proof import Judge
from bisenet.errors import InputError
from bisenet.samples.annotations import CLASSES_FILE
from bisenet.system.artifacts import write_text
from bisenet.system.png import write_png
from bisenet.system.yaml12 import yaml_text


class Pictures(list):
    words = "some pictures"


@pytest.fixture(scope="module")
def judge(checkpoint):
    labels = [np.full((67, 101), place, np.uint8) for place in range(2)]
    return Judge(checkpoint, Pictures(zip(pictures(2), labels, strict=True)))


class Spoiled(OnnxRuntime):
    """A sound runtime whose user does something else with the images."""

    def __init__(self, path, spoil):
        super().__init__(path, threads=1)
        self._spoil = spoil

    def run(self, images):
        return super().run(np.ascontiguousarray(self._spoil(images)))

    logits = None
    shows_logits = False


def test_a_sound_export_agrees(onnx_path, judge):
    proof = judge.prove(OnnxRuntime(onnx_path, threads=1))
    assert proof.agreement > 0.9999 and proof.least > 0.9999 and proof.largest_difference < 1e-4
    assert proof.shares.keys() == {"images", "361 x 479", "33 x 2000", "batch of 3"}
    assert proof.miou == pytest.approx(proof.checkpoint_miou, abs=1e-4) and proof.miou > 0


def test_of_images_that_a_runtime_is_too_small_for_a_part_is_compared(onnx_path, judge):
    class Small(OnnxRuntime):
        longest = 48

        def run(self, images):
            assert max(images.shape[1:3]) <= 48 or images.shape[1:3] in {(361, 479), (33, 2000), (97, 160)}
            return super().run(images)

    assert judge.prove(Small(onnx_path, threads=1)).agreement > 0.9999


@pytest.mark.parametrize(
    "spoil",
    [
        lambda images: images[..., ::-1],  # BGR
        lambda images: images // 2 * 2 // 3,  # another mean
        lambda images: np.roll(images, 4, axis=2),  # moved by half a cell
        lambda images: images[:, ::-1],
    ],
)
def test_what_is_wrong_shows(onnx_path, judge, spoil):
    proof = judge.prove(Spoiled(onnx_path, spoil))
    assert proof.agreement < 0.99 and proof.picture.shape[2] == 3


class Constant(Engine):
    """A file that always says the first class, but right at odd sizes: no more than one share is wrong."""

    runtime, precision, shows_logits = "Constant 1.0", "float32", False

    def __init__(self, sound, wrong_size):
        self.path, self.description, self._sound, self._wrong = sound.path, sound.description, sound, wrong_size

    def run(self, images):
        return self._sound.run(images) * (images.shape[1:3] != self._wrong)


def written(onnx_path, wrong_size):
    def export(source, folder):
        (folder / "model.bin").write_bytes(b"12345")

    def opened(path, device, threads):
        return Constant(OnnxRuntime(onnx_path, threads=1), wrong_size)

    return Format("constant", "always the same", "model.bin", export, opened)


def test_one_wrong_size_fails_the_export_and_names_the_picture(onnx_path, judge, source, tmp_path):
    form = written(onnx_path, (33, 2000))
    with pytest.raises(InputError, match="constant: in Constant 1.0") as error:
        export_all([form], source, tmp_path, judge)
    picture = tmp_path / "differences" / "constant.png"
    assert str(picture) in str(error.value) and picture.is_file() and "33 x 2000" in str(error.value)
    assert json.loads((tmp_path / "metrics.json").read_text())["constant"]["agreement"] > 0.999
    export_all([form], source, tmp_path, judge, agreement=0.0)  # a lower share may be asked for


def test_one_format_that_cannot_be_made_leaves_the_others(onnx_path, judge, source, tmp_path):
    def refuse(source, folder):
        raise InputError("constant: needs a compiler; install one")

    sound = written(onnx_path, None)
    faulty = Format(**{**vars(sound), "name": "faulty", "export": refuse})
    with pytest.raises(InputError, match="faulty: constant: needs a compiler"):
        export_all([faulty, sound], source, tmp_path, judge)
    assert json.loads((tmp_path / "metrics.json").read_text()).keys() == {"constant"}


def test_a_failed_export_leaves_the_one_before(onnx_path, judge, source, tmp_path):
    form = written(onnx_path, None)
    export_all([form], source, tmp_path, judge)

    def fail(source, folder):
        (folder / "half").write_bytes(b"")
        raise OSError(28, "No space left on device", str(folder))

    with pytest.raises(OSError):
        export_all([Format(**{**vars(form), "export": fail})], source, tmp_path, judge)
    assert [path.name for path in (tmp_path / "models").rglob("*")] == ["constant", "model.bin"]


def test_photographs_of_another_form_than_the_network_s_give_way_to_drawn_streets(checkpoint, tmp_path, capsys):
    for folder in "images", "labels":
        (tmp_path / "raw" / folder).mkdir(parents=True)
    write_png(tmp_path / "raw/images/x.png", pictures(1)[0])
    write_png(tmp_path / "raw/labels/x.png", np.full((67, 101), 7, np.uint8))
    annos = tmp_path / "annos"
    annos.mkdir()
    write_text(annos / CLASSES_FILE, yaml_text(checkpoint.table.to_dict()))
    write_text(annos / "val.txt", "images/x.png,labels/x.png\n")
    place = {"annos": annos, "data_root": tmp_path / "raw"}
    network = SimpleNamespace(table=checkpoint.table, image_form={"channels": 3, "bit_depth": 8})
    assert pictures_of(network, "val", 4, **place).words == "1 images of the dataset"
    network.image_form["bit_depth"] = 16
    assert pictures_of(network, "val", 4, **place).words == "4 drawn streets"
    assert "x.png: is 8 bit" in capsys.readouterr().err
    with pytest.raises(InputError, match="x.png: is 8 bit"):
        pictures_of(network, "val", 4, own=True, **place)


@pytest.mark.parametrize("form", [{"channels": 1, "bit_depth": 8}, {"channels": 5, "bit_depth": 16}])
def test_drawn_streets_have_the_checkpoint_s_form(form):
    ((image, label),) = DrawnStreets(form, 1)
    assert image.shape[2] == form["channels"] and image.dtype == f"uint{form['bit_depth']}" and label is None
    assert image.max() > 128 * (1 if form["bit_depth"] == 8 else 257)
