"""What a protocol may say, and the protocols that have a name; `protocols.py` does as they say.

No torch here: the parameters are checked by stages that do not need it.
"""

from bisenet.errors import InputError
from bisenet.system.kinds import EMPTY, POSITIVE, SIZE, SWITCH, Kind, check_section, either, integer, list_of, mapping

PROTOCOLS = {  # of upstream's evaluation, and the V2 paper's own; params.yaml begins with these
    "ss": {"scales": [1.0], "window": None, "flip": False},
    "ssc": {"scales": [1.0], "window": [1024, 1024], "flip": False},
    "msf": {"scales": [0.5, 0.75, 1.0, 1.25, 1.5, 1.75], "window": None, "flip": True},
    "mscf": {"scales": [0.5, 0.75, 1.0, 1.25, 1.5, 1.75], "window": [1024, 1024], "flip": True},
    "half": {"scales": [0.5], "window": None, "flip": False},
}
FACTORS = Kind("a list of one number above 0 or more", lambda v: list_of(POSITIVE).accepts(v) and len(v) > 0)
PROTOCOL = {"scales": FACTORS, "flip": SWITCH, "window": either(SIZE, EMPTY)}
START = {"size": SIZE, "short_side": integer(1), "long_side": integer(1)}  # of the image; a protocol may have one


def check_protocol(row, where):
    """Raise `InputError` unless `row` is {"scales", "flip", "window"} and at most one of `START`."""
    start = {key: START[key] for key in START if key in mapping(row, where)}
    check_section(row, {**PROTOCOL, **start}, where)
    if len(start) > 1:
        raise InputError(f"{where}: {' and '.join(start)} exclude each other")
