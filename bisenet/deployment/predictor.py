"""Labels from an exported network, by the same contract as `inference/predictor.Predictor`."""

import copy

import numpy as np
import torch

from bisenet.errors import InputError
from bisenet.inference.options import START
from bisenet.inference.protocols import RULES, predict, probabilities


class EnginePredictor:
    """Pixels in, class ids or probabilities out, by one protocol, from an `Engine`.

    A file that gives labels alone can be asked for the whole image once, which is the protocol `ss`, unless its runtime
    shows the logits, too. Protocols that resize the image need one whose input is float32.
    """

    rules = RULES
    device = torch.device("cpu")  # where images and labels are handed over

    def __init__(self, engine, **protocol):
        self.engine = engine
        self.protocol = protocol

    @property
    def amp(self):
        """What the runtime says it computes in."""
        return self.engine.precision

    def by(self, **protocol):
        """The same network by another protocol; raises `InputError` for one that the file cannot serve."""
        if _resizes(protocol) and self.engine.description.input != "float32":
            raise InputError(
                f"{self.engine.path}: takes whole numbers as pixels, so no resized image, which this protocol wants; "
                "export it again with --input float32, or take ss"
            )
        if not _is_whole(protocol):
            self._check_logits("this protocol wants, or take ss")
        other = copy.copy(self)
        other.protocol = protocol
        return other

    def labels(self, images):
        """(N, H, W, C) uint8 or uint16 -> (N, H, W) uint8 train ids"""
        if self.engine.description.output == "labels" and _is_whole(self.protocol):
            return torch.from_numpy(np.array(self.engine.run(self._pixels(images.numpy(force=True))), np.uint8))
        return self._ask(predict, images)

    def probabilities(self, images):
        """(N, H, W, C) -> (N, classes, H, W) float32, the mean over all views; they add up to 1 at each pixel."""
        self._check_logits("probabilities need")
        total = self._ask(probabilities, images)
        return total.div_(total.sum(1, keepdim=True))

    def _check_logits(self, why):
        if not self.engine.shows_logits:
            raise InputError(
                f"{self.engine.path}: gives labels, and not the logits that {why}; export it with --output logits"
            )

    def _ask(self, question, images):
        view = images.cpu().to(torch.float32).permute(0, 3, 1, 2)
        mirrored = self.engine.description.table.mirrored
        return question(self._look, view, rules=RULES, mirrored=mirrored, **self.protocol)

    def _look(self, view):
        logits = self.engine.logits(self._pixels(view.permute(0, 2, 3, 1).numpy()))
        return torch.from_numpy(np.array(logits, np.float32))

    def _pixels(self, images):
        return np.ascontiguousarray(images, self.engine.description.input)


def _resizes(protocol):
    return list(protocol.get("scales") or [1.0]) != [1.0] or any(protocol.get(key) for key in START)


def _is_whole(protocol):
    """Whether a protocol looks at the whole image once, as it is."""
    return not (_resizes(protocol) or protocol.get("flip") or protocol.get("window"))
