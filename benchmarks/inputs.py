"""What all ways of a work are given, the same bytes for each: weights, pictures with labels, files of them.

A job is a dict, so that it can go to another process:
folder: where the inputs lie; device; amp: precision of ours; plain_amp: of the plain way
model: bisenetv1 or bisenetv2; classes; size: (H, W); batch: images; width: of V2's channels, 1 where it is not given
files: number of image files; crop: (h, w) of a sample; protocol: {"scales", "flip"}; photographs: CamVid's folder
"""

from pathlib import Path

import cv2
import numpy as np
import torch

from benchmarks.plain_networks import NETWORKS

MEAN, STD = (0.3, 0.33, 0.29), (0.18, 0.19, 0.18)  # of each channel, 0 to 1
IGNORE = 255
BATCH_NORM_PASSES = 3
OVER_AVERAGES = "S5_5.bn", "conv_gap.bn", "conv_avg.bn", "bn_atten", "ffm.bn"  # batch norms of one value for each image
SMALL = 8  # a small copy of the files has so many times shorter sides
RECIPE = {"scales": (0.25, 2.0), "flip": 0.5, "jitter": 0.4}  # of samples: upstream's for Cityscapes
THRESHOLD = 0.7  # of OHEM
OPTIMIZER = {"lr": 0.005, "head_lr_factor": 10, "momentum": 0.9, "weight_decay": 5e-4}
BATCH = 2  # samples
SAMPLES = 400  # small ones, whose distribution is compared


def write_inputs(work, job, seed=0):
    """Write into the folder of a job what work of that name needs."""
    folder, rng = Path(job["folder"]), np.random.default_rng(seed)
    if work == "samples":
        for place, size in (folder, job["size"]), (folder / "small", [side // SMALL for side in job["size"]]):
            _write_files(place, job["files"], size, rng)
        return
    torch.save(trained_a_little(job, seed).state_dict(), folder / "weights.pt")
    if work == "evaluation" and not job.get("photographs"):
        _write_files(folder, job["files"], job["size"], rng, classes=job["classes"])
    elif work != "evaluation":
        drawn = [draw(job["size"], job["classes"], rng) for _ in range(job["batch"])]
        images, labels = map(np.stack, zip(*drawn, strict=True))
        np.savez(folder / "pictures.npz", images=images, labels=labels)


def draw(size, classes, rng, block=16):
    """(H, W, 3) uint8 and (H, W) uint8: blocks of one class, each of its own colour under noise; one in 20 ignored."""
    small = [-(-side // block) for side in size]
    ids = rng.integers(0, classes, small).astype(np.uint8)
    ids[rng.random(small) < 0.05] = IGNORE
    label = np.kron(ids, np.ones((block, block), np.uint8))[: size[0], : size[1]]
    colors = np.random.default_rng(1).integers(20, 200, (256, 3)).astype(np.float32)
    ground = cv2.resize(colors[ids], (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
    noise = cv2.GaussianBlur(rng.normal(0, 25, (*size, 3)).astype(np.float32), (0, 0), 1.5)
    return np.clip(ground + noise, 0, 255).astype(np.uint8), label


def _write_files(folder, count, size, rng, classes=19):
    folder.mkdir(exist_ok=True)
    for number in range(count):
        image, label = draw(size, classes, rng)
        cv2.imwrite(str(folder / f"{number}.png"), image[..., ::-1])
        cv2.imwrite(str(folder / f"{number}_labelTrainIds.png"), label)


def file_pairs(job):
    """[(image, label)]: names relative to the folder they lie in, which comes first."""
    if job.get("photographs"):
        root = Path(job["photographs"])
        images = sorted(path for path in (root / "val").iterdir() if path.suffix in (".jpg", ".png"))[: job["files"]]
        return root, [(f"val/{path.name}", f"valannot/{path.stem}.png") for path in images]
    return Path(job["folder"]), [(f"{number}.png", f"{number}_labelTrainIds.png") for number in range(job["files"])]


def pictures(job):
    """(N, H, W, 3) uint8 images and (N, H, W) uint8 labels, the upper left of what was written."""
    height, width = job["size"]
    with np.load(Path(job["folder"]) / "pictures.npz") as found:
        return tuple(torch.from_numpy(found[name][:, :height, :width].copy()) for name in ("images", "labels"))


def weights(job):
    return torch.load(Path(job["folder"]) / "weights.pt", weights_only=True)


def options(job):
    """Of the architecture, where they are not the default."""
    return {"width": job["width"]} if "width" in job else {}


@torch.no_grad()
def trained_a_little(job, seed):
    """A plain network whose weights are random, but whose batch norms and probabilities are as they are in use.

    Some probabilities come out above OHEM's threshold, and no branch is switched off by a zero. A batch norm over two
    values makes much of their rounding, so those have small weights: else gradients could not be compared.
    """
    torch.manual_seed(seed)
    network = NETWORKS[job["model"]](job["classes"], **options(job))
    for name, parameter in network.named_parameters():
        if parameter.ndim > 1:
            torch.nn.init.kaiming_normal_(parameter, mode="fan_out" if parameter.shape[1] == 1 else "fan_in")
        elif name.endswith("bias"):
            parameter.normal_(std=0.1)
        elif any(part in name for part in OVER_AVERAGES):
            parameter.fill_(0.01)
    for _ in range(BATCH_NORM_PASSES):
        network(torch.randn(2, 3, 96, 128))
    return network
