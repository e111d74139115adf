"""Standard output and errors that outlive whoever reads them: a pipe that closes ends no work.

`python -m stages.train | head`, a terminal that is gone, a log on a full disk: results go to files of their own, so
the work goes on, and what it has to say is lost alone.
"""

import errno
import os
import sys
from contextlib import contextmanager

GONE = {errno.EPIPE, errno.ECONNRESET, errno.EIO, errno.ENXIO}  # a pipe, a socket, a terminal without its other end


@contextmanager
def lasting_output():
    """Within the block `sys.stdout` and `sys.stderr` are `Lasting`, and there even where the process has none.

    Yields the former. At the end what could not be written is given up, so that Python does not try again as it ends.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = streams = [Lasting(stream or open(os.devnull, "w")) for stream in before]  # noqa: SIM115
    try:
        yield sys.stdout
    finally:
        for stream in streams:
            stream.flush()
            if stream.fault:
                stream.give_up()
        sys.stdout, sys.stderr = before


class Lasting:
    """A text stream that raises nothing when it cannot be written; all else is as of `stream`.

    fault: the first `OSError` but those of a reader that has gone; None without one
    """

    def __init__(self, stream):
        self._stream = stream
        self.fault = None
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a file's name must not end a run on a plain terminal

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        self._try(self._stream.write, text)
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        self._try(self._stream.flush)

    def _try(self, work, *given):
        try:
            work(*given)
        except OSError as error:
            if error.errno in GONE:
                self.give_up()
            elif isinstance(error, BlockingIOError):  # whoever shares the other end has set it so
                os.set_blocking(self._stream.fileno(), True)
            else:  # a full disk, which may have room again
                self.fault = self.fault or error

    def give_up(self):
        """From now on all goes nowhere, also what the stream still holds and what other languages write."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
