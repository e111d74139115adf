"""Arrays of every format: one label in all, and no damage ends in a traceback."""

import random

import numpy as np
from array_files import mat, npy, npz
from PIL import Image

from bisenet.annotation.formats.table import formats_of
from bisenet.errors import InputError

IDS = np.random.default_rng(1).integers(0, 100, (6, 9))


def test_any_damage_ends_in_an_array_or_a_message():
    rng = random.Random(1)
    struct_file = mat(False, GTcls={"Segmentation": IDS, "Boundaries": IDS})
    files = [("a.npy", npy(IDS)), ("a.npz", npz(a=IDS)), ("a.mat", struct_file), ("a.mat", mat(False, S=IDS, T="a"))]
    outcomes = set()
    for _ in range(1500):
        name, data = rng.choice(files)
        data = bytearray(data)
        for _ in range(rng.choice([1, 1, 3])):
            data[rng.randrange(len(data))] = rng.choice([0, 255, rng.randrange(256)])
        try:
            formats_of(name)[0].parse(bytes(data), name)
            outcomes.add("array")
        except InputError:
            outcomes.add("message")
    assert outcomes == {"array", "message"}


def test_real_labels_are_the_same_in_every_file(camvid):
    truth = np.asarray(Image.open(sorted((camvid / "trainannot").glob("*.png"))[0]))
    for name, data in {
        "a.npy": npy(truth.astype(float)),
        "a.npz": npz(np.savez_compressed, a=truth.astype(np.int64)[..., None]),
        "a.mat": mat(GTcls={"Segmentation": truth, "Boundaries": 0}),
    }.items():
        assert (formats_of(name)[0].parse(data, name) == truth).all()
