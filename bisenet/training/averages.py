"""Weights worth keeping beside the latest: their moving average, and the best so far."""

import copy
import math

import torch


class MovingAverage:
    """The exponential moving average of a model's weights and batch statistics, as a `model` in eval mode.

    decay: how much of the average stays at each step, towards which it rises from 0.1 as (1 + step) / (10 + step), so
    that the random start is soon forgotten
    """

    def __init__(self, model, decay):
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model, step):
        """step: how many the model has made, this one not counted"""
        decay = min(self.decay, (1 + step) / (10 + step))
        for ours, theirs in zip(self.model.state_dict().values(), model.state_dict().values(), strict=True):
            if ours.is_floating_point():
                ours.lerp_(theirs, 1 - decay)
            else:
                ours.copy_(theirs)


class Best:
    """The weights with the highest score so far; of equal scores the first."""

    def __init__(self):
        self.iteration = self.score = self.weights = None
        self.seen = 0  # the iteration of the last score
        self.stale = 0  # how many scores since the highest

    def offer(self, iteration, score, model):
        """Whether this is the best so far, and was kept. Any score is better than NaN."""
        self.seen = iteration
        if self.weights is not None and not (score > self.score or math.isnan(self.score) > math.isnan(score)):
            self.stale += 1
            return False
        self.iteration, self.score, self.stale = iteration, score, 0
        self.weights = {key: value.detach().cpu().clone() for key, value in model.state_dict().items()}
        return True

    def state_dict(self):
        return dict(vars(self))

    def load_state_dict(self, state):
        vars(self).update(state)
