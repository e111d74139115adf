"""Classes that look like left and right: by their names, each becomes the other in a mirror image.

Names are no proof. They serve suggestions and warnings; what swaps anything is `mirror` in the class table.
"""

import re

from bisenet.errors import name_some

LEFT, RIGHT = "<", ">"  # in place of the word, whatever it was
OTHER_SIDE = str.maketrans(LEFT + RIGHT, RIGHT + LEFT)
WORDS = {
    LEFT: "lh lhs links linke linken linker linkes gauche izquierda izquierdo esquerda esquerdo sinistra sinistro",
    RIGHT: "rh rhs rechts rechte rechten rechter rechtes droit droite derecha derecho direita direito destra destro",
}
SIDES = {word: side for side, words in WORDS.items() for word in words.split()}
PARTS = [(re.compile("^left|left$|左"), LEFT), (re.compile("^right|right$|右"), RIGHT)]  # of a word: lefteye, upperleft
LETTERS = {"l": LEFT, "r": RIGHT}
BETWEEN = {"c", "m"}  # centre, middle: letters that stand beside l and r; with any other it is a series, such as a to z
BORDERS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")  # leftEye, LEFTEye


def left_right_pairs(names):
    """[(name, name)]: those that differ in the side alone, however they are spelled, in the order of `names`.

    l and r are sides where they stand alone as words, beside others: l_eye, "ear R".
    """
    words = {name: tuple(re.findall(r"[^\W_]+", BORDERS.sub(" ", name).casefold())) for name in names}
    series = {}  # {a name without one letter: the letters that stand there}
    for said in set(words.values()):
        for place, word in enumerate(said):
            if len(word) == 1:
                series.setdefault(_without(said, place), set()).add(word)
    owners = {}
    for name, said in words.items():
        owners.setdefault(_sides(said, series), []).append(name)
    pairs = []
    for key, own in owners.items():
        others = owners.get(tuple(word.translate(OTHER_SIDE) for word in key), [])
        if len(own) == len(others) == 1 and own != others and tuple(reversed((*own, *others))) not in pairs:
            pairs.append((*own, *others))
    return pairs


def _sides(words, series):
    """The words of a name, with `LEFT` and `RIGHT` in place of its sides."""
    found = tuple(SIDES.get(word) or _in_parts(word) for word in words)
    if found != words or len(words) == 1:
        return found
    return tuple(
        LETTERS[word] if word in LETTERS and series[_without(words, place)] <= LETTERS.keys() | BETWEEN else word
        for place, word in enumerate(words)
    )


def _in_parts(word):
    for part, side in PARTS:
        word = part.sub(side, word)
    return word


def _without(words, place):
    return place, words[:place], words[place + 1 :]


def in_words(pairs):
    """The first of the pairs, and how many more there are: 'l_eye and r_eye, l_ear and r_ear'."""
    return name_some([f"{name} and {other}" for name, other in pairs])


def mirror_doubt(table):
    """What is wrong where classes of a `ClassTable` look like left and right, and have no `mirror`; None: no such."""
    said = dict(zip(table.names, table.mirrors or [None] * len(table), strict=True))
    silent = [pair for pair in left_right_pairs(table.names) if not any(said[name] for name in pair)]
    if not silent:
        return None
    name, other = silent[0]
    return (
        f"{in_words(silent)} look like left and right, and have no mirror, so mirror images take one for the other: "
        f"beside '{name}' write mirror: {other} in dataset.yaml, and so on (docs/data.md), or do without flip"
    )
