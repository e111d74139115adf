"""The ONNX file beside this, run by Triton Inference Server's Python backend. `triton_repository` copies this file.

The server's Python needs onnxruntime and numpy, and nothing of this project. Servers of 2024 need numpy<2: with a newer
one their Python backend sends empty answers.
"""

import os

import numpy as np
import onnxruntime
import triton_python_backend_utils as triton  # the server brings it


class TritonPythonModel:
    def initialize(self, args):
        path = os.path.join(args["model_repository"], args["model_version"], "model.onnx")
        wanted = "CUDAExecutionProvider", "CPUExecutionProvider"
        found = onnxruntime.get_available_providers()
        self.session = onnxruntime.InferenceSession(path, providers=[name for name in wanted if name in found])
        self.output = self.session.get_outputs()[0].name

    def execute(self, requests):
        """One run for all: the server groups requests of one size alone."""
        images = [triton.get_input_tensor_by_name(request, "image").as_numpy() for request in requests]
        (found,) = self.session.run([self.output], {"image": np.concatenate(images)})
        ends = np.cumsum([len(part) for part in images])[:-1]
        tensors = [triton.Tensor(self.output, np.ascontiguousarray(part)) for part in np.split(found, ends)]
        return [triton.InferenceResponse(output_tensors=[tensor]) for tensor in tensors]
