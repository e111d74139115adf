"""Draws street scenes with pixel-exact labels: a dataset that needs no download.

Every scene is a small world in metres, seen by a pinhole camera that drives along a street. Light, fog, palettes and
noise vary from scene to scene; colours overlap between the classes, so that a network has to look at shape, texture and
place.
"""

from functools import partial

import numpy as np

from bisenet.scenes.buildings import paint_row_of_buildings
from bisenet.scenes.canvas import Canvas
from bisenet.scenes.cars import draw_car, paint_bonnet
from bisenet.scenes.people import draw_cyclist, draw_person
from bisenet.scenes.sky_and_hills import paint_hills, paint_sky
from bisenet.scenes.street import Street, paint_ground
from bisenet.scenes.street_furniture import draw_lamp, draw_sign, draw_traffic_light
from bisenet.scenes.vegetation import draw_tree
from bisenet.scenes.weather import Weather


def draw_scene(height, width, *, seed):
    """(height, width, 3) uint8 RGB image and (height, width) uint8 label of Cityscapes' ids, those of `CLASS_IDS`.

    The same size and seed give the same bytes.
    height, width: pixels, at least 24
    seed: whatever `numpy.random.default_rng` takes, e.g. `(seed of the dataset, index)`
    """
    rng = np.random.default_rng(seed)
    street = Street.random(rng)
    canvas = Canvas(height, width, eye_x=street.eye_x, weather=Weather.random(rng), rng=rng)
    paint_sky(canvas, rng)
    paint_ground(canvas, rng, street)
    paint_hills(canvas, rng)
    # Whatever stands on the street is nearer to the line of sight than the walls that line it.
    for side in (-1, 1):
        paint_row_of_buildings(canvas, rng, street, side)
    for _, paint in sorted(_furnish(canvas, rng, street), key=lambda thing: -thing[0]):
        paint()
    paint_bonnet(canvas, rng)
    canvas.mark_border()
    return canvas.develop(rng)


def _furnish(canvas, rng, street):
    """Decides what stands and moves where: pairs of depth and a function that paints the thing."""
    things = []

    def place(draw_thing, x, z, **kwargs):
        things.append((z, partial(draw_thing, canvas, rng, x, z, **kwargs)))

    def place_upright(kind, side, z):
        draw_thing = (draw_traffic_light, draw_sign, draw_lamp, draw_tree)[kind]
        from_curb = rng.uniform(1.4, 2.0) if draw_thing is draw_tree else rng.uniform(0.4, 0.8)
        x = side * (street.curb + from_curb)
        place(draw_thing, x, max(z, canvas.nearest_in_view(x)))

    # One of each within the first metres in view, so that every scene shows every class ...
    for side, kinds in zip((-1, 1), rng.permutation(4).reshape(2, 2), strict=True):
        for kind, z in zip(kinds, (8.5, 12.5), strict=True):
            place_upright(kind, side, z + rng.uniform(0, 1.5))
        x = side * rng.uniform(street.curb + 0.9, street.wall - 0.8)
        place(draw_person, x, max(7.0, canvas.nearest_in_view(x)) + rng.uniform(0, 2.5))
    lane = rng.choice((-0.5, 0.5)) * street.curb
    place(draw_car, lane, rng.uniform(7, 11), oncoming=lane < 0)
    x = -lane * rng.uniform(0.7, 1.3)
    place(draw_cyclist, x, max(6.5, canvas.nearest_in_view(x)) + rng.uniform(0, 2))
    place(draw_car, -lane * 1.4, rng.uniform(11, 15), oncoming=lane > 0)

    # ... and then the street goes on.
    for side in (-1, 1):
        for z in np.arange(18, 70, 10) + rng.uniform(0, 6):
            place_upright(rng.choice(4, p=(0.14, 0.24, 0.24, 0.38)), side, z)
        for z in 12 + rng.exponential(14, rng.integers(2, 6)):
            x = side * rng.uniform(street.curb + 0.3, street.wall - 0.4)
            place(draw_person, x, z)
        for z in np.arange(18, 60, 8) + rng.uniform(0, 4):
            if rng.random() < 0.6:
                lane = side * rng.choice((0.5, 0.72)) * street.curb
                place(draw_car, lane, z, oncoming=side < 0)
        if rng.random() < 0.4:
            place(draw_cyclist, side * (street.curb - 0.6), rng.uniform(14, 30))
    return things
