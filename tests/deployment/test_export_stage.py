"""`python -m stages.export` and `stages.benchmark`, on a checkpoint from anywhere."""

import json
import shutil
import sys

import onnx
import pytest

import stages.benchmark
import stages.export
from bisenet.deployment import exporting
from bisenet.deployment.formats import onnx_file
from bisenet.errors import InputError
from bisenet.weights.checkpoint import save_checkpoint
from bisenet.weights.download import file_digest


@pytest.fixture
def place(checkpoint, onnx_path, tmp_path, monkeypatch, small_params):
    """A folder with small parameters and a checkpoint; the exporter gives the file that is there already."""
    with small_params().open("a") as file:
        file.write("data_root: data\nweights: last\n")
    monkeypatch.chdir(tmp_path)
    save_checkpoint("model.pt", checkpoint)
    monkeypatch.setattr(
        exporting, "_export", lambda form, source, folder: describe(source, onnx_path, folder / form.name)
    )
    return tmp_path


def describe(source, onnx_path, folder):
    folder.mkdir(parents=True)
    model = onnx.load(onnx_path)
    onnx.helper.set_model_props(model, {"bisenet": source.description.to_json()})
    onnx.save(model, folder / onnx_file.FILE)
    return folder


def run(module, *arguments):
    before, sys.argv = sys.argv, ["stage", *map(str, arguments)]
    try:
        module.main()
    finally:
        sys.argv = before


def test_any_checkpoint_is_exported_and_proved_beside_the_pipeline(place, capsys):
    run(stages.export, "--weights", "model.pt", "--images", 2)
    metrics = json.loads((place / "out/export/metrics.json").read_text())["onnx"]
    assert metrics["agreement"] > 0.9999 and metrics["miou"] is None  # drawn streets have no labels of these classes
    assert "drawn streets" in (place / "out/export/table.md").read_text()
    description = onnx_file.OnnxRuntime(place / "out/export/models/onnx/model.onnx").description
    assert description.sha256 == file_digest("model.pt")
    assert "onnx" in capsys.readouterr().out and not (place / "results").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--weights", "model.pt", "--formats", "onyx"], "formats: there is no 'onyx'"),
        (["--weights", "absent.pt"], "absent.pt"),
        (["--weights", "model.pt", "--model", "bisenetv1"], "not a bisenetv1"),
        (["--weights", "model.pt", "--dataset", "camvid"], "classes"),
        (["--weights", "model.pt", "--images", "0"], "images must be a whole number, 1 or more, not 0"),
        (["--weights", "model.pt", "--size", "0", "64"], "size must be"),
    ],
)
def test_a_mistake_is_told_before_anything_is_written(place, arguments, words):
    with pytest.raises(InputError, match=words):
        run(stages.export, *arguments)
    assert not (place / "out").exists()


def test_the_benchmark_puts_files_side_by_side(place, onnx_path, monkeypatch, capsys):
    """The processes that measure are started and timed by `test_timing.py`."""
    times = iter([10.0, 4.0])

    def measure(job):
        assert job.size == (32, 64) and len(job.files) == 2 and job.threads == 1
        milliseconds = next(times)
        whole = {"whole_ms": milliseconds + 1, "whole_p90_ms": milliseconds + 2, "peak_mib": 50.0}
        model = {"model_ms": milliseconds, "model_p90_ms": milliseconds, "images_per_second": 1000 / milliseconds}
        return model | whole | {"runtime": "R 1", "precision": "float32"}

    monkeypatch.setattr("bisenet.deployment.benchmark.measure", measure)
    (place / "onnx").mkdir()
    exported = shutil.copy(onnx_path, place / "onnx")
    how = ["--size", 32, 64, "--threads", 1, "--images", 2, "--output", place / "bench"]
    run(stages.benchmark, "--weights", exported, "--against", "model.pt", *how)
    rows = json.loads((place / "bench/benchmark.json").read_text())["rows"]
    assert [row["ratio"] for row in rows] == [1.0, 2.5]
    assert rows[1]["agreement"] > 0.999
    assert rows[0]["megabytes"] == pytest.approx((place / "model.pt").stat().st_size / 1e6)
    assert "2.50" in capsys.readouterr().out
