"""Which precision is taken, by clocks that the tests turn; what a measurement leaves as it was, and what is kept."""

import itertools
import json

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bisenet.errors import InputError
from bisenet.models.normalize import Normalize
from bisenet.system import measured_precision
from bisenet.system.measured_precision import candidates, fastest, training_precision

CPU = torch.device("cpu")


@pytest.fixture
def takes(monkeypatch):
    """Works that take these seconds of the processor, by name; `calls` are the names of those called."""
    clock = [0.0]
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    monkeypatch.setattr(measured_precision.time, "process_time", lambda: clock[0])
    monkeypatch.setattr(measured_precision.time, "monotonic", lambda: clock[0])

    def make(**seconds):
        def work(name, taken):
            make.calls.append(name)
            if taken is None:
                raise RuntimeError("out of memory")
            clock[0] += next(taken) if hasattr(taken, "__next__") else taken

        return {name: lambda name=name, taken=taken: work(name, taken) for name, taken in seconds.items()}

    make.calls = []
    return make


@pytest.mark.parametrize(
    ("off", "bf16", "expected"),
    [(0.4, 0.2, "bf16"), (0.4, 0.35, "bf16"), (0.4, 0.38, "off"), (0.4, 0.4, "off"), (0.4, 0.6, "off"), (5, 2, "bf16")],
)
def test_the_fastest_is_taken_where_the_clock_is_clear(takes, off, bf16, expected):
    assert fastest(takes(off=off, bf16=bf16), key={}) == expected


def test_a_warm_up_counts_against_nobody(takes):
    slow_start = itertools.chain([1.0], itertools.repeat(0.1))
    assert fastest(takes(off=0.3, bf16=slow_start), key={}) == "bf16"
    assert takes.calls == ["off", "bf16"] * 2  # in turns; the second is gone


def test_it_lasts_about_a_second_and_is_said(takes, capsys):
    fastest(takes(off=0.15, bf16=0.1), key={})
    assert len(takes.calls) == 2 * 5  # the fifth round goes over one second
    assert capsys.readouterr().out == ("amp: bf16, as measured: off 0.15, bf16 0.1 s of processor time; not kept\n")
    takes.calls.clear()
    fastest(takes(off=0.001, bf16=0.001), key={})
    assert len(takes.calls) == 2 * 10


def test_what_is_hopeless_is_not_tried_at_full_size(takes):
    assert fastest(takes(off=9, bf16=9), key={}, first_try=takes(off=0.1, bf16=0.5)) == "off"
    assert takes.calls == ["off", "bf16"]
    takes.calls.clear()
    assert fastest(takes(off=9, bf16=9), key={}, first_try=takes(off=0.1, bf16=0.3)) == "off"
    assert takes.calls == ["off", "bf16"] * 2  # the first call might have been the warm-up
    assert fastest(takes(off=0.3, bf16=0.2), key={}, first_try=takes(off=0.1, bf16=0.19)) == "bf16"


@pytest.mark.parametrize(("off", "bf16", "expected"), [(0.4, None, "off"), (None, 0.4, "bf16"), (None, None, "off")])
def test_what_fails_is_never_the_fastest(takes, off, bf16, expected):
    assert fastest(takes(off=off, bf16=bf16), key={}) == expected


def test_the_choice_is_kept_for_its_key(takes, tmp_path, capsys):
    store = tmp_path / "new folder" / "precision.json"
    assert fastest(takes(off=2, bf16=1), key={"size": (3, 4)}, store=store) == "bf16"
    assert capsys.readouterr().out.endswith(f"; kept in {store}\n")
    takes.calls.clear()
    assert fastest(takes(off=1, bf16=2), key={"size": (3, 4)}, store=store) == "bf16"
    assert takes.calls == [] and capsys.readouterr().out == ""
    assert fastest(takes(off=1, bf16=2), key={"size": (3, 5)}, store=store) == "off"
    assert fastest(takes(off=1, bf16=2), key={"size": (3, 4)}, store=store) == "bf16"
    assert fastest(takes(off=2, fp16=1), key={"size": (3, 4)}, store=store) == "fp16"  # the choice is none of these
    assert [entry["amp"] for entry in json.loads(store.read_text())] == ["off", "fp16"]


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"{", b"7", b'{"a": 1}', b"[1]", b'[{"key": {}}]', b'[{"key": {}, "amp": []}]']
)
def test_a_damaged_store_costs_a_measurement(takes, tmp_path, content):
    store = tmp_path / "precision.json"
    store.write_bytes(content)
    assert fastest(takes(off=2, bf16=1), key={}, store=store) == "bf16"
    assert fastest(takes(off=1, bf16=2), key={}, store=store) == "bf16"


