"""What is farthest: the sky, with sun, clouds and stars, and wooded hills at the end of the street."""

import numpy as np
from skimage import filters

from bisenet.scenes.canvas import SAMPLES, upright
from bisenet.scenes.colours import hsv
from bisenet.scenes.street import FARTHEST


def paint_sky(canvas, rng):
    weather = canvas.weather
    rows, cols = int(canvas.horizon) // SAMPLES + 1, canvas.shape[1] // SAMPLES
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    across = (np.arange(cols, dtype=np.float32) - canvas.centre / SAMPLES) / rows
    sky = weather.zenith + (weather.haze - weather.zenith) * (down**1.2)[..., None]
    sun = rng.uniform(0.1, 0.9), weather.sun_side * rng.uniform(0.2, 0.9)
    distance = np.hypot(down - sun[0], across - sun[1])
    sky = sky + weather.sun * (0.45 * np.exp(-3 * distance))[..., None] * (1.0, 0.85, 0.6)
    clouds = np.zeros((rows, cols), np.float32)
    for size in (0.12, 0.05, 0.02):
        grain = rng.standard_normal((rows, cols), np.float32)
        puffs = filters.gaussian(grain, (size * rows, 3 * size * rows), truncate=2)
        clouds += size / 0.12 * puffs / puffs.std()
    cover = np.clip(0.8 * clouds - rng.uniform(-0.3, 1.0), 0, 0.8)[..., None]
    sky += cover * (0.25 * weather.haze + 0.8 * weather.light * weather.haze.mean() - sky)
    if weather.night == 1:
        stars = (rng.random((rows, cols)) < 0.002) * (1 - down) ** 2
        sky += stars[..., None] * (1 - cover)
    sky = sky.repeat(SAMPLES, 0).repeat(SAMPLES, 1)
    canvas.paint(slice(len(sky)), slice(None), sky, "sky", depth=0.0, glow=1.0)


def paint_hills(canvas, rng):
    """Closes the far end of the street with wooded hills."""
    z = 1.4 * FARTHEST
    left, right = canvas.eye_x + (np.array([0, canvas.shape[1]]) - canvas.centre) * z / canvas.focal
    x = np.linspace(left, right, 10)
    hills = np.sin(x / rng.uniform(14, 22) + rng.uniform(0, 6))
    tops = 8 + rng.uniform(2, 5) * hills + rng.random(10)
    outline = [(left, 0), *zip(x, tops, strict=True), (right, 0)]
    canvas.fill(upright(0, z, outline), hsv(rng.uniform(0.2, 0.4), 0.4, 0.35), "vegetation")
