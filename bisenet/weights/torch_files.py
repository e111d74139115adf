"""Files that `torch.save` wrote, wherever they come from: tensors and plain values out, and nothing of the file runs.

Most load with `weights_only=True`. Some hold objects of their program beside the weights (mmengine: its log buffers and
configuration); these are read by an unpickler that knows no class but what a tensor is rebuilt with.
"""

import pickle
from collections import OrderedDict

import torch

from bisenet.errors import InputError

OTHER_FILES = {  # by their first bytes
    b"": "is empty",
    b"<": "is a web page",
    b"version https://git-lfs": "is a pointer of Git LFS to the file (git lfs pull fetches it)",
    b"\x1f\x8b": "is compressed with gzip; unpack it",
    b"\x89HDF": "is HDF5 of TensorFlow or Keras",
}


def read_torch_file(path):
    """What the file holds: tensors, on the CPU, in dicts, lists and plain values; an `Inert` for all else.

    Raises `InputError` for a file that is missing, damaged or none of `torch.save`.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(32).lstrip()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); train first, or give another path or a URL"
        ) from None
    for signature, words in OTHER_FILES.items():
        if start == signature or signature and start.startswith(signature):
            raise InputError(f"{path}: holds no weights of PyTorch: it {words}")
    try:
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError:  # and nothing else: a TorchScript archive, for one, would be run
            return torch.load(path, map_location="cpu", weights_only=False, pickle_module=_InertPickle)
    except Exception:  # foreign bytes trip the readers in many ways: KeyError, IndexError, OSError ...
        raise InputError(
            f"{path}: is no file of torch.save, or is damaged, or cut short; download it again, train again, or "
            "save the state_dict() of the model anew"
        ) from None


class Inert(dict):
    """Stands where the file has an object of any class: takes whatever it is built from, keeps and does nothing."""

    __hash__ = object.__hash__

    def __init__(self, *_, **__):
        super().__init__()

    def __call__(self, *_, **__):
        return self

    def __setitem__(self, key, value):
        pass

    def __setstate__(self, state):
        pass

    def append(self, item):
        pass

    extend = add = append


class _RebuildTensor:
    """No function: a pickle can set attributes of those."""

    __slots__ = ()

    def __call__(self, storage, offset, size, stride, *_):
        return torch._utils._rebuild_tensor(storage, offset, size, stride)


class _RebuildParameter:
    __slots__ = ()

    def __call__(self, data, *_):
        return data


class _InertUnpickler(pickle.Unpickler):
    KNOWN = {
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _RebuildTensor(),
        ("torch._utils", "_rebuild_parameter"): _RebuildParameter(),
    }

    def find_class(self, module, name):  # torch itself finds the types of storages
        return self.KNOWN.get((module, name), Inert)


class _InertPickle:
    """What `torch.load` takes for the module `pickle`."""

    Unpickler = _InertUnpickler

    @staticmethod
    def load(file, **options):
        return _InertUnpickler(file, **options).load()
