"""Which files of a folder may be the images, or the labels, and the name that each would have."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property

from bisenet.annotation.formats.table import COMMON_SUFFIXES, LABEL_SUFFIXES
from bisenet.annotation.name_lists import plain_form
from bisenet.errors import InputError
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.suggestion.layout.places import Place
from bisenet.suggestion.layout.words import WORDS, tells

ENDING = re.compile(r"[_\-. ][A-Za-z][A-Za-z0-9]*$")
BEGINNING = re.compile(r"[A-Za-z]+[_\-. ]?")
SUFFIXES = tuple(dict.fromkeys((".png", *LABEL_SUFFIXES, *COMMON_SUFFIXES)))  # of labels, the likeliest first
MAX_PLACES, MAX_AFFIXES, MAX_CHOICES = 24, 8, 200


@dataclass
class Choice:
    """Some files of one place, and the name that each would have."""

    place: tuple
    suffixes: tuple[str, ...]
    affix: tuple  # what comes before the name, what after, whether there is a name at all
    fixed: tuple[bool, ...]  # for each run of folders: is it the same for all, and no part of the name
    ways: list  # what `fixed` may be, the plainest first
    files: dict = field(default_factory=dict)  # (split, name) -> (File, Place)
    twins: int = 0

    @cached_property
    def tells(self):
        """Of what its folders and affixes speak."""
        text = "/".join([*(part for part in self.place if part), *self.affix[:2]])
        return {name for name, of in WORDS.items() if tells(text, of)}

    def beside(self, other):
        """Itself, or where it has no splits and `other` has: as one place of files for all of these."""
        if not self.files or any(split for split, _ in self.files) or not any(split for split, _ in other.files):
            return self
        files = {key: self.files[None, key[1]] for key in other.files if (None, key[1]) in self.files}
        return replace(self, files=files)

    def pattern(self, split):
        """The pattern that matches the files of one split."""
        members = [member for (own, _), member in self.files.items() if own == split]
        word = Counter(place.word for _, place in members).most_common(1)[0][0]
        runs = zip(*(place.runs for _, place in members), strict=True)
        runs = (run[0] if fixed or not any(run) else "**/" for run, fixed in zip(runs, self.fixed, strict=True))
        parts = [next(runs) if part is None else part.replace("\0", word, 1) + "/" for part in self.place]
        before, after, named = self.affix
        suffixes = sorted({file.suffix for file, _ in members}, key=SUFFIXES.index)
        dotted = suffixes[0] if len(suffixes) == 1 else f".{{{','.join(suffix[1:] for suffix in suffixes)}}}"
        literal = "".join(part for part in (*parts, before) if part != "**/")
        if re.search("[*{}\ud800-\udfff]", literal):  # the last: bytes that are not UTF-8
            raise InputError(f"{literal!r}: a pattern cannot name what has *, {{, }} or no UTF-8 in it; rename it")
        return "".join(parts) + before + ("*" if named else "") + after + dotted


def choices_of(files, suffixes, depth):
    """The `Choice`s of files that have one of `suffixes`, those of most files first; depth: see `Place.of`."""
    places = defaultdict(list)
    for file in files:
        if file.suffix in suffixes:
            place = Place.of(file.folders, depth)
            places[place.key].append((file, place))
    largest = sorted(places.items(), key=lambda item: (-len(item[1]), str(item[0])))[:MAX_PLACES]
    choices = [choice for key, members in largest for choice in _choices_of(key, members)]
    return sorted(choices, key=lambda choice: -len(choice.files))[:MAX_CHOICES]


def _choices_of(key, members):
    every = tuple(sorted({file.suffix for file, _ in members}, key=SUFFIXES.index))
    options = [every, *((suffix,) for suffix in every), *(tuple(s for s in every if s != one) for one in every)]
    for suffixes in dict.fromkeys(option for option in options if option):
        own = [member for member in members if member[0].suffix in suffixes]
        constant = [len(set(run)) == 1 and run[0] != "" for run in zip(*(place.runs for _, place in own), strict=True)]
        leading = [key[0] is None and number == 0 for number in range(len(constant))]
        ways = [tuple(map(all, zip(constant, leading, strict=True))), tuple(constant), (False,) * len(constant)]
        for affix in _affixes([file.stem for file, _ in own]):
            for fixed in dict.fromkeys(ways):
                choice = Choice(key, suffixes, affix, fixed, ways)
                for file, place in own:
                    rest = _rest(file.stem, affix)
                    if rest is not None:
                        runs = (run for run, of_all in zip(place.runs, fixed, strict=True) if not of_all)
                        name = plain_form("/".join(part.rstrip("/") for part in (*runs, rest) if part))
                        before = choice.files.setdefault((place.split, name), (file, place))[0]
                        choice.twins += before is not file and plain_form(before.path) != plain_form(file.path)
                if any(name for _, name in choice.files):  # a pattern has a star
                    yield choice


def _affixes(stems):
    """The beginnings and endings that many stems share, none first."""
    counts = Counter()
    for stem in stems:
        counts[stem, "", False] += 1
        beginning = BEGINNING.match(stem)
        if beginning and beginning[0] != stem:
            counts[beginning[0], "", True] += 1
        rest = stem
        for _ in range(3):
            ending = ENDING.search(rest)
            if not ending or not ending.start():
                break
            rest = rest[: ending.start()]
            counts["", stem[len(rest) :], True] += 1
    least = max(min(2, len(stems)), len(stems) / 20)
    common = [affix for affix, count in counts.items() if count >= least]
    common.sort(key=lambda affix: (-counts[affix], affix))
    suffixes = sorted({ending[1:] for _, ending, _ in counts if ending.lower() in IMAGE_SUFFIXES})
    of_images = [("", f".{{{','.join(suffixes)}}}", True)] if len(suffixes) > 1 else []  # `x.jpg.json`, `y.png.json`
    return [("", "", True), *of_images, *common[:MAX_AFFIXES]]


def _rest(stem, affix):
    """The name in a stem, None where the affix does not fit."""
    before, after, named = affix
    if not named:
        return "" if stem == before else None
    for ending in [f".{suffix}" for suffix in after[2:-1].split(",")] if after.startswith(".{") else [after]:
        if len(stem) >= len(before) + len(ending) and stem.startswith(before) and stem.endswith(ending):
            return stem[len(before) : len(stem) - len(ending)]
    return None
