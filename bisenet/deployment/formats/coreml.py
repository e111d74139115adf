"""Core ML, for iPhones and Macs: converted anywhere, run on macOS alone.

Images of 33 to 2048 pixels a side go in, one at a time; labels come out as int32, which Core ML has instead of uint8.
"""

import json
import sys
import uuid

import numpy as np
import torch
from torch import nn

from bisenet.deployment.description import KEY, Description
from bisenet.deployment.formats.contract import Engine, Format, one_by_one
from bisenet.deployment.graph import EXAMPLE, SHORTEST, DeployedNetwork
from bisenet.errors import InputError
from bisenet.system.artifacts import write_json

FILE = "model.mlpackage"
LONGEST = 2048  # pixels of a side: Core ML wants an upper bound
DATE = "com.github.apple.coremltools.conversion_date"


class _Converted(nn.Module):
    """A `DeployedNetwork` in the types of Core ML; an image comes as float32 (1, C, H, W), 0 to 255."""

    def __init__(self, network, is_image):
        super().__init__()
        self.network, self.is_image = network, is_image

    def forward(self, image):
        found = self.network(image.permute(0, 2, 3, 1) if self.is_image else image)
        return found.to(torch.int32) if self.network.output == "labels" else found


def export(source, folder):
    import coremltools

    description = source.description
    is_image = description.input == "uint8" and description.channels == 3
    if description.input != "float32" and not is_image:
        raise InputError(
            f"coreml: its images have 3 channels of 8 bits, not {description.channels} of {description.bit_depth}; "
            "export with --input float32"
        )
    converted = coremltools.convert(
        traced(source.checkpoint, description, is_image),
        inputs=[_input(coremltools, description, is_image, source.size)],
        outputs=[_output(coremltools, description)],
        convert_to="mlprogram",
        compute_precision=coremltools.precision.FLOAT32,  # float16 unless told
        minimum_deployment_target=coremltools.target.iOS16,
        skip_model_load=True,
    )
    converted.user_defined_metadata[KEY] = description.to_json()
    del converted.user_defined_metadata[DATE]
    converted.save(str(folder / FILE))
    _name_parts(folder / FILE / "Manifest.json")


def traced(checkpoint, description, is_image):
    """The TorchScript trace: the converter takes no program of `torch.export` of these networks."""
    network = _Converted(DeployedNetwork(checkpoint, description), is_image).eval()
    _, height, width = EXAMPLE
    shape = (description.channels, height, width) if is_image else (height, width, description.channels)
    with torch.no_grad():
        return torch.jit.trace(network, torch.zeros(1, *shape), check_trace=False)


def _input(coremltools, description, is_image, size):
    height, width = (coremltools.RangeDim(SHORTEST, LONGEST, min(max(side, SHORTEST), LONGEST)) for side in size)
    if is_image:
        shape = coremltools.Shape((1, 3, height, width))
        return coremltools.ImageType(name="image", shape=shape, color_layout=coremltools.colorlayout.RGB)
    shape = coremltools.Shape((1, height, width, description.channels))
    return coremltools.TensorType(name="image", shape=shape, dtype=np.float32)


def _output(coremltools, description):
    kind = np.int32 if description.output == "labels" else np.float32
    return coremltools.TensorType(name=description.output, dtype=kind)


def _name_parts(path):
    """The parts of a package have random names; give each one of its path, so that the bytes are the same each time."""
    manifest = json.loads(path.read_text(encoding="utf-8"))
    parts = manifest["itemInfoEntries"]
    names = {name: str(uuid.uuid5(uuid.NAMESPACE_URL, part["path"])).upper() for name, part in parts.items()}
    manifest["itemInfoEntries"] = {names[name]: parts[name] for name in sorted(parts, key=names.get)}
    manifest["rootModelIdentifier"] = names[manifest["rootModelIdentifier"]]
    write_json(path, manifest)


class CoreML(Engine):
    """In Core ML, on macOS."""

    def __init__(self, path, device="cpu", threads=None):
        import coremltools

        units = coremltools.ComputeUnit.CPU_ONLY if device == "cpu" else coremltools.ComputeUnit.ALL
        self.path = path
        try:
            self._model = coremltools.models.MLModel(str(path), compute_units=units)
        except Exception as error:  # its classes are not public
            reason = (str(error).splitlines() or ["no reason given"])[0]
            raise InputError(f"{path}: Core ML cannot open it ({reason}); export it again") from None
        self.description = Description.from_json(self._model.user_defined_metadata.get(KEY), path)
        self.precision = self.description.weights
        self.runtime = f"Core ML, by coremltools {coremltools.__version__}"

    def run(self, images):
        return one_by_one(self._run_one, images)

    def _run_one(self, image):
        from PIL import Image

        given = Image.fromarray(image[0]) if self.description.input == "uint8" else image
        found = self._model.predict({"image": given})[self.description.output]
        return found.astype(np.uint8) if self.description.output == "labels" else found


FORMAT = Format(
    name="coreml",
    words="Core ML, for iPhones and Macs",
    file=FILE,
    suffixes=(".mlpackage",),
    packages=("coremltools",),
    runtime_packages=("coremltools",),
    install="pip install coremltools",
    export=export,
    open=CoreML if sys.platform == "darwin" else None,
)
