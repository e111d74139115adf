"""The OpenVINO files, opened as `bisenet.load` opens them, beside the checkpoint; int8 among them."""

import shutil
import sys

import numpy as np
import onnx
import pytest
import torch
from deployed_networks import pictures

from bisenet.deployment.formats import openvino_int8, openvino_ir
from bisenet.deployment.formats.openvino_ir import FILE, OpenVino, no_telemetry
from bisenet.deployment.formats.table import open_engine
from bisenet.errors import InputError
from bisenet.inference.predictor import Predictor

with no_telemetry():
    pytest.importorskip("openvino", reason="OpenVINO is not installed: make extras")


@pytest.fixture(scope="session")
def from_onnx(onnx_path):
    """OpenVINO files are made of the ONNX model that the other tests have, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openvino_ir, "to_onnx", lambda _: onnx.load(onnx_path))
        yield


@pytest.fixture(scope="session")
def path(from_onnx, source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("openvino")
    openvino_ir.export(source, folder)
    return folder / FILE


@pytest.fixture(scope="session")
def int8_path(from_onnx, source, tmp_path_factory):
    with no_telemetry():
        pytest.importorskip("nncf", reason="NNCF is not installed: make extras")
    folder = tmp_path_factory.mktemp("openvino_int8")
    openvino_int8.export(source, folder)
    return folder / FILE


def expected_labels(checkpoint, images):
    return Predictor.of(checkpoint, device=torch.device("cpu")).labels(torch.from_numpy(images)).numpy()


@pytest.mark.parametrize("size", [(1, 361, 479), (1, 33, 200), (3, 67, 101), (1, 7, 5), (2, 1, 1)])
def test_it_gives_the_checkpoint_s_labels_at_any_size(path, checkpoint, size):
    images = np.stack(pictures(*size))
    labels = OpenVino(path, threads=1).run(images)
    assert labels.dtype == np.uint8
    assert (labels == expected_labels(checkpoint, images)).mean() > 0.995  # weights are float16


def test_the_description_survives_xml(path, source):
    engine = OpenVino(path)
    assert engine.description == source.description.but(weights="float16")


def test_the_same_checkpoint_gives_the_same_bytes(path, source, from_onnx, tmp_path):
    openvino_ir.export(source, tmp_path)
    for suffix in ".xml", ".bin":
        assert (tmp_path / FILE).with_suffix(suffix).read_bytes() == path.with_suffix(suffix).read_bytes()


def test_the_runtime_shows_the_logits_behind_labels(path, checkpoint):
    images = np.stack(pictures(2))
    engine = OpenVino(path, threads=1)
    logits = engine.logits(images)
    with torch.inference_mode():
        expected = checkpoint.model(checkpoint.normalize(torch.from_numpy(images))).numpy()
    assert np.abs(logits - expected).max() < 0.05
    assert (engine.run(images) == logits.argmax(1)).mean() > 0.9999


def test_it_computes_in_float32_and_says_what_it_computes_in(path):
    engine = OpenVino(path, threads=1)
    assert engine.precision == "float32"
    assert engine._compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "f32"
    assert engine._compiled.get_property("INFERENCE_NUM_THREADS") == 1
    asked = OpenVino(path, precision="bfloat16")
    used = asked._compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
    assert openvino_ir.PRECISIONS[asked.precision] == used


def test_int8_says_so_and_prints_nothing(int8_path, checkpoint, source, capfd):
    engine = OpenVino(int8_path, threads=1)
    assert engine.precision == engine.description.weights == "int8"
    images = np.stack(pictures(2))
    assert (engine.run(images) == expected_labels(checkpoint, images)).mean() > 0.8
    assert int8_path.with_suffix(".bin").stat().st_size < 200_000  # float16: 224 kB
    assert capfd.readouterr() == ("", "")


def test_int8_needs_training_images(source):
    bare = type(source)(source.checkpoint, source.description)
    with pytest.raises(InputError, match="training images"):
        openvino_int8.CalibrationBatches(bare)


def test_it_runs_the_onnx_file_as_it_is(onnx_path, checkpoint, source, tmp_path):
    engine = open_engine(onnx_path, threads=1, runtime="openvino")
    assert engine.description == source.description and engine.precision == "float32" and "OpenVINO" in engine.runtime
    images = np.stack(pictures(1, 61, 93))
    assert (engine.run(images) == expected_labels(checkpoint, images)).mean() > 0.9999
    assert (engine.logits(images).argmax(1) == engine.run(images)).mean() > 0.9999
    damaged = tmp_path / "model.onnx"
    damaged.write_bytes(onnx_path.read_bytes()[:9999])
    with pytest.raises(InputError, match="model.onnx: OpenVINO cannot open it.*export it again"):
        open_engine(damaged, runtime="openvino")


def test_imports_see_no_telemetry_and_others_still_do(monkeypatch):
    monkeypatch.delitem(sys.modules, "openvino_telemetry", raising=False)
    with no_telemetry(), pytest.raises(ImportError):
        import openvino_telemetry  # noqa: F401
    assert "openvino_telemetry" not in sys.modules
    openvino_ir.openvino()
    assert sys.modules["openvino.tools.ovc.telemetry_utils"].tm.__name__.endswith("telemetry_stub")


def no_bin(xml, weights):
    weights.unlink()


def truncated_bin(xml, weights):
    weights.write_bytes(weights.read_bytes()[:-1000])


def other_bin(xml, weights):
    """Of the same architecture, trained otherwise."""
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)


def empty_bin(xml, weights):
    weights.write_bytes(bytes(weights.stat().st_size))


def truncated_xml(xml, weights):
    xml.write_bytes(xml.read_bytes()[: xml.stat().st_size // 2])


def no_xml(xml, weights):
    xml.write_text("this is no model")


def other_xml(xml, weights):
    xml.write_text("<annotation><object/></annotation>")


def foreign(xml, weights):
    ov = openvino_ir.openvino()
    image = ov.opset13.parameter([1], ov.Type.f32)
    ov.save_model(ov.Model([ov.opset13.relu(image)], [image]), xml)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (no_bin, "must lie beside it"),
        (truncated_bin, "cannot open it|is damaged"),
        (other_bin, "is damaged, or not of"),
        (empty_bin, "cannot open it"),
        (truncated_xml, "cannot open it"),
        (no_xml, "cannot open it"),
        (other_xml, "cannot open it"),
        (foreign, "no metadata"),
    ],
)
def test_a_file_that_is_none_is_named(path, tmp_path, change, words):
    for suffix in ".xml", ".bin":
        shutil.copy(path.with_suffix(suffix), tmp_path)
    change(tmp_path / FILE, (tmp_path / FILE).with_suffix(".bin"))
    with pytest.raises(InputError, match=words) as error:
        OpenVino(tmp_path / FILE)
    assert str(tmp_path) in str(error.value)


def test_a_device_that_is_not_there_is_named(path):
    with pytest.raises(InputError, match="cannot use cuda here; take cpu"):
        OpenVino(path, device="cuda")
