#!/usr/bin/env bash
# Library: onnxruntime 1.32.0 with onnx 1.23.2, quantize_static with its default calibration, MinMax.
# What happens: CalibMaxIntermediateOutputs bounds how many batches of intermediate outputs are held in memory. Where
# it divides the number of batches, calibration reads all of them and then raises "No data is collected."; where it
# does not, or is larger, the result is the same as without it. A limit of 1 always fails.
# Why it matters: the limit is wanted for large sets, so the time that calibration takes is lost, and the message
# blames the data. A pipeline that ran fails once one image more is in the set, or one less.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$room"
"$room/venv/bin/python" - <<'PY'
import logging

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, quantize_static

logging.disable(logging.WARNING)  # advice to prepare the network first, which changes nothing here
print("onnxruntime", onnxruntime.__version__, "onnx", onnx.__version__)
weight = numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), "w")
x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 6, 6])
graph = helper.make_graph([helper.make_node("Conv", ["x", "w"], ["y"])], "net", [x], [y], [weight])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), "net.onnx")


class Batches(CalibrationDataReader):
    def __init__(self, count):
        self.count, self.read = count, 0

    def get_next(self):
        if self.read == self.count:
            return None
        self.read += 1
        return {"x": np.full((1, 3, 8, 8), self.read, np.float32)}


def calibrated(count, limit):
    """The scale of the output, or the error."""
    batches = Batches(count)
    options = {} if limit is None else {"CalibMaxIntermediateOutputs": limit}
    try:
        quantize_static("net.onnx", "small.onnx", batches, extra_options=options)
    except ValueError as error:
        assert batches.read == count  # not before the end
        return str(error)
    scales = {array.name: numpy_helper.to_array(array) for array in onnx.load("small.onnx").graph.initializer}
    return f"{scales['y_scale'].item():.5f}"


for count in (6, 7):
    expected = calibrated(count, None)
    print(f"{count} batches, no limit: {expected}, expected with every limit")
    for limit in (1, 2, 3, 4, 6, 7, 8):
        seen = calibrated(count, limit)
        print(f"{count} batches, limit {limit}:  {seen}")
        assert seen == ("No data is collected." if count % limit == 0 else expected)
print("still so")
PY
