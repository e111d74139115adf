"""What the operating system tells a process: that it is to stop, and that its parent is gone."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # of Linux' prctl


class StopRequest:
    """Within a `with` block SIGINT and SIGTERM end nothing: the first one is kept as `signal`.

    So the work can come to a good end. A second Ctrl-C is a `KeyboardInterrupt` as ever.

    launchers: environment variables; where one is set, the end of the process that started this one asks for a stop too
    """

    def __init__(self, launchers=()):
        self.signal = None
        self.launchers = launchers

    def __enter__(self):
        if os.environ.keys() & set(self.launchers):  # not for a shell, whose end is no reason
            end_with_parent()
        self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *error):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number, frame):
        # Never at a second SIGTERM: the end of a parent may follow what ended it.
        if self.signal == number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = self.signal or number

    def __bool__(self):
        return self.signal is not None


def end_with_parent(number=signal.SIGTERM):
    """Get this signal when the process that started this one ends, however it ends. On Linux; elsewhere nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def serve_parent():
    """For a helper process: its parent alone decides when to stop, and it never outlives that parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # a status that the parent takes for an end in peace
    end_with_parent(signal.SIGKILL)
