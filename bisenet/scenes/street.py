"""Plan of a street, and its ground: road, markings, kerbs and pavements."""

from dataclasses import dataclass

import numpy as np

FARTHEST = 110.0  # metres; what lines the street ends here


@dataclass(frozen=True)
class Street:
    """In metres."""

    curb: float  # |x| of the edge of the road
    wall: float  # |x| of the line of buildings
    eye_x: float  # where the camera drives

    @classmethod
    def random(cls, rng):
        curb = rng.uniform(3.5, 4.1)
        return cls(curb, curb + rng.uniform(4.7, 5.7), rng.uniform(0.1, 0.45) * curb)


def paint_ground(canvas, rng, street):
    """Each sample looks up what lies at its x and z."""
    top = int(canvas.horizon) + 1
    rows = np.arange(top, canvas.shape[0], dtype=np.float32)[:, None] + 0.5
    cols = np.arange(canvas.shape[1], dtype=np.float32) + 0.5
    z = np.minimum(canvas.focal * canvas.eye_y / (rows - canvas.horizon), 400)  # one per row
    x = canvas.eye_x + (cols - canvas.centre) * z / canvas.focal
    across = np.abs(x)

    asphalt, paving = rng.uniform(0.2, 0.42), rng.uniform(0.36, 0.62)
    tint = rng.uniform(0.92, 1.08, (2, 3))
    materials = np.stack(
        [asphalt * tint[0], (0.82,) * 3, paving * tint[1], paving * 0.82 * tint[1], (0.62,) * 3]
    ).astype(np.float32)
    lane, paint, slab, joint, kerb = range(len(materials))
    pitch = rng.uniform(4, 9)
    dashed = (z % pitch < 0.45 * pitch) | (rng.random() < 0.25)
    marks = ((across < 0.08) & dashed) | (np.abs(across - street.curb + 0.35) < 0.06)
    if rng.random() < 0.5:  # zebra crossing
        start = rng.uniform(7, 16)
        crossing = (z > start - 0.8) & (z < start + 3.5) & (across < street.curb)
        marks = np.where(crossing, (z > start) & (x % 1.0 < 0.5), marks)
    size = rng.uniform(0.5, 1.4)
    seams = (((x % size) < 0.05) | ((z % size) < 0.05)) & (z < 40)
    places = [across < street.curb, across < street.curb + 0.18, seams]
    material = np.select(places, [marks * paint, kerb, joint], slab)
    grain = 0.10 * canvas.texture(30 * x, 12 * z) + 0.12 * canvas.texture(6 * x + 99, 1.2 * z)
    tracks = 0.1 * np.cos(4 * np.pi * x / street.curb)  # where the tyres run
    shading = 1 + (grain - tracks * (material == lane)) * np.minimum(1, 25 / z)
    colour = materials[material] * shading[..., None]
    for name, place in (("road", across < street.curb), ("sidewalk", across >= street.curb)):
        rows, cols = np.nonzero(place)
        canvas.paint(top + rows, cols, colour[place], name, depth=z[rows, 0])
