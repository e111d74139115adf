"""Batches: which image comes when, for any number of processes and workers."""

import os
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from bisenet.errors import InputError
from bisenet.samples import loader
from bisenet.samples.classes import IGNORE, ClassTable
from bisenet.samples.loader import (
    SegmentationDataset,
    ShuffledBatches,
    batch_files,
    count_workers,
    open_datasets,
    train_loader,
    val_loader,
)
from bisenet.training.transforms import TrainTransform

COUNT = 7
CPU = torch.device("cpu")
TABLE = ClassTable.from_dict(
    {"classes": [{"name": f"c{i}", "color": [i, i, i]} for i in range(5)], "ignore": [255]}, "table"
)
TRANSFORM = TrainTransform(crop=(24, 32), scales=(0.5, 2), flip=0.5, jitter=0.4, mean=[0.5] * 3)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """(root, pairs, images, labels); every image has a size of its own."""
    rng = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("data")
    pairs, images, labels = [], [], []
    for i in range(COUNT):
        size = 20 + 3 * i, 40 - 2 * i
        images.append(rng.integers(0, 256, (*size, 3), dtype=np.uint8))
        labels.append(rng.choice(np.array([0, 1, 2, 3, 4, 255], np.uint8), size))
        pairs.append((f"{i}.png", f"{i}-label.png"))
        Image.fromarray(images[-1]).save(root / pairs[-1][0])
        Image.fromarray(labels[-1]).save(root / pairs[-1][1])
    return root, pairs, images, labels


@pytest.fixture(scope="module")
def dataset(data):
    return SegmentationDataset(data[1], data[0], TABLE, TRANSFORM, seed=3)


def batches(length, batch_size, iterations, **options):
    return list(ShuffledBatches(length, batch_size, iterations, **{"seed": 1} | options))


def test_without_a_transform_the_files_come_as_they_are(data):
    dataset = SegmentationDataset(data[1], str(data[0]), TABLE)
    assert len(dataset) == COUNT
    for i in range(COUNT):
        image, label = dataset[i]
        assert image.dtype == label.dtype == torch.uint8
        assert (image.numpy() == data[2][i]).all()
        assert (label.numpy() == data[3][i]).all()


def test_an_image_without_a_label_comes_with_ignored_pixels_alone(data):
    dataset = SegmentationDataset([("0.png", None), ("1.png", None)], data[0], TABLE)
    for place, (image, label) in enumerate(val_loader(dataset, workers=0, device=CPU)):
        assert (image[0].numpy() == data[2][place]).all()
        assert label.dtype == torch.uint8 and label.shape[1:] == data[3][place].shape
        assert (label == IGNORE).all()


@pytest.mark.parametrize("test", [b"6.png,6-label.png\n", b"6.png,\n", b"\xff\xfe\0no text"])
def test_training_reads_the_lists_of_train_and_val_alone(data, tmp_path, test):
    lists = {"train": data[1][:2], "val": data[1][2:4]}
    for split, pairs in lists.items():
        (tmp_path / f"{split}.txt").write_text("".join(f"{image},{label}\n" for image, label in pairs))
    (tmp_path / "test.txt").write_bytes(test)
    form = {"channels": 3, "bit_depth": 8, "data_root": data[0], "transform": TRANSFORM, "seed": 3}
    sets = open_datasets(tmp_path, TABLE, **form)
    assert len(sets) == 2
    for found, pairs in zip(sets, lists.values(), strict=True):
        assert found.paths == [(str(data[0] / image), str(data[0] / label)) for image, label in pairs]
    assert torch.equal(sets[0][0][0], SegmentationDataset(lists["train"], data[0], TABLE, TRANSFORM, seed=3)[0][0])
    assert torch.equal(sets[1][0][0], torch.from_numpy(data[2][2]))  # as it is


def test_images_come_with_the_channels_that_are_asked_for(data):
    asked = SegmentationDataset(data[1], data[0], TABLE, channels=1, bit_depth=8)
    luma = data[2][0] @ np.array([0.299, 0.587, 0.114])
    image = asked[0][0].numpy()
    assert image.shape == (*luma.shape, 1)
    assert np.abs(image[..., 0] - luma).max() <= 1
    with pytest.raises(InputError, match=r"0\.png: is 8 bit, and 16 bit is wanted"):
        SegmentationDataset(data[1], data[0], TABLE, channels=3, bit_depth=16)[0]


