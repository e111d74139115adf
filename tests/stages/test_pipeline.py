"""The real DVC command line on a copy of the tracked files, shrunk to seconds."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from programs import Program
from project import copy_of_the_project

TINY = {
    "max_iter": 4,
    "batch_size": 2,
    "val_every": 2,
    "log_every": 1,
    "warmup_iters": 1,
    "crop": [64, 96],
    "device": "cpu",
    "bisenetv2": {"width": 0.25},
}
TINY_SCENES = {"train_images": 6, "val_images": 3, "height": 90, "width": 130}
STAGES = [
    "make_synthetic",
    "gen_dataset_annos",
    "dataset_stats",
    "train",
    "evaluate",
    "demo",
    "export",
    "choose_preset",
]


class Project:
    """A checkout in a folder of its own, with DVC's caches beside it."""

    def __init__(self, root):
        self.root = root
        outside = root.parent / f"{root.name}-dvc"
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "DVC_NO_ANALYTICS": "1",
            **{f"DVC_{kind}_DIR": str(outside) for kind in ("SITE_CACHE", "GLOBAL_CONFIG", "SYSTEM_CONFIG")},
            **{f"GIT_{who}_{what}": "tester" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
            "OMP_NUM_THREADS": "2",
        }
        copy_of_the_project(root, but=("tests/", "results/", "dvc.lock"))
        self.set_params(**TINY, make_synthetic={**TINY_SCENES, "seed": 1})
        self.commit()

    def set_params(self, **values):
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
        params["amp"] = "bf16"
        params["export"]["formats"] = []  # each takes many seconds; tests/deployment has them
        path.write_text(yaml.safe_dump({**params, **values}, sort_keys=False), encoding="utf-8")

    def run(self, *command):
        """Standard output and error together."""
        done = subprocess.run(
            command, cwd=self.root, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        return self.checked(done.returncode, done.stdout)

    def stage(self, name, *arguments, launcher=(), fails=False):
        program = Program(*launcher, "-m", f"stages.{name}", *arguments, folder=self.root, environment=self.environment)
        output, _ = program.communicate(timeout=200)
        return self.checked(program.returncode, output, fails)

    @staticmethod
    def checked(status, output, fails=False):
        assert (status != 0) == fails, output
        assert "Traceback" not in output, output
        return output

    def commit(self):
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "--allow-empty", "-m", "as it is")

    def json(self, path):
        def refuse(constant):
            raise ValueError(f"{path}: {constant} is not JSON")

        return json.loads((self.root / path).read_text(encoding="utf-8"), parse_constant=refuse)

    def rows(self, path):
        with open(self.root / path, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def stages_run(self, output):
        return [stage for stage in STAGES if f"Running stage '{stage}'" in output]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """After one `dvc repro`, committed."""
    project = Project(tmp_path_factory.mktemp("synthetic") / "project")
    output = project.run("dvc", "repro")
    assert project.stages_run(output) == STAGES
    project.commit()
    return project


def test_repro_leaves_what_the_stages_promise(project):
    metrics = project.json("results/evaluate/metrics.json")
    assert 0 <= metrics["miou"] <= 1 and metrics["images"] == TINY_SCENES["val_images"]
    assert metrics["protocol"] == "ss" and metrics["input_size"] == "130x90"
    losses = project.rows("results/train/losses.csv")
    assert [row["head"] for row in losses[:5]] == ["main", "aux2", "aux3", "aux4", "aux5_4"]
    assert [int(row["iteration"]) for row in losses] == [i for i in range(1, 5) for _ in range(5)]
    assert [int(row["iteration"]) for row in project.rows("results/train/validation.csv")] == [2, 4]
    assert len(project.rows("results/evaluate/per_class.csv")) == 12
    assert len(list((project.root / "results/demo").glob("*.png"))) == 3


def test_confusion_rows_hold_every_labelled_pixel(project):
    label_pixels = 0
    for path in (project.root / "data/synthetic/labels/val").glob("*.png"):
        label_pixels += int((cv2.imread(str(path), cv2.IMREAD_UNCHANGED) > 3).sum())  # 1 and 3 are ignored
    assert sum(int(row["pixels"]) for row in project.rows("results/evaluate/confusion.csv")) == label_pixels


def test_a_second_repro_is_up_to_date(project):
    output = project.run("dvc", "repro")
    assert project.stages_run(output) == []
    assert "Data and pipelines are up to date." in output


def test_a_forced_rerun_gives_the_same_bytes(project):
    before = (project.root / "dvc.lock").read_bytes()
    project.run("dvc", "repro", "-f")
    assert (project.root / "dvc.lock").read_bytes() == before


def test_another_lr_reruns_training_and_what_follows(project):
    output = project.run("dvc", "exp", "run", "-S", "lr=1e-05")
    assert project.stages_run(output) == ["train", "evaluate", "demo", "export"]
    effective = yaml.safe_load((project.root / "results/train/effective_params.yaml").read_text())
    assert float(effective["lr"]) == 1e-05
    changed = json.loads(project.run("dvc", "metrics", "diff", "--json"))
    assert "miou" in changed["results/evaluate/metrics.json"]
    assert "results/evaluate/metrics.json" in project.run("dvc", "exp", "show", "--json")
    project.run("git", "checkout", "-q", ".")
    assert project.stages_run(project.run("dvc", "repro")) == []  # served from the cache


def test_two_processes_of_torchrun_in_a_temporary_folder_need_nothing_but_what_is_tracked(project):
    changed = 'launcher="torchrun --standalone --nproc-per-node=2"', "batch_size=4", "aux_weight=0.5"
    settings = [word for change in changed for word in ("-S", change)]
    output = project.run("dvc", "exp", "run", "--temp", *settings, "-n", "half-aux")
    assert project.stages_run(output) == ["train", "evaluate", "demo", "export"]
    assert "val miou" in output
    assert "half-aux" in project.run("dvc", "exp", "show", "--csv")


def test_every_plot_of_the_pipeline_has_points(project):
    plots = json.loads(project.run("dvc", "plots", "show", "--json"))["data"]
    named = {name: entries for name, entries in plots.items() if not name.endswith(".png")}
    assert len(named) == 11
    for name, entries in named.items():
        assert entries[0]["content"]["data"]["values"], name


def test_own_files_are_drawn_with_nothing_but_the_checkpoint(project, tmp_path):
    rng = np.random.default_rng(0)
    sizes = {"a.png": (33, 200), "deep/b.jpg": (1, 1), "c, d.png": (361, 79)}
    for name, size in sizes.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "in" / name), rng.integers(0, 256, (*size, 3), np.uint8))
    (tmp_path / "in" / "broken.png").write_bytes(b"not an image")
    (tmp_path / "empty").mkdir()
    checkpoint = (project.root / "results/train/model.pt").rename(tmp_path / "model.pt")
    arguments = "--input", str(tmp_path / "in"), "--output", str(tmp_path / "out"), "--checkpoint", str(checkpoint)
    output = project.stage("demo", *arguments, "--alpha", "0", fails=True)
    assert "1 of 4 files could not be read" in output and "broken.png" in output
    cityscapes_ids = {7, 8, 11, 17, 19, 20, 21, 23, 24, 25, 26, 33}
    for name, size in sizes.items():
        written = Path(name).with_suffix(".png")
        ids = cv2.imread(str(tmp_path / "out/id" / written), cv2.IMREAD_UNCHANGED)
        assert ids.shape == size and set(np.unique(ids).tolist()) <= cityscapes_ids
        source, overlay = (
            cv2.imread(str(path)) for path in (tmp_path / "in" / name, tmp_path / "out/overlay" / written)
        )
        assert np.array_equal(source, overlay)  # alpha 0 gives the image back
    assert (tmp_path / "out/legend.png").is_file()
    assert "there is no image here" in project.stage(
        "demo", "--input", str(tmp_path / "empty"), "--checkpoint", str(checkpoint), fails=True
    )
    checkpoint.rename(project.root / "results/train/model.pt")


