"""Draw the small dataset that needs no download: street scenes with exact labels, in Cityscapes' ids."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from bisenet.scenes.drawing import draw_scene
from bisenet.system.entry import run
from bisenet.system.png import write_png
from bisenet.system.progress import track
from stages.params import load_params

ROOT = Path("data/synthetic")


def write_scene(job, *, height, width, seed):
    split, number = job
    image, label = draw_scene(height, width, seed=[seed, int(split == "val"), number])
    write_png(ROOT / "images" / split / f"{number:04d}.png", image)
    write_png(ROOT / "labels" / split / f"{number:04d}.png", label)


def main():
    params = load_params("make_synthetic")["make_synthetic"]
    jobs = [(split, number) for split in ("train", "val") for number in range(params[f"{split}_images"])]
    write = partial(write_scene, **{key: params[key] for key in ("height", "width", "seed")})
    with ProcessPoolExecutor() as pool:
        for _ in track(pool.map(write, jobs, chunksize=4), len(jobs), "make_synthetic"):
            pass
    print(f"{ROOT}: {len(jobs)} scenes")


if __name__ == "__main__":
    run(main, alone=__doc__)
