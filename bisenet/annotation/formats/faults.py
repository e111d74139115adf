"""What is wrong with an entry of a file, and how its values are shown in messages."""

from reprlib import Repr

_repr = Repr()
_repr.maxstring = 60
brief = _repr.repr  # a value of a file in a message: short, and always printable


class Fault(Exception):
    """What is wrong with one entry of a file."""
