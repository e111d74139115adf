"""Signs that a file is damaged although it decodes: what C libraries print, and zeros in a JPEG."""

import os
import re
import sys
import tempfile
from collections import defaultdict
from contextlib import contextmanager, suppress

from bisenet.samples.images import JPEG_SIGNATURE
from bisenet.samples.orientation import segments

# Lines that decoders print. Whatever else comes, of a bar of progress for one, is passed on.
DECODERS = re.compile(
    r"Corrupt JPEG|Premature end of JPEG|Inconsistent progression|Invalid SOS|Invalid component|Unknown Adobe"
    r"|Warning: unknown JFIF|libpng |PNG (?:warning|error)|\[ ?(?:WARN|ERROR):"
)
PLACE = re.compile(r"^\[ ?(?:WARN|ERROR):[^\]]*\] (?:global )?\S+ ")  # where and when in OpenCV, each time another
DAMAGE = re.compile(
    r"Corrupt JPEG|Premature end of JPEG|Inconsistent progression|IDAT|CRC error|compressed data|buffer is incomplete"
)
HARMLESS = re.compile(  # bytes too many, as cameras and tools write them, where damage leaves more; text beside pixels
    r"\b[1-4] extraneous bytes before marker 0xd9|(?:[Ee]xtra|Too much) (?:compressed|image) data"
    r"|\b(?:tEXt|zTXt|iTXt|tIME|iCCP|eXIf|pHYs|gAMA|cHRM|sRGB): "
)
TABLES, BRIGHTNESS = 0xC4, 0x10  # the marker, and which of the tables it is: of AC, the first
END_OF_BLOCK = 0
SINKS = defaultdict(list)  # files without a name, by the process that opened them: a new one each time takes longer
ZEROS = 48  # bytes; flat colours give 4 at most, unless a table has the shortest code for the end of a block


@contextmanager
def heard(lines):
    """Adds to a list what decoders have printed for people meanwhile, line by line.

    Only one thread at a time may be inside, since the standard error output is one for all.
    """
    free = SINKS[os.getpid()]
    try:
        free or free.append(tempfile.TemporaryFile(buffering=0))  # noqa: SIM115 it stays open
        real = os.dup(2)
    except OSError:  # no temporary folder, or no standard error output
        yield
        return
    sink = free.pop()
    try:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(real, 2)
            sink.seek(0)
            said = sink.read()
            sink.seek(0)
            sink.truncate()
            free.append(sink)
            for line in said.decode(errors="replace").splitlines(keepends=True):
                found = DECODERS.search(line)
                before = line[: found.start()] if found else line  # a bar of progress has no end of line
                if found:
                    lines.append(PLACE.sub("", line[found.start() :].strip()))
                if before:
                    os.write(real, before.encode())
    finally:
        os.close(real)


def is_damage(line):
    """Whether what a decoder said means that pixels are wrong."""
    return bool(DAMAGE.search(line)) and not HARMLESS.search(line)


def zeroed(data):
    """The number of zeros in the longest run of them inside the compressed data of a JPEG, if no encoder writes such.

    They are codes that decode. Where the shortest code for brightness is the end of a block, flat colours are zeros,
    too, so nothing is said of such a file, nor of one in several scans, as progressive ones are.
    """
    if not data.startswith(JPEG_SIGNATURE):
        return 0
    shortest, start = None, 0
    for marker, place, start in segments(data):
        if marker == TABLES:
            shortest = _shortest(data[place:start], shortest)
    end = data.find(b"\xff\xd9", start)
    if shortest in (None, END_OF_BLOCK) or data.find(bytes(ZEROS), start, end) < 0:
        return 0
    scan = data[start:end]
    return 0 if scan.find(b"\xff\xda", 2) > 0 else max(map(len, re.findall(rb"\0+", scan)))


def _shortest(tables, found):
    """The symbol with the shortest code, which is of zeros, in the table for brightness; `found` without one."""
    with suppress(IndexError):
        while tables:
            found = tables[17] if tables[0] == BRIGHTNESS else found
            tables = tables[17 + sum(tables[1:17]) :]
    return found
