"""Which part of a clip is wanted; times as people write them."""

import re
from dataclasses import dataclass
from fractions import Fraction

from bisenet.errors import InputError

TIME = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Excerpt:
    """start, end: seconds from the beginning, without the end itself; end None: all that comes; every: only each so
    many-th frame"""

    start: Fraction = Fraction(0)
    end: Fraction | None = None
    every: int = 1

    def __post_init__(self):
        if self.every < 1:
            raise InputError(f"--every: must be 1 or more, not {self.every}")
        if self.end is not None and self.end <= self.start:
            raise InputError(f"--end: {clock(self.end)} is not after --start, {clock(self.start)}")

    def length(self, whole):
        """Seconds of what is wanted of `whole` seconds; None where nobody knows."""
        ends = [end for end in (whole, self.end) if end is not None]
        return max(min(ends) - self.start, Fraction(0)) if ends else None


def seconds(text):
    """90, 1:30 or 0:01:30.5 -> seconds. Raises ValueError."""
    found = TIME.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text} is neither seconds nor h:m:s")
    hours, minutes, rest = found.groups(default="0")
    return int(hours) * 3600 + int(minutes) * 60 + Fraction(rest)


def clock(time):
    """Seconds -> 0:01:30.5"""
    tenths = int(time * 10)
    minutes, rest = divmod(tenths, 600)
    return f"{minutes // 60}:{minutes % 60:02}:{rest // 10:02}.{rest % 10}"
