"""BiSeNet V1 and V2, real-time semantic segmentation.

    net = bisenet.load("results/train/model.pt")
    seen = net("photo.jpg")
    seen.overlay().save("overlay.png")

See `bisenet.interface`. Nothing is imported before it is asked for.
"""

from importlib import import_module

__all__ = ["InputError", "Segmentation", "Segmenter", "load"]


def __getattr__(name):
    if name not in __all__:
        raise AttributeError(f"module 'bisenet' has no attribute '{name}'")
    return getattr(import_module("bisenet.interface"), name)


def __dir__():
    return __all__
