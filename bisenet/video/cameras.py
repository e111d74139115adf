"""A camera of this machine, through OpenCV: frames with the time at which they came."""

import time
from fractions import Fraction

import cv2

from bisenet.errors import InputError
from bisenet.video.excerpts import Excerpt, clock
from bisenet.video.frames import Frame

TIME_BASE = Fraction(1, 90_000)
USUAL_RATE = 30  # frames a second, of a camera that does not say
TRIES = 10  # frames that may fail one after the other
PAUSE = 0.05  # seconds between them


class Camera:
    """As `Clip`, but without an end; the first frame is time 0.

    number: as the operating system counts cameras; capture: what opens one, with OpenCV's `read` and `get`
    """

    live = True
    time_base = TIME_BASE
    aspect = Fraction(1)
    sound = None

    def __init__(self, number, excerpt=None, capture=cv2.VideoCapture):
        self.name = f"camera {number}"
        self.excerpt = excerpt or Excerpt()
        self._capture = capture(number)
        if not self._capture.isOpened():
            raise InputError(f"{self.name}: cannot be opened; is it plugged in, allowed, and free of other programs?")
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate = Fraction(rate).limit_denominator(1001) if 1 <= rate <= 1000 else Fraction(USUAL_RATE)
        self.duration = self.excerpt.length(None)
        self.notes = []
        self.fault = None

    def __iter__(self):
        begun, last, number = None, -1, 0
        while (picture := self._next()) is not None:
            now = time.monotonic()
            begun = now if begun is None else begun
            since = Fraction(now - begun) - self.excerpt.start
            if self.excerpt.end is not None and since >= self.excerpt.end - self.excerpt.start:
                break
            if since < 0:
                continue
            last, number = max(int(since / TIME_BASE), last + 1), number + 1
            if (number - 1) % self.excerpt.every == 0:
                yield Frame(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), last, 0)
        else:
            seen = time.monotonic() - begun if begun is not None else 0
            self.fault = f"{self.name}: gives no more pictures since {clock(seen)}; was it unplugged?"
        self.close()

    def close(self):
        self._capture.release()

    def _next(self):
        for _ in range(TRIES):
            there, picture = self._capture.read()
            if there:
                return picture
            time.sleep(PAUSE)
        return None
