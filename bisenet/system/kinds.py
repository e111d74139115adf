"""Kinds of values that a person may give: what a value must be, in words and as a test."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from bisenet.errors import InputError


@dataclass(frozen=True)
class Kind:
    """What a value must be, in words and as a test."""

    words: str
    accepts: Callable
    names: tuple = ()  # of a choice


def number(words, accepts):
    return Kind(f"a number {words}", lambda v: type(v) in (int, float) and accepts(v))


def integer(least):
    return Kind(f"a whole number, {least} or more", lambda v: type(v) is int and v >= least)


def one_of(*names):
    return Kind(f"one of {', '.join(map(str, names))}", lambda v: any(v is n or v == n for n in names), names)


def either(*kinds):
    return Kind(" or ".join(k.words for k in kinds), lambda v: any(k.accepts(v) for k in kinds))


def list_of(kind, length=None):
    count = "a list" if length is None else f"a list of {length}"
    return Kind(
        f"{count}, each {kind.words}",
        lambda v: isinstance(v, list) and len(v) == (length or len(v)) and all(map(kind.accepts, v)),
    )


POSITIVE = number("above 0", lambda v: 0 < v < float("inf"))
NOT_NEGATIVE = number("of 0 or more", lambda v: 0 <= v < float("inf"))
SHARE = number("from 0 to 1", lambda v: 0 <= v <= 1)
POSITIVE_SHARE = number("above 0, up to 1", lambda v: 0 < v <= 1)
TEXT = Kind("a word", lambda v: isinstance(v, str) and v != "")
SWITCH = Kind("true or false", lambda v: isinstance(v, bool))
SIZE = list_of(integer(1), 2)
EMPTY = Kind("empty", lambda v: v is None)


def mapping(found, where):
    """`found`, if it is a dict; `where` names its place in messages."""
    if not isinstance(found, dict):
        raise InputError(f"{where}: must hold 'key: value' lines, not {found!r}")
    return found


def check_names(found, known, where):
    """Raise `InputError` for a key that is not known, with the one that may be meant."""
    for key in found:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(known)}"
            raise InputError(f"{where}: there is no parameter '{key}' here; {hint}")


def check_section(found, kinds, where):
    """Raise `InputError` unless `found` is a dict of just the keys of `kinds`, each of its kind."""
    check_names(mapping(found, where), kinds, where)
    for key, kind in kinds.items():
        if not kind.accepts(found.get(key)):
            raise InputError(f"{where}: {key} must be {kind.words}, not {found.get(key)!r}")
