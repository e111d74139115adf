"""Lamps, traffic lights and traffic signs, each with its pole."""

import numpy as np

from bisenet.scenes.canvas import rectangle, shrink, upright
from bisenet.scenes.colours import any_colour, hsv


def draw_lamp(canvas, rng, x, z):
    height, inwards = rng.uniform(5, 7), -np.sign(x)
    steel = any_colour(rng, grey=0.8, value=(0.12, 0.6))
    canvas.limb(x, z, (0, 0), (0, height), 0.22, steel, "pole")
    canvas.limb(x, z, (0, 0), (0, 0.9), 0.34, 0.9 * steel, "pole")
    canvas.limb(x, z, (0, height - 0.1), (inwards * 1.3, height + 0.2), 0.16, steel, "pole")
    lamp = rectangle(inwards * 1.1 - 0.35, inwards * 1.1 + 0.35, height + 0.05, height + 0.3)
    shine = canvas.weather.night
    canvas.fill(upright(x, z, lamp), (1.0, 0.9, 0.65), "pole", glow=shine)


def draw_traffic_light(canvas, rng, x, z):
    steel = any_colour(rng, grey=0.7, value=(0.2, 0.6))
    bottom = rng.uniform(2.2, 2.5)
    top, half = bottom + 1.25, 0.27
    canvas.limb(x, z, (0, 0), (0, bottom + 0.2), 0.22, steel, "pole")
    housing = any_colour(rng, grey=0.8, value=(0.06, 0.3))
    board = any_colour(rng, grey=0.6)
    for margin, colour in ((0.07, board), (0.0, housing)):
        box = rectangle(-half - margin, half + margin, bottom - margin, top + margin)
        canvas.fill(upright(x, z, box), colour, "traffic light")
    bright = rng.integers(3)
    for index, hue in enumerate((0.38, 0.12, 0.0)):
        lamp = hsv(hue, 0.85, 1.0) if index == bright else hsv(hue, 0.6, 0.2)
        y = bottom + 0.22 + 0.4 * index
        canvas.disc(x, y, z, 0.18, lamp, "traffic light", glow=float(index == bright))


def draw_sign(canvas, rng, x, z):
    steel = any_colour(rng, grey=0.8, value=(0.3, 0.7))
    y, radius = rng.uniform(2.2, 2.6), rng.uniform(0.52, 0.66)
    canvas.limb(x, z, (0, 0), (0, y), 0.18, steel, "pole")
    corners = int(rng.choice((3, 4, 4, 8, 24)))
    turn = np.pi / 2 if corners in (3, 24) else rng.choice((np.pi / 4, np.pi / 2))
    if corners == 8:
        turn = np.pi / 8
    turns = turn + np.linspace(0, 2 * np.pi, corners, endpoint=False)
    plate = np.stack([radius * np.cos(turns), radius * np.sin(turns) + y], 1)
    white = hsv(0, 0, rng.uniform(0.75, 0.95))
    vivid = any_colour(rng, grey=0.1, value=(0.45, 0.9))
    if rng.random() < 0.6:  # the red and blue of most signs
        vivid = hsv(rng.choice((0.0, 0.6)), rng.uniform(0.6, 0.9), rng.uniform(0.5, 0.85))
    is_warning = rng.random() < 0.6
    rim, face, mark = (vivid, white, hsv(0, 0, 0.1)) if is_warning else (white, vivid, white)
    canvas.fill(upright(x, z, plate), rim, "traffic sign")
    canvas.fill(upright(x, z, shrink(plate, 0.74)), face, "traffic sign")
    bar = rng.permutation((0.28, 0.09)) * radius
    canvas.fill(upright(x, z, rectangle(-bar[0], bar[0], y - bar[1], y + bar[1])), mark, "traffic sign")
