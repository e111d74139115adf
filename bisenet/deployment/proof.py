"""Does an exported network see what its checkpoint sees? It is run in its own runtime, and its labels are compared.

A runtime may silently compute in less than float32, round a resize in another way, or swap channels. Whatever it is, it
shows here: as labels that differ.
"""

from dataclasses import dataclass, field

import numpy as np
import torch

from bisenet.deployment.graph import DeployedNetwork
from bisenet.deployment.pictures import fitted_pair, odd_batches
from bisenet.inference.predictor import Predictor
from bisenet.scoring.metrics import confusion_matrix, scores
from bisenet.visualize import blend, colorize, displayable, shrink_to, titled

CPU = torch.device("cpu")
NO_LOGITS = float("nan")


@dataclass
class Proof:
    """What was found of one exported file.

    runtime, precision: as its `Engine` says; shares: of the labels that are the checkpoint's, by what was looked at
    largest_difference: of any logit, NaN where the runtime shows none
    miou, checkpoint_miou: on the same images; NaN without labels
    picture: (H, W, 3) of the image that agrees least
    """

    runtime: str
    precision: str
    shares: dict = field(default_factory=dict)
    agreement: float = 1.0  # of all pixels of the pictures
    largest_difference: float = NO_LOGITS
    miou: float = float("nan")
    checkpoint_miou: float = float("nan")
    picture: np.ndarray | None = None

    @property
    def least(self):
        """The least of the shares."""
        return min(self.shares.values())

    def metrics(self):
        """For `metrics.json`: rounded, so that they are the same wherever the labels are."""
        return {
            "agreement": self.agreement,
            "shares": self.shares,
            "largest_logit_difference": float(f"{self.largest_difference:.2g}"),
            "miou": self.miou,
            "checkpoint_miou": self.checkpoint_miou,
            "runtime": self.runtime,
            "precision": self.precision,
        }


class Judge:
    """A checkpoint, in float32 on the CPU, and what it sees in the pictures, which is kept.

    pictures: as of `pictures.py`, (image, label or None) each
    """

    def __init__(self, checkpoint, pictures):
        self.checkpoint = checkpoint
        self.pictures = pictures
        self._predictor = Predictor.of(checkpoint, device=CPU)
        self._seen = {}

    def prove(self, engine):
        """The `Proof` of an `Engine`."""
        description, classes = engine.description, len(self.checkpoint.table)
        proof = Proof(engine.runtime, engine.precision)
        matrices = torch.zeros(2, classes, classes, dtype=torch.int64)
        equal = total = 0
        worst = 2.0
        for place, pair in enumerate(self.pictures):
            image, label = fitted_pair(*pair, description.size or _within(pair[0], engine.longest))
            expected = self._labels((place, *image.shape), image[None])[0]
            found = self._labels_of(engine, image[None])[0]
            same = found == expected
            equal, total = equal + same.sum().item(), total + same.size
            if same.mean() < worst:
                worst, proof.picture = same.mean(), _picture(image, expected, found, self.checkpoint.table)
            if label is not None:
                for matrix, labels in zip(matrices, (found, expected), strict=True):
                    matrix += confusion_matrix(*map(torch.from_numpy, (labels, label)), classes)
        proof.agreement = equal / total
        proof.shares["images"] = proof.agreement
        if matrices.any():
            proof.miou, proof.checkpoint_miou = (scores(matrix)["miou"] for matrix in matrices)
        if description.size is None:
            self._prove_odd_sizes(engine, proof)
        return proof

    def _prove_odd_sizes(self, engine, proof):
        network = DeployedNetwork(self.checkpoint, engine.description.but(output="logits"))
        largest = NO_LOGITS
        for name, images in odd_batches(self.pictures).items():
            proof.shares[name] = float((self._labels_of(engine, images) == self._labels(name, images)).mean())
            if engine.shows_logits:
                with torch.inference_mode():
                    expected = network(torch.from_numpy(images)).numpy()
                found = engine.logits(images.astype(engine.description.input))
                difference = np.abs(found - expected).max()
                largest = difference if np.isnan(largest) else max(largest, difference)
        proof.largest_difference = float(largest)

    def _labels(self, key, images):
        if key not in self._seen:
            self._seen[key] = self._predictor.labels(torch.from_numpy(images)).numpy()
        return self._seen[key]

    def _labels_of(self, engine, images):
        found = engine.run(np.ascontiguousarray(images, engine.description.input))
        if engine.description.output == "logits":
            found = found.argmax(1)
        return np.asarray(found, np.uint8)


def _within(image, longest):
    """(height, width) of the part of an image that an `Engine` of a longest side takes; None where it takes all."""
    return longest and tuple(min(side, longest) for side in image.shape[:2])


def _picture(image, expected, found, table):
    """Image, what the checkpoint sees, what the exported network sees, and where they differ, in red."""
    image = displayable(image)
    different = np.where((expected != found)[..., None], np.uint8([255, 0, 0]), image // 3)
    tiles = {
        "image": image,
        "checkpoint": colorize(expected, table),
        "exported": blend(image, found, table, alpha=1),
        f"different: {(expected != found).mean():.2%}": different,
    }
    return shrink_to(np.hstack([titled(tile, title) for title, tile in tiles.items()]), 2560)
