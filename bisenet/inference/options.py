"""What a protocol may say; `protocols.py` does as it says.

No torch here: the parameters are checked by stages that do not need it.
"""

from bisenet.errors import InputError
from bisenet.system.kinds import EMPTY, POSITIVE, SIZE, SWITCH, Kind, check_section, either, integer, list_of, mapping

FACTORS = Kind("a list of one or more numbers above 0", lambda v: list_of(POSITIVE).accepts(v) and len(v) > 0)
PROTOCOL = {"scales": FACTORS, "flip": SWITCH, "window": either(SIZE, EMPTY)}
START = {"size": SIZE, "short_side": integer(1), "long_side": integer(1)}  # of the image; a protocol may have one


def check_protocol(row, where):
    """Raise `InputError` unless `row` is {"scales", "flip", "window"} and at most one of `START`."""
    start = {key: START[key] for key in START if key in mapping(row, where)}
    check_section(row, {**PROTOCOL, **start}, where)
    if len(start) > 1:
        raise InputError(f"{where}: {' and '.join(start)} exclude each other")
