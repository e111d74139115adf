"""The C++ program of the docs, compiled and run."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from deployed_networks import pictures
from PIL import Image
from project import ROOT

from bisenet.inference.predictor import Predictor


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    found = importlib.util.find_spec("openvino")
    if found is None:
        pytest.skip("openvino, which holds the headers, is not installed: make extras")
    if shutil.which("g++") is None:
        pytest.skip("there is no g++ to compile with")
    place, program = Path(found.origin).parent, tmp_path_factory.mktemp("cpp") / "segment"
    source, (library, *_) = ROOT / "docs/examples/segment.cpp", sorted(place.glob("libs/libopenvino.so.*"))
    paths = ["-I", place / "include", library, f"-Wl,-rpath,{place / 'libs'}"]
    subprocess.run(["g++", "-std=c++17", source, *paths, "-o", program], check=True)
    return program


def test_it_gives_the_checkpoint_s_labels(program, onnx_path, checkpoint, tmp_path):
    (image,) = pictures(1)
    Image.fromarray(image).save(tmp_path / "street.ppm")
    subprocess.run([program, onnx_path, "street.ppm", "labels.pgm"], cwd=tmp_path, check=True)
    expected = Predictor.of(checkpoint, device=torch.device("cpu")).labels(torch.from_numpy(image)[None])[0].numpy()
    assert (np.asarray(Image.open(tmp_path / "labels.pgm")) == expected).mean() > 0.999


def test_a_file_that_is_none_is_told(program, onnx_path, tmp_path):
    (tmp_path / "street.ppm").write_bytes(b"P6 4 4 255\n123")
    done = subprocess.run([program, onnx_path, "street.ppm", "out.pgm"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "street.ppm is cut short" in done.stderr
