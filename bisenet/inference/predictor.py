"""A network with all that it takes to label images: the one way from pixels to class ids, whoever asks.

Training's validation, `evaluate`, `demo` and the Python interface all go through a `Predictor`: of one checkpoint, in
one precision and by one protocol, all of them see the same.
"""

import copy
from functools import partial

import torch

from bisenet.inference.protocols import RULES, predict, probabilities
from bisenet.system.measured_precision import candidates, fastest, machine
from bisenet.system.precision import AMP_TYPES, computing

TIMED = {"cpu": (256, 512), "cuda": (1024, 2048)}  # the image that `auto` is measured on, and a first one
FIRST_TIMED = 64, 128


class Predictor:
    """Pixels in, class ids or probabilities out, by one protocol.

    model: `Logits` come from its `heads`, where it has such, else logits (N, classes, h, w) from it; on `device`. It
        stays as it is: what predicts is a copy in eval mode, with the weights of now
    normalize: images as they come, (N, H, W, C) -> the model's input
    amp: one of `AMP_TYPES`, what weights and features are; logits and all that follows are float32
    rules: how views are put together; protocol: as of `probabilities`, by default the whole image once
    mirrored: the class that each is in a mirror image, None where each is itself; of a checkpoint its table says it
    """

    def __init__(self, model, normalize, *, device, amp="off", rules=RULES, mirrored=None, **protocol):
        self.dtype = AMP_TYPES[amp] or torch.float32
        self.model = rules.network(model).to(self.dtype)
        self.normalize = normalize
        self.device = device
        self.amp = amp
        self.rules = rules
        self.mirrored = mirrored
        self.protocol = protocol

    @classmethod
    def of(cls, checkpoint, *, device, amp="off", store=None, together=False, **how):
        """Of a `Checkpoint`, whose model is on the device; how: rules and the protocol.

        amp: also `auto`, for the fastest as measured, once, with what was found kept in `store`
        together: all processes call this at the same time, and use one precision
        """
        how |= {"device": device, "mirrored": checkpoint.table.mirrored}
        if amp == "auto":
            amp = _fastest_amp(checkpoint, device, store, together)
        return cls(checkpoint.model, checkpoint.normalize.to(device), amp=amp, **how)

    def by(self, **protocol):
        """The same network by another protocol."""
        other = copy.copy(self)
        other.protocol = protocol
        return other

    @torch.inference_mode()
    def labels(self, images):
        """(N, H, W, C) uint8 or uint16, on any device -> (N, H, W) uint8 train ids on this one."""
        return self._ask(predict, images)

    @torch.inference_mode()
    def probabilities(self, images):
        """(N, H, W, C) -> (N, classes, H, W) float32, the mean over all views; they add up to 1 at each pixel."""
        total = self._ask(probabilities, images)
        return total.div_(total.sum(1, keepdim=True))

    def _ask(self, question, images):
        images = images.to(self.device, non_blocking=True)
        with computing(self.device, "off"):  # the weights have their type; all else is plain float32
            views = {"rules": self.rules, "mirrored": self.mirrored, **self.protocol}
            return question(self._look, self.normalize(images), **views)

    def _look(self, view):
        view = view.to(self.dtype)
        return self.model.heads(view)[0] if hasattr(self.model, "heads") else self.model(view)


def _fastest_amp(checkpoint, device, store, together):
    names, size = candidates(device), TIMED[device.type]
    network = {"network": checkpoint.model_name, "architecture": checkpoint.architecture}
    key = machine(device) | network | {"classes": len(checkpoint.table), "channels": len(checkpoint.mean)}
    key |= {"work": "prediction", "size": list(size), "precisions": list(names)}
    predictors = {name: Predictor.of(checkpoint, device=device, amp=name) for name in names}

    def works(size):
        image = torch.zeros(1, *size, len(checkpoint.mean), dtype=torch.uint8)
        return {name: partial(predictor.labels, image) for name, predictor in predictors.items()}

    return fastest(works(size), key=key, store=store, first_try=works(FIRST_TIMED), together=together)
