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
    images = calibration_batches(source)
    with contextlib.redirect_stdout(io.StringIO()):  # its progress bars
        return nncf.quantize(
            model,
            nncf.Dataset(images),
            subset_size=len(images),
            preset=nncf.QuantizationPreset.PERFORMANCE,  # ranges symmetric about 0; MIXED loses more labels of V2
            target_device=nncf.TargetDevice.CPU,
        )


def calibration_batches(source):
    """[(1, H, W, C)] of the images of a `Source`, as the exported network takes them."""
    batches = [image[None].astype(source.description.input) for image in source.images]
    if not batches:
        raise InputError("int8: is fitted to training images, of which there are none; set export.calibration_images")
    return batches


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
