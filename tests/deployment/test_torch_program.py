"""The torch.export program, loaded by PyTorch alone, and by an engine that trusts no file."""

import importlib.util
import io
import json
import os
import zipfile
from contextlib import suppress

import numpy as np
import pytest
import torch
from deployed_networks import pictures

from bisenet.deployment.formats.aot_inductor import FORMAT as AOTI
from bisenet.deployment.formats.aot_inductor import compiler
from bisenet.deployment.formats.pt2_archive import ENTRY, _is_expression
from bisenet.deployment.formats.table import format_of, open_engine
from bisenet.deployment.formats.torch_program import FILE, to_archive
from bisenet.errors import InputError

MODEL = "archive/models/model.json"
SIZES = [(1, 361, 479), (3, 33, 200), (1, 64, 96), (2, 1, 1)]


@pytest.fixture(scope="module")
def path(source, tmp_path_factory):
    path = tmp_path_factory.mktemp("torch") / FILE
    path.write_bytes(to_archive(source, any_size=True))
    return path


@pytest.fixture(scope="module")
def program(path):
    return torch.export.load(path).module()


def expected_labels(checkpoint, images):
    with torch.inference_mode():
        return checkpoint.model(checkpoint.normalize(torch.from_numpy(images))).argmax(1).numpy()


@pytest.mark.parametrize("size", SIZES)
def test_pytorch_alone_gives_the_checkpoint_s_labels_at_any_size(program, checkpoint, size):
    images = np.stack(pictures(*size))
    labels = program(torch.from_numpy(images)).numpy()
    assert labels.dtype == np.uint8 and (labels == expected_labels(checkpoint, images)).mean() > 0.9999


def test_the_engine_knows_the_file_and_keeps_the_threads(path, checkpoint, source):
    engine = open_engine(path, threads=2)
    assert engine.description == source.description and engine.precision == "float32"
    images, before = np.stack(pictures(2)), torch.get_num_threads()
    assert (engine.run(images) == expected_labels(checkpoint, images)).mean() > 0.9999
    assert torch.get_num_threads() == before
    assert not engine.shows_logits


def test_nothing_of_this_machine_is_in_it(path):
    with zipfile.ZipFile(path) as archive:
        text = archive.read(MODEL).decode()
        told = json.loads(archive.read("archive/extra/bisenet"))
    assert told["sha256"] == "0" * 64 and "site-packages" not in text and ".py" not in text and "_assert" not in text


def changed(path, new, edits, more=()):
    """Write the archive with `edits` {entry: text -> text} done, and entries added."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(new, "w") as archive:
        for name in old.namelist():
            data = old.read(name)
            archive.writestr(name, edits[name](data.decode()).encode() if name in edits else data)
        for name, data in more:
            archive.writestr(name, data)


class Trap:
    """Pickles as a call that leaves a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def set_in(old, new):
    def edit(text):
        assert old in text
        return text.replace(old, new, 1)

    return edit


