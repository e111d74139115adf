"""LiteRT, once TensorFlow Lite: one file for phones and small boards, made for one size and one image at a time."""

import numpy as np

from bisenet.deployment.description import KEY, Description
from bisenet.deployment.formats.contract import Engine, Format, one_by_one
from bisenet.deployment.graph import DeployedNetwork
from bisenet.errors import InputError
from bisenet.system.artifacts import write_bytes

FILE = "model.tflite"


def export(source, folder):
    import litert_torch
    import torch

    description = source.description.but(size=tuple(source.size))
    if description.input == "uint16":
        raise InputError("litert: its runtime knows no uint16 images; export with --input float32")
    image = torch.zeros(1, *description.size, description.channels, dtype=getattr(torch, description.input))
    converted = litert_torch.convert(DeployedNetwork(source.checkpoint, description), (image,))
    write_bytes(folder / FILE, with_metadata(converted.model_content(), description.to_json()))


def with_metadata(data, text):
    """The bytes of a model with `text` in its metadata."""
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils as tools

    model = tools.read_model_from_bytearray(bytearray(data))
    model.buffers.append(schema.BufferT(data=np.frombuffer(text.encode(), np.uint8)))
    model.metadata = [*(model.metadata or []), schema.MetadataT(KEY, len(model.buffers) - 1)]
    return bytes(tools.convert_object_to_bytearray(model))


def metadata(data):
    """The text in the metadata of a model's bytes, or None."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(data)
    entries = (model.Metadata(place) for place in range(model.MetadataLength()))
    found = next((entry for entry in entries if entry.Name() == KEY.encode()), None)
    return found and bytes(model.Buffers(found.Buffer()).DataAsNumpy()).decode()


class LiteRT(Engine):
    """In LiteRT's interpreter, on the CPU: images of the description's `size` alone."""

    def __init__(self, path, device="cpu", threads=None):
        import ai_edge_litert
        from ai_edge_litert.interpreter import Interpreter

        self.path = path
        data = path.read_bytes()
        try:  # the interpreter first: it verifies what the schema's readers take on trust
            self._interpreter = Interpreter(model_content=data, num_threads=threads)
            self._interpreter.allocate_tensors()
            text = metadata(data)
        except (ValueError, RuntimeError, UnicodeDecodeError) as error:
            reason = (str(error).splitlines() or ["no reason given"])[0]
            raise InputError(f"{path}: LiteRT cannot open it ({reason}); export it again") from None
        self.description = Description.from_json(text, path)
        self.precision = self.description.weights
        self.runtime = f"LiteRT {ai_edge_litert.__version__}"

    def run(self, images):
        size = tuple(self.description.size)
        if images.shape[1:3] != size:
            height, width = images.shape[1:3]
            raise InputError(
                f"{self.path}: was made for images of {size[0]} x {size[1]}, not {height} x {width}; resize them, or "
                f"export it again with --size {height} {width}"
            )
        return one_by_one(self._run_one, images)

    def _run_one(self, image):
        (given,), (wanted,) = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._interpreter.set_tensor(given["index"], image)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(wanted["index"])


FORMAT = Format(
    name="litert",
    words="LiteRT (TensorFlow Lite), for phones and small boards, of one size",
    file=FILE,
    suffixes=(".tflite",),
    packages=("litert_torch", "ai_edge_litert"),
    runtime_packages=("ai_edge_litert",),
    install="pip install litert-torch ai-edge-litert",
    export=export,
    open=LiteRT,
)
