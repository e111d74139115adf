"""A network with all that it takes to label images: the one way from pixels to class ids, whoever asks.

Training's validation, `evaluate`, `demo` and the Python interface all go through a `Predictor`: of one checkpoint, in
one precision and by one protocol, all of them see the same.
"""

import torch

from bisenet.inference.protocols import RULES, look, predict
from bisenet.system.precision import computing


class Predictor:
    """Pixels in, class ids or probabilities out, by one protocol.

    model: normalised (N, C, h, w) -> logits (N, classes, h, w), on `device`, in eval mode
    normalize: images as they come, (N, H, W, C) -> the model's input
    amp: one of `AMP_TYPES`
    rules: how views are put together; protocol: as of `look`, by default the whole image once
    """

    def __init__(self, model, normalize, *, device, amp="off", rules=RULES, **protocol):
        self.model = model
        self.normalize = normalize
        self.device = device
        self.amp = amp
        self.rules = rules
        self.protocol = protocol

    @classmethod
    def of(cls, checkpoint, **how):
        """Of a `Checkpoint`, whose model is on the device; how: device, amp, rules and the protocol."""
        predictor = cls(checkpoint.model, checkpoint.normalize.to(how["device"]), **how)
        predictor.model.to(memory_format=predictor.rules.memory_format)
        return predictor

    def by(self, **protocol):
        """The same network by another protocol."""
        how = {"device": self.device, "amp": self.amp, "rules": self.rules}
        return Predictor(self.model, self.normalize, **how, **protocol)

    @torch.inference_mode()
    def labels(self, images):
        """(N, H, W, C) uint8 or uint16, on any device -> (N, H, W) uint8 train ids on this one."""
        return self._ask(predict, images)

    @torch.inference_mode()
    def probabilities(self, images):
        """(N, H, W, C) -> (N, classes, H, W) float32, the mean over all views; they add up to 1 at each pixel."""
        total = self._ask(look, images)
        return total.div_(total.sum(1, keepdim=True))

    def _ask(self, question, images):
        images = images.to(self.device, non_blocking=True)
        with computing(self.device, self.amp):
            return question(self.model, self.normalize(images), rules=self.rules, **self.protocol)
