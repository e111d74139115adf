"""Small XML files of labels, and the damage that may be done to them."""

import json
import random
import re

from project import ROOT

from bisenet.annotation.formats.contract import Drawing
from bisenet.annotation.formats.table import drawn_format, parse_file, read_parts
from bisenet.errors import InputError

NAMES = {"car": 1, "road": 2, "plate": None}
HURTS = [
    "",
    " ",
    "nan",
    "inf",
    "-1",
    "1e999",
    "9" * 5000,
    "ü",
    "car",
    "1,2",
    "1;2",
    "../x",
    "&#x41;",
    "<a/>",
    "</a>",
    "<",
    "&",
]
VALUE = r"""(?<=")[^"<>]*(?=")|(?<=>)[^<>]+(?=<)|(?<=[,;])[\d.]+"""  # of attributes, of elements, of points
TAG = "<[^<>]*>|(?<=</)[^<>]*(?=>)|[a-z]+(?==)"


def reference(name):
    return json.loads((ROOT / "tests" / "reference" / name).read_text(encoding="utf-8"))


def numbers(rows):
    """Rows of a reference, in which '.' is what no shape covers."""
    return [[0 if value == "." else int(value) for value in row] for row in rows]


def cvat(*shapes, images=("x.jpg",), meta="", more="", size='width="15" height="12"'):
    """A file in which each image has all the shapes."""
    rows = "".join(f'<image id="{i}" name="{name}" {size}>{"".join(shapes)}</image>' for i, name in enumerate(images))
    return f"<annotations><version>1.1</version><meta><task>{meta}</task></meta>{rows}{more}</annotations>"


def shape(tag="polygon", label="car", **attributes):
    points = {"points": "1,2;9,2;9,8"} if tag == "polygon" else {}
    text = "".join(f' {key}="{value}"' for key, value in (points | attributes).items())
    return f'<{tag} label="{label}"{text}/>'


def box(left, top, right, bottom, label="car", **attributes):
    return shape("box", label, xtl=left, ytl=top, xbr=right, ybr=bottom, **attributes)


def labelme(*objects, size="<nrows>12</nrows><ncols>15</ncols>", folder=""):
    head = f"<filename>x.jpg</filename><folder>{folder}</folder><imagesize>{size}</imagesize>"
    return f"<annotation>{head}{''.join(objects)}</annotation>"


def item(label="car", corners=((1, 2), (9, 2), (9, 8)), deleted=0, more=""):
    points = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in corners)
    polygon = f"<polygon>{points}</polygon>" if corners else ""
    return f"<object><name>{label}</name><deleted>{deleted}</deleted>{polygon}{more}</object>"


def drawn_parts(path, text, names=NAMES, background=0):
    """{image name: label} of a file of many images, as lists."""
    path.write_text(text, encoding="utf-8")
    parts, form = read_parts(path)
    return {name: form.draw(part, Drawing(names, background, path)).tolist() for name, part in parts.items()}


def drawn_file(path, text, names=NAMES, image=None):
    path.write_text(text, encoding="utf-8")
    content = parse_file(path)
    return drawn_format(content, path).draw(content, Drawing(names, 0, path, image)).tolist()


def damaged(text, seed):
    """The text with a value or a tag of it replaced, or cut off."""
    rng = random.Random(seed)
    if rng.random() < 0.1:
        return text[: rng.randrange(len(text))]
    span = TAG if rng.random() < 0.2 else VALUE
    found = rng.choice([*re.finditer(span, text)])
    return text[: found.start()] + rng.choice(HURTS) + text[found.end() :]


def outcome(draw, *arguments):
    """'label' or 'message' of a call that may end in an `InputError` that can be printed, and in nothing else."""
    try:
        draw(*arguments)
    except InputError as error:
        str(error).encode()
        return "message"
    return "label"
