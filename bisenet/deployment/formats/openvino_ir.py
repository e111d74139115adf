"""OpenVINO IR: model.xml and model.bin, for Intel's CPUs, GPUs and NPUs. Weights are kept as float16.

Left to itself OpenVINO computes in bfloat16 on CPUs that can, without a word; here it is told what to compute in, and
asked what it does. Batch, height and width are free.
"""

import hashlib
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bisenet.deployment.description import KEY, Description
from bisenet.deployment.formats.contract import Engine, Format, Runtime
from bisenet.deployment.formats.onnx_file import metadata, to_onnx
from bisenet.errors import InputError
from bisenet.system.artifacts import write_bytes
from bisenet.system.cores import threads_for

FILE = "model.xml"
DIGEST = "bisenet_bin"  # SHA-256 of the .bin that belongs to an .xml, among its metadata
PRECISIONS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}  # as OpenVINO calls them
INTEGERS = {"i8", "u8"}


@contextmanager
def no_telemetry():
    """OpenVINO and NNCF tell their maker as they are imported, unless the package for that is missing: here it is."""
    name = "openvino_telemetry"
    missing = name not in sys.modules
    if missing:
        sys.modules[name] = None  # an import of it fails, as of a package that is not there
    try:
        yield
    finally:
        if missing:
            sys.modules.pop(name, None)


def openvino():
    """The package."""
    with no_telemetry():
        import openvino

    return openvino


def export(source, folder):
    save(to_openvino(source), source.description.but(weights="float16"), folder / FILE)


def to_openvino(source):
    """The `openvino.Model` of a `Source`: input `image`, output `labels` or `logits`."""
    proto = to_onnx(source)
    del proto.metadata_props[:]  # the description comes in one place
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(proto.SerializeToString(deterministic=True))
        return openvino().convert_model(path)


def save(model, description, path):
    """Write an `openvino.Model` with its `Description` as .xml and .bin; floats among its weights become float16."""
    _name_operators(model)
    model.set_rt_info(description.to_json(), [KEY])
    with TemporaryDirectory() as folder:
        made = Path(folder) / path.name
        for _ in range(2):  # the .bin, for its digest; then the .xml that tells it
            openvino().save_model(model, made, compress_to_fp16=True)
            model.set_rt_info(_digest(made.with_suffix(".bin")), [DIGEST])
        for suffix in ".bin", ".xml":  # the one that is opened comes last
            write_bytes(path.with_suffix(suffix), made.with_suffix(suffix).read_bytes())


def _name_operators(model):
    """Some have a name with a running number of the process; these alone would make each export another file."""
    for place, operator in enumerate(model.get_ordered_ops()):
        if operator.get_type_name() != "Parameter":
            operator.set_friendly_name(f"{operator.get_type_name()}_{place}")
    model.set_friendly_name(KEY)


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class OpenVino(Engine):
    """In OpenVINO; device: cpu, or another that it finds here; precision: one of `PRECISIONS`, to be computed in."""

    shows_logits = True  # of a file of labels, too

    def __init__(self, path, device="cpu", threads=None, precision="float32"):
        self.path, self.threads = Path(path), threads
        self._core = openvino().Core()
        self._device = device.upper()
        if self._device not in self._core.available_devices:
            raise InputError(f"{path}: OpenVINO cannot use {device} here; take cpu")
        self._wanted = PRECISIONS[precision]
        self.runtime = f"OpenVINO {openvino().__version__.split('-')[0]}"
        model = self._read()
        self.description = self._description(model)
        self._compiled = self._compile(model)
        self._with_logits = None
        self.precision = self._precision()

    def _read(self):
        weights = self.path.with_suffix(".bin")
        if not weights.is_file():
            raise InputError(f"{self.path}: its weights, {weights.name}, must lie beside it; copy both files")
        return self._parsed()

    def _parsed(self):
        try:
            return self._core.read_model(self.path)
        except RuntimeError as error:
            raise self._refused(error) from None

    def _refused(self, error):
        reason = str(error).strip().splitlines()[-1].strip()
        return InputError(f"{self.path}: OpenVINO cannot open it ({reason}); {self._cure()}")

    def _cure(self):
        return f"copy {self.path.name} and {self.path.with_suffix('.bin').name} of one export"

    def _description(self, model):
        description = Description.from_json(_metadata(model, KEY), self.path)
        weights = self.path.with_suffix(".bin")
        if _digest(weights) != _metadata(model, DIGEST):
            raise InputError(f"{weights}: is damaged, or not of {self.path.name}; copy both files again")
        return description

    def _compile(self, model):
        config = {"INFERENCE_PRECISION_HINT": self._wanted, "PERFORMANCE_HINT": "LATENCY"}
        if threads_for(self.threads):
            config["INFERENCE_NUM_THREADS"] = threads_for(self.threads)
        try:
            return self._core.compile_model(model, self._device, config)
        except RuntimeError as error:
            raise self._refused(error) from None

    def _precision(self):
        """int8 where convolutions run in it, else what the compiled model says it computes in."""
        used = {
            operator.get_rt_info()["runtimePrecision"].value
            for operator in self._compiled.get_runtime_model().get_ops()
            if operator.get_rt_info()["layerType"].value == "Convolution"
        }
        if used & INTEGERS:
            return "int8"
        hint = self._compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        return next((name for name, type in PRECISIONS.items() if type == hint), hint)

    def run(self, images):
        return self._compiled(images)[0]

    def logits(self, images):
        if self.description.output == "logits":
            return self.run(images)
        if self._with_logits is None:
            model = self._read()
            argmax = next(operator for operator in model.get_ops() if operator.get_type_name() == "TopK")
            model.add_outputs(argmax.input_value(0))
            self._with_logits = self._compile(model)
        return self._with_logits(images)[1]


class OpenVinoOnnx(OpenVino):
    """The ONNX file as it is, which OpenVINO converts each time it is opened."""

    def _read(self):
        return self._parsed()

    def _cure(self):
        return "export it again"

    def _description(self, _):
        return Description.from_json(metadata(self.path).get(KEY), self.path)


def _metadata(model, key):
    return model.get_rt_info(key).astype(str) if model.has_rt_info(key) else None


FORMAT = Format(
    name="openvino",
    words="OpenVINO IR, for Intel's CPUs, GPUs and NPUs",
    file=FILE,
    suffixes=(".xml",),
    packages=("onnx", "onnxscript", "openvino"),
    runtime_packages=("openvino",),
    export=export,
    open=OpenVino,
)

ON_ONNX = Runtime(name="openvino", formats=("onnx",), open=OpenVinoOnnx, packages=("openvino",))
