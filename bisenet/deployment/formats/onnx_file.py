"""ONNX: one file for ONNX Runtime, OpenVINO, TensorRT, OpenCV, browsers and most other runtimes.

Batch, height and width are free. Operators are those of the standard alone, of an opset that runtimes of 2022 know.
"""

import copy

from bisenet.deployment.description import KEY, Description
from bisenet.deployment.formats.contract import Engine, Format
from bisenet.deployment.graph import quiet_exporters, traced
from bisenet.errors import InputError
from bisenet.system.artifacts import write_bytes
from bisenet.system.cores import threads_for
from bisenet.system.progress import warn

OPSET = 18
FILE = "model.onnx"
SIDES = "batch", "height", "width"


def export(source, folder):
    write_bytes(folder / FILE, to_onnx(source).SerializeToString(deterministic=True))


def to_onnx(source):
    """The `onnx.ModelProto` of a `Source`: input `image`, output `labels` or `logits`, the description as metadata."""
    key = "onnx", source.description.to_json()
    if key not in source.made:
        source.made[key] = _converted(source)
    return copy.deepcopy(source.made[key])


def _converted(source):
    import onnx
    import torch

    description = source.description
    with quiet_exporters():
        program = torch.onnx.export(
            traced(source.checkpoint, description),
            verbose=False,
            opset_version=OPSET,
            input_names=["image"],
            output_names=[description.output],
        )
    model = program.model_proto
    _forget_origins(model)
    _name_sides(model.graph, description)
    onnx.helper.set_model_props(model, {KEY: description.to_json()})
    onnx.checker.check_model(model, full_check=True)
    return model


def _forget_origins(model):
    """Of each operator the exporter keeps the lines of Python it came from, with paths of this machine."""
    del model.metadata_props[:]
    model.doc_string = ""
    graph = model.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]


def _name_sides(graph, description):
    """Free sides of the image and of what comes out get names; what is known of those in between is left out."""
    del graph.value_info[:]
    if description.size is None:
        (image,), (found,) = graph.input, graph.output
        batch, *size = SIDES
        for part, names in (image, SIDES), (found, SIDES if description.output == "labels" else (batch, None, *size)):
            for side, name in zip(part.type.tensor_type.shape.dim, names, strict=False):
                if name:
                    side.dim_param = name


class OnnxRuntime(Engine):
    """In ONNX Runtime; device: cpu, or cuda where the package can."""

    def __init__(self, path, device="cpu", threads=None):
        import onnxruntime

        self.path, self.device, self.threads = path, device, threads
        provider = "CUDAExecutionProvider" if device.startswith("cuda") else "CPUExecutionProvider"
        if provider not in onnxruntime.get_available_providers():
            warn(f"{path}: runs on the CPU: ONNX Runtime has no {device} here; pip install onnxruntime-gpu")
            provider = "CPUExecutionProvider"
        self.runtime = f"ONNX Runtime {onnxruntime.__version__}"
        self._providers = [provider]
        if provider.startswith("CUDA"):  # which else takes the first GPU, and products of ten bits
            self._providers = [(provider, {"device_id": int(device.partition(":")[2] or 0), "use_tf32": 0})]
        self._session = self._open(str(path))
        if self._session.get_providers()[0] != provider:  # where a library of CUDA is missing
            warn(f"{path}: runs on the CPU: ONNX Runtime could not use {device}; it has said why above")
        found = self._session.get_modelmeta().custom_metadata_map.get(KEY)
        self.description = Description.from_json(found, path)
        self.precision = self.description.weights
        self._logits_session = None

    def _open(self, model):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads_for(self.threads)
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(model, options, providers=self._providers)
        except Exception as error:  # its classes are not public
            reason = str(error).splitlines()[0]
            raise InputError(f"{self.path}: ONNX Runtime cannot open it ({reason}); export it again") from None

    def run(self, images):
        return self._session.run(None, {"image": images})[0]

    shows_logits = True  # of a file of labels, too

    def logits(self, images):
        if self.description.output == "logits":
            return self.run(images)
        if self._logits_session is None:
            self._logits_session = self._open(_with_logits(self.path).SerializeToString())
        return self._logits_session.run(["logits"], {"image": images})[0]


def metadata(path):
    """{key: text} of an ONNX file; raises `InputError` where it is none, or no package that reads it is installed."""
    try:
        return _metadata(path)
    except ModuleNotFoundError:
        raise InputError(f"{path}: its description is read by onnx or onnxruntime; install one: make setup") from None
    except Exception as error:  # protobuf's and ONNX Runtime's own
        reason = (str(error).splitlines() or [repr(error)])[0]
        raise InputError(f"{path}: is no ONNX file, or is damaged ({reason}); export it again") from None


def _metadata(path):
    try:
        import onnx
    except ModuleNotFoundError:
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return session.get_modelmeta().custom_metadata_map
    return {entry.key: entry.value for entry in onnx.load(path, load_external_data=False).metadata_props}


def _with_logits(path):
    """The model with what goes into its argmax as a further output, `logits`."""
    import onnx

    model = onnx.load(path)
    graph = model.graph
    argmax = next((node for node in graph.node if node.op_type == "ArgMax"), None)
    if argmax is None:
        raise InputError(f"{path}: has no argmax, so its logits are not to be found; export it again")
    shown = onnx.helper.make_node("Identity", [argmax.input[0]], ["logits"])
    graph.node.append(shown)
    graph.output.append(onnx.helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, None))
    return model


FORMAT = Format(
    name="onnx",
    words="ONNX, for ONNX Runtime and most others",
    file=FILE,
    suffixes=(".onnx",),
    packages=("onnx", "onnxscript", "onnxruntime"),
    runtime_packages=("onnxruntime",),
    install="make setup",
    devices=("cpu", "cuda"),
    export=export,
    open=OnnxRuntime,
)
