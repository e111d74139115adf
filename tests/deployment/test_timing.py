"""What one process measures of one file."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
from deployed_networks import pictures

from bisenet.charts import scatter_chart
from bisenet.deployment.benchmark import check_alike, file_size, write_pictures
from bisenet.deployment.timing import Job, measure
from bisenet.errors import InputError


def test_a_file_is_timed_in_a_process_of_its_own(onnx_path, tmp_path):
    files = write_pictures(tmp_path, pictures(2), (64, 96))
    found = measure(Job(str(onnx_path), (64, 96), precision=None, batch=2, files=files, seconds=0.01))
    assert 0 < found["model_ms"] <= found["model_p90_ms"] and 0 < found["whole_ms"] <= found["whole_p90_ms"]
    assert found["images_per_second"] == pytest.approx(2000 / found["model_ms"])
    assert 1 < found["peak_mib"] < 2000 and found["runtime"].startswith("ONNX Runtime")


def test_what_cannot_be_opened_is_told_as_ever(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        measure(Job(str(tmp_path / "model.onnx"), (64, 96), precision=None))


class Deadly:
    """Ends the process that reads it, as a runtime does that runs out of memory."""

    def __reduce__(self):
        return os._exit, (139,)


def test_a_process_that_dies_is_told_of():
    with pytest.raises(InputError, match="died"):
        measure(Job("model.onnx", (64, 96), told=Deadly()))


@pytest.mark.parametrize("other", [{"names": ("a", "b")}, {"channels": 4}])
def test_networks_that_cannot_be_compared_are_refused(other):
    def network(names=("a",), channels=3):
        return SimpleNamespace(table=SimpleNamespace(names=names), image_form={"channels": channels})

    with pytest.raises(InputError, match="second: "):
        check_alike({"first": network(), "second": network(**other)})


def test_the_size_of_a_file_is_of_what_belongs_to_it(tmp_path):
    for name, size in (
        ("model.xml", 1),
        ("model.bin", 20),
        ("model.onnx", 300),
        ("model.engine", 4000),
        ("x.bin", 50000),
    ):
        (tmp_path / name).write_bytes(bytes(size))
    for name, size in ("model.xml", 21), ("model.onnx", 320):
        assert file_size(tmp_path / name, tmp_path) == size


def test_pictures_of_any_form_keep_their_pixels(tmp_path):
    (image,) = pictures(1, 20, 30, channels=4, dtype=np.uint16)
    (path,) = write_pictures(tmp_path, [image], (20, 30))
    assert np.array_equal(np.load(path), image)


def test_a_plot_of_one_point_and_of_equal_ones():
    for points in ([("a", 1.0, 50.0)], [("a", 1.0, 50.0), ("<b>", 1.0, 50.0)]):
        chart = scatter_chart("mIoU over speed", "images/s", "mIoU, %", points)
        assert chart.count("<path d=") == 2 * len(points) and "nan" not in chart and "<b>" not in chart
