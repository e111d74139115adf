"""What is worth knowing of files beside their pixels: how EXIF turns them, what decoders say, where 0 is white."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bisenet.errors import InputError, counted, first_few, name_some
from bisenet.inspection.damage import is_damage, zeroed
from bisenet.samples import tiff
from bisenet.samples.orientation import BACK, STORED, UPRIGHT, drawn_on, orientation_of, verdict
from bisenet.samples.tiff import PHOTOMETRIC, WHITE_IS_0, first_tag, upright

UNCLEAR = "unclear"
WHITE = {
    "image": "0 is white in them, so they are inverted: 0 becomes the brightest value",
    "label": "a tag says that 0 is white, and their stored values count, as tifffile, scikit-image and ImageJ give "
    "them; Pillow and OpenCV invert those of 8 bits",
}


def remarks_of(pair, image, label, said, stored=False):
    """What there is to say of the files of a pair, as JSON takes it; for most of them {}.

    image, label: as of `read_pair`; said: for each file, the lines of `heard`
    stored: whether the label was turned with its image, as one that was drawn on its pixels as stored
    """
    found = {}
    data = _bytes(pair[0])
    orientation = orientation_of(data)
    if orientation != 1:
        found["turned"] = orientation
        if label is not None:
            other = upright(label, BACK.get(orientation, orientation) if stored else orientation)
            found["fit"] = drawn_on(image, *((other, label) if stored else (label, other))) or UNCLEAR
    damage = [[path, f"its decoder said '{line}'"] for path, lines in zip(pair, said, strict=False) for line in lines]
    found["said"] = [[path, line] for path, line in damage if not is_damage(line)]
    found["damage"] = [[path, line] for path, line in damage if is_damage(line)]
    if not found["damage"] and (zeros := zeroed(data)):
        found["damage"] = [[pair[0], f"{zeros} bytes of zeros inside its compressed data"]]
    contents = data, *(_bytes(path) if _is_tiff(path) else b"" for path in pair[1:])
    found["white"] = [what for what, own in zip(WHITE, contents, strict=False) if _is_white_0(own)]
    return {key: value for key, value in found.items() if value}


def _is_tiff(path):
    return Path(path).suffix.lower() in (".tif", ".tiff")


def _is_white_0(data):
    return data.startswith(tiff.SIGNATURES) and first_tag(data, PHOTOMETRIC) == WHITE_IS_0


def _bytes(path):
    try:
        return Path(path).read_bytes()
    except OSError:  # gone since its pixels were read
        return b""


@dataclass
class Remarks:
    """Those of all pairs of a split."""

    turned: Counter = field(default_factory=Counter)  # orientation -> images
    turned_first: list = field(default_factory=list)  # a few of these
    fit: Counter = field(default_factory=Counter)  # `UPRIGHT`, `STORED` or `UNCLEAR` -> their labels
    others: dict = field(default_factory=dict)  # text -> (files, a few of them)

    def add(self, pair, found, above):
        """found: of `remarks_of`; above: what is taken from the front of paths that are named"""
        paths = [path.removeprefix(above) for path in pair]
        if "turned" in found:
            self.turned[found["turned"]] += 1
            self.turned_first = first_few(self.turned_first, paths[0])
        if "fit" in found:
            self.fit[found["fit"]] += 1
        texts = [(path.removeprefix(above), line) for path, line in found.get("said", []) + found.get("damage", [])]
        texts += [(paths[0 if what == "image" else 1], WHITE[what]) for what in found.get("white", ())]
        for path, text in texts:
            count, first = self.others.get(text, (0, []))
            self.others[text] = count + 1, first_few(first, path)

    def told_turns(self):
        """How many images EXIF turns, and how, or None."""
        kinds = ", ".join(f"orientation {kind}: {count}" for kind, count in sorted(self.turned.items()))
        return f"EXIF turns {counted(self.turned.total(), 'image')} ({kinds})" if self.turned else None


def warnings_of(remarks, told):
    """Lines for people, of {split: `Remarks`}; told: what the dataset says of `orientation`, or None."""
    lines = [
        f"{split}: {counted(count, 'file')}: {text}: {name_some(first, total=count)}"
        for split, own in remarks.items()
        for text, (count, first) in sorted(own.others.items())
    ]
    doubt = _doubt([own for own in remarks.values() if own.fit], told)
    return [doubt, *lines] if doubt else lines


def _doubt(remarks, told):
    """What is wrong or unknown of how labels were drawn, or None."""
    fit, count = sum((own.fit for own in remarks), Counter()), sum(own.turned.total() for own in remarks)
    found = verdict(fit)
    if not remarks or found == (told or UPRIGHT) or told and not found:
        return None
    names = sorted(name for own in remarks for name in own.turned_first)
    turned = f"EXIF turns {counted(count, 'image')} ({name_some(names, total=count)})"
    if found:
        words = {UPRIGHT: "the upright image", STORED: "its pixels as stored"}
        said = f"which says '{told}'" if told else "without which labels count as drawn on the upright image"
        return (
            f"{turned}, and by their borders {fit[found]} of {counted(count, 'label')} were drawn on {words[found]}: "
            f"set 'reading: {{orientation: {found}}}' in dataset.yaml, {said}"
        )
    return (
        f"{turned}, and labels count as drawn on the upright image. The borders of {fit[UPRIGHT]} fit that, those of "
        f"{fit[STORED]} its pixels as stored, {fit[UNCLEAR]} do not tell: look at some, and say "
        f"'reading: {{orientation: {UPRIGHT}}}' or '{{orientation: {STORED}}}' in dataset.yaml"
    )


def damage_faults(found):
    """An `InputError` for each sign of damage in a file that could be decoded."""
    return [
        InputError(
            f"{path}: decodes, but seems damaged: {line}; copy it again, or remove it with its partner. Where it is "
            "whole to the eye, save it again, or set strict: false",
            "damaged",
        )
        for path, line in found.get("damage", ())
    ]
