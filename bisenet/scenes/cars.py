"""Cars: those on the street, and the bonnet of the one that carries the camera."""

from dataclasses import dataclass

import numpy as np

from bisenet.scenes.canvas import rectangle, shrink, upright
from bisenet.scenes.colours import any_colour, hsv


@dataclass(frozen=True)
class CarBody:
    length: float
    height: float
    half_width: float
    profile: str  # the side view from rear to front: "z,y" in hundredths of length and height


CAR_BODIES = (
    CarBody(4.5, 1.45, 0.92, "0,20 0,60 3,68 14,70 28,98 60,100 74,68 97,58 100,50 100,20"),
    CarBody(4.0, 1.50, 0.88, "0,20 0,60 2,66 10,97 58,100 74,67 97,57 100,50 100,20"),
    CarBody(4.9, 1.95, 0.98, "0,20 0,50 1,56 5,97 70,100 86,60 98,50 100,42 100,20"),
)


def draw_car(canvas, rng, x, z, *, oncoming):
    """A side view that is extruded across the car, its faces painted far to near."""
    body = CAR_BODIES[rng.integers(len(CAR_BODIES))]
    length, height, half = body.length, body.height, body.half_width
    part, y = np.array([point.split(",") for point in body.profile.split()], float).T / 100
    y *= height
    along = z + length * (1 - part if oncoming else part)
    paint = any_colour(rng, grey=0.55, value=(0.06, 0.95))
    glass = hsv(0.58, 0.2, rng.uniform(0.1, 0.4))
    cabin = np.clip((y / height - 0.66) / 0.34, 0, 1)  # 0 at the belt line, 1 at the roof
    reach = half * (1 - 0.2 * cabin)

    ground = np.array([(-1, -0.3), (1, -0.3), (1, length), (-1, length)]) * (half + 0.15, 1)
    canvas.shade(np.column_stack([x + ground[:, 0], np.zeros(4), z + ground[:, 1]]), 0.6)
    left, right = (np.column_stack([x + way * reach, y, along]) for way in (-1, 1))
    faces = np.stack([left[:-1], right[:-1], right[1:], left[1:]], 1)
    for face in sorted(faces, key=lambda face: -face[:, 2].mean()):
        _, rise, run = np.ptp(face, axis=0)
        canvas.fill(face, paint * (0.72 + 0.4 * run / (rise + run)), "car")
        if rise > 0.25 * height and face[:, 1].max() > 0.9 * height:
            canvas.fill(shrink(face, 0.84), glass * rng.uniform(0.8, 1.6), "car")
    _draw_car_end(canvas, rng, x, z, body, oncoming)
    if abs(canvas.eye_x - x) > half:
        flank = right if canvas.eye_x > x else left
        is_sunny = (canvas.eye_x > x) == (canvas.weather.sun_side > 0)
        canvas.fill(flank, paint * (1.05 if is_sunny else 0.88), "car")
        canvas.fill(shrink(flank[y >= 0.66 * height], 0.8), 0.9 * glass, "car")
        _draw_car_wheels(canvas, flank[0, 0], along.min(), length)


def _draw_car_end(canvas, rng, x, z, body, oncoming):
    """Tyres, bumper, lights and number plate of the end that faces the camera."""

    def panel(left, right, low, high, colour, **kwargs):
        box = np.array(rectangle(left, right, low, high)) * (body.half_width, body.height)
        canvas.fill(upright(x, z, box), colour, "car", **kwargs)

    black = np.array((0.06, 0.06, 0.07))
    lamp = (1.0, 0.97, 0.85) if oncoming else (0.8, 0.06, 0.05)
    glow = max(canvas.weather.night, 0.3 * (rng.random() < 0.5))
    for way in (-1, 1):
        panel(0.7 * way, 0.95 * way, 0.0, 0.24, black)
    panel(-0.98, 0.98, 0.12, 0.28, 1.5 * black)
    for way in (-1, 1):
        panel(0.6 * way, 0.95 * way, 0.42, 0.54, lamp, glow=glow)
    if oncoming:
        panel(-0.5, 0.5, 0.34, 0.46, black)
    plate = 0.26 if oncoming else 0.35
    panel(-0.28, 0.28, plate, plate + 0.08, (0.85, 0.85, 0.8))


def _draw_car_wheels(canvas, x, start, length):
    turns = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    for part in (0.19, 0.8):
        for radius, grey in ((0.34, 0.05), (0.19, 0.5)):
            y, z = 0.34 + radius * np.sin(turns), start + part * length + radius * np.cos(turns)
            canvas.fill(np.column_stack([np.full(16, x), y, z]), (grey,) * 3, "car")


def paint_bonnet(canvas, rng):
    height, width = canvas.shape
    rise = rng.uniform(0.03, 0.05) * height
    cols = np.arange(width)
    edge = height - rise * np.clip(1.2 - 4.4 * ((cols - canvas.centre) / width) ** 2, 0, 1)
    rows, cols = np.nonzero(np.arange(height)[:, None] >= edge)
    gloss = 1.4 - 0.6 * (rows - edge[cols]) / rise
    colour = any_colour(rng, grey=0.6, value=(0.1, 0.6)) * gloss[:, None]
    canvas.paint(rows, cols, colour, "ego vehicle", depth=1.0)
