"""The ONNX file in OpenCV's dnn, which many programs have already: `open_engine("model.onnx", runtime="opencv")`.

Its newer engine is asked for: the classic one, a quarter faster, cannot read a file whose height and width are free. Of
images of 8 x 8 pixels it often makes nonsense, another each time (5.0.0), so small ones are refused. OpenCV shows no
metadata, so the description is read by the package onnx, or by ONNX Runtime where that is what is there.
"""

from contextlib import contextmanager

import cv2

from bisenet.deployment.description import KEY, Description
from bisenet.deployment.formats.contract import Engine, Runtime
from bisenet.deployment.formats.onnx_file import metadata
from bisenet.deployment.graph import SHORTEST
from bisenet.errors import InputError


class OpenCvDnn(Engine):
    """In OpenCV's dnn, in float32."""

    precision = "float32"

    def __init__(self, path, device="cpu", threads=None):
        self.path, self.threads = path, threads
        self.runtime = f"OpenCV {cv2.__version__} dnn"
        self.description = Description.from_json(metadata(path).get(KEY), path)
        try:
            self._net = cv2.dnn.readNetFromONNX(str(path), cv2.dnn.ENGINE_NEW)
        except cv2.error as error:
            raise InputError(
                f"{path}: OpenCV {cv2.__version__} cannot open it ({error.err}); export it again"
            ) from None

    def run(self, images):
        if min(images.shape[1:3]) < SHORTEST:
            raise InputError(
                f"{self.path}: OpenCV's dnn is right from {SHORTEST} x {SHORTEST} pixels on, and gets {images.shape}; "
                "take another runtime"
            )
        with _threads(self.threads):
            self._net.setInput(images)
            try:
                return self._net.forward()
            except cv2.error as error:
                raise InputError(f"{self.path}: OpenCV cannot run it on {images.shape} ({error.err})") from None


@contextmanager
def _threads(number):
    """OpenCV has one number of threads for all; None leaves it."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(before if number is None else number)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


RUNTIME = Runtime(name="opencv", formats=("onnx",), open=OpenCvDnn, packages=("cv2",), install="make setup")
