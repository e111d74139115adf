"""The optimiser Muon for convolutions: their gradients, gathered by momentum, with all singular values near 1."""

import torch

from bisenet.system.precision import tf32_as

# Newton-Schulz: x -> a x + b x^3 + c x^5, five times, brings singular values from 0.002 to 1 to between 0.67 and 1.21.
A, B, C = 3.4445, -4.7750, 2.0315
STEPS = 5
# Of the shorter side. 512 x 4608, of which V1 has three, take 0.13 s of a core each; all of V2's body together 0.05 s.
LARGEST = 256


class Muon(torch.optim.AdamW):
    """AdamW, but for the matrices of the body, those of the group `body` that `is_matrix` finds.

    Of these, each seen as (out, in * height * width), the update is 0.2 * lr * sqrt(longer side) times the nearest
    matrix with orthogonal rows or columns to the gradients' Nesterov momentum: as large as AdamW's, so that lr, weight
    decay and schedule mean the same. Their state is AdamW's without the second moment.
    Source: Jordan, "Muon", 2024, with its coefficients; size and decay by arXiv:2502.16982. `torch.optim.Muon`, which
    the tests compare with, takes no convolutions, and its bfloat16 takes a CPU that emulates it 15 times as long.
    """

    def __init__(self, groups, *, momentum):
        super().__init__(groups, betas=(momentum, 0.999), fused=True)
        self._step_supports_amp_scaling = False  # fp16: gradients have their true size before the step begins

    @torch.no_grad()
    def step(self, closure=None):
        body = [group for group in self.param_groups if group["name"] == "body"]
        chosen = [(one, group) for group in body for one in group["params"] if is_matrix(one) and one.grad is not None]
        gradients = [one.grad for one, _ in chosen]
        with tf32_as("off"):
            for one, group in chosen:
                self._learn(one, group)
                one.grad = None  # AdamW passes over it
        loss = super().step(closure)
        for (one, _), gradient in zip(chosen, gradients, strict=True):
            one.grad = gradient
        return loss

    def _learn(self, weight, group):
        state, (momentum, _) = self.state[weight], group["betas"]
        if not state:
            state["step"] = torch.zeros((), device=weight.device)
            state["exp_avg"] = torch.zeros_like(weight)
        state["step"] += 1
        state["exp_avg"].lerp_(weight.grad, 1 - momentum)
        matrix = weight.grad.lerp(state["exp_avg"], momentum).flatten(1)
        weight.mul_(1 - group["lr"] * group["weight_decay"])
        weight.add_(orthogonal(matrix).reshape(weight.shape), alpha=-0.2 * group["lr"] * max(matrix.shape) ** 0.5)


def is_matrix(weight):
    """Whether a weight mixes channels, and is not too large: a convolution's, but no depthwise one's, no vector."""
    return weight.ndim > 1 and weight.shape[1] > 1 and min(weight.shape[0], weight[0].numel()) <= LARGEST


def orthogonal(matrix):
    """(n, m) float32 with the singular vectors of `matrix`, and its values but the smallest brought to 0.67 to 1.21.

    The iteration is a polynomial of the n x n products of rows, or of columns if these are fewer: for n x 9 n that is
    2.5 times as fast as the iteration itself, and in float32 equal to 4e-4. It must not be less than float32.
    """
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonal(matrix.T).T
    matrix = matrix / matrix.norm().clamp(min=1e-7)
    products, factor = matrix @ matrix.T, None
    for _ in range(STEPS):
        step = torch.addmm(products, products, products, beta=B, alpha=C)
        step.diagonal().add_(A)
        factor = step if factor is None else step @ factor
        products = step @ products @ step
    return factor @ matrix
