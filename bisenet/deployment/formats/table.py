"""All formats of exported networks. One is added as a file beside this, and here in a row."""

import re
from pathlib import Path

from bisenet.deployment.formats import (
    aot_inductor,
    coreml,
    litert,
    ncnn_net,
    onnx_file,
    onnx_int8,
    opencv_dnn,
    openvino_int8,
    openvino_ir,
    tensorrt_engine,
    torch_program,
    triton_client,
    triton_repository,
    web,
)
from bisenet.deployment.formats.contract import Runtime, check_installed
from bisenet.errors import InputError
from bisenet.system.progress import warn

MODULES = (
    *(onnx_file, onnx_int8, openvino_ir, openvino_int8, torch_program, aot_inductor, ncnn_net, web),
    *(tensorrt_engine, triton_repository, litert, coreml),
)
FORMATS = {module.FORMAT.name: module.FORMAT for module in MODULES}
RUNTIMES = opencv_dnn.RUNTIME, openvino_ir.ON_ONNX  # further ones


def format_of(path):
    """The `Format` that a file is known by its suffix to be in, the longest of those that fit, or None."""
    if triton_client.is_address(path):
        return triton_repository.FORMAT
    name = str(path).lower()
    if "://" in name:
        name = re.split("[?#]", name)[0]
    fits = {end: form for form in FORMATS.values() if form.open for end in form.suffixes if name.endswith(end)}
    return fits[max(fits, key=len)] if fits else None


def chosen_formats(names):
    """[`Format`] of names; raises `InputError` for one that is not there, or whose packages are not."""
    for name in names:
        if name not in FORMATS:
            raise InputError(f"formats: there is no '{name}'; choose from {', '.join(FORMATS)}")
        FORMATS[name].check_installed()
    return [FORMATS[name] for name in dict.fromkeys(names)]


def open_engine(path, device="cpu", threads=None, runtime=None):
    """The `Engine` of an exported file, by its suffix.

    runtime: one of `runtimes_of` its format; None for the first of them
    Raises `InputError` for what is missing or damaged.
    """
    if triton_client.is_address(path):
        return triton_client.TritonModel(path, device, threads)
    form = format_of(path)
    if form is None:
        raise InputError(f"{path}: is no exported file by its name; these end in {', '.join(suffixes())}")
    runtimes = {runtime.name: runtime for runtime in runtimes_of(form)}
    chosen = runtimes.get(runtime or next(iter(runtimes)))
    if chosen is None:
        raise InputError(f"runtime: there is no '{runtime}' for {path}; choose from {', '.join(runtimes)}")
    check_installed(chosen.name, chosen.packages, chosen.install)
    path = Path(path)
    if not path.exists():  # of Core ML it is a folder
        raise InputError(f"{path}: there is no such file; export it: python -m stages.export --formats {form.name}")
    if device.partition(":")[0] not in chosen.devices:
        warn(f"{path}: {chosen.name} runs on the CPU, not on {device}")
        device = "cpu"
    return chosen.open(path, device, threads)


def runtimes_of(form):
    """The `Runtime`s of a `Format`'s files: first its own, called as its package."""
    packages = form.runtime_packages
    own = Runtime(packages[0], (form.name,), form.open, packages, form.install, form.devices)
    return [own, *(other for other in RUNTIMES if form.name in other.formats)]


def suffixes():
    """Of files that something here can run."""
    return [end for form in FORMATS.values() if form.open for end in form.suffixes]
