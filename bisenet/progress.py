"""How far a long loop is: a bar in a terminal, plain lines elsewhere."""

import sys
import time

from tqdm import tqdm


class Progress:
    """Counts `total` steps; `note` says what is worth knowing now, beside the bar or as a line of its own."""

    def __init__(self, total, description):
        self.total = total
        self.description = description
        self.done = 0
        self._started = time.monotonic()
        self._bar = tqdm(total=total, desc=description, dynamic_ncols=True, disable=not sys.stderr.isatty())

    def step(self):
        self.done += 1
        self._bar.update()

    def note(self, text):
        if self._bar.disable:
            left = (time.monotonic() - self._started) / max(self.done, 1) * (self.total - self.done)
            clock = tqdm.format_interval(left)
            print(f"{self.description} {self.done}/{self.total}  {text}  {clock} left", flush=True)
        else:
            self._bar.set_postfix_str(text)

    def close(self):
        self._bar.close()


def track(items, total, description):
    """The same items, counted on a bar; without a terminal some ten lines in all."""
    progress = Progress(total, description)
    for item in items:
        progress.step()
        if progress.done % max(1, total // 10) == 0 or progress.done == total:
            progress.note("")
        yield item
    progress.close()
