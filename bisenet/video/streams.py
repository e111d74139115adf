"""A stream of the network, which is opened again when it breaks."""

import time
from fractions import Fraction

from bisenet.errors import InputError
from bisenet.system.progress import warn
from bisenet.video.clips import Clip, load_av, shown
from bisenet.video.excerpts import Excerpt, clock
from bisenet.video.frames import Frame, Upright

PAUSES = 1, 2, 4, 8, 16  # seconds before each try
LIVE = ("rtsp", "rtsps", "rtmp", "rtmps", "rtp", "udp", "srt", "tcp")  # what sends without being asked
OPTIONS = {"rtsp": {"rtsp_transport": "tcp"}, "rtsps": {"rtsp_transport": "tcp"}}  # else lost packets are grey blocks


class Stream:
    """As `Clip`, of a URL. After a break times go on by the clock; frames of another size are scaled to the first's.

    What has a length, a clip on a web server, is no stream: where it breaks it ends. So is what begins anew.
    """

    def __init__(self, url, excerpt=None, pauses=PAUSES):
        self.name = shown(url)
        self._url = url
        self.excerpt = excerpt or Excerpt()
        self._pauses = pauses
        load_av(self.name)  # or say how to get it
        self._upright = Upright()
        self.live = _scheme(url) in LIVE
        self._clip = self._open(self.excerpt)
        self.time_base, self.rate, self.sound = self._clip.time_base, self._clip.rate, self._clip.sound
        self.duration = self._clip.duration
        self._shift = Fraction(0)  # seconds, of what comes now
        self._reason = None  # of the last break
        self.fault = None

    @property
    def aspect(self):
        return self._clip.aspect

    @property
    def notes(self):
        return self._clip.notes

    def close(self):
        self._clip.close()

    def __iter__(self):
        end, begun, beginnings = Fraction(0), None, set()
        while True:
            for item in self._clip:
                if self._clip.beginning in beginnings:
                    return self._begins_anew(end)
                begun = time.monotonic() if begun is None else begun
                if isinstance(item, Frame):
                    item = self._later(item)
                    end = (item.pts + item.duration) * self.time_base
                else:
                    _put_off(item, self._shift)
                yield item
            beginnings |= {self._clip.beginning} - {None}
            is_complete = self._clip.broken is None and self._clip.has_an_end
            if is_complete or self._clip.whole or self._is_over(end):
                self.fault = self._clip.fault
                return None
            if not self._opened_again(end, begun):
                self.fault = f"{self.name}: {self._break()} at {clock(end)}, and did not return"
                return None
            if self._is_over(self._shift):
                return None

    def _begins_anew(self, end):
        what = f"{self.name}: {self._break()} at {clock(end)}, and begins anew"
        if self._reason:
            self.fault = f"{what}: it is no stream; fetch the file, and give that"
        else:
            warn(f"{what}: what came before is taken for all of it")

    def _break(self):
        return f"broke ({self._reason})" if self._reason else "ended"

    def _open(self, excerpt):
        return Clip(self._url, excerpt, self._upright, OPTIONS.get(_scheme(self._url)))

    def _opened_again(self, end, begun):
        """Whether it could be; then later times go on where the clock is, seconds `begun`, and after `end`."""
        self._reason = self._clip.broken
        for pause in self._pauses:
            warn(f"{self.name}: {self._break()} at {clock(end)}; looking again in {pause} s")
            time.sleep(pause)
            passed = 0 if begun is None else time.monotonic() - begun
            self._shift = max(end, Fraction(passed))
            left = None if self.excerpt.end is None else self.excerpt.end - self.excerpt.start - self._shift
            if left is not None and left <= 0:
                return True
            try:
                self._clip = self._open(Excerpt(end=left, every=self.excerpt.every))
                return True
            except InputError:
                continue
        return False

    def _later(self, frame):
        same, shift = self._clip.time_base / self.time_base, self._shift / self.time_base
        return Frame(frame.pixels, round(frame.pts * same + shift), round(frame.duration * same))

    def _is_over(self, time):
        return self.excerpt.end is not None and time >= self.excerpt.end - self.excerpt.start


def _scheme(url):
    return url.partition("://")[0].lower()


def _put_off(packet, shift):
    ticks = round(shift / packet.time_base)
    packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
