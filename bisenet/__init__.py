"""BiSeNet V1 and V2, real-time semantic segmentation.

    net = bisenet.load("results/train/model.pt")
    seen = net("photo.jpg")
    seen.overlay().save("overlay.png")

See `bisenet.interface`. Nothing is imported before it is asked for.
"""

import os
from importlib import import_module

# Threads that wait for each other sleep. PyTorch's OpenMP else lets them spin, and where another program needs the
# cores too they spin their turns away: two trainings on two cores gave a tenth of one. It is read as torch is loaded.
if not os.environ.keys() & {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}:  # what a person has set stays
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

_HOMES = {"InputError": "errors", "Segmentation": "interface", "Segmenter": "interface", "load": "interface"}


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module 'bisenet' has no attribute '{name}'")
    return getattr(import_module(f"bisenet.{_HOMES[name]}"), name)


def __dir__():
    return [*_HOMES]
