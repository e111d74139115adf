"""Rows of buildings along the street: facades, roofs, and the shadows that they cast."""

from dataclasses import dataclass

import numpy as np

from bisenet.scenes.canvas import upright
from bisenet.scenes.colours import any_colour, hsv
from bisenet.scenes.street import FARTHEST
from bisenet.scenes.vegetation import paint_park

NEAREST = 1.5  # metres; walls are cut off here, before they reach the camera plane


def paint_row_of_buildings(canvas, rng, street, side):
    """Houses wall to wall, and now and then a park between them."""
    plots, z, top = [], -rng.uniform(0, 8), 0.0
    while z < FARTHEST:
        length = rng.uniform(8, 16)
        facade = None if rng.random() < 0.34 else Facade.random(rng, canvas.weather.night)
        if z + length > 2 * NEAREST:
            plots.append((max(z, NEAREST), z + length, facade, top))
        top = facade.height if facade else 0.0
        z += length
    for near, far, facade, hidden_up_to in reversed(plots):
        if facade:
            _paint_building(canvas, rng, facade, side * street.wall, near, far, hidden_up_to)
        else:
            paint_park(canvas, rng, side * street.wall, near, far)


def _paint_building(canvas, rng, facade, x, near, far, hidden_up_to):
    """A house at x from depth near to far; the house before it hides its front up to a height."""
    weather, side, top = canvas.weather, np.sign(x), facade.height
    in_shadow = side == weather.sun_side
    light = 1.0 - 0.3 * weather.sun * in_shadow
    roof = any_colour(rng, grey=0.5, value=(0.2, 0.5))
    back, ridge, peak = x + 9 * side, x + side, top + rng.uniform(1.2, 2.4)
    if hidden_up_to < top:
        rows, cols, along, y = canvas.cross_wall(x, back, near, hidden_up_to, top)
        colours, glow = _facade_colours(canvas, facade, along, y)
        canvas.paint(rows, cols, 0.85 * colours, "building", depth=near, glow=glow)
    gable = [(x, top), (ridge, peak), (back, peak), (back, top)]
    canvas.fill(upright(0, near, gable), 0.8 * roof, "building")
    slope = [(x, top, near), (ridge, peak, near), (ridge, peak, far), (x, top, far)]
    canvas.fill(slope, light * roof, "building")
    rows, cols, along, y = canvas.side_wall(x, near, far, top)
    colours, glow = _facade_colours(canvas, facade, along, y)
    grime = 1 - 0.25 * np.exp(-y / 0.8)
    canvas.paint(rows, cols, colours * (light * grime)[:, None], "building", depth=along, glow=glow)
    if in_shadow:
        reach = x - side * 0.5 * weather.sun * top
        ground = [(x, 0, near), (reach, 0, near), (reach, 0, far), (x, 0, far)]
        canvas.shade(ground, 0.4 * weather.sun)


@dataclass(frozen=True)
class Facade:
    """Style of one building: what `_facade_colours` needs to know of it."""

    colours: np.ndarray  # (materials, 3)
    height: float
    bay: float  # metres from window to window
    storey: float
    window: tuple[float, float]  # width and height as parts of bay and storey
    shop: bool
    bricks: bool
    lit: np.ndarray  # (16, 16) a number in 0..1 for each window

    @classmethod
    def random(cls, rng, night):
        wall = hsv(rng.random(), rng.uniform(0.05, 0.45), rng.uniform(0.35, 0.95))
        if rng.random() < 0.6:  # brick, sandstone, cream
            wall = hsv(rng.uniform(0.01, 0.13), rng.uniform(0.15, 0.6), rng.uniform(0.35, 0.92))
        trim = np.clip(wall * rng.uniform(0.6, 1.5), 0.1, 0.95)
        glass = hsv(rng.uniform(0.5, 0.65), rng.uniform(0.1, 0.4), rng.uniform(0.15, 0.5))
        glow = np.array((1.0, 0.82, 0.5)) * (0.75 + 0.25 * night)
        accent = any_colour(rng, grey=0.2)
        storey = rng.uniform(2.7, 3.3)
        return cls(
            colours=np.stack([wall, trim, glass, glow, accent]).astype(np.float32),
            height=storey * rng.choice((2, 3, 4), p=(0.6, 0.32, 0.08)) + 0.5,
            bay=rng.uniform(1.9, 3.2),
            storey=storey,
            window=(rng.uniform(0.35, 0.7), rng.uniform(0.45, 0.65)),
            shop=bool(rng.random() < 0.45),
            bricks=bool(rng.random() < 0.5),
            lit=rng.random((16, 16)),
        )


def _facade_colours(canvas, facade, u, y):
    """Colours (n, 3) and glow (n,) of a wall at u metres along it and y above the ground."""
    column, storey = np.floor(u / facade.bay).astype(int), np.floor(y / facade.storey).astype(int)
    right, up = np.abs(u / facade.bay - column - 0.5), y / facade.storey - storey
    chance = facade.lit[storey % 16, column % 16]
    ground, top = storey == 0, y > facade.height - 0.5
    width, height = facade.window[0] / 2, facade.window[1] / 2
    window = (right < width) & (np.abs(up - 0.52) < height) & ~ground & ~top
    frame = (right < width + 0.05) & (np.abs(up - 0.5) < height + 0.06) & ~ground & ~top
    wall, trim, glass, glow, accent = range(len(facade.colours))
    pane = np.where(chance < 0.03 + 0.42 * canvas.weather.night, glow, glass)
    if facade.shop:
        door, door_colour = ground & (right < 0.44) & (up > 0.14) & (up < 0.74), pane
        sign, sign_colour = ground & (up > 0.78), accent
    else:
        has_door = ground & (chance > 0.6)
        door, door_colour = has_door & (right < 0.2) & (up < 0.72), accent
        sign, sign_colour = has_door & (right < 0.25) & (up < 0.78), trim
        window |= ground & ~has_door & (right < width) & (np.abs(up - 0.55) < 0.25)
    places = [window, frame, door, sign, (up < 0.06) | top]
    material = np.select(places, [pane, trim, door_colour, sign_colour, trim], wall)
    shading = 1 + 0.09 * canvas.texture(2 * u, 1.5 * y) + 0.08 * canvas.texture(25 * u, 25 * y)
    if facade.bricks:
        shading -= 0.14 * ((y % 0.4 < 0.08) & (material == wall))
    shading += (material == glass) * (0.7 * up + 0.8 * chance - 0.5)
    return facade.colours[material] * shading[:, None], (material == glow).astype(np.float32)
