"""What several test files share."""

import os
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def camvid():
    """The folder of real photographs: train/*.jpg, trainannot/*.png, val, valannot."""
    root = os.environ.get("CAMVID_ROOT")
    if not root:
        pytest.skip("CAMVID_ROOT is not set: no real photographs here")
    return Path(root)
