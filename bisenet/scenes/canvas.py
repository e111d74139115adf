"""Image and label of one scene on one canvas, and the camera that looks at it.

Things are painted far to near, each with a colour and a class, so occlusion is right and image and label cannot
disagree.

World axes: x to the right of the middle of the road, y up from the ground, z away from the camera, in metres. Colours
are RGB in 0..1 under white light; the canvas applies the light and the fog. `rng` is a `numpy.random.Generator`.
"""

import math

import numpy as np
from skimage import draw, filters

CLASS_IDS = {  # as in Cityscapes
    "ego vehicle": 1,
    "out of roi": 3,
    "road": 7,
    "sidewalk": 8,
    "building": 11,
    "pole": 17,
    "traffic light": 19,
    "traffic sign": 20,
    "vegetation": 21,
    "sky": 23,
    "person": 24,
    "rider": 25,
    "car": 26,
    "bicycle": 33,
}

# The canvas has 2 x 2 samples for each pixel. The label takes one of them, and the image a weighted mean that is
# centred on that one, so neither is shifted against the other.
SAMPLES = 2
TILE = 256  # side of the noise that textures repeat


class Canvas:
    """Image and label of one scene, and the camera that looks at it."""

    def __init__(self, height, width, *, eye_x, weather, rng):
        self.shape = (height * SAMPLES, width * SAMPLES)
        self.image = np.zeros((*self.shape, 3), np.float32)
        self.label = np.zeros(self.shape, np.uint8)
        self.weather = weather
        self.focal = rng.uniform(1.0, 1.1) * math.sqrt(self.shape[0] * self.shape[1])
        self.horizon = rng.uniform(0.43, 0.49) * self.shape[0]
        self.centre = rng.uniform(0.44, 0.56) * self.shape[1]
        self.eye_x, self.eye_y = eye_x, rng.uniform(1.45, 1.75)
        grain = rng.standard_normal((TILE, TILE)).astype(np.float32)
        octaves = [filters.gaussian(grain, sigma, mode="wrap", truncate=2) for sigma in (1, 3, 9)]
        self._tile = sum(octave / octave.std() for octave in octaves) / 3

    def project(self, points):
        """Rows and columns, in samples, of world points (n, 3)."""
        x, y, z = np.asarray(points, np.float64).T
        rows = self.horizon + self.focal * (self.eye_y - y) / z
        return rows, self.centre + self.focal * (x - self.eye_x) / z

    def nearest_in_view(self, x):
        """Depth from which on a thing at this x stands well within the picture, metres."""
        room = self.centre if x < self.eye_x else self.shape[1] - self.centre
        return self.focal * abs(x - self.eye_x) / (0.86 * room)

    def texture(self, u, v):
        """Noise with mean 0 and deviation about 0.6, one value per unit square of (u, v)."""
        u, v = (np.floor(values).astype(np.int32) % TILE for values in (u, v))
        return self._tile[v, u]

    def region(self, points):
        """Samples inside the polygon with these world corners (n, 3)."""
        return draw.polygon(*self.project(points), self.shape)

    def paint(self, rows, cols, colour, name, *, depth, glow=0.0, opacity=1.0):
        """Gives samples a colour and a class: the only way that a label gets onto the canvas.

        rows, cols: (n,) indices, or two slices
        colour: (3,) or (n, 3), under white light
        name: the class, a key of `CLASS_IDS`
        depth: metres to the camera, scalar or per sample; fog grows with it
        glow: 0 for things that are lit, 1 for things that shine; scalar or per sample
        opacity: below 1, what is behind shows through; scalar or per sample
        """
        weather = self.weather
        per_sample = (np.asarray(value, np.float32)[..., None] for value in (depth, glow, opacity))
        depth, glow, opacity = per_sample
        # At night the headlights of the camera's own car light up what is near.
        light = weather.light + 0.45 * weather.night * np.exp(-depth / 14)
        colour = np.asarray(colour, np.float32) * (light + (1 - light) * glow)
        clear = np.exp(-depth / weather.visibility)
        colour = weather.haze + (colour - weather.haze) * clear
        if np.any(opacity < 1):
            colour = self.image[rows, cols] * (1 - opacity) + colour * opacity
        self.image[rows, cols] = colour
        self.label[rows, cols] = CLASS_IDS[name]

    def fill(self, points, colour, name, **kwargs):
        """Paints the polygon with these world corners (n, 3) in one colour."""
        rows, cols = self.region(points)
        self.paint(rows, cols, colour, name, depth=np.mean(np.asarray(points)[:, 2]), **kwargs)

    def disc(self, x, y, z, radius, colour, name, **kwargs):
        """Paints a disc that faces the camera."""
        turns = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        points = upright(x, z, np.stack([radius * np.cos(turns), y + radius * np.sin(turns)], 1))
        self.fill(points, colour, name, **kwargs)

    def limb(self, x, z, start, end, width, colour, name, **kwargs):
        """Paints a bar between two points, (right of x, above ground) each, facing the camera."""
        start, end = np.asarray(start, float), np.asarray(end, float)
        along = (end - start) / np.hypot(*(end - start))
        across = width / 2 * np.array([-along[1], along[0]])
        corners = np.stack([start + across, end + across, end - across, start - across])
        self.fill(upright(x, z, corners), colour, name, **kwargs)

    def shade(self, points, strength):
        """Darkens the ground in a polygon; a shadow has no class of its own."""
        rows, cols = self.region(points)
        self.image[rows, cols] *= 1 - strength

    def cast_shadow(self, x, z, half_width, half_depth):
        """Darkens the ground under a thing that stands at x and z, away from the sun."""
        turns = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        shift = -self.weather.sun * self.weather.sun_side * 0.5 * half_width
        u, w = x + shift + half_width * np.cos(turns), z + half_depth * np.sin(turns)
        self.shade(np.stack([u, np.zeros(16), w], 1), 0.25 + 0.25 * self.weather.sun)

    def side_wall(self, x, near, far, top):
        """Samples of an upright wall along the street, with the z and y of each."""
        rows, cols = self.region([(x, 0, near), (x, top, near), (x, top, far), (x, 0, far)])
        z = np.clip(self.focal * (x - self.eye_x) / (cols + 0.5 - self.centre), near, far)
        return rows, cols, z, self._height_at(rows, z)

    def cross_wall(self, left, right, z, bottom, top):
        """Samples of an upright wall across the street, with the x and y of each."""
        rows, cols = self.region(upright(0, z, rectangle(left, right, bottom, top)))
        x = self.eye_x + (cols + 0.5 - self.centre) * z / self.focal
        return rows, cols, x, self._height_at(rows, z)

    def _height_at(self, rows, z):
        return self.eye_y - (rows + 0.5 - self.horizon) * z / self.focal

    def mark_border(self):
        """Makes the rim of the picture out of the region of interest, and leaves its colours."""
        height, width = self.shape
        rim = SAMPLES * int(np.clip(round(height / SAMPLES / 90), 1, 4))
        inside = np.zeros(self.shape, bool)
        inside[rim : height - rim, rim : width - rim] = True
        rows, cols = np.nonzero(~inside)
        self.paint(rows, cols, (0, 0, 0), "out of roi", depth=0.0, opacity=0.0)

    def develop(self, rng):
        """(H, W, 3) uint8 RGB and (H, W) uint8 ids, one value per pixel, after lens and sensor."""
        picked = slice(SAMPLES // 2, None, SAMPLES)
        label = np.ascontiguousarray(self.label[picked, picked])
        blur = SAMPLES * rng.uniform(0.35, 0.6)
        image = filters.gaussian(self.image, blur, truncate=3, channel_axis=-1)[picked, picked]
        height, width = label.shape
        bloom = filters.gaussian(np.maximum(image - 0.8, 0), height / 50, channel_axis=-1)
        image = image + (0.4 + 1.2 * self.weather.night) * bloom
        y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
        image *= (rng.uniform(0.95, 1.08) - 0.09 * (x**2 + y**2))[..., None]
        noise = rng.uniform(0.006, 0.02) * (1 + 0.6 * self.weather.night)
        image += noise * rng.standard_normal(image.shape, np.float32)
        return (255 * np.clip(image, 0, 1)).astype(np.uint8), label


def upright(x, z, outline):
    """World corners (n, 3) of an outline (n, 2) in metres right of x and above the ground."""
    outline = np.asarray(outline, float)
    return np.column_stack([x + outline[:, 0], outline[:, 1], np.full(len(outline), z)])


def rectangle(left, right, bottom, top):
    """An outline (4, 2) for `upright`."""
    return [(left, bottom), (left, top), (right, top), (right, bottom)]


def shrink(points, factor):
    """A polygon (n, 3), or an outline (n, 2), drawn in towards its middle."""
    middle = points.mean(0)
    return middle + factor * (points - middle)
