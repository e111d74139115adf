"""ncnn's files, run by ncnn as a program that is not ours would do it."""

import numpy as np
import pytest
import torch
from deployed_networks import pictures

from bisenet.deployment.formats.ncnn_net import FILE, OFF, export
from bisenet.deployment.formats.table import open_engine
from bisenet.errors import InputError

ncnn = pytest.importorskip("ncnn", reason="ncnn is not installed: make extras")
BIN = "model.ncnn.bin"


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory):
    pytest.importorskip("pnnx", reason="pnnx is not installed: make extras")
    folder = tmp_path_factory.mktemp("ncnn")
    export(source, folder)
    return folder


@pytest.fixture
def copy(folder, tmp_path):
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path / FILE


def expected_logits(checkpoint, images):
    with torch.inference_mode():
        return checkpoint.model(checkpoint.normalize(torch.from_numpy(images))).numpy()


@pytest.mark.parametrize("size", [(361, 479), (33, 200), (64, 96), (7, 5), (1, 1)])
def test_planes_in_logits_out_at_any_size(folder, checkpoint, size):
    (image,) = pictures(1, *size)
    net = ncnn.Net()
    for option in OFF:
        setattr(net.opt, option, False)
    assert net.load_param(str(folder / FILE)) == 0 and net.load_model(str(folder / BIN)) == 0
    extractor = net.create_extractor()
    planes = np.ascontiguousarray(image.transpose(2, 0, 1), np.float32)
    extractor.input("in0", ncnn.Mat(planes))
    failed, logits = extractor.extract("out0")
    assert not failed and np.abs(np.array(logits) - expected_logits(checkpoint, image[None])[0]).max() < 1e-4


def test_the_engine(folder, checkpoint, source):
    engine = open_engine(folder / FILE, threads=1)
    assert engine.description == source.description and engine.precision == "float32"
    images = np.stack(pictures(3))
    logits = expected_logits(checkpoint, images)
    assert np.abs(engine.logits(images) - logits).max() < 1e-4
    labels = engine.run(images)
    assert labels.dtype == np.uint8 and (labels == logits.argmax(1)).mean() > 0.9999


def test_only_two_files_and_the_same_bytes_again(folder, source, tmp_path):
    export(source, tmp_path)
    files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert files == {file.name: file.read_bytes() for file in folder.iterdir()} and files.keys() == {FILE, BIN}


def cut(data):
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        (FILE, cut, "no metadata"),
        (FILE, lambda data: b"", "no metadata"),
        (FILE, lambda data: data.replace(b"0=1 1=4.0", b"0=1 1=2.0", 1), "damaged, or of another export"),
        (FILE, lambda data: data[:-40], "is damaged"),
        (BIN, cut, "damaged, or of another export"),
        (BIN, lambda data: data[:-1] + b"\x01", "damaged, or of another export"),
        (BIN, None, "is missing"),
    ],
)
def test_damaged_files(copy, name, change, words):
    file = copy.with_name(name)
    if change is None:
        file.unlink()
    else:
        assert change(file.read_bytes()) != file.read_bytes()
        file.write_bytes(change(file.read_bytes()))
    with pytest.raises(InputError, match=words) as error:
        open_engine(copy)
    assert str(copy.parent) in str(error.value)


def test_on_a_machine_with_a_gpu_it_runs_on_the_cpu_and_says_so(copy, capsys):
    (image,) = pictures(1)
    assert open_engine(copy, device="cuda:0").run(image[None]).shape == (1, *image.shape[:2])
    assert "ncnn runs on the CPU, not on cuda:0" in capsys.readouterr().err
