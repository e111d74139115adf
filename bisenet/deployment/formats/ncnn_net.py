"""ncnn, through pnnx: for phones and small boards. Height and width are free, images come one at a time.

`model.ncnn.param` is text, `model.ncnn.bin` float32 weights. Input `in0`: the image's planes, (C, H, W) float32 pixel
values, 0 to 255 or 65535, which `ncnn::Mat::from_pixels` gives; output `out0`: (classes, H, W) logits.
Normalisation is inside; argmax is not, since ncnn's gives one number for a whole blob: this engine takes it.

ncnn reads as many lines of a .param as its second line says. Below these stands one more, which begins with `bisenet`:
the SHA-256 of all before it and the .bin, and the description. Tools that write a .param anew drop it.

Keep fp16 and bf16 off (`net.opt`): half precision is on by default, and in bf16 V2 keeps two thirds of its labels.
A .param is parsed by C++ that trusts it: take none from a stranger.
"""

import hashlib
import subprocess
import tempfile
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from bisenet.deployment.description import KEY, Description
from bisenet.deployment.formats.contract import Engine, Format, one_by_one
from bisenet.deployment.graph import DeployedNetwork
from bisenet.errors import InputError
from bisenet.system.artifacts import write_bytes

FILE = "model.ncnn.param"
MARK = f"{KEY} ".encode()
EXAMPLES = (61, 91), (101, 150)  # height, width: what differs is free; each map is cut, or stretched by a fraction
OFF = (  # each switch that would leave float32
    *(f"use_{kind}_{use}" for kind in ("fp16", "bf16", "int8") for use in ("packed", "storage")),
    *("use_fp16_arithmetic", "use_int8_arithmetic", "use_vulkan_compute"),
)


class _Planes(nn.Module):
    """Pixel values (1, C, H, W) float32 -> logits, with the parts of a `DeployedNetwork`"""

    def __init__(self, deployed):
        super().__init__()
        self.network = deployed.network
        self.register_buffer("factor", deployed.factor.reshape(1, -1, 1, 1))
        self.register_buffer("shift", deployed.shift.reshape(1, -1, 1, 1))

    def forward(self, image):
        return self.network(image * self.factor + self.shift)


def export(source, folder):
    description = source.description
    module = _Planes(DeployedNetwork(source.checkpoint, description)).eval()
    with tempfile.TemporaryDirectory() as scratch:  # pnnx leaves eight files beside what it is given
        param, weights = _converted(module, description, Path(scratch))
    write_bytes((folder / FILE).with_suffix(".bin"), weights)
    write_bytes(folder / FILE, param + MARK + f"{_digest(param, weights)} {description.to_json()}\n".encode())


def _converted(module, description, scratch):
    """(param, bin) as bytes"""
    import pnnx

    sizes = [description.size] if description.size else EXAMPLES
    shapes = [(1, description.channels, *size) for size in sizes]
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # that torch.jit is deprecated, and what it follows of sizes; the proof is in running
        torch.jit.trace(module, torch.zeros(shapes[0]), check_trace=False).save(scratch / "model.pt")
    shapes = [f"[{','.join(map(str, shape))}]f32" for shape in shapes]
    told = [f"{key}={shape}" for key, shape in zip(("inputshape", "inputshape2"), shapes, strict=False)]
    command = [pnnx.EXEC_PATH, "model.pt", *told, "fp16=0"]
    ran = subprocess.run(command, cwd=scratch, capture_output=True, text=True, errors="replace")
    files = [scratch / FILE, (scratch / FILE).with_suffix(".bin")]
    if ran.returncode or not all(map(Path.exists, files)):
        raise InputError(f"ncnn: pnnx did not convert the network; its last words: {(ran.stdout + ran.stderr)[-500:]}")
    return [file.read_bytes() for file in files]


def _digest(*parts):
    return hashlib.sha256(b"".join(parts)).hexdigest()


class Ncnn(Engine):
    """In ncnn, in float32, one image after the other."""

    precision = "float32"
    shows_logits = True

    def __init__(self, path, device="cpu", threads=None):
        import ncnn

        self.path = path
        self.runtime = f"ncnn {ncnn.__version__}"
        self.description = _described(path)
        self._net = ncnn.Net()
        for option in filter(partial(hasattr, self._net.opt), OFF):  # older versions have fewer
            setattr(self._net.opt, option, False)
        self._net.opt.num_threads = threads or torch.get_num_threads()
        if self._net.load_param(str(path)) or self._net.load_model(str(Path(path).with_suffix(".bin"))):
            raise InputError(f"{path}: ncnn {ncnn.__version__} cannot open it; export it again")

    def run(self, images):
        if self.description.output == "logits":
            return self.logits(images)
        return one_by_one(self._labels, images)

    def logits(self, images):
        return one_by_one(lambda image: self._look(image)[None], images)

    def _labels(self, image):
        return torch.from_numpy(self._look(image)).argmax(0)[None].to(torch.uint8).numpy()

    def _look(self, image):
        """(1, H, W, C) -> logits (classes, H, W)"""
        import ncnn

        planes = np.ascontiguousarray(image[0].transpose(2, 0, 1), np.float32)  # named: a Mat keeps none of its data
        extractor = self._net.create_extractor()
        extractor.input("in0", ncnn.Mat(planes))
        failed, found = extractor.extract("out0")
        if failed:
            raise InputError(f"{self.path}: ncnn cannot run it on an image of {image.shape[1:]}; export it again")
        return np.array(found)


def _described(path):
    """The description; raises `InputError` where there is none, or one of the files is not what was exported."""
    weights = Path(path).with_suffix(".bin")
    if not weights.is_file():
        raise InputError(f"{weights}: is missing: ncnn's weights belong beside {path}; copy both, or export again")
    param, found, line = Path(path).read_bytes().rpartition(b"\n" + MARK)
    digest, _, described = line.decode("utf-8", "replace").partition(" ")
    description = Description.from_json(described if found else None, path)
    if digest != _digest(param + b"\n", weights.read_bytes()):
        raise InputError(f"{path}: it or {weights.name} beside it is damaged, or of another export; copy both again")
    return description


FORMAT = Format(
    name="ncnn",
    words="ncnn, for phones and small boards",
    file=FILE,
    suffixes=(".ncnn.param",),
    packages=("ncnn", "pnnx"),
    runtime_packages=("ncnn",),
    export=export,
    open=Ncnn,
)
