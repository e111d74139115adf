"""Kinds of values that a YAML file may hold: what a value must be, in words and as a test."""

from collections.abc import Callable
from dataclasses import dataclass


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
