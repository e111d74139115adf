"""OpenVINO IR in int8, by NNCF: weights and features of convolutions have 8 bits, over ranges of training images.

It loses labels, most where two classes are nearly as likely. The proof says how many.
"""

import contextlib
import io
import logging

from bisenet.deployment.formats.contract import Format
from bisenet.deployment.formats.openvino_ir import FILE, OpenVino, no_telemetry, save, to_openvino
from bisenet.errors import InputError


def export(source, folder):
    save(quantized(to_openvino(source), source), source.description.but(weights="int8"), folder / FILE)


def quantized(model, source):
    """The `openvino.Model` with 8 bits where NNCF puts them, as fitted to `source.images`."""
    with no_telemetry():
        import nncf
    nncf.set_log_level(logging.ERROR)
    images = CalibrationBatches(source)
    with contextlib.redirect_stdout(io.StringIO()):  # its progress bars
        return nncf.quantize(
            model,
            nncf.Dataset(images),
            subset_size=len(images),
            preset=nncf.QuantizationPreset.PERFORMANCE,  # ranges symmetric about 0; MIXED loses more labels of V2
            target_device=nncf.TargetDevice.CPU,
        )


class CalibrationBatches:
    """The images of a `Source`, (1, H, W, C) each, as the exported network takes them; read anew each time."""

    def __init__(self, source):
        self._images, self._kind = source.images, source.description.input
        if not len(self):
            raise InputError("int8: is fitted to training images, and the list of them is empty")

    def __len__(self):
        return len(self._images)

    def __iter__(self):
        return (image[None].astype(self._kind) for image in self._images)


FORMAT = Format(
    name="openvino_int8",
    words="OpenVINO IR of 8 bits, fitted to training images",
    file=FILE,
    packages=("onnx", "onnxscript", "openvino", "nncf"),
    runtime_packages=("openvino",),
    agreement=0.9,
    export=export,
    open=OpenVino,
)
