"""Light and air of a scene: sun, night, haze and fog."""

from dataclasses import dataclass

import numpy as np

WEATHERS = {  # light, zenith, haze, visibility, sun, night
    "day": ((1.28, 1.22, 1.12), (0.24, 0.48, 0.85), (0.76, 0.87, 0.95), 260, 1.0, 0.0),
    "dusk": ((1.15, 0.90, 0.70), (0.30, 0.36, 0.62), (1.00, 0.70, 0.46), 150, 0.8, 0.35),
    "overcast": ((0.98, 1.00, 1.03), (0.60, 0.65, 0.71), (0.83, 0.85, 0.87), 130, 0.1, 0.05),
    "fog": ((0.90, 0.91, 0.92), (0.70, 0.73, 0.76), (0.80, 0.81, 0.81), 45, 0.0, 0.15),
    "night": ((0.50, 0.53, 0.70), (0.05, 0.07, 0.17), (0.26, 0.25, 0.38), 110, 0.1, 1.0),
}


@dataclass(frozen=True)
class Weather:
    light: np.ndarray  # (3,) what falls on all things
    zenith: np.ndarray  # (3,) colour of the sky overhead
    haze: np.ndarray  # (3,) colour of the sky at the horizon, and of fog
    visibility: float  # metres over which fog takes 63 % of a colour
    sun: float  # 0 (no shadows) .. 1 (hard light)
    sun_side: int  # -1: the sun stands on the left, 1: on the right
    night: float  # 0 .. 1; how much lamps and lit windows matter

    @classmethod
    def random(cls, rng):
        name = rng.choice(list(WEATHERS), p=(0.36, 0.22, 0.18, 0.09, 0.15))
        light, zenith, haze, visibility, sun, night = WEATHERS[name]
        jitter = rng.uniform(0.92, 1.08, (3, 3))
        light, zenith, haze = (np.array((light, zenith, haze)) * jitter).astype(np.float32)
        visibility *= rng.uniform(0.75, 1.3)
        return cls(light, zenith, haze, visibility, sun, int(rng.choice((-1, 1))), night)
