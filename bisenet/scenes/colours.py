"""Colours, RGB in 0..1 under white light."""

import colorsys

import numpy as np


def hsv(hue, saturation, value):
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value), np.float32)


def any_colour(rng, *, grey, value=(0.15, 0.95)):
    """A colour of any hue; with the chance `grey`, next to none."""
    saturation = rng.uniform(0, 0.12) if rng.random() < grey else rng.uniform(0.2, 0.85)
    return hsv(rng.random(), saturation, rng.uniform(*value))


def skin_colour(rng):
    return hsv(rng.uniform(0.04, 0.09), rng.uniform(0.25, 0.6), rng.uniform(0.35, 0.95))
