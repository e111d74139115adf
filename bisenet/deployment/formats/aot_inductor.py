"""AOTInductor: the network compiled by PyTorch's Inductor, for C++ and Python, dynamic in batch, height and width.

The package is a zip archive with a shared library and its weights. To make it takes a C++ compiler (`CXX`, or g++ or
clang++ on the path) and minutes; to load it, libtorch or torch of the version that made it, the same kind of processor
with all its vector instructions, and no compiler:

    torch::inductor::AOTIModelPackageLoader loader("model.aoti.pt2");
    auto labels = loader.run({image})[0];  // loader.get_metadata()["bisenet"] is the description

The package does not look at strides: what is not contiguous is read wrongly, without a word; `contiguous()` helps. It
is machine code, and runs as it is loaded: take none from a stranger. The same bytes do not come twice.
"""

import io
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch

from bisenet.deployment.description import KEY, Description
from bisenet.deployment.formats.contract import Engine, Format
from bisenet.deployment.formats.torch_program import to_archive, torch_threads
from bisenet.deployment.graph import SHORTEST
from bisenet.errors import InputError
from bisenet.system.artifacts import atomic_path

FILE = "model.aoti.pt2"
COMPILERS = "g++", "clang++"


def export(source, folder):
    if not compiler():
        raise InputError(f"aoti: needs a C++ compiler, and there is no {' or '.join(COMPILERS)}; install it")
    options = {"aot_inductor.metadata": {KEY: source.description.to_json()}}
    program = torch.export.load(io.BytesIO(to_archive(source)))  # anew: without what tracing took for granted
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / FILE
        try:
            torch._inductor.aoti_compile_and_package(program, package_path=str(made), inductor_configs=options)
        except Exception as error:  # Inductor's own, with the compiler's whole output
            reason = next((line for line in str(error).splitlines() if "error" in line.lower()), repr(error)[:200])
            raise InputError(f"aoti: it was not compiled ({reason}); leave the format out") from None
        with atomic_path(folder / FILE) as partial:
            shutil.copyfile(made, partial)


def compiler():
    """The C++ compiler's path, or None."""
    return shutil.which(os.environ.get("CXX") or "") or next(filter(None, map(shutil.which, COMPILERS)), None)


class AotInductor(Engine):
    """Compiled, in float32, on the CPU, for images whose sides have `SHORTEST` pixels or more."""

    precision = "float32"

    def __init__(self, path, device="cpu", threads=None):
        self.path, self.threads = path, threads
        self.runtime = f"AOTInductor, PyTorch {torch.__version__}"
        self.description = Description.from_json(self._metadata().get(KEY), path)
        self._module = self._opened(torch._inductor.aoti_load_package, str(path))

    def _metadata(self):
        """Read without a load of the library, so that nothing of a foreign file runs."""
        return self._opened(torch._C._aoti.AOTIModelPackageLoader.load_metadata_from_package, str(self.path), "model")

    def _opened(self, load, *arguments):
        try:
            return load(*arguments)
        except Exception as error:
            reason = (str(error).splitlines() or [repr(error)])[0]
            raise InputError(
                f"{self.path}: is no AOTInductor package of PyTorch {torch.__version__}, or is damaged ({reason}); "
                "export it again, on this kind of machine"
            ) from None

    @torch.inference_mode()
    def run(self, images):
        if min(images.shape[1:3]) < SHORTEST and not self.description.size:
            raise InputError(f"{self.path}: takes images of {SHORTEST} x {SHORTEST} pixels or more, not {images.shape}")
        with torch_threads(self.threads):
            return self._module(torch.from_numpy(np.ascontiguousarray(images))).numpy()


FORMAT = Format(
    name="aoti",
    words="an AOTInductor package, for C++ and Python",
    file=FILE,
    suffixes=(".aoti.pt2",),
    packages=("torch",),
    runtime_packages=("torch",),
    install="make setup",
    export=export,
    open=AotInductor,
)