@pytest.mark.parametrize("workers", [0, 1])
def test_16_bit_images_fill_batches(tmp_path, workers):
    images = np.random.default_rng(0).integers(0, 65536, (3, 9, 8), dtype=np.uint16)
    pairs = [(f"{i}.png", "label.png") for i in range(3)]
    for (name, _), image in zip(pairs, images, strict=True):
        Image.fromarray(image).save(tmp_path / name)
    Image.fromarray(np.zeros((9, 8), np.uint8)).save(tmp_path / "label.png")
    dataset = SegmentationDataset(pairs, tmp_path, TABLE)
    [(batch, _)] = train_loader(dataset, batch_size=3, max_iter=1, seed=0, workers=workers, device=CPU)
    [order] = ShuffledBatches(3, 3, 1, seed=0)
    assert batch.dtype == torch.uint16
    assert (batch.numpy()[..., 0] == images[[place for _, place in order]]).all()


def test_what_an_image_looks_like_depends_on_seed_pass_and_place_alone(data, dataset):
    same = SegmentationDataset(data[1], data[0], TABLE, TRANSFORM, seed=3)
    for index in [(0, 0), (5, 2), (1, 6)]:
        dataset[(9, 1)]  # whatever was asked for before
        assert torch.equal(dataset[index][0], same[index][0])
        assert torch.equal(dataset[index][1], same[index][1])
    other_seed = SegmentationDataset(data[1], data[0], TABLE, TRANSFORM, seed=4)
    assert not torch.equal(dataset[(0, 0)][0], other_seed[(0, 0)][0])
    assert not torch.equal(dataset[(0, 0)][0], dataset[(1, 0)][0])


def test_a_place_alone_is_the_first_pass(dataset):
    assert torch.equal(dataset[4][0], dataset[(0, 4)][0])


def test_a_missing_file_is_an_error_that_names_it(data):
    dataset = SegmentationDataset([("absent.png", "0-label.png")], data[0], TABLE)
    with pytest.raises(InputError, match=r"absent\.png: cannot be read"):
        dataset[0]


