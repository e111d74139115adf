"""Which names of a source belong to a split: its `only`, `except`, and its share of all."""

import hashlib
from fnmatch import fnmatchcase

from bisenet.annotation.name_lists import ITEM, ListedNames, plain_form
from bisenet.errors import counted, name_some


def choose(folder, source, images, labels):
    """(a test whether a name belongs to the source, faults of its lists).

    images, labels: {name: path} of what the patterns match
    """
    names = ListedNames(labels, images, called=number_of if source.numbers else str)
    only, listed = _listed(folder, source.only, names)
    excluded, unlisted = _listed(folder, source.exclude, names)
    low, high = source.share

    def chosen(name):
        if source.only and name not in listed and not any(fits(name, glob) for glob in only):
            return False
        if name in unlisted or any(fits(name, glob) for glob in excluded):
            return False
        return low <= hash_share(name) < high

    missing = sorted(name for name in listed if name not in names)
    lists = ", ".join(source.only)
    lost = f"{counted(len(missing), 'name')} in {lists} {'has' if len(missing) == 1 else 'have'} no image"
    cure = "correct or remove these lines, or put the images there"
    return chosen, [f"{folder.root}: {lost}: {name_some(missing)}; {cure}"] if missing else []


def fits(name, glob):
    """Whether a name is of a glob, in any of Unicode's forms."""
    return fnmatchcase(name, glob) or not name.isascii() and fnmatchcase(plain_form(name), plain_form(glob))


def hash_share(name):
    """A number in [0, 1) that hangs on the name alone, so a file stays on its side of a split when others come."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) / 256**6


def _listed(folder, items, names):
    """(globs, names in the lists) of `only` or `except`."""
    globs, listed = [], set()
    for item in items:
        if ITEM.fullmatch(item):
            listed.update(names.of_lines(folder.lines(item)))
            continue
        called = names.called(item)
        plain = called not in names and not set("*?[") & set(item)
        name = names.of_text(item) if plain else None  # `a.jpg` is `a`, as in a list
        if name is None:
            globs.append(called)
        else:
            listed.add(name)
    return globs, listed - {None}


def number_of(name):
    """The name with its last part as a number, where it is one: `a/12` of `a/00012`."""
    above, slash, last = name.rpartition("/")
    return f"{above}{slash}{int(last)}" if last.isascii() and last.isdecimal() else name
