"""How fast a network is, and how much memory it takes: each measured in a process of its own, after a warm-up."""

import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bisenet.errors import InputError

WARM_UPS = 2  # calls before the clock runs: runtimes choose kernels and reserve memory in the first ones
FEWEST = 5  # calls that are timed, however long they take


@dataclass(frozen=True)
class Job:
    """What is timed: a file in a runtime, on images of a size.

    weights: any file that `open_network` takes; told: about published weights
    precision: of a checkpoint, as of `open_network`; runtime: None for the usual one of the file
    size: (H, W); batch: images at a time; threads: of the CPU
    files: image files of that size, read for the time from end to end
    seconds: that calls are timed for
    """

    weights: str
    size: tuple
    precision: str = "off"
    runtime: str | None = None
    batch: int = 1
    threads: int = 1
    device: str = "cpu"
    told: dict = field(default_factory=dict)
    cache: Path | None = None
    files: tuple = ()
    seconds: float = 3.0


def measure(job):
    """{"model_ms", "model_p90_ms", "whole_ms", "whole_p90_ms", "images_per_second", "peak_mib", "runtime", "precision"}

    model: label maps of images in memory; whole: of image files, read and decoded. Milliseconds are of a batch; p90 is
    what nine in ten do not exceed. peak_mib: what the process grew by, the runtime and the weights included.
    Raises what opening the file raises.
    """
    context = multiprocessing.get_context("spawn")  # no memory, threads or imports of this process
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(_measure, job).result()
        except BrokenProcessPool:
            raise InputError(f"{job.weights}: the process that measured it died; is there enough memory?") from None


def _measure(job):
    import torch

    from bisenet.deployment.opening import open_network
    from bisenet.samples.images import read_image
    from bisenet.system.precision import prepare

    torch.set_num_threads(job.threads)
    device = torch.device(job.device)
    before = _peak_mib()
    exported = job.precision is None
    if not exported and job.precision != "auto":
        prepare(device, job.precision)
    how = {"runtime": job.runtime, "threads": job.threads} if exported else {"precision": job.precision}
    network = open_network(job.weights, device, cache=job.cache, told=job.told, **how)

    def read():
        images = [read_image(job.files[place % len(job.files)], **network.image_form) for place in range(job.batch)]
        return torch.from_numpy(np.stack(images))

    def look(images):
        return network.predictor.labels(images).cpu()  # which waits for a GPU

    images = read()
    model = _times(lambda: look(images), job.seconds)
    whole = _times(lambda: look(read()), job.seconds)
    return {
        "model_ms": 1000 * float(np.median(model)),
        "model_p90_ms": 1000 * float(np.percentile(model, 90)),
        "whole_ms": 1000 * float(np.median(whole)),
        "whole_p90_ms": 1000 * float(np.percentile(whole, 90)),
        "images_per_second": job.batch / float(np.median(model)),
        "peak_mib": _peak_mib() - before,
        "runtime": getattr(getattr(network.predictor, "engine", None), "runtime", f"PyTorch {torch.__version__}"),
        "precision": "float32" if network.predictor.amp == "off" else network.predictor.amp,
    }


def _times(call, seconds):
    """Of each call, in seconds."""
    for _ in range(WARM_UPS):
        call()
    times = []
    while len(times) < FEWEST or sum(times) < seconds:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times


def _peak_mib():
    """The most memory this process has had. On Linux `getrusage` begins with the parent's, even after exec."""
    with suppress(OSError):
        lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 2**10
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
