"""People on foot, and cyclists with their bicycles."""

from functools import partial

import numpy as np
from skimage import draw

from bisenet.scenes.canvas import rectangle, upright
from bisenet.scenes.colours import any_colour, skin_colour


def draw_person(canvas, rng, x, z):
    size, facing = rng.uniform(0.9, 1.08), rng.choice((-1, 1))
    top, trousers, shoes, hair = (any_colour(rng, grey=g) for g in (0.35, 0.55, 0.8, 0.5))
    skin = skin_colour(rng)
    stride, swing = rng.uniform(0.08, 0.32, 2) * size
    canvas.cast_shadow(x, z, 0.45, 0.3)
    limb = partial(canvas.limb, x, z, name="person")
    outline = partial(np.multiply, size)
    for way in (-1, 1):
        foot = (way * stride, 0.08)
        limb(outline((way * 0.08, 0.92)), foot, 0.2 * size, trousers * (0.92 + 0.08 * way))
        limb(foot, (foot[0] + facing * 0.16, 0.06), 0.12, shoes)
    limb(outline((-0.2, 1.4)), outline((-0.24 - swing, 0.88)), 0.13 * size, 0.85 * top)
    hem = rng.uniform(0.55, 0.9)  # a coat, a skirt or a shirt
    half = np.array([(0.2, hem), (0.2, 1.1), (0.25, 1.38), (0.14, 1.5)])
    torso = outline(np.concatenate([half, half[::-1] * (-1, 1)]))
    canvas.fill(upright(x, z, torso), top, "person")
    limb(outline((0.2, 1.4)), outline((0.24 + swing, 0.88)), 0.13 * size, 0.9 * top)
    for way in (-1, 1):
        canvas.disc(x + way * (0.25 + swing) * size, 0.84 * size, z, 0.07, skin, "person")
    if rng.random() < 0.4:
        bag = outline(rectangle(0.22 + swing, 0.5 + swing, 0.5, 0.9))
        canvas.fill(upright(x, z, bag), any_colour(rng, grey=0.3), "person")
    canvas.disc(x, 1.68 * size, z, 0.15 * size, hair, "person")
    canvas.disc(x + 0.05 * facing, 1.63 * size, z, 0.11 * size, skin, "person")


def draw_cyclist(canvas, rng, x, z):
    turn = rng.choice((-1, 1)) * rng.uniform(0.55, 1.0)  # 1: rides across the view, to the right
    steel, shirt, helmet = (any_colour(rng, grey=g) for g in (0.25, 0.25, 0.3))
    trousers = any_colour(rng, grey=0.6, value=(0.1, 0.6))
    skin = skin_colour(rng)
    canvas.cast_shadow(x, z, 0.9 * abs(turn), 0.3)

    def bar(start, end, width, colour, name):
        squash = np.array([turn, 1])
        canvas.limb(x, z, start * squash, end * squash, width, colour, name)

    hub, pedals, front, head, saddle, hands = np.array(
        [(-0.55, 0.36), (-0.05, 0.33), (0.55, 0.36), (0.4, 0.95), (-0.2, 0.98), (0.45, 1.1)]
    )
    hip, shoulder, face = np.array([(-0.18, 1.1), (0.14, 1.55), (0.22, 1.78)])
    tread = rng.uniform(-0.15, 0.15)

    def leg(way, shade):
        foot = pedals + (way * 0.12, way * tread)
        knee = (hip + foot) / 2 + (0.2, 0.06)
        bar(hip, knee, 0.2, shade * trousers, "rider")
        bar(knee, foot, 0.15, shade * trousers, "rider")

    leg(-1, 0.7)
    for axle in (hub, front):
        _draw_wheel(canvas, x + axle[0] * turn, axle[1], z, abs(turn))
    for tube in (hub, pedals), (pedals, head), (pedals, saddle), (saddle, hub), (saddle, head):
        bar(*tube, 0.09, steel, "bicycle")
    for tube in (head, front), (head, hands):
        bar(*tube, 0.09, steel, "bicycle")
    leg(1, 1.0)
    bar(hip - (0, 0.08), shoulder + (0.03, 0.06), 0.36, shirt, "rider")
    bar(shoulder, hands, 0.13, 0.85 * shirt, "rider")
    canvas.disc(x + face[0] * turn, face[1], z, 0.15, skin, "rider")
    canvas.disc(x + (face[0] - 0.03) * turn, face[1] + 0.06, z, 0.15, helmet, "rider")


def _draw_wheel(canvas, x, y, z, squash):
    """A wheel with air between its spokes; as in Cityscapes all of it is bicycle."""
    row, col = (float(value[0]) for value in canvas.project([(x, y, z)]))
    size = 0.36 * canvas.focal / z
    rows, cols = draw.ellipse(row, col, size, size * squash, canvas.shape)
    radius = np.hypot((rows - row) / size, (cols - col) / (size * squash))
    opacity = np.where(radius > 0.74, 1.0, 0.3)
    colour = np.where(radius > 0.74, 0.08, 0.5)[:, None].repeat(3, 1)
    canvas.paint(rows, cols, colour, "bicycle", depth=z, opacity=opacity)