def test_protocols_predictions_and_other_weights_are_measured_beside_the_results(project, tmp_path):
    before = {path: path.read_bytes() for path in (project.root / "results/evaluate").iterdir()}
    ids, first = tmp_path / "ids", tmp_path / "first"
    output = project.stage("evaluate", "--protocol", "all", "--ids", str(ids), "--output", str(first))
    assert "|    ss |   ssc |   msf |  mscf |  half |" in output
    metrics = project.json(first / "metrics.json")
    assert metrics == project.json("results/evaluate/metrics.json")
    assert [path.name for path in sorted(ids.iterdir())] == ["0000.png", "0001.png", "0002.png"]

    scores = {name: value for name, value in metrics.items() if isinstance(value, float)}
    project.stage("evaluate", "--predictions", str(ids), "--output", str(tmp_path / "read"))
    assert scores.items() <= project.json(tmp_path / "read/metrics.json").items()
    two = "torchrun", "--standalone", "--nproc-per-node=2"
    project.stage("evaluate", "--ids", str(tmp_path / "shared"), "--output", str(tmp_path / "two"), launcher=two)
    assert project.json(tmp_path / "two/metrics.json") == metrics
    for path in ids.iterdir():
        assert (tmp_path / "shared" / path.name).read_bytes() == path.read_bytes()

    checkpoint = torch.load(project.root / "results/train/model.pt")
    torch.save({f"module.{key}": value for key, value in checkpoint["state_dict"].items()}, tmp_path / "published.pth")
    shares = [word for name in ("mean", "std") for word in (f"--{name}", *map(str, checkpoint[name]))]
    published = "--weights", str(tmp_path / "published.pth"), "--model", "bisenetv2", *shares
    project.stage("evaluate", *published, "--quirks", "--output", str(tmp_path / "published"))
    project.stage("evaluate", "--quirks", "--output", str(tmp_path / "quirks"))
    quirks = project.json(tmp_path / "quirks/metrics.json")
    assert quirks["upstream_quirks"] and quirks["miou"] != metrics["miou"]
    assert project.json(tmp_path / "published/metrics.json") == quirks
    assert {path: path.read_bytes() for path in (project.root / "results/evaluate").iterdir()} == before


