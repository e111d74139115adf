"""BiSeNet V1 and V2, real-time semantic segmentation.

    net = bisenet.load("results/train/model.pt")
    seen = net("photo.jpg")
    seen.overlay().save("overlay.png")

See `bisenet.interface`. Nothing is imported before it is asked for.
"""

from importlib import import_module

_HOMES = {"InputError": "errors", "Segmentation": "interface", "Segmenter": "interface", "load": "interface"}


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module 'bisenet' has no attribute '{name}'")
    return getattr(import_module(f"bisenet.{_HOMES[name]}"), name)


def __dir__():
    return [*_HOMES]
