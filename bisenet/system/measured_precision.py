"""`amp: auto`: the precision that is fastest here, found by timing the work itself, once for each machine and work.

No name of an instruction set tells it. On one CPU with AVX-512's bf16 but without AMX bf16 was 0.7 times as fast as
float32, with AMX about twice, and where it is emulated a training takes 8 times as long.
"""

import copy
import json
import math
import os
import platform
import time
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path

import torch

from bisenet.errors import InputError
from bisenet.system.artifacts import write_json
from bisenet.system.distributed import from_first, rank, world_size
from bisenet.system.locks import lock
from bisenet.system.precision import AMP_TYPES, autocast, can_do, memory_format, prepare, tf32_as

MARGIN = 1.1  # times as fast as plain float32 another precision must be: less is what clocks err by
HOPELESS, HOPELESS_FIRST = 2.0, 4.0  # times as slow as float32 is not timed again; so in the first call, the warm-up
SECONDS = 1.0  # to repeat the work in, all precisions together
ROUNDS = 10  # at most; 2 at least
PATIENCE = 60.0  # seconds to wait for another process that measures
LEAST_SIDE = 16  # pixels of a training image: below, bf16 on a CPU has given gradients that are NaN, one run in ten
CPU_IMAGES, CPU_PIXELS = 2, 2**18  # larger batches and crops only take longer: the ratio stays
TELLING_FLAGS = {"avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_tile", "bf16", "sve"}  # of /proc/cpuinfo


def candidates(device):
    """The precisions worth a comparison on a device, plain float32 first: bf16 where it is real, else fp16 on a GPU."""
    return ("off", "bf16") if can_do(device, "bf16") else ("off", "fp16")


def machine(device):
    """What of the machine the times depend on, as plain values for a key."""
    if device.type == "cuda":
        return {"device": torch.cuda.get_device_name(device), "torch": torch.__version__}
    processor = f"{_processor()} {os.environ.get('ONEDNN_MAX_CPU_ISA', '')}".strip()
    return {"device": processor, "threads": torch.get_num_threads(), "torch": torch.__version__}


def _processor():
    with suppress(OSError, KeyError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        facts = {name.strip(): value.split() for name, _, value in (line.partition(":") for line in lines)}
        flags = TELLING_FLAGS.intersection(facts.get("flags") or facts["Features"])  # a machine may hide some
        return " ".join([*facts.get("model name", [platform.machine()]), *sorted(flags)])
    return platform.processor() or platform.machine()


def fastest(works, *, key, store=None, first_try=None, together=False):
    """The name of the work to do from now on: the fastest if it beats the first by `MARGIN`, else the first.

    works: {precision: callable without arguments that does the work once, under it}, plain float32 first. Each is
        called several times or never, so it must change nothing that counts.
    key: plain values, all that the times depend on: `machine(device)`, the network, what is done, at what size
    store: a JSON file that keeps what was found; whatever is wrong with it costs a new measurement alone
    first_try: the same names with smaller works, which show what is hopeless before it costs much time
    together: all processes call this at the same time, with works that may wait for each other, and the times of
        process 0 count for all. Else each process asks for itself.

    It says in one line what it measured. A work that fails, for want of memory say, is never the fastest.
    """
    leads, key = not together or rank() == 0, json.loads(json.dumps(key))  # as it comes back from a file
    agree = from_first if together else _itself
    with _alone_with(store) if leads else nullcontext():
        kept = agree(_kept(store, key) if leads else None)
        if kept in works:
            return kept
        times = _measure(works, first_try or {}, agree)
        first, choice = next(iter(works)), min(times, key=times.get)
        if times[choice] * MARGIN > times[first]:
            choice = first
        if leads:
            place = _keep(store, key, choice, times)
            clock = "s" if torch.cuda.is_initialized() else "s of processor time"
            told = ", ".join(f"{name} {seconds:.3g}" for name, seconds in times.items())
            print(f"amp: {choice}, as measured: {told} {clock}; {place}", flush=True)
    return choice


def _itself(value):
    return value


def _measure(works, first_try, agree):
    """{name: the least seconds that a work took}, of a first try alone where that leaves one."""
    if first_try:
        times, left = _in_turns(first_try, 2, agree)
        if len(left) == 1:
            return times
        works = {name: works[name] for name in left}
    return _in_turns(works, ROUNDS, agree)[0]


def _in_turns(works, rounds, agree):
    """({name: the least seconds}, the names that are not hopeless); what else the machine does hits all alike."""
    first, left, times = next(iter(works)), [*works], dict.fromkeys(works, math.inf)
    started = agree(time.monotonic())
    for number in range(1, rounds + 1):
        for name in left:
            times[name] = min(times[name], agree(_seconds(works[name])))
        if number > 1:
            left = [name for name in left if times[name] <= HOPELESS * times[first]]
        elif not torch.cuda.is_initialized():  # where a first call may take long whatever follows
            left = [name for name in left if times[name] <= HOPELESS_FIRST * times[first]]
        if left == [first] or (number > 1 and agree(time.monotonic()) > started + SECONDS):
            break
    return times, left


def _seconds(work):
    """How long it takes; on a CPU in seconds of its cores, where other programs do not count."""
    gpu = torch.cuda.is_initialized()
    clock = time.perf_counter if gpu else time.process_time
    wait = torch.cuda.synchronize if gpu else lambda: None
    wait()
    started = clock()
    try:
        work()
        wait()
    except RuntimeError:  # no memory, or no such kernel; what fails always fails again where it is used
        return math.inf
    return clock() - started


@contextmanager
def _alone_with(store):
    """Of two processes that start at once, the second finds what the first has measured."""
    held = None
    if store:
        with suppress(OSError):
            held = lock(Path(store).with_suffix(".lock"), PATIENCE)
    try:
        yield
    finally:
        if held:
            held.close()


def _entries(store):
    try:
        entries = json.loads(Path(store).read_text(encoding="utf-8"))
        return [entry for entry in entries if "key" in entry and entry["amp"] in AMP_TYPES]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):  # none yet, or damaged
        return []


