"""How far a clip is: frames a second, and the time that is left; on a terminal a bar, else a line now and then."""

import sys
import time

from tqdm import tqdm

from bisenet.video.excerpts import clock

EVERY = 10  # seconds between lines


class Pace:
    """length: seconds of what is read, None where nobody knows"""

    def __init__(self, name, length):
        self.frames = 0
        self.reached = 0  # seconds
        self._name = name
        self._length = length
        self._began = self._told = time.monotonic()
        form = "{desc} {percentage:3.0f}%|{bar}| {postfix}" if length else "{desc} {postfix}"
        total = float(length) if length else None
        self._bar = tqdm(total=total, desc=name, bar_format=form, disable=not sys.stderr.isatty(), dynamic_ncols=True)

    @property
    def rate(self):
        """Frames a second."""
        return self.frames / max(time.monotonic() - self._began, 1e-6)

    def step(self, reached):
        """One more frame, which is shown from the second `reached` on."""
        self.frames += 1
        forward = float(reached - self.reached)
        self.reached = reached
        if not self._bar.disable:
            self._bar.set_postfix_str(self._words(), refresh=False)
            self._bar.update(forward)
        elif time.monotonic() - self._told > EVERY:
            self._told = time.monotonic()
            print(f"{self._name}  {self._words()}", flush=True)

    def close(self):
        self._bar.close()

    def _words(self):
        words = f"{self.frames} frames, {clock(self.reached)}"
        words += f" of {clock(self._length)}" if self._length else ""
        words += f", {self.rate:.1f} frames/s"
        if self._length and self.reached:
            spent = time.monotonic() - self._began
            left = max(float(self._length / self.reached) - 1, 0) * spent
            words += f", {tqdm.format_interval(left)} left"
        return words
