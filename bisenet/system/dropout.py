"""Dropout that costs little, and draws the same for an image whichever process has it."""

import torch
from torch import nn

LEVELS = 2**16


class Dropout(nn.Module):
    """Sets elements to 0 with probability `p`, to the nearest 1/65,536, and scales the others; nothing in eval mode.

    For each image of the whole batch one number is drawn from PyTorch's CPU generator; from it the image's own elements
    follow, 16 bits each of another generator's words. On a CPU these take a sixth of the time of the random numbers of
    `nn.Dropout`, one for each element.

    share: which images of the batch this process holds; batch_size: of all processes, None: what it is given is all
    """

    def __init__(self, p, share=slice(None), batch_size=None):
        super().__init__()
        self.p = p
        self.share = share
        self.batch_size = batch_size

    def extra_repr(self):
        return f"p={self.p}"

    def forward(self, x):
        level = round(self.p * LEVELS)
        if not self.training or level == 0:
            return x
        seeds = torch.randint(2**63 - 1, (self.batch_size or len(x),))[self.share].tolist()
        return Drop.apply(x, self._dropped(x, seeds, level), LEVELS / (LEVELS - level))

    @staticmethod
    def _dropped(x, seeds, level):
        """Booleans of the shape of `x` (N, C, ...), which lie in memory as it does, channels first or last."""
        last = x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if last else torch.contiguous_format
        dropped = torch.empty_like(x, dtype=torch.bool, memory_format=layout)
        lies = dropped.permute(0, 2, 3, 1) if last else dropped
        for image, seed in zip(lies.view(len(x), -1), seeds, strict=True):
            words = torch.empty(-(-image.numel() // 4), dtype=torch.int64, device=x.device)
            words.random_(-(2**63), None, generator=torch.Generator(x.device).manual_seed(seed))
            torch.lt(words.view(torch.int16)[: image.numel()], level - LEVELS // 2, out=image)
        return dropped


class Drop(torch.autograd.Function):
    """0 where `dropped`, else `scale` times x. For the way back, one byte an element is kept."""

    @staticmethod
    def forward(ctx, x, dropped, scale):
        ctx.save_for_backward(dropped)
        ctx.scale = scale
        return x.mul(scale).masked_fill_(dropped, 0)

    @staticmethod
    def backward(ctx, gradient):
        (dropped,) = ctx.saved_tensors
        return gradient.mul(ctx.scale).masked_fill_(dropped, 0), None, None