# --- one's own data, and what can be wrong with it ------------------------------------------------------------------

OWN = """
splits:
  train: {images: images/train, labels: labels/train}
  val: {images: images/val, labels: labels/val}
classes:
- {name: ground, id: 0, color: [128, 64, 128]}
- {name: thing, id: 1, color: "#00008e"}
ignore: [255]
"""


@pytest.fixture
def own(tmp_path):
    """A project on its own data in data/custom: images of very different sizes, some smaller than the crop."""
    project = Project(tmp_path / "project")
    project.set_params(dataset="custom", amp="off", max_iter=2)
    folder = project.root / "data/custom"
    rng = np.random.default_rng(1)
    for split in ("train", "val"):
        for i, (height, width) in enumerate([(90, 130), (361, 479), (33, 500), (17, 1)]):
            label = (np.indices((height, width)).sum(0) // 7 % 2).astype(np.uint8)
            image = rng.integers(0, 60, (height, width, 3), np.uint8) + label[..., None] * 120
            write(folder / f"images/{split}/{i}.png", image)
            write(folder / f"labels/{split}/{i}.png", label)
    (folder / "dataset.yaml").write_text(OWN)
    return project


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), array)


def test_images_of_any_size_go_all_the_way(own):
    for stage in STAGES[1:]:
        own.stage(stage)
    metrics = own.json("results/evaluate/metrics.json")
    assert metrics["images"] == 4 and metrics["input_size"] == "4 sizes"
    assert len(list((own.root / "results/demo").glob("*.png"))) == 4


def test_a_dataset_of_any_name_needs_no_preset_and_stays_out_of_git(own):
    (own.root / "data/custom").rename(own.root / "data/plants")
    (own.root / "data/linked").symlink_to(own.root / "data/plants")
    own.set_params(dataset="synthetic", amp="off", max_iter=2)
    own.commit()
    output = own.run("dvc", "exp", "run", "-n", "of-plants", "-S", "dataset=plants")
    assert own.stages_run(output) == STAGES
    assert "plants has no preset of its own for bisenetv2: that of custom is in force" in output
    (commit,) = own.run("git", "for-each-ref", "--format=%(objectname)", "refs/exps/*/*/of-plants").split()
    for tree in "HEAD", commit:
        files = own.run("git", "ls-tree", "-r", "--name-only", tree, "data/").split()
        assert files == ["data/.gitignore"]
    assert " data" not in own.run("git", "status", "--short")


def test_a_third_split_is_measured_and_drawn_with_and_without_labels(own):
    folder = own.root / "data/custom"
    table = OWN.replace("classes:", "  test: {images: images/test, labels: labels/test}\nclasses:")
    for i, size in enumerate([(40, 60), (33, 47)]):
        write(folder / f"images/test/sub/{i}.png", np.full((*size, 3), 90, np.uint8))
        write(folder / f"labels/test/sub/{i}.png", np.ones(size, np.uint8))
    (folder / "dataset.yaml").write_text(table)
    for stage in STAGES[1:4]:
        own.stage(stage)
    own.stage("evaluate")
    assert "split" not in own.json("results/evaluate/metrics.json")
    own.set_params(dataset="custom", amp="off", split="test")
    for stage in ("evaluate", "demo"):
        own.stage(stage)
    metrics = own.json("results/evaluate/metrics.json")
    assert (metrics["split"], metrics["images"]) == ("test", 2)
    assert sum(int(row["pixels"]) for row in own.rows("results/evaluate/confusion.csv")) == 40 * 60 + 33 * 47
    assert len(list((own.root / "results/demo").glob("*.png"))) == 2

    (folder / "dataset.yaml").write_text(table.replace(", labels: labels/test", ""))
    own.stage("gen_dataset_annos")
    assert (own.root / "data/annos/test.txt").read_text().splitlines()[0] == "custom/images/test/sub/0.png,"
    told = own.stage("evaluate", fails=True)
    assert "data/annos/test.txt: these images have no labels" in told and "--split test --ids" in told
    own.stage("evaluate", "--split", "test", "--ids", "ids")
    for i, size in enumerate([(40, 60), (33, 47)]):
        ids = cv2.imread(str(own.root / f"ids/{i}.png"), cv2.IMREAD_UNCHANGED)
        assert ids.shape == size and set(np.unique(ids)) <= {0, 1}
    own.stage("demo")
    picture = cv2.imread(str(own.root / "results/demo/0.png"))
    assert picture.shape[1] == 3 * 60 + 2 * 8  # image, prediction and both, side by side


