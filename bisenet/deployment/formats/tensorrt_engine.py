"""TensorRT: an engine for the GPU of this machine, or the ONNX file and the command that make one on another.

An engine runs on the kind of GPU, and with the version of TensorRT, that made it. So where there is no GPU, or no
package `tensorrt`, the folder holds `model.onnx` and `trtexec.txt`. An engine has no metadata: its description is that
of the ONNX file beside it.
"""

from pathlib import Path

import numpy as np

from bisenet.deployment.formats import onnx_file
from bisenet.deployment.formats.contract import Engine, Format
from bisenet.deployment.graph import SHORTEST
from bisenet.errors import InputError
from bisenet.system.artifacts import write_bytes, write_text

FILE = "model.engine"
COMMAND = "trtexec.txt"
MOST_IMAGES, LONGEST = 4, 2048  # that an engine can take: images in a batch, pixels of a side


def export(source, folder):
    import torch

    description = source.description
    if description.input == "uint16":
        raise InputError("tensorrt: knows no uint16; export with --input float32")
    model = onnx_file.to_onnx(source)
    if description.output == "labels":
        _cast_by_float(model)
    data = model.SerializeToString(deterministic=True)
    write_bytes(folder / onnx_file.FILE, data)
    profile = shapes(source.size, description.channels)
    write_text(folder / COMMAND, command(profile))
    if is_installed() and torch.cuda.is_available():
        write_bytes(folder / FILE, build(data, profile))
    else:
        print(
            f"tensorrt: no engine is made without a GPU and the package tensorrt; in {folder.name}: {command(profile)}",
            end="",
        )


def shapes(size, channels):
    """(least, best, most) of the input's shape: any batch and size between the first and the last is taken."""
    longest = [max(LONGEST, 2 * side) for side in size]
    return (1, SHORTEST, SHORTEST, channels), (1, *size, channels), (MOST_IMAGES, *longest, channels)


def command(profile):
    """What makes the engine, in the folder of the ONNX file. Without TF32, the default, which keeps ten bits."""
    given = (
        f"--{name}Shapes=image:{'x'.join(map(str, shape))}"
        for name, shape in zip(("min", "opt", "max"), profile, strict=True)
    )
    return " ".join(["trtexec", f"--onnx={onnx_file.FILE}", f"--saveEngine={FILE}", "--noTF32", *given]) + "\n"


def is_installed():
    try:
        import tensorrt  # noqa: F401
    except (ImportError, OSError):  # the latter where a library of CUDA is missing
        return False
    return True


def _cast_by_float(model):
    """Change argmax -> uint8 into argmax -> float -> uint8: TensorRT documents a cast to uint8 from float alone."""
    import onnx

    graph = model.graph
    (last,) = (node for node in graph.node if "labels" in node.output)
    cast = onnx.helper.make_node("Cast", list(last.input), ["labels_float"], to=onnx.TensorProto.FLOAT)
    last.input[:] = cast.output
    graph.node.insert(list(graph.node).index(last), cast)
    onnx.checker.check_model(model, full_check=True)


def build(data, profile):
    """The bytes of an engine, of those of an ONNX file."""
    import tensorrt

    logger = tensorrt.Logger(tensorrt.Logger.WARNING)
    builder = tensorrt.Builder(logger)
    network = builder.create_network(0)
    parser = tensorrt.OnnxParser(network, logger)
    if not parser.parse(data):
        faults = "; ".join(str(parser.get_error(place)) for place in range(parser.num_errors))
        raise InputError(f"tensorrt: {tensorrt.__version__} does not take the network ({faults}); take a newer one")
    config = builder.create_builder_config()
    config.clear_flag(tensorrt.BuilderFlag.TF32)
    ranges = builder.create_optimization_profile()
    ranges.set_shape("image", *profile)
    config.add_optimization_profile(ranges)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise InputError("tensorrt: made no engine; what it printed above says why, most often too little memory")
    return bytes(engine)


class TensorRT(Engine):
    """On the GPU, whatever `device` says."""

    def __init__(self, path, device="cuda", threads=None):
        import tensorrt
        import torch

        self.path = path = Path(path)
        if not torch.cuda.is_available():
            raise InputError(
                f"{path}: an engine runs on an NVIDIA GPU, and none is here; take {onnx_file.FILE} beside it"
            )
        self.description = onnx_file.OnnxRuntime(path.with_name(onnx_file.FILE)).description
        self.precision, self.runtime = self.description.weights, f"TensorRT {tensorrt.__version__}"
        runtime = tensorrt.Runtime(tensorrt.Logger(tensorrt.Logger.WARNING))
        self._engine = runtime.deserialize_cuda_engine(path.read_bytes())
        if self._engine is None:
            raise InputError(
                f"{path}: is damaged, or of another GPU or another version than TensorRT {tensorrt.__version__}; "
                f"make it again, see {COMMAND} beside it"
            )
        self.longest = min(self._engine.get_tensor_profile_shape("image", 0)[2][1:3])
        self._context = self._engine.create_execution_context()
        self._stream = torch.cuda.Stream()

    def run(self, images):
        least, _, most = (tuple(shape) for shape in self._engine.get_tensor_profile_shape("image", 0))
        if not all(low <= side <= high for low, side, high in zip(least[1:], images.shape[1:], most[1:], strict=True)):
            raise InputError(
                f"{self.path}: takes images of {least[1:]} to {most[1:]}, not {images.shape[1:]}; resize them"
            )
        places = range(0, len(images), most[0])
        return np.concatenate([self._run_batch(images[place : place + most[0]]) for place in places])

    def _run_batch(self, images):
        import torch

        given = torch.from_numpy(np.ascontiguousarray(images)).cuda()
        self._context.set_input_shape("image", tuple(given.shape))
        output = self.description.output
        kind = torch.uint8 if output == "labels" else torch.float32
        found = torch.empty(tuple(self._context.get_tensor_shape(output)), dtype=kind, device="cuda")
        self._context.set_tensor_address("image", given.data_ptr())
        self._context.set_tensor_address(output, found.data_ptr())
        torch.cuda.current_stream().synchronize()
        if not self._context.execute_async_v3(self._stream.cuda_stream):
            raise RuntimeError(f"{self.path}: TensorRT could not run it; what it printed above says why")
        self._stream.synchronize()
        return found.cpu().numpy()


def open_best(path, device="cpu", threads=None):
    """The engine where one was made, else the ONNX file that one is made of."""
    path = Path(path)
    if path.is_file():
        FORMAT.check_installed(("tensorrt",))
        return TensorRT(path, device, threads)
    engine = onnx_file.OnnxRuntime(path.with_name(onnx_file.FILE), device, threads)
    engine.runtime += " (no engine was made)"
    return engine


FORMAT = Format(
    name="tensorrt",
    words="a TensorRT engine, or the command that makes it",
    file=FILE,
    suffixes=(".engine",),
    packages=onnx_file.FORMAT.packages,
    runtime_packages=("tensorrt",),
    install="pip install tensorrt, on a machine with an NVIDIA GPU",
    devices=("cpu", "cuda"),
    export=export,
    open=open_best,
)
