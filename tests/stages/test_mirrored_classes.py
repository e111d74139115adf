"""Left and right through the stages: what they say, and the labels that training is given."""

import sys

import numpy as np
import pytest
import yaml
from params_files import PARAMS, PRESETS, write_params
from PIL import Image

from stages import dataset_stats, gen_dataset_annos, train

SIZE = 32, 48
CHOSEN = {
    "model": "bisenetv2", "bisenetv2": {"width": 0.25}, "dataset": "custom", "crop": [*SIZE], "resize": "none",
    "scales": [1, 1], "flip": 1, "jitter": 0, "batch_size": 4, "max_iter": 2, "warmup_iters": 1,
    "device": "cpu", "pretrained": "none", "amp": "off", "workers": 0,
}  # fmt: skip


class Enough(Exception):
    """The training has given what it is asked for."""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """run(*mirrors): (what is printed, a batch) with classes `left` and `right`, which are half of each image."""
    label = np.repeat([0, 1], SIZE[1] // 2)[None].repeat(SIZE[0], 0).astype(np.uint8)
    for number in range(10):
        image = np.random.default_rng(number).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
        for folder, array in ("images", image), ("masks", label):
            path = tmp_path / "data/custom" / folder / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(path)
    write_params(tmp_path, {**PARAMS, **CHOSEN}, {"bisenetv2": {"custom": PRESETS["bisenetv2"]["custom"]}})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["stage"])
    given = []

    def trained(trainer, *, batches, **how):
        given.append(next(iter(batches(0))))
        raise Enough

    monkeypatch.setattr(train, "train", trained)

    def run(*mirrors):
        entries = [{"name": name, "color": [0, 0, 0]} for name in ("left", "right")]
        for entry, mirror in zip(entries, mirrors, strict=False):
            entry["mirror"] = mirror
        dataset = {"splits": {"images": "images", "labels": "masks", "val": 0.2}, "classes": entries}
        (tmp_path / "data/custom/dataset.yaml").write_text(yaml.safe_dump(dataset))
        gen_dataset_annos.main()
        dataset_stats.main()
        with pytest.raises(Enough):
            train.main()
        return capsys.readouterr().out, given.pop()

    return run


def test_mirror_images_have_left_at_the_left_once_the_table_says_so(run, tmp_path):
    said, (_, labels) = run()
    assert said.count("warning: left and right look like left and right, and have no mirror") == 2  # lists, report
    assert said.count("warning: flip is 1, but left and right look like left and right") == 1
    assert labels.unique().tolist() == [0, 1] and (labels[..., : SIZE[1] // 2] == 1).all()
    said, (_, labels) = run("right", "left")
    assert "mirror" not in said.replace("mirror: left", "").replace("mirror: right", "")
    assert (labels[..., : SIZE[1] // 2] == 0).all() and (labels[..., SIZE[1] // 2 :] == 1).all()
    assert "Mirror images swap left and right." in (tmp_path / "results/dataset_stats/report.md").read_text()
