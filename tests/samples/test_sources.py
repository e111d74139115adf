"""Whatever `cache` is, a seed gives the same bytes."""

import numpy as np
import pytest
import torch
from PIL import Image

from bisenet.errors import InputError
from bisenet.samples import sources
from bisenet.samples.classes import ClassTable
from bisenet.samples.loader import open_datasets, train_loader, val_loader
from bisenet.samples.sources import Cache
from bisenet.training.transforms import TrainTransform

TABLE = ClassTable.from_dict(
    {"classes": [{"name": f"c{i}", "color": [i, i, i]} for i in range(5)], "ignore": [255]}, "table"
)
CPU = torch.device("cpu")
FOUND = {
    "train": {"sizes": {"30x20": 3, "32x21": 1}, "channels": 3, "bit_depth": 8},
    "val": {"sizes": {"30x20": 2}, "channels": 3, "bit_depth": 16},
}
BYTES = (3 * 30 * 20 + 32 * 21) * 4, 2 * 30 * 20 * 7


@pytest.fixture
def lists(tmp_path):
    """A folder with lists, of pairs of noise that lie in it too."""
    rng = np.random.default_rng(0)
    for split, count in ("train", 4), ("val", 2):
        names = [(f"{split}{i}.png", f"{split}{i}-label.png") for i in range(count)]
        for image, label in names:
            Image.fromarray(rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(tmp_path / image)
            Image.fromarray(rng.integers(0, 5, (20, 30), dtype=np.uint8)).save(tmp_path / label)
        (tmp_path / f"{split}.txt").write_text("".join(f"{image},{label}\n" for image, label in names))
    return tmp_path


def opened(lists, cache, workers=0, scales=(0.5, 2)):
    transform = TrainTransform(crop=(16, 24), scales=scales, flip=0.5, jitter=0.4, mean=[0.5] * 3)
    form = {"channels": 3, "bit_depth": 8, "data_root": lists, "transform": transform, "seed": 3}
    kept = {"cache": cache, "cache_folder": lists / ".cache", "sizes": FOUND}
    return open_datasets(lists, TABLE, **form, **kept, workers=workers, device=CPU)


def content(lists, cache, workers=0):
    train_set, val_set = opened(lists, cache, workers)
    batches = train_loader(train_set, batch_size=4, max_iter=4, seed=8, workers=workers, device=CPU)
    images = val_loader(val_set, workers=workers, device=CPU)
    read = [*batches, *images, *images]  # a second validation, too
    return [(image.numpy().tobytes(), label.numpy().tobytes()) for image, label in read]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("cache", ["none", "memory", "packed", "auto"])
def test_the_same_bytes_for_any_cache_and_number_of_workers(lists, cache, workers):
    assert content(lists, cache, workers) == content(lists, "none")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("cache", ["memory", "packed"])
def test_what_is_kept_is_never_handed_out_to_be_changed(lists, cache):
    for dataset in opened(lists, cache, scales=(1, 1)):
        first = [part.clone() for part in dataset[0]]
        for part in dataset[0]:
            part.fill_(7)
        assert all(map(torch.equal, dataset[0], first))


@pytest.mark.parametrize("cache", ["memory", "packed"])
def test_files_are_decoded_once(lists, cache, monkeypatch):
    expected = content(lists, "none")
    sets = opened(lists, cache)
    for dataset in sets:
        list(map(dataset.__getitem__, range(len(dataset))))
    monkeypatch.setattr(sources, "read_pair", None)  # would fail
    batches = train_loader(sets[0], batch_size=4, max_iter=4, seed=8, workers=0, device=CPU)
    assert [(image.numpy().tobytes(), label.numpy().tobytes()) for image, label in batches] == expected[:4]


def test_sizes_are_known_beforehand():
    assert tuple(map(Cache("none", None, FOUND).size, ("train", "val"))) == BYTES


@pytest.mark.parametrize(
    ("processes", "free", "chosen"), [(1, 0, "none"), (1, -1, "none"), (1, 1, "memory"), (3, 1, "none")]
)
def test_auto_takes_a_quarter_of_the_free_memory_at_most(monkeypatch, processes, free, chosen):
    monkeypatch.setattr(sources, "free_memory", lambda: 4 * sum(BYTES) + free if free else 0)
    assert Cache("auto", None, FOUND, processes).kind == chosen


def test_free_memory_is_less_than_what_the_machine_has():
    assert 0 < sources.free_memory() < 2**50


def test_the_limit_of_a_container_counts(tmp_path, monkeypatch):
    (tmp_path / "most").write_text("5000\n")
    (tmp_path / "used").write_text("3000\n")
    monkeypatch.setattr(sources, "CONTAINER_MEMORY", [(tmp_path / "most", tmp_path / "used")])
    assert sources.free_memory() == 2000
    (tmp_path / "most").write_text("max\n")
    assert sources.free_memory() > 2000


def test_a_faulty_file_is_told_as_it_is_packed(lists):
    (lists / "val1-label.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"val1-label\.png: the file is empty"):
        opened(lists, "packed")
