"""A model repository for Triton Inference Server, which `tritonserver --model-repository` takes as it is.

    bisenet/config.pbtxt    what goes in and out, the batches, and the description
    bisenet/labels.txt      the names of the classes
    bisenet/1/model.onnx    run by the backend `onnxruntime`
    bisenet/1/model.py      the same by the backend `python`, for servers without the other; config.pbtxt chooses

A running server is asked by `triton_client`.
"""

from pathlib import Path

from bisenet.deployment.description import KEY
from bisenet.deployment.formats import onnx_file
from bisenet.deployment.formats.contract import Format
from bisenet.system.artifacts import write_text

NAME = "bisenet"  # of the model
MAX_BATCH = 8  # images that the server puts together, of requests that wait
PYTHON_MODEL = Path(__file__).with_name("triton_model.py")


def export(source, folder):
    model = folder / NAME
    onnx_file.export(source, model / "1")
    write_text(model / "1" / "model.py", PYTHON_MODEL.read_text(encoding="utf-8"))
    write_text(model / "labels.txt", "".join(f"{' '.join(name.split())}\n" for name in source.description.table.names))
    write_text(model / "config.pbtxt", configuration(source.description))


def configuration(description):
    """The text of config.pbtxt, the server's `ModelConfig`."""
    from google.protobuf.text_encoding import CEscape

    logits = description.output == "logits"
    kind, sides = ("FP32", f"{len(description.table)}, -1, -1") if logits else ("UINT8", "-1, -1")
    names = "" if logits else '  label_filename: "labels.txt"\n'
    return f"""\
name: "{NAME}"
backend: "onnxruntime"
max_batch_size: {MAX_BATCH}
dynamic_batching {{ }}
input {{
  name: "image"
  data_type: TYPE_{description.input.upper().replace("FLOAT", "FP")}
  dims: [ -1, -1, {description.channels} ]
}}
output {{
  name: "{description.output}"
  data_type: TYPE_{kind}
  dims: [ {sides} ]
{names}}}
parameters {{
  key: "{KEY}"
  value {{ string_value: "{CEscape(description.to_json(), as_utf8=False)}" }}
}}
"""


FORMAT = Format(
    name="triton",
    words="a model repository for Triton Inference Server",
    file=f"{NAME}/1/{onnx_file.FILE}",
    packages=onnx_file.FORMAT.packages,
    runtime_packages=onnx_file.FORMAT.runtime_packages,
    install=onnx_file.FORMAT.install,
    devices=("cpu", "cuda"),
    export=export,
    open=onnx_file.OnnxRuntime,  # the file that the server runs, in the runtime that it runs it in
)