def _kept(store, key):
    found = (entry["amp"] for entry in (_entries(store) if store else []) if entry["key"] == key)
    return next(found, None)


def _keep(store, key, choice, times):
    """Where it is kept, in words."""
    if store is None:
        return "not kept"
    others = [entry for entry in _entries(store) if entry["key"] != key]
    try:
        write_json(store, [*others, {"key": key, "amp": choice, "seconds": times}])
    except OSError as error:
        return f"not kept ({error.filename}: {error.strerror})"
    return f"kept in {store}"


def training_precision(
    model, criterion, *, amp, normalize, device, classes, size, batch_size, accumulate=1, store=None
):
    """`auto` -> the precision of the fastest training step; another `amp` stays. The device is prepared for it.

    Times forward, loss and backward of copies of `model` on random images; random state, batch statistics and gradients
    stay as they are. All processes call it at the same time, before the model is replicated.

    criterion, normalize, batch_size, accumulate: as of `Trainer`; size: (h, w) of a training image; store: as of
    `fastest`
    Raises `InputError` where the images are too small for a precision that is named; `auto` then is `off`.
    """
    if device.type == "cpu" and min(size) < LEAST_SIDE and amp != "off":
        if amp != "auto":
            raise InputError(
                f"crop: with {size[0]} x {size[1]} pixels gradients can be NaN under amp: {amp} on a CPU; take "
                f"{LEAST_SIDE} or more, after resize too, or amp: off"
            )
        amp = "off"
    if amp == "auto":
        images = max(2, batch_size // accumulate // world_size())  # batch norm needs two
        amp = _fastest_step(model, criterion, normalize, device, classes, size, images, store)
    prepare(device, amp)
    return amp


def _fastest_step(model, criterion, normalize, device, classes, size, images, store):
    names = candidates(device)
    if device.type == "cpu":
        images, size = CPU_IMAGES, _shrunk(size, math.sqrt(CPU_PIXELS / math.prod(size)))
    network = {"network": type(model).__name__, "architecture": getattr(model, "architecture", {}), "classes": classes}
    key = machine(device) | network | {"channels": normalize.mean.numel(), "work": "training step"}
    key |= {"size": list(size), "images": images, "precisions": list(names)}
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        about = {"criterion": criterion, "normalize": normalize, "device": device, "classes": classes}
        copies = {name: copy.deepcopy(model).to(memory_format=memory_format(device, name)) for name in names}
        steps = {name: partial(_train_once, copied.train(), amp=name, **about) for name, copied in copies.items()}
        works = {name: partial(step, size=size, images=images) for name, step in steps.items()}
        small = {name: partial(step, size=_shrunk(size, 1 / 4), images=CPU_IMAGES) for name, step in steps.items()}
        choice = fastest(works, key=key, store=store, first_try=small, together=True)
    if device.type == "cuda":  # what was measured is no part of the training's own memory
        del copies, steps, works, small
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    return choice


def _shrunk(size, factor):
    return [min(side, max(32, round(side * factor))) for side in size]


def _train_once(model, *, amp, criterion, normalize, device, classes, size, images):
    channels, wide, layout = normalize.mean.numel(), normalize.highest > 255, memory_format(device, amp)
    image = torch.randint(256, (images, *size, channels), dtype=torch.uint16 if wide else torch.uint8, device=device)
    label = torch.randint(classes, (images, *size), dtype=torch.uint8, device=device)
    model.zero_grad()
    with tf32_as(amp):
        with autocast(device, amp):
            loss, _ = criterion(model(normalize(image).contiguous(memory_format=layout)), label)
        loss.backward()
