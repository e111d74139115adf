"""Whether polygons are contours that a program traced, by the areas that a file tells of them."""

from bisenet.annotation.formats.table import FORMATS
from bisenet.annotation.reading import CONTOURS

CLEARLY = 2  # times that the pixels of one rule are nearer to the areas than those of the other


def contour_reading(sample):
    """The entry of `Suggestion.reading` for [(Pairs, image, label)] whose polygons are contours, else nothing."""
    fits = {form.part: form.hints.contours_fit for form in FORMATS if form.hints.contours_fit}
    parts = [part for found, _, label in sample if type(part := found.parts.get(label)) in fits]
    offs = [fits[type(part)](part) for part in parts]
    corners, contours = sum(off[0] for off in offs), sum(off[1] for off in offs)
    if not corners > CLEARLY * contours:  # also of NaN
        return {}
    comment = (
        f"corners are centres of border pixels: so the areas told are {contours:.0f} pixels off, else {corners:.0f}"
    )
    return {"polygons": (CONTOURS, comment)}
