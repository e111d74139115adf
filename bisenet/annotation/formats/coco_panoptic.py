"""COCO panoptic: one JSON file for many images, and a PNG of segments for each, by the rules of panopticapi.

The PNGs lie in the folder beside the JSON that is called like it, beside it, or in any folder below. A pixel is the
number of its segment, R + 256 G + 65536 B. What is 0 (void) is ignored, even where there is a class for the background.
A segment of the PNG that the JSON does not list is refused, as panopticapi does. One without a pixel is not: datumaro
writes such of masks that others hide. One may stand twice with one category, as segments-ai writes it.
"""

from dataclasses import dataclass
from pathlib import Path

from bisenet.annotation.formats.coco_tables import image_names, read_tables
from bisenet.annotation.formats.contract import Format, Hints, keys_of
from bisenet.annotation.formats.documents import counts_by_id, get, objects, parse_json
from bisenet.annotation.formats.faults import Fault, brief
from bisenet.annotation.formats.segment_maps import checked_name, draw_map, find_maps, read_map, refuse_without_maps
from bisenet.errors import InputError


@dataclass(frozen=True)
class PanopticImage:
    height: int
    width: int
    png: Path
    segments: dict[int, str]  # number of a segment -> name of its category


def shows(document):
    """Its keys, where an annotation is of segments."""
    listed = any("segments_info" in item for item in objects(document, "annotations"))
    return {"segments_info", *keys_of(document)} if listed else ()


def label_names(document):
    """{category: number of segments}."""
    segments = (part for item in objects(document, "annotations") for part in objects(item, "segments_info"))
    return counts_by_id(objects(document, "categories"), (part.get("category_id") for part in segments))


def aliases(name):
    """cityscapesScripts writes the name of an image with a `_gtFine` that the image does not have."""
    plain = name.replace("_gtFine_leftImg8bit", "_leftImg8bit")
    return () if plain == name else (plain,)


def parts(document, path):
    """{file_name: `PanopticImage`}; an image without an annotation is left out, so that it counts as unlabelled."""
    images = read_tables(document, path, lambda height, width: {"size": (height, width)}, _add_annotation)
    labelled = {name: image for name, image in images.items() if "segments" in image}
    names = [image["file"] for image in labelled.values()]
    pngs = find_maps(path, names) or refuse_without_maps(path, names)
    return {
        name: PanopticImage(*image["size"], pngs[image["file"]], image["segments"]) for name, image in labelled.items()
    }


def _add_annotation(item, image, category):
    if "segments" in image:
        raise Fault(f"the image_id {brief(item['image_id'])} stands twice")
    segments = {}
    for segment in get(item, "segments_info", list):
        number = get(segment, "id", int)
        try:
            name = category(segment)
        except Fault as fault:
            raise Fault(f"its segment {number}: {fault}") from None
        if not 0 < number < 256**3:
            raise Fault(f"its segment {brief(number)} is no number from 1 to {256**3 - 1}")
        if segments.setdefault(number, name) != name:
            raise Fault(f"its segment {number} stands twice, with different categories")
    image |= {"file": checked_name(get(item, "file_name", str)), "segments": segments}


def draw(part, drawing):
    numbers = read_map(part.png, channels=3)
    if numbers.shape != (part.height, part.width):
        height, width = numbers.shape
        raise InputError(
            f"{part.png}: is {width} x {height}, and by {drawing.path} its image is {part.width} x {part.height} "
            "(width x height); export both again",
            "sizes differ",
        )
    return draw_map(part.png, numbers, part.segments, drawing)


FORMAT = Format(
    "COCO panoptic",
    (".json",),
    parse_json,
    marks=frozenset({"images", "annotations", "categories", "segments_info"}),
    shows=shows,
    label_names=label_names,
    draw=draw,
    part=PanopticImage,
    image_names=image_names,
    parts=parts,
    aliases=aliases,
    hints=Hints(ignores_rest=True),
)
