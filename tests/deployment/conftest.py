"""The small network and its ONNX file, exported once."""

import os

import pytest
from deployed_networks import SHA, pictures, small_checkpoint
from filelock import FileLock

from bisenet.deployment.description import Description
from bisenet.deployment.formats.contract import Source
from bisenet.deployment.formats.onnx_file import FILE, export


@pytest.fixture(scope="session")
def checkpoint():
    return small_checkpoint()


@pytest.fixture(scope="session")
def source(checkpoint):
    return Source(checkpoint, Description.of(checkpoint, SHA), images=pictures(4))


@pytest.fixture(scope="session")
def onnx_path(source, tmp_path_factory):
    """The checkpoint as ONNX: uint8 images in, labels out; made once for all processes of the tests: it takes long."""
    together = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        together = together.parent
    path = together / FILE
    with FileLock(f"{path}.lock"):
        if not path.exists():
            export(source, together)
    return path
