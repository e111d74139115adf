"""Threads that work ahead and behind, with a handful of items between them, so memory does not grow with the length."""

import queue
from threading import Event, Thread

DEPTH = 8  # items, frames and packets of sound
POLL = 0.1  # seconds between looks whether the other side is gone
END = object()


class Ahead:
    """What `items` yields, made by a thread of its own.

    may_drop: a function of an item; when the reader falls behind, the oldest of these are left out, since a camera does
        not wait. None: the thread waits
    dropped: how many were left out
    """

    def __init__(self, items, may_drop=None, depth=DEPTH):
        self._items = items
        self._may_drop = may_drop
        self._queue = queue.Queue(depth)
        self._closed = Event()
        self._error = None
        self.dropped = 0
        self._thread = Thread(target=self._work, daemon=True)  # a stream may block for good
        self._thread.start()

    def until(self, stop):
        """The items, until there are no more, or until `stop` is true. Raises what making them raised."""
        while not stop:
            try:
                item = self._queue.get(timeout=POLL)
            except queue.Empty:
                continue
            if item is END:
                break
            yield item
        if self._error and not stop:
            raise self._error

    def close(self):
        self._closed.set()
        self._thread.join(timeout=10 * POLL)

    def release(self, source):
        """Close what the items are of, unless the thread still reads from it, as from a stream that blocks for good."""
        if not self._thread.is_alive():
            source.close()

    def _work(self):
        try:
            for item in self._items:
                self._put(item)
                if self._closed.is_set():
                    break
        except Exception as error:
            self._error = error
        finally:
            self._may_drop = None
            self._put(END)

    def _put(self, item):
        while not self._closed.is_set():
            try:
                return self._queue.put(item, timeout=POLL)
            except queue.Full:
                self._drop_oldest()

    def _drop_oldest(self):
        with self._queue.mutex:
            waiting = self._queue.queue
            oldest = next((item for item in waiting if self._may_drop and self._may_drop(item)), END)
            if oldest is not END:
                waiting.remove(oldest)
                self._queue.not_full.notify()
                self.dropped += 1


class Behind:
    """Calls `work` with each item that is put, in a thread of its own, in order."""

    def __init__(self, work, depth=DEPTH):
        self._work = work
        self._queue = queue.Queue(depth)
        self._error = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, item):
        """Waits while there are too many. Raises what an earlier item raised."""
        while True:
            if self._error:
                raise self._error
            try:
                return self._queue.put(item, timeout=POLL)
            except queue.Full:
                pass

    def finish(self):
        """All that was put is done when this returns. Raises what an item raised."""
        self.put(END)
        self._thread.join()
        if self._error:
            raise self._error

    def _run(self):
        try:
            while (item := self._queue.get()) is not END:
                self._work(item)
        except Exception as error:
            self._error = error
