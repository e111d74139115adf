"""What is wrong with an entry of a file, and how its values are shown in messages."""

from reprlib import Repr

_repr = Repr()
_repr.maxstring = 60
brief = _repr.repr  # a value of a file in a message: short, and always printable


class Fault(Exception):
    """What is wrong with one entry of a file.

    kind: of a shape that nothing can be drawn of, a few words, such as "too few points": it may be left out
    """

    def __init__(self, message, kind=None):
        super().__init__(message)
        self.kind = kind


FEW_POINTS, MANY_POINTS, FAR_OUT = "too few points", "too many points", "points that are damaged or far out"
OVER_EDGE, OTHER_SIZE, DAMAGED = "a mask over the edge", "a mask of another size", "a damaged mask"
NOTHING, NO_AREA = "nothing to draw", "a kind without an area"
