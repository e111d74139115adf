"""Trees, and parks with their hedges."""

import numpy as np
from skimage import draw

from bisenet.scenes.canvas import upright
from bisenet.scenes.colours import hsv


def draw_tree(canvas, rng, x, z):
    height = rng.uniform(4.4, 6.8)
    bark = hsv(rng.uniform(0.03, 0.12), rng.uniform(0.1, 0.5), rng.uniform(0.2, 0.45))
    canvas.cast_shadow(x, z, 1.4, 1.0)
    trunk = [(-0.17, 0), (-0.1, 0.6 * height), (0.1, 0.6 * height), (0.17, 0)]
    canvas.fill(upright(x, z, trunk), bark, "vegetation")
    leaf, girth = _leaf_colour(rng), rng.uniform(0.22, 0.33)
    for _ in range(rng.integers(3, 6)):
        u, v = rng.uniform(-0.5, 0.5) * girth * height, rng.uniform(0.55, 0.85) * height
        radius = girth * height * rng.uniform(0.6, 0.95)
        row, col = (float(value[0]) for value in canvas.project([(x + u, v, z)]))
        size = radius * canvas.focal / z
        rows, cols = draw.ellipse(row, col, size, size, canvas.shape)
        down, right = (rows - row) / size, (cols - col) / size
        leaves = canvas.texture(24 * right * radius + 50 * u, 24 * down * radius + 50 * v)
        keep = down**2 + right**2 < 0.85 - 0.35 * leaves
        sunny = 0.3 * canvas.weather.sun * canvas.weather.sun_side * right
        shading = 0.85 - 0.3 * down + sunny + 0.3 * leaves
        colour = leaf * rng.uniform(0.85, 1.1) * shading[:, None]
        canvas.paint(rows[keep], cols[keep], colour[keep], "vegetation", depth=z)


def paint_park(canvas, rng, x, near, far):
    """A gap in the row of buildings: trees behind a hedge."""
    side = np.sign(x)
    for z in np.arange(far - 1, max(near, 6), -5.0):
        draw_tree(canvas, rng, x + side * rng.uniform(1.5, 4), z)
    rows, cols, z, y = canvas.side_wall(x, near, far, rng.uniform(1.0, 1.9))
    leaves = canvas.texture(20 * z, 20 * y)
    keep = y < y.max(initial=0) * (0.93 + 0.12 * leaves)
    colour = _leaf_colour(rng) * (0.75 + 0.25 * leaves + 0.2 * y)[:, None]
    canvas.paint(rows[keep], cols[keep], colour[keep], "vegetation", depth=z[keep])


def _leaf_colour(rng):
    hue = rng.uniform(0.03, 0.15) if rng.random() < 0.2 else rng.uniform(0.17, 0.38)
    return hsv(hue, rng.uniform(0.3, 0.75), rng.uniform(0.25, 0.6))
