"""ONNX in int8: weights and features of the convolutions have 8 bits, over ranges that training images show.

They stand in the file as pairs of QuantizeLinear and DequantizeLinear, operators of the standard alone, which every
runtime understands and fast ones merge into the convolutions. Pixels, logits and argmax stay as they are. Labels get
lost, most where two classes are nearly as likely. The proof says how many.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from bisenet.deployment.description import KEY
from bisenet.deployment.formats.contract import Format
from bisenet.deployment.formats.onnx_file import FILE, OnnxRuntime, to_onnx
from bisenet.deployment.formats.openvino_int8 import CalibrationBatches
from bisenet.system.artifacts import write_bytes

PREPARED = {"onnx.quant.pre_process": "onnxruntime.quant"}  # shapes are known and constants folded, as the tool wants
OPERATORS = ["Conv", "Add", "Mul", "Concat", "MaxPool", "AveragePool", "Resize"]


def export(source, folder):
    write_bytes(folder / FILE, quantized(to_onnx(source), source).SerializeToString(deterministic=True))


def quantized(model, source):
    """The `onnx.ModelProto` with 8 bits, as fitted to `source.images`."""
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    onnx.helper.set_model_props(model, PREPARED)
    with TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        quantize_static(
            model,
            path,
            _reader(CalibrationBatches(source)),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=OPERATORS,
            nodes_to_exclude=_kept(model.graph),
            per_channel=True,
            reduce_range=True,  # weights of 7 bits: CPUs without VNNI add products up in 16 bits, which 8 overflow
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        made = onnx.load(path)
    onnx.helper.set_model_props(made, {KEY: source.description.but(weights="int8").to_json()})
    onnx.checker.check_model(made, full_check=True)
    return made


def _reader(batches):
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        def __init__(self):
            self._batches = iter(batches)

        def get_next(self):
            batch = next(self._batches, None)
            return None if batch is None else {"image": batch}

    return Reader()


def _kept(graph):
    """Names of the nodes that stay float: all before the first convolution, and from the classifier on."""
    places = [place for place, node in enumerate(graph.node) if node.op_type == "Conv"]
    return [node.name for place, node in enumerate(graph.node) if place < places[0] or place >= places[-1]]


FORMAT = Format(
    name="onnx_int8",
    words="ONNX of 8 bits, fitted to training images",
    file=FILE,
    packages=("onnx", "onnxscript", "onnxruntime"),
    runtime_packages=("onnxruntime",),
    agreement=0.9,
    install="make setup",
    export=export,
    open=OnnxRuntime,
)