def test_each_mistake_in_the_data_is_named(own):
    folder = own.root / "data/custom"

    def fails_with(stage, *words):
        output = own.stage(stage, fails=True)
        assert all(word in output for word in words), output

    (folder / "labels/train/9.png").write_bytes((folder / "labels/train/0.png").read_bytes())
    fails_with("gen_dataset_annos", "1 label without an image", "labels/train/9.png", "strict: false")
    own.set_params(strict=False)
    assert "labels/train/9.png" in own.stage("gen_dataset_annos")
    (folder / "labels/train/9.png").unlink()
    own.stage("gen_dataset_annos")

    good = (folder / "labels/train/0.png").read_bytes()
    wrong = np.zeros((90, 130), np.uint8)
    wrong[:2, :3] = 127
    write(folder / "labels/train/0.png", wrong)
    (folder / "images/val/1.png").write_bytes((folder / "images/val/1.png").read_bytes()[:300])
    write(folder / "images/val/2.png", np.zeros((20, 30, 3), np.uint8))
    fails_with(
        "dataset_stats", "3 faulty files (cut short: 1, sizes differ: 1, unknown value: 1)",
        "labels/train/0.png", "127 (6 pixels)", "images/val/1.png: the file is cut short", "30 x 20", "500 x 33",
    )  # fmt: skip
    (folder / "labels/train/0.png").write_bytes(good)
    fails_with("dataset_stats", "2 faulty files")


def test_each_mistake_in_the_parameters_is_named(own):
    def fails_with(values, *words, stage="gen_dataset_annos"):
        text = (own.root / "params.yaml").read_text(encoding="utf-8")
        own.set_params(**values)
        output = own.stage(stage, fails=True)
        (own.root / "params.yaml").write_text(text, encoding="utf-8")
        assert all(word in output for word in words), output

    fails_with({"lr": "abc"}, "lr must be a number above 0, not 'abc'")
    fails_with({"model": "bisenetv3"}, "'bisenetv3'", "bisenetv1, bisenetv2")
    fails_with({"dataset": "cityscape"}, "data/cityscape: there is no such folder", "celebamask_hq, cityscapes")
    fails_with({"dataset": "cityscapes"}, "data/cityscapes", "no such folder", "ln -s")
    fails_with({"weigth_decay": 1}, "'weigth_decay'", "weight_decay")
    own.stage("gen_dataset_annos")
    own.stage("dataset_stats")
    fails_with({"batch_size": 1}, "batch_size must be a whole number, 2 or more, not 1", stage="train")
    fails_with({"warmup_iters": 2}, "warmup_iters", "max_iter", stage="train")
    fails_with({"class_weights": [1, 2, 3]}, "3 weights for 2 classes", stage="train")
    fails_with({}, "model.pt", "train first", stage="evaluate")


def test_a_checkpoint_of_another_model_or_dataset_is_refused(own):
    for stage in STAGES[1:4]:
        own.stage(stage)
    own.set_params(model="bisenetv1")
    output = own.stage("evaluate", fails=True)
    assert "holds bisenetv2 of this project" in output and "not a bisenetv1" in output
    own.set_params(model="bisenetv2")
    (own.root / "data/custom/dataset.yaml").write_text(OWN.replace("thing", "animal"))
    own.stage("gen_dataset_annos")
    output = own.stage("evaluate", fails=True)
    assert "ground, thing" in output and "ground, animal" in output


def test_real_photographs_go_all_the_way(tmp_path, camvid):
    project = Project(tmp_path / "project")
    project.set_params(dataset="camvid", strict=False, crop=[160, 224], scales=[0.4, 1.0])  # six photographs: no fence
    for folder, count in (("train", 6), ("trainannot", 6), ("val", 3), ("valannot", 3)):
        target = project.root / "data/camvid" / folder
        target.mkdir(parents=True)
        for file in sorted((camvid / folder).iterdir())[:count]:
            (target / file.name).symlink_to(file)
    for stage in STAGES[1:]:
        project.stage(stage)
    metrics = project.json("results/evaluate/metrics.json")
    assert metrics["images"] == 3 and metrics["input_size"] == "480x360"
    picture = cv2.imread(str(project.root / "results/demo/0.png"))
    assert picture.shape[1] == 968