def test_a_store_that_cannot_be_written_costs_the_next_one(takes, tmp_path, capsys):
    (tmp_path / "file").touch()
    for off, expected in ((2, "bf16"), (0.5, "off")):
        assert fastest(takes(off=off, bf16=1), key={}, store=tmp_path / "file" / "precision.json") == expected
        assert "; not kept (" in capsys.readouterr().out


def test_of_several_processes_the_first_decides(takes, tmp_path, monkeypatch, capsys):
    said = iter([None, 0.0, 9.0, 4.0, 9.0, 4.0, 2.0])  # nothing is kept; the start, two rounds, the end
    monkeypatch.setattr(measured_precision, "rank", lambda: 1)
    monkeypatch.setattr(measured_precision, "from_first", lambda value: next(said))
    store = tmp_path / "precision.json"
    assert fastest(takes(off=1, bf16=3), key={}, store=store, together=True) == "bf16"
    assert not store.exists() and capsys.readouterr().out == ""


@pytest.mark.parametrize(("real", "expected"), [(True, ("off", "bf16")), (False, ("off", "fp16"))])
def test_what_a_device_can_do_is_compared(monkeypatch, real, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: real)
    assert candidates(CPU) == ("off", "bf16")
    assert candidates(torch.device("cuda", 0)) == expected


class Net(nn.Module):
    """All that a measurement could change: weights, batch statistics, random numbers of dropout."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Conv2d(4, 3, 1)
        )

    def forward(self, image):
        return self.layers(image)


def criterion(logits, label):
    return F.cross_entropy(logits.float(), label.long()), []


def choose(model, amp, store=None, size=(48, 600)):
    normalize = Normalize([0.5, 0.4], [0.2, 0.3])
    about = {"device": CPU, "classes": 3, "size": size, "batch_size": 8, "accumulate": 2}
    return training_precision(model, criterion, amp=amp, normalize=normalize, store=store, **about)


def test_a_precision_that_is_named_is_not_measured():
    model = Net()
    model.register_forward_pre_hook(lambda *_: pytest.fail("called"))
    assert choose(model, "bf16") == "bf16"


@pytest.mark.parametrize("size", [(8, 8), (15, 600), (600, 15)])
def test_images_that_are_too_small_for_half_precision(size):
    model = Net()
    model.register_forward_pre_hook(lambda *_: pytest.fail("called"))
    assert choose(model, "auto", size=size) == choose(model, "off", size=size) == "off"
    for amp in "bf16", "fp16":
        with pytest.raises(
            InputError, match=f"crop: with {size[0]} x {size[1]} pixels .* under amp: {amp} on a CPU; take 16"
        ):
            choose(model, amp, size=size)
    assert choose(model, "bf16", size=(16, 600)) == "bf16"


def test_a_measurement_leaves_all_as_it_was(tmp_path):
    model, store, seen = Net(), tmp_path / "precision.json", set()
    model.layers.register_forward_hook(lambda _, inputs, output: seen.add((tuple(inputs[0].shape), output.dtype)))
    before, random = {name: value.clone() for name, value in model.state_dict().items()}, torch.get_rng_state()
    choice = choose(model, "auto", store)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    tried = {(2, 2, 32, 150)}
    full = {shape for shape, _ in seen} - tried
    assert full <= {(2, 2, 48, 600)}  # none, where the first try was hopeless
    assert {dtype for _, dtype in seen} == {torch.float32, torch.bfloat16}
    (entry,) = json.loads(store.read_text())
    assert entry["amp"] == choice and entry["key"]["size"] == [48, 600]
    model.register_forward_pre_hook(lambda *_: pytest.fail("measured again"))
    assert choose(model, "auto", store) == choice
