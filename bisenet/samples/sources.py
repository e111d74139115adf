"""Where the pixels of a pair come from: its files, each time anew; memory, once read; or packed data (`packed.py`).

A source is indexed by a place in the list, and gives image (H, W, C) uint8 or uint16 and label (H, W) uint8 train ids,
the same bytes whatever it is. They are not to be written to. Of packed data they are views of a memory map: only what
is cut out of them is read.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bisenet.samples.classes import IGNORE
from bisenet.samples.labels import LabelReader, read_pair
from bisenet.samples.lists import SPLITS
from bisenet.samples.packed import Packed, pack_once
from bisenet.system.distributed import from_first, local_rank, rank, shared_faults

MEMORY_SHARE = 0.25  # of the memory that is free, which `auto` takes at most
CONTAINER_MEMORY = (  # limit and use, of cgroups 2 and 1
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


class PairFiles:
    """Decodes both files each time. Without a label file all is `IGNORE`.

    files: of each pair, see `pair_files`; channels, bit_depth: see `read_image`
    """

    def __init__(self, files, table, channels=None, bit_depth=None):
        self.files = files
        self.read_label = LabelReader(table)
        self.form = {"channels": channels, "bit_depth": bit_depth}

    def __len__(self):
        return len(self.files)

    def __getitem__(self, place):
        return self.read(self.files[place])

    def read(self, files):
        image, label = read_pair(files, self.read_label, **self.form)
        return image, np.full(image.shape[:2], IGNORE, np.uint8) if label is None else label

    def __repr__(self):
        """What the pixels depend on beside the files."""
        return repr((self.read_label.table, self.form))


class InMemory:
    """Keeps what another source has given, in each process that asks it."""

    def __init__(self, source):
        self.source = source
        self.kept = {}

    def __len__(self):
        return len(self.source)

    def __getitem__(self, place):
        if place not in self.kept:
            self.kept[place] = self.source[place]
        return self.kept[place]


@dataclass
class Cache:
    """What `cache` asks for: none, memory, packed or auto.

    folder: packed data lies in `packed` below it
    found: {split: {"sizes": {"WxH": images}, "channels", "bit_depth"}}, which tells the size beforehand
    processes: how many load data on this machine, each of which would keep its own
    workers: how many processes pack; `auto`: one on each core
    """

    kind: str
    folder: Path
    found: dict
    processes: int = 1
    workers: int | str = "auto"

    def __post_init__(self):
        if self.kind == "auto":
            needed = sum(map(self.size, SPLITS)) * self.processes
            self.kind = "memory" if needed <= MEMORY_SHARE * free_memory() else "none"

    def size(self, split):
        """Bytes of all pairs of a split, once decoded."""
        found = self.found[split]
        sizes = (tuple(map(int, size.split("x"))) + (images,) for size, images in found["sizes"].items())
        pixels = sum(width * height * images for width, height, images in sizes)
        return pixels * (found["channels"] * found["bit_depth"] // 8 + 1)

    def over(self, source, split, listed):
        """A source of the same pairs as `source`, a `PairFiles`; `listed`: the bytes of the list of this split."""
        if self.kind == "memory":
            return InMemory(source)
        if self.kind == "none":
            return source
        folder = None
        with shared_faults():  # where all other processes wait
            if local_rank() == 0:
                workers = None if self.workers == "auto" else max(1, self.workers)
                folder = Path(self.folder) / "packed"
                folder = pack_once(folder, split, listed, source, self.size(split), workers, told=rank() == 0)
        return Packed(from_first(folder and str(folder)))


def free_memory():
    """Bytes that the machine, or the container that this process lives in, has to give; 0 where nothing tells."""
    found = []
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        found.append(1024 * int(next(line.split()[1] for line in lines if line.startswith("MemAvailable"))))
    for most, used in CONTAINER_MEMORY:
        with suppress(OSError, ValueError):  # a limit may be `max`
            found.append(int(Path(most).read_text()) - int(Path(used).read_text()))
    return max(0, min(found, default=0))
