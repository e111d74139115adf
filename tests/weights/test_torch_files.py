"""Tensors come out of files of other programs, whatever objects lie beside them, and nothing of a file runs."""

import argparse
import io
import os
import pathlib
import pickle
import zipfile
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
import torch

from bisenet.errors import InputError
from bisenet.weights.torch_files import Inert, read_torch_file

WEIGHT = torch.arange(6.0).reshape(2, 3)


class LogBuffer:
    """Stands for the objects that training programs leave in their checkpoints."""

    def __init__(self):
        self.values = [1.0]


class Config(dict):
    pass


class Names(list):
    pass


class Keyed:
    def __new__(cls, *, key):
        return super().__new__(cls)

    def __getnewargs_ex__(self):
        return (), {"key": 1}


@pytest.fixture(params=[True, False], ids=["zip", "before torch 1.6"])
def save(request, tmp_path):
    def save(data):
        torch.save(data, tmp_path / "file.pth", _use_new_zipfile_serialization=request.param)
        return tmp_path / "file.pth"

    return save


def test_plain_data_comes_out_as_it_is(save):
    data = read_torch_file(save({"state_dict": OrderedDict(a=WEIGHT), "epoch": 3, "names": ["x"]}))
    assert torch.equal(data["state_dict"]["a"], WEIGHT)
    assert (data["epoch"], data["names"]) == (3, ["x"])


def test_foreign_objects_are_inert_and_the_tensors_beside_them_whole(save):
    shared = WEIGHT.half()
    foreign = {
        "hub": {"loss": LogBuffer()}, "config": Config(a=1), "names": Names([1, 2]), "keyed": Keyed(key=1),
        "seed": np.int64(3), "array": np.arange(3), "counts": defaultdict(list, a=[1]), "set": {LogBuffer()},
        "args": argparse.Namespace(lr=0.1), "path": pathlib.Path("x"), "type": LogBuffer, "dtype": torch.float16,
        "device": torch.device("cpu"), LogBuffer(): 1,
    }  # fmt: skip
    weights = {"a": WEIGHT, "b": torch.nn.Parameter(WEIGHT), "c": shared, "d": shared[:, 1:], "e": torch.tensor(3)}
    data = read_torch_file(save({"state_dict": weights, **foreign}))
    assert {key: type(value) for key, value in data["state_dict"].items()} == dict.fromkeys(weights, torch.Tensor)
    assert all(torch.equal(value, weights[key]) for key, value in data["state_dict"].items())
    assert isinstance(data["hub"]["loss"], Inert)
    assert data["config"] == {}


class Runs:
    """Runs a function when it is unpickled the usual way."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def test_nothing_of_a_file_runs(save, tmp_path):
    trace = tmp_path / "trace"
    for attack in (
        Runs(os.system, f"touch {trace}"),
        Runs(eval, f"open({str(trace)!r}, 'w')"),
        Runs(pathlib.Path.touch, trace),
        Runs(getattr, trace, "touch"),
        Runs(torch.load, str(trace)),
        Runs(map, os.mkdir, [str(trace)]),
    ):
        data = {"state_dict": {"a": WEIGHT}, "log": LogBuffer(), "attack": attack}
        try:
            assert torch.equal(read_torch_file(save(data))["state_dict"]["a"], WEIGHT)
        except InputError as error:  # torch itself refuses the modules os, posix and sys
            assert "is no file of torch.save" in str(error)
        assert not trace.exists()


def test_no_function_can_be_changed(tmp_path):
    """By the opcode that gives an object its attributes, right after the name of a function."""
    build = b"ctorch._utils\n_rebuild_tensor_v2\nN}X\x08\x00\x00\x00__name__X\x01\x00\x00\x00xs\x86b."
    torch.save({}, tmp_path / "whole.pth")
    with zipfile.ZipFile(tmp_path / "whole.pth") as whole, zipfile.ZipFile(tmp_path / "attack.pth", "w") as attack:
        for record in whole.namelist():
            attack.writestr(record, b"\x80\x02" + build if record.endswith("data.pkl") else whole.read(record))
    with pytest.raises(InputError, match="is no file of torch.save"):
        read_torch_file(tmp_path / "attack.pth")
    assert torch._utils._rebuild_tensor_v2.__name__ == "_rebuild_tensor_v2"


def test_torchscript_is_refused_and_not_run(tmp_path):
    with pytest.warns(DeprecationWarning):
        torch.jit.script(torch.nn.Linear(2, 2)).save(tmp_path / "script.pth")
    with pytest.warns(UserWarning), pytest.raises(InputError, match="is no file of torch.save"):
        read_torch_file(tmp_path / "script.pth")


def whole_file():
    data = io.BytesIO()
    torch.save({"a": WEIGHT, "log": LogBuffer()}, data)
    return data.getvalue()


def zip_of_text():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("readme.txt", "hello")
    return data.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no weights of PyTorch: it is empty"),
        (b"\n<!DOCTYPE html><html>", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12", "it is a pointer of Git LFS"),
        (b"\x1f\x8b\x08\x00" * 10, "it is compressed with gzip"),
        (b"\x89HDF\r\n\x1a\n" * 10, "it is HDF5"),
        (b"hello world", "is no file of torch.save, or is damaged, or cut short; download it again"),
        (b"\x00" * 1000, "is no file of torch.save"),
        (whole_file()[:-200], "is no file of torch.save"),
        (whole_file()[:500], "is no file of torch.save"),
        (zip_of_text(), "is no file of torch.save"),
        (pickle.dumps({"a": np.zeros(3)}, protocol=2), "is no file of torch.save"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path, content, message):
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(InputError, match=f"x.pth: .*{message}"):
        read_torch_file(tmp_path / "x.pth")


@pytest.mark.parametrize(("name", "reason"), [("none.pth", "No such file"), ("", "Is a directory")])
def test_a_file_that_cannot_be_read_is_named_with_the_cure(tmp_path, name, reason):
    with pytest.raises(InputError, match=f"cannot be read .{reason}.*; train first, or give another path or a URL"):
        read_torch_file(tmp_path / name)