WEIGHTS = "archive/data/weights/model_weights_config.json"
REFUSED = {
    "weights that are pickled": ({WEIGHTS: set_in('"use_pickle": false', '"use_pickle": true')}, "pickled weights"),
    "another operator": (
        {MODEL: set_in("torch.ops.aten.argmax.default", "torch.ops.aten.from_file.default")},
        "from_file",
    ),
    "a function of Python": ({MODEL: set_in('"torch.ops.aten.argmax.default"', '"torch.hub.load"')}, "torch.hub.load"),
    "an expression that runs": (
        {MODEL: set_in('"expr_str": "Symbol(\'', "\"expr_str\": \"print('x') or Symbol('")},
        "the expression",
    ),
    "guards": ({MODEL: set_in('"guards_code": []', '"guards_code": ["print(1)"]')}, "guards"),
    "text instead of JSON": ({MODEL: lambda text: "{" + text}, "damaged"),
    "no description": ({"archive/extra/bisenet": lambda text: "nonsense"}, "is damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_run_is_refused(path, tmp_path, name):
    edits, words = REFUSED[name]
    new = tmp_path / "model.pt2"
    changed(path, new, edits)
    with pytest.raises(InputError, match=words) as error:
        open_engine(new)
    assert str(new) in str(error.value)


def test_a_trap_among_the_example_inputs_stays_shut(path, tmp_path):
    data, sprung, new = io.BytesIO(), tmp_path / "sprung", tmp_path / "model.pt2"
    torch.save((Trap(sprung),), data)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(new, "w") as archive:
        for name in old.namelist():
            archive.writestr(name, data.getvalue() if name.endswith("sample_inputs/model.pt") else old.read(name))
    with pytest.raises(InputError, match="example inputs"):
        open_engine(new)
    assert not sprung.exists()
    with suppress(Exception):  # the test's own truth: PyTorch does run it
        torch.export.load(new)
    assert sprung.exists()


def test_entries_of_other_programs_are_refused(path, tmp_path):
    changed(path, tmp_path / "model.pt2", {}, [("archive/data/constants/opaque_obj_0", b"x")])
    with pytest.raises(InputError, match="opaque_obj_0"):
        open_engine(tmp_path / "model.pt2")
    assert not ENTRY.fullmatch("data/weights/model.pt")  # which older files pickle


@pytest.mark.parametrize("data", [b"", b"this is no model", "half"])
def test_a_file_that_is_none_is_named(path, tmp_path, data):
    new = tmp_path / "model.pt2"
    whole = path.read_bytes()
    new.write_bytes(whole[: len(whole) // 2] if data == "half" else data)
    with pytest.raises(InputError, match="cut short"):
        open_engine(new)


@pytest.mark.parametrize("program", ["[]", '{"range_constraints": {}, "in_spec": "[7"}'])
def test_parts_of_another_kind_than_expected_are_damage(path, tmp_path, program):
    new = tmp_path / "model.pt2"
    changed(path, new, {"archive/models/model.json": lambda _: program})
    with pytest.raises(InputError, match="cut short"):
        open_engine(new)


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("Add(Mul(Integer(4), FloorDiv(Symbol('s7', positive=True, integer=True), Integer(-8))), Integer(1))", True),
        ("Symbol('s7')", True),
        ("exec(chr(120))", False),
        ("Integer(1) + Integer(2)", False),
        ("Add(Integer(1), __import__('os'))", False),
        ("Add(Integer(1)", False),
        ("#", False),
    ],
)
def test_expressions(text, harmless):
    assert _is_expression(text) is harmless


def test_a_package_is_told_from_a_program_by_its_name(path, tmp_path):
    assert format_of("x/model.aoti.pt2") is AOTI and format_of(path).name == "torch"
    new = tmp_path / AOTI.file
    new.write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="no AOTInductor package"):
        open_engine(new)
    with zipfile.ZipFile(tmp_path / "model.pt2", "w") as archive:
        archive.writestr("model/data/aotinductor/model/x.so", b"")
    with pytest.raises(InputError, match=r"\.aoti\.pt2"):
        open_engine(tmp_path / "model.pt2")


@pytest.mark.skipif("TEST_COMPILER" not in os.environ, reason="compiling takes a minute and more: set TEST_COMPILER=1")
@pytest.mark.skipif(not compiler(), reason="no C++ compiler here")
@pytest.mark.skipif(importlib.util.find_spec("torch._inductor") is None, reason="this PyTorch has no Inductor")
def test_compiled(source, checkpoint, tmp_path):
    AOTI.export(source, tmp_path)
    engine = open_engine(tmp_path / AOTI.file, threads=1)
    assert engine.description == source.description
    for size in ((1, 61, 79), (3, 33, 200), (2, 64, 96)):
        images = np.stack(pictures(*size))
        assert (engine.run(images) == expected_labels(checkpoint, images)).mean() > 0.9999
    with pytest.raises(InputError, match="33 x 33"):
        engine.run(np.stack(pictures(1, 8, 8)))
