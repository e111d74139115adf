"""The ONNX file in OpenCV's dnn, by choice."""

import sys

import cv2
import numpy as np
import pytest
import torch
from deployed_networks import pictures

from bisenet.deployment.formats.onnx_file import metadata
from bisenet.deployment.formats.table import open_engine
from bisenet.errors import InputError


@pytest.fixture(scope="module")
def engine(onnx_path):
    return open_engine(onnx_path, threads=1, runtime="opencv")


@pytest.mark.parametrize("size", [(1, 361, 479), (3, 33, 200), (1, 64, 96), (2, 40, 33)])
def test_it_gives_the_checkpoint_s_labels_at_any_size(engine, checkpoint, size):
    images = np.stack(pictures(*size))
    with torch.inference_mode():
        expected = checkpoint.model(checkpoint.normalize(torch.from_numpy(images))).argmax(1).numpy()
    labels = engine.run(images)
    assert labels.dtype == np.uint8 and (labels == expected).mean() > 0.9999


def test_it_says_what_it_is_and_keeps_the_threads(engine, source):
    assert engine.description == source.description and engine.precision == "float32" and "OpenCV" in engine.runtime
    before = cv2.getNumThreads()
    engine.run(np.stack(pictures(1, 33, 33)))
    assert cv2.getNumThreads() == before


def test_images_that_opencv_gets_wrong_are_refused(engine):
    with pytest.raises(InputError, match="another runtime"):
        engine.run(np.stack(pictures(1, 200, 8)))


def test_the_description_is_read_by_onnx_runtime_or_not_at_all(onnx_path, monkeypatch):
    by_onnx = metadata(onnx_path)
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert metadata(onnx_path) == by_onnx
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match="onnx or onnxruntime"):
        metadata(onnx_path)


def test_files_that_are_none(onnx_path, tmp_path):
    path = tmp_path / "model.onnx"
    for data, words in (
        (b"", "no metadata"),
        (b"this is no model", "no ONNX file"),
        (onnx_path.read_bytes()[:9999], "damaged"),
    ):
        path.write_bytes(data)
        with pytest.raises(InputError, match=words):
            open_engine(path, runtime="opencv")


def test_an_unknown_runtime_and_device(onnx_path, capsys):
    with pytest.raises(InputError, match="choose from onnxruntime, opencv"):
        open_engine(onnx_path, runtime="abacus")
    assert open_engine(onnx_path, device="cuda", runtime="opencv").precision == "float32"
    assert "opencv runs on the CPU, not on cuda" in capsys.readouterr().err
