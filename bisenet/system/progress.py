"""How far a long loop is: a bar in a terminal, plain lines elsewhere."""

import sys
import time

from tqdm import tqdm


class Progress:
    """Counts `total` steps; `note` says what is worth knowing now, beside the bar or as a line of its own.

    done: steps of an earlier process, which say nothing about the time left
    """

    def __init__(self, total, description, done=0):
        self.total = total
        self.description = description
        self.done = self._start = done
        self._started = time.monotonic()
        silent = not sys.stderr.isatty()
        self._bar = tqdm(total=total, initial=done, desc=description, dynamic_ncols=True, disable=silent)

    def step(self):
        self.done += 1
        self._bar.update()

    def note(self, text):
        if self._bar.disable:
            clock = "?"
            if self.done > self._start:
                seconds = (time.monotonic() - self._started) / (self.done - self._start)
                clock = tqdm.format_interval(seconds * (self.total - self.done))
            print(f"{self.description} {self.done}/{self.total}  {text}  {clock} left", flush=True)
        else:
            self._bar.set_postfix_str(text)

    def close(self):
        self._bar.close()


def warn(text):
    """A line of its own, beside a bar too."""
    tqdm.write(f"warning: {text}", file=sys.stderr)


def track(items, total, description):
    """The same items, counted on a bar; without a terminal some ten lines in all."""
    progress = Progress(total, description)
    for item in items:
        progress.step()
        if progress.done % max(1, total // 10) == 0 or progress.done == total:
            progress.note("")
        yield item
    progress.close()
