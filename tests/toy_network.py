"""A network of a few weights with two heads, batches that it can learn, and a `Trainer` of it."""

import torch
from torch import nn

from bisenet.models.logits import Logits
from bisenet.models.normalize import Normalize
from bisenet.system.dropout import Dropout
from bisenet.training.losses import MultiHeadLoss, OhemCrossEntropy
from bisenet.training.optim import build_optimizer
from bisenet.training.trainer import Trainer

NORMALIZATION = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3]}
CPU = torch.device("cpu")


class TwoHeads(nn.Module):
    HEAD_PREFIXES = ("head.", "aux.")
    AUX_HEADS = ("aux",)

    def __init__(self, dropout=0.0):
        super().__init__()
        self.body = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.head = nn.Conv2d(8, 3, 1)
        self.aux = nn.Conv2d(8, 3, 1)
        self.drop = Dropout(dropout)

    def heads(self, image):
        x = self.drop(self.norm(self.body(image)).relu())
        size = tuple(image.shape[2:])
        return [Logits(head(x), 1, size) for head in ((self.head, self.aux) if self.training else (self.head,))]

    def forward(self, image):
        return self.heads(image) if self.training else self.heads(image)[0].full()


def batches(count, images=4):
    """The class is the strongest colour, so there is something to learn."""
    generator = torch.Generator().manual_seed(1)
    colours = torch.randint(256, (count, images, 6, 5, 3), generator=generator, dtype=torch.uint8)
    return [(image, image.argmax(3).byte()) for image in colours]


def learner(
    model, *, criterion=None, schedule=lambda step: 1.0, amp="off", lr=0.02, batch_size=4, accumulate=1, ema=0.0,
    teacher=None,
):  # fmt: skip
    rates = {"lr": lr, "head_lr_factor": 10, "weight_decay": 0.01}
    return Trainer(
        model,
        criterion=criterion or MultiHeadLoss(OhemCrossEntropy(0.7), 0.5),
        optimizer=build_optimizer(model, **rates, optimizer="sgd", momentum=0.9),
        schedule=schedule,
        normalize=Normalize(**NORMALIZATION),
        device=CPU,
        amp=amp,
        batch_size=batch_size,
        accumulate=accumulate,
        ema=ema,
        teacher=teacher,
    )
