"""Drawn street scenes with pixel-exact labels: a data set that needs no download.

Every scene is a small world in metres, seen by a pinhole camera that drives along a street. Things
are painted far to near on one canvas that holds image and label together, so occlusion is right and
the two cannot disagree. Light, fog, palettes and noise vary from scene to scene; colours overlap
between the classes, so that a network has to look at shape, texture and place.

World axes: x to the right of the middle of the road, y up from the ground, z away from the camera.
Colours are RGB in 0..1 under white light; the canvas applies the light and the fog.
"""

import colorsys
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from skimage import draw, filters

CLASS_IDS = {
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

# The canvas has 2 x 2 samples for each pixel. The label takes one of them, and the image a weighted
# mean that is centred on that one, so neither is shifted against the other.
_SAMPLES = 2
_TILE = 256
_NEAREST = 1.5  # metres; walls are cut off here, before they reach the camera plane
_FARTHEST = 110.0

_WEATHERS = {  # light, zenith, haze, visibility, sun, night
    "day": ((1.28, 1.22, 1.12), (0.24, 0.48, 0.85), (0.76, 0.87, 0.95), 260, 1.0, 0.0),
    "dusk": ((1.15, 0.90, 0.70), (0.30, 0.36, 0.62), (1.00, 0.70, 0.46), 150, 0.8, 0.35),
    "overcast": ((0.98, 1.00, 1.03), (0.60, 0.65, 0.71), (0.83, 0.85, 0.87), 130, 0.1, 0.05),
    "fog": ((0.90, 0.91, 0.92), (0.70, 0.73, 0.76), (0.80, 0.81, 0.81), 45, 0.0, 0.15),
    "night": ((0.50, 0.53, 0.70), (0.05, 0.07, 0.17), (0.26, 0.25, 0.38), 110, 0.1, 1.0),
}

Rng = np.random.Generator


def draw_scene(height: int, width: int, *, seed: int | Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Draws one street scene; the same size and seed give the same bytes.

    Args:
        height: rows of the picture in pixels, at least 24.
        width: columns of the picture in pixels, at least 24.
        seed: whatever `numpy.random.default_rng` takes as a seed, e.g. `(data_set_seed, index)`.

    Returns:
        image: (height, width, 3) uint8, RGB.
        label: (height, width) uint8, Cityscapes label ids out of `CLASS_IDS`.
    """
    rng = np.random.default_rng(seed)
    street = _Street.random(rng)
    canvas = Canvas(height, width, eye_x=street.eye_x, weather=_Weather.random(rng), rng=rng)
    _paint_sky(canvas, rng)
    _paint_ground(canvas, rng, street)
    _paint_horizon(canvas, rng)
    # Whatever stands on the street is nearer to the line of sight than the walls that line it.
    for side in (-1, 1):
        _paint_row_of_buildings(canvas, rng, street, side)
    for _, paint in sorted(_furnish(canvas, rng, street), key=lambda thing: -thing[0]):
        paint()
    _paint_bonnet(canvas, rng)
    _paint_border(canvas)
    return canvas.develop(rng)


@dataclass(frozen=True)
class _Weather:
    """Light and air of one scene."""

    light: np.ndarray  # (3,) what falls on all things
    zenith: np.ndarray  # (3,) colour of the sky overhead
    haze: np.ndarray  # (3,) colour of the sky at the horizon, and of fog
    visibility: float  # metres over which fog takes 63 % of a colour
    sun: float  # 0 (no shadows) .. 1 (hard light)
    sun_side: int  # -1: the sun stands on the left, 1: on the right
    night: float  # 0 .. 1; how much lamps and lit windows matter

    @classmethod
    def random(cls, rng: Rng) -> "_Weather":
        name = rng.choice(list(_WEATHERS), p=(0.36, 0.22, 0.18, 0.09, 0.15))
        light, zenith, haze, visibility, sun, night = _WEATHERS[name]
        jitter = rng.uniform(0.92, 1.08, (3, 3))
        light, zenith, haze = (np.array((light, zenith, haze)) * jitter).astype(np.float32)
        visibility *= rng.uniform(0.75, 1.3)
        return cls(light, zenith, haze, visibility, sun, int(rng.choice((-1, 1))), night)


@dataclass(frozen=True)
class _Street:
    """Plan of one street, in metres."""

    curb: float  # |x| of the edge of the road
    wall: float  # |x| of the line of buildings
    eye_x: float  # where the camera drives

    @classmethod
    def random(cls, rng: Rng) -> "_Street":
        curb = rng.uniform(3.5, 4.1)
        return cls(curb, curb + rng.uniform(4.7, 5.7), rng.uniform(0.1, 0.45) * curb)


class Canvas:
    """Image and label of one scene, and the camera that looks at it."""

    def __init__(self, height: int, width: int, *, eye_x: float, weather: _Weather, rng: Rng):
        self.shape = (height * _SAMPLES, width * _SAMPLES)
        self.image = np.zeros((*self.shape, 3), np.float32)
        self.label = np.zeros(self.shape, np.uint8)
        self.weather = weather
        self.focal = rng.uniform(1.0, 1.1) * math.sqrt(self.shape[0] * self.shape[1])
        self.horizon = rng.uniform(0.43, 0.49) * self.shape[0]
        self.centre = rng.uniform(0.44, 0.56) * self.shape[1]
        self.eye_x, self.eye_y = eye_x, rng.uniform(1.45, 1.75)
        grain = rng.standard_normal((_TILE, _TILE)).astype(np.float32)
        octaves = [filters.gaussian(grain, sigma, mode="wrap", truncate=2) for sigma in (1, 3, 9)]
        self._tile = sum(octave / octave.std() for octave in octaves) / 3

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns, in samples, of world points (n, 3)."""
        x, y, z = np.asarray(points, np.float64).T
        rows = self.horizon + self.focal * (self.eye_y - y) / z
        return rows, self.centre + self.focal * (x - self.eye_x) / z

    def nearest_in_view(self, x: float) -> float:
        """Depth from which on a thing at this x stands well within the picture, metres."""
        room = self.centre if x < self.eye_x else self.shape[1] - self.centre
        return self.focal * abs(x - self.eye_x) / (0.86 * room)

    def texture(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Noise with mean 0 and deviation about 0.6, one value per unit square of (u, v)."""
        u, v = (np.floor(values).astype(np.int32) % _TILE for values in (u, v))
        return self._tile[v, u]

    def region(self, points) -> tuple[np.ndarray, np.ndarray]:
        """Samples inside the polygon with these world corners (n, 3)."""
        return draw.polygon(*self.project(points), self.shape)

    def paint(self, rows, cols, colour, name: str, *, depth, glow=0.0, opacity=1.0):
        """Gives samples a colour and a class: the only way that a label gets onto the canvas.

        Args:
            rows, cols: (n,) indices, or two slices.
            colour: (3,) or (n, 3), under white light.
            name: the class, a key of `CLASS_IDS`.
            depth: metres to the camera, scalar or per sample; fog grows with it.
            glow: 0 for things that are lit, 1 for things that shine; scalar or per sample.
            opacity: below 1, what is behind shows through; scalar or per sample.
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

    def fill(self, points, colour, name: str, **kwargs) -> None:
        """Paints the polygon with these world corners (n, 3) in one colour."""
        rows, cols = self.region(points)
        self.paint(rows, cols, colour, name, depth=np.mean(np.asarray(points)[:, 2]), **kwargs)

    def disc(self, x, y, z, radius, colour, name: str, **kwargs) -> None:
        """Paints a disc that faces the camera."""
        turns = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        points = _upright(x, z, np.stack([radius * np.cos(turns), y + radius * np.sin(turns)], 1))
        self.fill(points, colour, name, **kwargs)

    def limb(self, x, z, start, end, width, colour, name: str, **kwargs) -> None:
        """Paints a bar between two points, (right of x, above ground) each, facing the camera."""
        start, end = np.asarray(start, float), np.asarray(end, float)
        along = (end - start) / np.hypot(*(end - start))
        across = width / 2 * np.array([-along[1], along[0]])
        corners = np.stack([start + across, end + across, end - across, start - across])
        self.fill(_upright(x, z, corners), colour, name, **kwargs)

    def shade(self, points, strength: float) -> None:
        """Darkens the ground in a polygon; a shadow has no class of its own."""
        rows, cols = self.region(points)
        self.image[rows, cols] *= 1 - strength

    def side_wall(self, x, near, far, top):
        """Samples of an upright wall along the street, with the z and y of each."""
        rows, cols = self.region([(x, 0, near), (x, top, near), (x, top, far), (x, 0, far)])
        z = np.clip(self.focal * (x - self.eye_x) / (cols + 0.5 - self.centre), near, far)
        return rows, cols, z, self._height_at(rows, z)

    def cross_wall(self, left, right, z, bottom, top):
        """Samples of an upright wall across the street, with the x and y of each."""
        rows, cols = self.region(_upright(0, z, _box(left, right, bottom, top)))
        x = self.eye_x + (cols + 0.5 - self.centre) * z / self.focal
        return rows, cols, x, self._height_at(rows, z)

    def _height_at(self, rows, z):
        return self.eye_y - (rows + 0.5 - self.horizon) * z / self.focal

    def develop(self, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
        """Image and label of one value per pixel, after lens and sensor."""
        picked = slice(_SAMPLES // 2, None, _SAMPLES)
        label = np.ascontiguousarray(self.label[picked, picked])
        blur = _SAMPLES * rng.uniform(0.35, 0.6)
        image = filters.gaussian(self.image, blur, truncate=3, channel_axis=-1)[picked, picked]
        height, width = label.shape
        bloom = filters.gaussian(np.maximum(image - 0.8, 0), height / 50, channel_axis=-1)
        image = image + (0.4 + 1.2 * self.weather.night) * bloom
        y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
        image *= (rng.uniform(0.95, 1.08) - 0.09 * (x**2 + y**2))[..., None]
        noise = rng.uniform(0.006, 0.02) * (1 + 0.6 * self.weather.night)
        image += noise * rng.standard_normal(image.shape, np.float32)
        return (255 * np.clip(image, 0, 1)).astype(np.uint8), label


def _hsv(hue: float, saturation: float, value: float) -> np.ndarray:
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value), np.float32)


def _any_colour(rng: Rng, *, grey: float, value=(0.15, 0.95)) -> np.ndarray:
    """A colour of any hue; with the chance `grey`, next to none."""
    saturation = rng.uniform(0, 0.12) if rng.random() < grey else rng.uniform(0.2, 0.85)
    return _hsv(rng.random(), saturation, rng.uniform(*value))


def _upright(x: float, z: float, outline) -> np.ndarray:
    """World corners (n, 3) of an outline (n, 2) in metres right of x and above the ground."""
    outline = np.asarray(outline, float)
    return np.column_stack([x + outline[:, 0], outline[:, 1], np.full(len(outline), z)])


def _box(left, right, bottom, top) -> list[tuple[float, float]]:
    return [(left, bottom), (left, top), (right, top), (right, bottom)]


def _shrink(points: np.ndarray, factor: float) -> np.ndarray:
    middle = points.mean(0)
    return middle + factor * (points - middle)


def _paint_sky(canvas: Canvas, rng: Rng) -> None:
    weather = canvas.weather
    rows, cols = int(canvas.horizon) // _SAMPLES + 1, canvas.shape[1] // _SAMPLES
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    across = (np.arange(cols, dtype=np.float32) - canvas.centre / _SAMPLES) / rows
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
    sky = sky.repeat(_SAMPLES, 0).repeat(_SAMPLES, 1)
    canvas.paint(slice(len(sky)), slice(None), sky, "sky", depth=0.0, glow=1.0)


def _paint_ground(canvas: Canvas, rng: Rng, street: _Street) -> None:
    """Road, markings, kerbs and pavements: each sample looks up what lies at its x and z."""
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


def _paint_horizon(canvas: Canvas, rng: Rng) -> None:
    """Closes the far end of the street with wooded hills."""
    z = 1.4 * _FARTHEST
    left, right = canvas.eye_x + (np.array([0, canvas.shape[1]]) - canvas.centre) * z / canvas.focal
    x = np.linspace(left, right, 10)
    hills = np.sin(x / rng.uniform(14, 22) + rng.uniform(0, 6))
    tops = 8 + rng.uniform(2, 5) * hills + rng.random(10)
    outline = [(left, 0), *zip(x, tops, strict=True), (right, 0)]
    canvas.fill(_upright(0, z, outline), _hsv(rng.uniform(0.2, 0.4), 0.4, 0.35), "vegetation")


@dataclass(frozen=True)
class _Facade:
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
    def random(cls, rng: Rng, night: float) -> "_Facade":
        wall = _hsv(rng.random(), rng.uniform(0.05, 0.45), rng.uniform(0.35, 0.95))
        if rng.random() < 0.6:  # brick, sandstone, cream
            wall = _hsv(rng.uniform(0.01, 0.13), rng.uniform(0.15, 0.6), rng.uniform(0.35, 0.92))
        trim = np.clip(wall * rng.uniform(0.6, 1.5), 0.1, 0.95)
        glass = _hsv(rng.uniform(0.5, 0.65), rng.uniform(0.1, 0.4), rng.uniform(0.15, 0.5))
        glow = np.array((1.0, 0.82, 0.5)) * (0.75 + 0.25 * night)
        accent = _any_colour(rng, grey=0.2)
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


def _facade_colours(canvas: Canvas, facade: _Facade, u, y) -> tuple[np.ndarray, np.ndarray]:
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


def _paint_row_of_buildings(canvas: Canvas, rng: Rng, street: _Street, side: int) -> None:
    """Houses wall to wall, and now and then a park between them."""
    plots, z, top = [], -rng.uniform(0, 8), 0.0
    while z < _FARTHEST:
        length = rng.uniform(8, 16)
        facade = None if rng.random() < 0.34 else _Facade.random(rng, canvas.weather.night)
        if z + length > 2 * _NEAREST:
            plots.append((max(z, _NEAREST), z + length, facade, top))
        top = facade.height if facade else 0.0
        z += length
    for near, far, facade, hidden_up_to in reversed(plots):
        if facade:
            _paint_building(canvas, rng, facade, side * street.wall, near, far, hidden_up_to)
        else:
            _paint_park(canvas, rng, side * street.wall, near, far)


def _paint_building(
    canvas: Canvas,
    rng: Rng,
    facade: _Facade,
    x: float,
    near: float,
    far: float,
    hidden_up_to: float,
) -> None:
    """A house at x from depth near to far; the house before it hides its front up to a height."""
    weather, side, top = canvas.weather, np.sign(x), facade.height
    in_shadow = side == weather.sun_side
    light = 1.0 - 0.3 * weather.sun * in_shadow
    roof = _any_colour(rng, grey=0.5, value=(0.2, 0.5))
    back, ridge, peak = x + 9 * side, x + side, top + rng.uniform(1.2, 2.4)
    if hidden_up_to < top:
        rows, cols, along, y = canvas.cross_wall(x, back, near, hidden_up_to, top)
        colours, glow = _facade_colours(canvas, facade, along, y)
        canvas.paint(rows, cols, 0.85 * colours, "building", depth=near, glow=glow)
    gable = [(x, top), (ridge, peak), (back, peak), (back, top)]
    canvas.fill(_upright(0, near, gable), 0.8 * roof, "building")
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


def _paint_park(canvas: Canvas, rng: Rng, x: float, near: float, far: float) -> None:
    """A gap in the row of buildings: trees behind a hedge."""
    side = np.sign(x)
    for z in np.arange(far - 1, max(near, 6), -5.0):
        _draw_tree(canvas, rng, x + side * rng.uniform(1.5, 4), z)
    rows, cols, z, y = canvas.side_wall(x, near, far, rng.uniform(1.0, 1.9))
    leaves = canvas.texture(20 * z, 20 * y)
    keep = y < y.max(initial=0) * (0.93 + 0.12 * leaves)
    colour = _leaf_colour(rng) * (0.75 + 0.25 * leaves + 0.2 * y)[:, None]
    canvas.paint(rows[keep], cols[keep], colour[keep], "vegetation", depth=z[keep])


def _leaf_colour(rng: Rng) -> np.ndarray:
    hue = rng.uniform(0.03, 0.15) if rng.random() < 0.2 else rng.uniform(0.17, 0.38)
    return _hsv(hue, rng.uniform(0.3, 0.75), rng.uniform(0.25, 0.6))


def _draw_tree(canvas: Canvas, rng: Rng, x: float, z: float) -> None:
    height = rng.uniform(4.4, 6.8)
    bark = _hsv(rng.uniform(0.03, 0.12), rng.uniform(0.1, 0.5), rng.uniform(0.2, 0.45))
    _cast_shadow(canvas, x, z, 1.4, 1.0)
    trunk = [(-0.17, 0), (-0.1, 0.6 * height), (0.1, 0.6 * height), (0.17, 0)]
    canvas.fill(_upright(x, z, trunk), bark, "vegetation")
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


def _cast_shadow(canvas: Canvas, x: float, z: float, half_width: float, half_depth: float) -> None:
    turns = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    shift = -canvas.weather.sun * canvas.weather.sun_side * 0.5 * half_width
    u, w = x + shift + half_width * np.cos(turns), z + half_depth * np.sin(turns)
    canvas.shade(np.stack([u, np.zeros(16), w], 1), 0.25 + 0.25 * canvas.weather.sun)


def _draw_lamp(canvas: Canvas, rng: Rng, x: float, z: float) -> None:
    height, inwards = rng.uniform(5, 7), -np.sign(x)
    steel = _any_colour(rng, grey=0.8, value=(0.12, 0.6))
    canvas.limb(x, z, (0, 0), (0, height), 0.22, steel, "pole")
    canvas.limb(x, z, (0, 0), (0, 0.9), 0.34, 0.9 * steel, "pole")
    canvas.limb(x, z, (0, height - 0.1), (inwards * 1.3, height + 0.2), 0.16, steel, "pole")
    lamp = _box(inwards * 1.1 - 0.35, inwards * 1.1 + 0.35, height + 0.05, height + 0.3)
    shine = canvas.weather.night
    canvas.fill(_upright(x, z, lamp), (1.0, 0.9, 0.65), "pole", glow=shine)


def _draw_traffic_light(canvas: Canvas, rng: Rng, x: float, z: float) -> None:
    steel = _any_colour(rng, grey=0.7, value=(0.2, 0.6))
    bottom = rng.uniform(2.2, 2.5)
    top, half = bottom + 1.25, 0.27
    canvas.limb(x, z, (0, 0), (0, bottom + 0.2), 0.22, steel, "pole")
    housing = _any_colour(rng, grey=0.8, value=(0.06, 0.3))
    board = _any_colour(rng, grey=0.6)
    for margin, colour in ((0.07, board), (0.0, housing)):
        box = _box(-half - margin, half + margin, bottom - margin, top + margin)
        canvas.fill(_upright(x, z, box), colour, "traffic light")
    bright = rng.integers(3)
    for index, hue in enumerate((0.38, 0.12, 0.0)):
        lamp = _hsv(hue, 0.85, 1.0) if index == bright else _hsv(hue, 0.6, 0.2)
        y = bottom + 0.22 + 0.4 * index
        canvas.disc(x, y, z, 0.18, lamp, "traffic light", glow=float(index == bright))


def _draw_sign(canvas: Canvas, rng: Rng, x: float, z: float) -> None:
    steel = _any_colour(rng, grey=0.8, value=(0.3, 0.7))
    y, radius = rng.uniform(2.2, 2.6), rng.uniform(0.52, 0.66)
    canvas.limb(x, z, (0, 0), (0, y), 0.18, steel, "pole")
    corners = int(rng.choice((3, 4, 4, 8, 24)))
    turn = np.pi / 2 if corners in (3, 24) else rng.choice((np.pi / 4, np.pi / 2))
    if corners == 8:
        turn = np.pi / 8
    turns = turn + np.linspace(0, 2 * np.pi, corners, endpoint=False)
    plate = np.stack([radius * np.cos(turns), radius * np.sin(turns) + y], 1)
    white = _hsv(0, 0, rng.uniform(0.75, 0.95))
    vivid = _any_colour(rng, grey=0.1, value=(0.45, 0.9))
    if rng.random() < 0.6:  # the red and blue of most signs
        vivid = _hsv(rng.choice((0.0, 0.6)), rng.uniform(0.6, 0.9), rng.uniform(0.5, 0.85))
    is_warning = rng.random() < 0.6
    rim, face, mark = (vivid, white, _hsv(0, 0, 0.1)) if is_warning else (white, vivid, white)
    canvas.fill(_upright(x, z, plate), rim, "traffic sign")
    canvas.fill(_upright(x, z, _shrink(plate, 0.74)), face, "traffic sign")
    bar = rng.permutation((0.28, 0.09)) * radius
    canvas.fill(_upright(x, z, _box(-bar[0], bar[0], y - bar[1], y + bar[1])), mark, "traffic sign")


def _draw_person(canvas: Canvas, rng: Rng, x: float, z: float) -> None:
    size, facing = rng.uniform(0.9, 1.08), rng.choice((-1, 1))
    top, trousers, shoes, hair = (_any_colour(rng, grey=g) for g in (0.35, 0.55, 0.8, 0.5))
    skin = _hsv(rng.uniform(0.04, 0.09), rng.uniform(0.25, 0.6), rng.uniform(0.35, 0.95))
    stride, swing = rng.uniform(0.08, 0.32, 2) * size
    _cast_shadow(canvas, x, z, 0.45, 0.3)
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
    canvas.fill(_upright(x, z, torso), top, "person")
    limb(outline((0.2, 1.4)), outline((0.24 + swing, 0.88)), 0.13 * size, 0.9 * top)
    for way in (-1, 1):
        canvas.disc(x + way * (0.25 + swing) * size, 0.84 * size, z, 0.07, skin, "person")
    if rng.random() < 0.4:
        bag = outline(_box(0.22 + swing, 0.5 + swing, 0.5, 0.9))
        canvas.fill(_upright(x, z, bag), _any_colour(rng, grey=0.3), "person")
    canvas.disc(x, 1.68 * size, z, 0.15 * size, hair, "person")
    canvas.disc(x + 0.05 * facing, 1.63 * size, z, 0.11 * size, skin, "person")


def _draw_cyclist(canvas: Canvas, rng: Rng, x: float, z: float) -> None:
    turn = rng.choice((-1, 1)) * rng.uniform(0.55, 1.0)  # 1: rides across the view, to the right
    steel, shirt, helmet = (_any_colour(rng, grey=g) for g in (0.25, 0.25, 0.3))
    trousers = _any_colour(rng, grey=0.6, value=(0.1, 0.6))
    skin = _hsv(rng.uniform(0.04, 0.09), rng.uniform(0.25, 0.6), rng.uniform(0.35, 0.95))
    _cast_shadow(canvas, x, z, 0.9 * abs(turn), 0.3)

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


def _draw_wheel(canvas: Canvas, x: float, y: float, z: float, squash: float) -> None:
    """A wheel with air between its spokes; as in Cityscapes all of it is bicycle."""
    row, col = (float(value[0]) for value in canvas.project([(x, y, z)]))
    size = 0.36 * canvas.focal / z
    rows, cols = draw.ellipse(row, col, size, size * squash, canvas.shape)
    radius = np.hypot((rows - row) / size, (cols - col) / (size * squash))
    opacity = np.where(radius > 0.74, 1.0, 0.3)
    colour = np.where(radius > 0.74, 0.08, 0.5)[:, None].repeat(3, 1)
    canvas.paint(rows, cols, colour, "bicycle", depth=z, opacity=opacity)


@dataclass(frozen=True)
class _CarBody:
    length: float
    height: float
    half_width: float
    profile: str  # the side view from rear to front: "z,y" in hundredths of length and height


_CAR_BODIES = (
    _CarBody(4.5, 1.45, 0.92, "0,20 0,60 3,68 14,70 28,98 60,100 74,68 97,58 100,50 100,20"),
    _CarBody(4.0, 1.50, 0.88, "0,20 0,60 2,66 10,97 58,100 74,67 97,57 100,50 100,20"),
    _CarBody(4.9, 1.95, 0.98, "0,20 0,50 1,56 5,97 70,100 86,60 98,50 100,42 100,20"),
)


def _draw_car(canvas: Canvas, rng: Rng, x: float, z: float, *, oncoming: bool) -> None:
    """A side view that is extruded across the car, its faces painted far to near."""
    body = _CAR_BODIES[rng.integers(len(_CAR_BODIES))]
    length, height, half = body.length, body.height, body.half_width
    part, y = np.array([point.split(",") for point in body.profile.split()], float).T / 100
    y *= height
    along = z + length * (1 - part if oncoming else part)
    paint = _any_colour(rng, grey=0.55, value=(0.06, 0.95))
    glass = _hsv(0.58, 0.2, rng.uniform(0.1, 0.4))
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
            canvas.fill(_shrink(face, 0.84), glass * rng.uniform(0.8, 1.6), "car")
    _draw_car_end(canvas, rng, x, z, body, oncoming)
    if abs(canvas.eye_x - x) > half:
        flank = right if canvas.eye_x > x else left
        is_sunny = (canvas.eye_x > x) == (canvas.weather.sun_side > 0)
        canvas.fill(flank, paint * (1.05 if is_sunny else 0.88), "car")
        canvas.fill(_shrink(flank[y >= 0.66 * height], 0.8), 0.9 * glass, "car")
        _draw_car_wheels(canvas, flank[0, 0], along.min(), length)


def _draw_car_end(canvas: Canvas, rng: Rng, x: float, z: float, body: _CarBody, oncoming: bool) -> None:
    """Tyres, bumper, lights and number plate of the end that faces the camera."""

    def panel(left, right, low, high, colour, **kwargs):
        box = np.array(_box(left, right, low, high)) * (body.half_width, body.height)
        canvas.fill(_upright(x, z, box), colour, "car", **kwargs)

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


def _draw_car_wheels(canvas: Canvas, x: float, start: float, length: float) -> None:
    turns = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    for part in (0.19, 0.8):
        for radius, grey in ((0.34, 0.05), (0.19, 0.5)):
            y, z = 0.34 + radius * np.sin(turns), start + part * length + radius * np.cos(turns)
            canvas.fill(np.column_stack([np.full(16, x), y, z]), (grey,) * 3, "car")


def _furnish(canvas: Canvas, rng: Rng, street: _Street) -> list[tuple[float, Callable[[], None]]]:
    """Decides what stands and moves where: pairs of depth and a function that paints the thing."""
    things = []

    def place(draw_thing, x, z, **kwargs):
        things.append((z, partial(draw_thing, canvas, rng, x, z, **kwargs)))

    def place_upright(kind, side, z):
        draw_thing = (_draw_traffic_light, _draw_sign, _draw_lamp, _draw_tree)[kind]
        from_curb = rng.uniform(1.4, 2.0) if draw_thing is _draw_tree else rng.uniform(0.4, 0.8)
        x = side * (street.curb + from_curb)
        place(draw_thing, x, max(z, canvas.nearest_in_view(x)))

    # One of each within the first metres in view, so that every scene shows every class ...
    for side, kinds in zip((-1, 1), rng.permutation(4).reshape(2, 2), strict=True):
        for kind, z in zip(kinds, (8.5, 12.5), strict=True):
            place_upright(kind, side, z + rng.uniform(0, 1.5))
        x = side * rng.uniform(street.curb + 0.9, street.wall - 0.8)
        place(_draw_person, x, max(7.0, canvas.nearest_in_view(x)) + rng.uniform(0, 2.5))
    lane = rng.choice((-0.5, 0.5)) * street.curb
    place(_draw_car, lane, rng.uniform(7, 11), oncoming=lane < 0)
    x = -lane * rng.uniform(0.7, 1.3)
    place(_draw_cyclist, x, max(6.5, canvas.nearest_in_view(x)) + rng.uniform(0, 2))
    place(_draw_car, -lane * 1.4, rng.uniform(11, 15), oncoming=lane > 0)

    # ... and then the street goes on.
    for side in (-1, 1):
        for z in np.arange(18, 70, 10) + rng.uniform(0, 6):
            place_upright(rng.choice(4, p=(0.14, 0.24, 0.24, 0.38)), side, z)
        for z in 12 + rng.exponential(14, rng.integers(2, 6)):
            x = side * rng.uniform(street.curb + 0.3, street.wall - 0.4)
            place(_draw_person, x, z)
        for z in np.arange(18, 60, 8) + rng.uniform(0, 4):
            if rng.random() < 0.6:
                lane = side * rng.choice((0.5, 0.72)) * street.curb
                place(_draw_car, lane, z, oncoming=side < 0)
        if rng.random() < 0.4:
            place(_draw_cyclist, side * (street.curb - 0.6), rng.uniform(14, 30))
    return things


def _paint_bonnet(canvas: Canvas, rng: Rng) -> None:
    height, width = canvas.shape
    rise = rng.uniform(0.03, 0.05) * height
    cols = np.arange(width)
    edge = height - rise * np.clip(1.2 - 4.4 * ((cols - canvas.centre) / width) ** 2, 0, 1)
    rows, cols = np.nonzero(np.arange(height)[:, None] >= edge)
    gloss = 1.4 - 0.6 * (rows - edge[cols]) / rise
    colour = _any_colour(rng, grey=0.6, value=(0.1, 0.6)) * gloss[:, None]
    canvas.paint(rows, cols, colour, "ego vehicle", depth=1.0)


def _paint_border(canvas: Canvas) -> None:
    """Marks the rim of the picture as out of the region of interest, and leaves its colours."""
    height, width = canvas.shape
    rim = _SAMPLES * int(np.clip(round(height / _SAMPLES / 90), 1, 4))
    inside = np.zeros(canvas.shape, bool)
    inside[rim : height - rim, rim : width - rim] = True
    rows, cols = np.nonzero(~inside)
    canvas.paint(rows, cols, (0, 0, 0), "out of roi", depth=0.0, opacity=0.0)
