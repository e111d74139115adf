"""The Triton repository by the server's own schema, and the client against a real server on this machine."""

import importlib.util
import os
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from deployed_networks import pictures

from bisenet.deployment.formats import triton_client, triton_repository
from bisenet.deployment.formats.triton_client import TritonModel
from bisenet.errors import InputError
from bisenet.inference.predictor import Predictor


@pytest.fixture(scope="module")
def repository(onnx_path, source, tmp_path_factory):
    """Exported; the ONNX file is not made anew."""
    folder = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(triton_repository.onnx_file, "to_onnx", lambda _: onnx.load(onnx_path))
        triton_repository.export(source, folder)
    return folder


@pytest.mark.parametrize("output", ["labels", "logits"])
def test_the_configuration_is_of_the_server_s_schema(source, output):
    schema = pytest.importorskip("tritonclient.grpc.model_config_pb2", reason="needs pip install tritonclient[grpc]")
    from google.protobuf import text_format

    description = source.description.but(output=output)
    told = text_format.Parse(triton_repository.configuration(description), schema.ModelConfig())
    (image,), (found,) = told.input, told.output
    assert (told.name, told.backend, told.max_batch_size) == ("bisenet", "onnxruntime", 8)
    assert (image.name, image.data_type, list(image.dims)) == ("image", schema.TYPE_UINT8, [-1, -1, 3])
    assert found.name == output and told.HasField("dynamic_batching")
    assert [found.data_type, *found.dims] == {
        "labels": [schema.TYPE_UINT8, -1, -1],
        "logits": [schema.TYPE_FP32, 5, -1, -1],
    }[output]
    assert told.parameters["bisenet"].string_value == description.to_json()


def test_each_class_has_a_line(repository, source):
    lines = (repository / "bisenet/labels.txt").read_text(encoding="utf-8").splitlines()
    assert lines == list(source.description.table.names)


@pytest.mark.parametrize(
    "address",
    ["triton://localhost/bisenet", "triton://localhost:8000", "triton://localhost:8000/a b", "triton://:x/y/z/w"],
)
def test_what_is_no_address_is_answered_with_one(address):
    assert triton_client.is_address(address)
    with pytest.raises(InputError, match="triton://localhost:8000/bisenet"):
        TritonModel(address)


def test_files_are_no_addresses():
    assert not any(map(triton_client.is_address, ["triton/model.onnx", Path("triton"), "tritonx://a:1/b"]))
    assert triton_client.is_address(Path("triton://localhost:8000/bisenet"))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def server(repository, tmp_path_factory):
    """(port of HTTP, port of gRPC) of a real server, which runs the repository by its Python backend."""
    for name in ("tritonclient.http", "tritonclient.grpc"):
        pytest.importorskip(name, reason="the client is not installed: pip install 'tritonclient[http,grpc]'")
    found = importlib.util.find_spec("pytriton")
    if found is None:
        pytest.skip("no server: pip install nvidia-pytriton")
    if int(np.__version__.split(".")[0]) > 1:
        pytest.skip("the server that nvidia-pytriton brings needs numpy<2")
    package = Path(found.origin).parent
    config = repository / "bisenet/config.pbtxt"
    config.write_text(config.read_text().replace('backend: "onnxruntime"', 'backend: "python"'))
    ports, folder = (free_port(), free_port()), tmp_path_factory.mktemp("server")
    python = folder / "python"
    python.mkdir()
    stub = package / "tritonserver/python_backend_stubs" / f"3.{sys.version_info.minor}" / "triton_python_backend_stub"
    for file in (*(package / "tritonserver/backends/python").glob("*.*"), stub):
        (python / file.name).symlink_to(file)
    libraries = [sysconfig.get_config_var("LIBDIR"), str(package.parent / "nvidia_pytriton.libs")]
    paths = {"PATH": [str(Path(sys.executable).parent), os.environ["PATH"]], "LD_LIBRARY_PATH": libraries}
    options = {
        "model-repository": repository,
        "backend-directory": folder,
        "http-address": "127.0.0.1",
        "grpc-address": "127.0.0.1",
        "http-port": ports[0],
        "grpc-port": ports[1],
        "allow-metrics": "false",
    }
    log = folder / "log.txt"
    with log.open("w") as file:
        process = subprocess.Popen(
            [package / "tritonserver/bin/tritonserver", *(f"--{key}={value}" for key, value in options.items())],
            env=os.environ | {key: os.pathsep.join(value) for key, value in paths.items()},
            stdout=file,
            stderr=file,
        )
    try:
        wait_until_ready(process, ports[0], log)
        yield ports
    finally:
        process.terminate()
        process.wait(60)


def wait_until_ready(process, port, log, seconds=60):
    from tritonclient.http import InferenceServerClient

    for _ in range(seconds * 5):
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            if InferenceServerClient(f"127.0.0.1:{port}").is_model_ready("bisenet"):
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(log.read_text()[-3000:])


@pytest.mark.parametrize("size", [(1, 64, 96), (10, 37, 41)])
def test_a_server_gives_the_checkpoint_s_labels_over_both_protocols(server, checkpoint, source, size):
    images = np.stack(pictures(*size))
    expected = Predictor.of(checkpoint, device=torch.device("cpu")).labels(torch.from_numpy(images)).numpy()
    for address in (f"triton://127.0.0.1:{server[0]}/bisenet", f"triton+grpc://127.0.0.1:{server[1]}/bisenet/1"):
        engine = TritonModel(address)
        assert engine.description == source.description and "python" in engine.runtime
        assert (engine.run(images) == expected).mean() > 0.9999


def test_what_a_server_refuses_is_told_in_its_words(server):
    http, grpc = (f"triton{kind}://127.0.0.1:{port}/" for kind, port in zip(("", "+grpc"), server, strict=True))
    for address, words in (
        (http + "other", "unknown model"),
        (grpc + "bisenet/7", "unknown"),
        (f"triton://127.0.0.1:{free_port()}/bisenet", "refused"),
        (f"triton://127.0.0.1:{server[1]}/bisenet", "does not answer"),
    ):
        with pytest.raises(InputError, match=words):
            TritonModel(address)
    for address in (http, grpc):
        with pytest.raises(InputError, match="image"):
            TritonModel(address + "bisenet").run(np.zeros((1, 40, 40, 4), np.uint8))
