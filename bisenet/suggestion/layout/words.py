"""Words in the names of folders and files that tell what lies there: images, labels, which split."""

import re

# In lower case; `JPEGImages` has two words.
IMAGES = re.compile("(jpeg)?(images?|imgs?)|photos?|pictures?|rgb|left|inputs?|x|frames?")
LABELS = re.compile(
    "labell?(s|ed)?|masks?|annot(ation)?s?|anno?s?|gt|(ground)?truth|seg(mentation)?s?|semantic|targets?|y"
)
ASIDE = re.compile(  # what lies beside labels and looks like them
    "instances?|objects?|colou?rs?|depth|disparity|vis(ual)?(ization)?|viz|overlays?|previews?|edges?|boundary|"
    "pred(iction)?s?|panoptic|right|pseudo|cut_?outs?"  # the last two: of EISeg
)
WORDS = {"images": IMAGES, "labels": LABELS, "aside": ASIDE}
SPLIT_WORDS = {"training": "train", "train": "train", "validation": "val", "valid": "val", "val": "val"}
SPLIT_WORDS |= {"testing": "test", "test": "test"}
LIST_WORDS = {"dev": "val", "eval": "val", "evaluation": "val", "holdout": "val"}  # of files with names alone
TRAINVAL = "trainval"
FUSED = "annot|mask|label|gt|image|img"  # `trainannot`
SPLIT = re.compile(rf"(?<![a-z])({'|'.join(SPLIT_WORDS)})(?={FUSED}|[^a-z]|$)", re.IGNORECASE)
LIST_SPLIT = re.compile(
    r"(?P<both>train(ing)?[_\-. +&]*(and[_\-. ]*)?val(id(ation)?)?(?![a-z]))"
    rf"|(?P<one>{'|'.join([*SPLIT_WORDS, *LIST_WORDS])})"
    rf"(?=list|files|names|ids|set|split|pairs|{FUSED}|[^a-z]|$)",
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")


def split_of(text):
    """'train', 'val' or 'test', by the first word of such in a name or path, or None."""
    found = SPLIT.search(text)
    return SPLIT_WORDS[found[0].lower()] if found else None


def list_word(path):
    """(split or `TRAINVAL` that the path of a list tells, or None; the path without that word and the suffix)."""
    parts = path.rpartition(".")[0].split("/")
    for place in reversed(range(len(parts))):
        # `myTrainFiles`, but not `contest`: a word begins with a capital, or behind what is no letter
        for found in LIST_SPLIT.finditer(parts[place]):
            before = parts[place][: found.start()][-1:]
            if before.isalpha() and not (before.islower() and found[0][0].isupper()):
                continue
            family = "/".join(
                [
                    *parts[:place],
                    parts[place][: found.start()] + "\0" + parts[place][found.end() :],
                    *parts[place + 1 :],
                ]
            )
            word = found[0].lower()
            return TRAINVAL if found["both"] else (SPLIT_WORDS | LIST_WORDS)[word], family
    return None, path


def tells(text, of):
    """Whether one of its words is of images, labels or what lies beside."""
    return any(of.fullmatch(word) for word in _words(text))


def _words(text):
    words = {word.lower() for word in (*WORD.findall(text), *re.findall("[A-Za-z]+", text))}
    return words | {SPLIT.sub("", word) for word in words}  # `trainannot`