@pytest.mark.parametrize(("length", "batch_size"), [(7, 3), (7, 7), (12, 4), (3, 8), (1, 4), (5, 1)])
def test_every_image_comes_once_in_each_pass(length, batch_size):
    passes = 6
    series = [index for batch in batches(length, batch_size, -(-passes * length // batch_size)) for index in batch]
    for number in range(passes):
        one_pass = series[number * length : (number + 1) * length]
        assert {passed for passed, _ in one_pass} == {number}
        assert sorted(place for _, place in one_pass) == list(range(length))


def test_every_batch_has_its_size_and_there_are_as_many_as_asked():
    found = batches(7, 4, 9)
    assert len(found) == len(ShuffledBatches(7, 4, 9, seed=1)) == 9
    assert all(len(batch) == 4 for batch in found)


def test_each_pass_and_each_seed_has_an_order_of_its_own():
    orders = {tuple(place for _, place in batch) for seed in range(3) for batch in batches(20, 20, 4, seed=seed)}
    assert len(orders) == 12
    assert tuple(range(20)) not in orders


def test_every_place_comes_first_equally_often():
    first = [batch[0][1] for batch in batches(4, 4, 2000)]
    counts = np.bincount(first, minlength=4)
    assert ((counts - 500) ** 2 / 500).sum() < 16.3  # chi squared, 3 degrees of freedom, p = 0.001


@pytest.mark.parametrize("processes", [1, 2, 4])
@pytest.mark.parametrize("length", [3, 7, 64])
def test_the_shares_of_all_processes_are_the_batches_of_one(processes, length):
    whole = batches(length, 8, 5)
    shares = [batches(length, 8, 5, rank=rank, world_size=processes) for rank in range(processes)]
    for iteration, batch in enumerate(whole):
        parts = [share[iteration] for share in shares]
        assert {len(part) for part in parts} == {8 // processes}
        assert sorted(index for part in parts for index in part) == sorted(batch)


@pytest.mark.parametrize("start", [0, 1, 3, 9])
@pytest.mark.parametrize(("rank", "processes"), [(0, 1), (1, 2), (2, 3)])
def test_a_sampler_can_start_anywhere(start, rank, processes):
    place = {"rank": rank, "world_size": processes}
    assert batches(7, 4, 9, start=start, **place) == batches(7, 4, 9, **place)[start:]
    assert len(ShuffledBatches(7, 4, 9, seed=1, start=start)) == 9 - start


def test_shares_differ_by_one_image_at_most_and_are_the_batch_together():
    shares = [batches(7, 5, 4, rank=rank, world_size=3) for rank in range(3)]
    assert [len(share[0]) for share in shares] == [2, 2, 1]
    for iteration, batch in enumerate(batches(7, 5, 4)):
        assert sorted(index for share in shares for index in share[iteration]) == sorted(batch)


def test_the_files_of_a_batch_are_those_that_it_is_made_of(dataset, monkeypatch):
    order = {"batch_size": 3, "max_iter": 6, "seed": 8}
    for number, batch in enumerate(batches(COUNT, 3, 6, seed=8)):
        expected = [dataset.paths[place][0] for _, place in batch]
        assert batch_files(dataset, number, **order) == expected
    monkeypatch.setattr(loader, "world_size", lambda: 2)
    assert batch_files(dataset, 5, **order) == expected  # of all processes


@pytest.mark.parametrize("accumulate", [2, 3, 6])
@pytest.mark.parametrize("start", [0, 2])
def test_micro_batches_are_the_batch_in_order(dataset, monkeypatch, accumulate, start):
    order = {"batch_size": 6, "max_iter": 4, "seed": 8, "workers": 0, "device": CPU}
    whole = [image for image, _ in train_loader(dataset, start, **order)]
    micro = [image for image, _ in train_loader(dataset, start, accumulate=accumulate, **order)]
    assert {len(image) for image in micro} == {6 // accumulate}
    assert torch.equal(torch.cat(micro), torch.cat(whole))
    if accumulate == 2:
        monkeypatch.setattr(loader, "world_size", lambda: 2)
        monkeypatch.setattr(loader, "rank", lambda: 1)
        shares = [image for image, _ in train_loader(dataset, start, accumulate=accumulate, **order)]
        assert torch.equal(torch.cat(shares), torch.cat([image[1::2] for image in micro]))


@pytest.mark.parametrize("accumulate", [1, 2])
def test_each_batch_has_the_size_of_its_number_from_any_start(dataset, accumulate):
    order = {"batch_size": 4, "max_iter": 3, "seed": 8, "workers": 0, "device": CPU, "accumulate": accumulate}
    plain = list(train_loader(dataset, **order))
    grown = list(train_loader(dataset, **order, factor=[2, 1, 0.5].__getitem__))
    sizes = [tuple(label.shape[1:]) for _, label in grown[::accumulate]]
    assert sizes == [(48, 64), (24, 32), (16, 16)]  # of 24 x 32, in whole 16
    middle = slice(accumulate, 2 * accumulate)
    assert content(grown[middle]) == content(plain[middle])  # a factor of 1 changes no byte
    assert content(train_loader(dataset, 1, **order, factor=[2, 1, 0.5].__getitem__)) == content(grown[accumulate:])


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_batches_from_any_start_are_the_same_for_any_number_of_workers(dataset, workers):
    order = {"batch_size": 3, "max_iter": 4, "seed": 8, "device": CPU}
    whole = content(train_loader(dataset, workers=0, **order))
    assert content(train_loader(dataset, 2, workers=workers, **order)) == whole[2:]


def test_a_sampler_can_be_read_again():
    sampler = ShuffledBatches(7, 4, 5, seed=1)
    assert list(sampler) == list(sampler)


def content(loaded):
    return [(image.numpy().tobytes(), label.numpy().tobytes()) for image, label in loaded]


def test_batches_are_the_images_that_the_sampler_names(dataset):
    loaded = list(train_loader(dataset, batch_size=3, max_iter=4, seed=8, workers=0, device=CPU))
    assert len(loaded) == 4
    for (image, label), batch in zip(loaded, ShuffledBatches(COUNT, 3, 4, seed=8), strict=True):
        assert image.shape == (3, 24, 32, 3)
        assert label.shape == (3, 24, 32)
        assert image.dtype == label.dtype == torch.uint8
        for position, index in enumerate(batch):
            assert torch.equal(image[position], dataset[index][0])
            assert torch.equal(label[position], dataset[index][1])
        assert set(label.unique().tolist()) <= {0, 1, 2, 3, 4, IGNORE}


@pytest.mark.filterwarnings("ignore:This DataLoader will create 3 worker processes")  # on a machine of two cores
def test_the_same_bytes_for_any_number_of_workers(dataset):
    alone = content(train_loader(dataset, batch_size=3, max_iter=6, seed=8, workers=0, device=CPU))
    for workers in (1, 3):
        assert content(train_loader(dataset, batch_size=3, max_iter=6, seed=8, workers=workers, device=CPU)) == alone


def test_the_state_of_the_global_generators_changes_nothing(dataset):
    def first_batches(seed):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        return content(islice(train_loader(dataset, batch_size=2, max_iter=9, seed=8, workers=0, device=CPU), 2))

    assert first_batches(0) == first_batches(1)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_validation_draws_nothing_from_the_stream_that_dropout_uses(data, dataset, workers):
    batches = train_loader(dataset, batch_size=2, max_iter=2, seed=8, workers=workers, device=CPU)
    images = val_loader(SegmentationDataset(data[1], data[0], TABLE), workers=workers, device=CPU)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    for started in (batches, images, images):  # a second validation, too
        list(started)
        assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("kind", "pinned"), [("cpu", False), ("cuda", True)])
def test_memory_is_pinned_for_a_gpu_alone_and_workers_can_be_automatic(dataset, monkeypatch, kind, pinned):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2}, raising=False)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    place = {"workers": "auto", "device": torch.device(kind)}
    batches = train_loader(dataset, batch_size=2, max_iter=1, seed=8, **place)
    for made in (batches, val_loader(dataset, **place)):
        assert made.pin_memory == pinned
        assert made.num_workers == {"cpu": 0, "cuda": 3}[kind]


@pytest.mark.parametrize("processes", [1, 2, 3, 9])
def test_every_validation_image_is_in_exactly_one_process(data, monkeypatch, processes):
    dataset = SegmentationDataset(data[1], data[0], TABLE)
    monkeypatch.setattr(loader, "world_size", lambda: processes)
    found = []
    for rank in range(processes):
        monkeypatch.setattr(loader, "rank", lambda rank=rank: rank)
        found += content(val_loader(dataset, workers=0, device=CPU))
    expected = [(image.tobytes(), label.tobytes()) for image, label in zip(data[2], data[3], strict=True)]
    assert sorted(found) == sorted(expected)


def test_validation_images_keep_their_sizes_and_order(data):
    loaded = list(val_loader(SegmentationDataset(data[1], data[0], TABLE), workers=1, device=CPU))
    assert [tuple(image.shape) for image, _ in loaded] == [(1, *image.shape) for image in data[2]]
    assert [tuple(label.shape) for _, label in loaded] == [(1, *label.shape) for label in data[3]]


def test_each_process_trains_on_its_share(dataset, monkeypatch):
    monkeypatch.setattr(loader, "world_size", lambda: 2)
    monkeypatch.setattr(loader, "rank", lambda: 1)
    [(image, _)] = train_loader(dataset, batch_size=4, max_iter=1, seed=8, workers=0, device=CPU)
    [batch] = ShuffledBatches(COUNT, 4, 1, seed=8, rank=1, world_size=2)
    assert len(batch) == len(image) == 2
    assert torch.equal(image[0], dataset[batch[0]][0])


@pytest.mark.parametrize(
    ("workers", "device", "cores", "local", "expected"),
    [
        (0, "cuda", 16, 1, 0),
        (5, "cpu", 1, 1, 5),
        ("auto", "cpu", 16, 1, 0),
        ("auto", "cuda", 16, 1, 8),
        ("auto", "cuda", 16, 4, 4),
        ("auto", "cuda", 2, 4, 1),
    ],
)
def test_workers_are_what_was_asked_or_fit_the_machine(monkeypatch, workers, device, cores, local, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(cores)), raising=False)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(local))
    assert count_workers(workers, SimpleNamespace(type=device)) == expected


def test_real_photographs_fill_a_batch(camvid):
    table = ClassTable.from_dict(
        {"classes": [{"name": f"c{i}", "color": [i, 0, 0]} for i in range(11)], "ignore": [11]}, "table"
    )
    names = sorted(path.stem for path in (camvid / "train").glob("*.jpg"))[:5]
    pairs = [(f"train/{name}.jpg", f"trainannot/{name}.png") for name in names]
    transform = TrainTransform(crop=(96, 128), scales=(0.5, 2), flip=0.5, jitter=0.4, mean=[0.4] * 3)
    dataset = SegmentationDataset(pairs, camvid, table, transform)
    for image, label in train_loader(dataset, batch_size=4, max_iter=2, seed=0, workers=0, device=CPU):
        assert image.shape == (4, 96, 128, 3)
        assert set(label.unique().tolist()) <= {*range(11), IGNORE}
        assert image.float().std() > 20
