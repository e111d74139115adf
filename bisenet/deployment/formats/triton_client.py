"""A network that a Triton Inference Server runs, asked over HTTP or gRPC: `triton://localhost:8000/bisenet`.

What it must know of the network it reads from the server's configuration of the model, where `triton_repository`
put it.
"""

import importlib
import re

import numpy as np

from bisenet.deployment.description import KEY, Description
from bisenet.deployment.formats.contract import Engine
from bisenet.errors import InputError

# A `Path` of an address has lost a slash.
ADDRESS = re.compile(
    r"triton(?P<grpc>\+grpc)?:/{1,2}(?P<server>[^/\s]+:\d+)/(?P<model>[^/\s]+)(?:/(?P<version>\d+))?/?"
)
SCHEMES = "triton:/", "triton+grpc:/"
EXAMPLES = "triton://localhost:8000/bisenet, or triton+grpc://localhost:8001/bisenet"
BODY = 2**25  # bytes of images in a request: a server refuses more than 64 MiB over HTTP, unless told otherwise


def is_address(path):
    return str(path).startswith(SCHEMES)


class TritonModel(Engine):
    """address: triton://host:port/model, or triton+grpc://; `/2` at its end asks for version 2 of the model

    Raises `InputError` for a server that is not there, a model that it lacks, and one that is not of this project.
    """

    def __init__(self, address, device="cpu", threads=None):
        found = ADDRESS.fullmatch(str(address))
        if found is None:
            raise InputError(f"{address}: is no address of a model; write it so: {EXAMPLES}")
        self.path, self._model, self._version = str(address), found["model"], found["version"] or ""
        kind = "grpc" if found["grpc"] else "http"
        try:
            self._api = importlib.import_module(f"tritonclient.{kind}")
        except (ImportError, RuntimeError):  # the latter where its parts for this protocol are missing
            raise InputError(f"{address}: needs tritonclient: pip install 'tritonclient[{kind}]'") from None
        self._client = self._api.InferenceServerClient(found["server"])
        as_json = {"as_json": True} if found["grpc"] else {}
        config = self._ask(self._client.get_model_config, self._model, self._version, **as_json)
        config = config.get("config", config)
        server = self._ask(self._client.get_server_metadata, **as_json)
        told = config.get("parameters", {}).get(KEY, {}).get("string_value")
        self.description = Description.from_json(told, self.path)
        self.precision = self.description.weights
        self.runtime = f"Triton {server['version']} ({config.get('backend') or config.get('platform')})"
        self._most = max(1, config.get("max_batch_size", 0))

    def run(self, images):
        step = max(1, min(self._most, BODY // max(1, images[0].nbytes)))
        return np.concatenate([self._infer(images[place : place + step]) for place in range(0, len(images), step)])

    def _infer(self, images):
        from tritonclient.utils import np_to_triton_dtype

        images = np.ascontiguousarray(images)
        given = self._api.InferInput("image", list(images.shape), np_to_triton_dtype(images.dtype))
        given.set_data_from_numpy(images)
        wanted = [self._api.InferRequestedOutput(self.description.output)]
        found = self._ask(self._client.infer, self._model, [given], self._version, outputs=wanted)
        return self._ask(found.as_numpy, self.description.output)

    def _ask(self, question, *arguments, **options):
        try:
            return question(*arguments, **options)
        except Exception as error:  # what goes wrong in the network has many classes, some of them not public
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(f"{self.path}: the server does not answer as it should ({reason})") from None
