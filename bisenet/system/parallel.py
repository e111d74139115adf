"""Work on many files with all cores, in memory that does not grow with their number."""

from collections import deque
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial

import cv2

from bisenet.errors import InputError
from bisenet.system.cores import core_count
from bisenet.system.progress import warn

CHUNK = 4  # items of one task
AHEAD = 4  # tasks handed out for each process before the result of the oldest is waited for


def map_files(work, items, *, workers, cache=None):
    """Yield `(item, result)` for each item, a tuple of paths: the bytes that `work(item)` returned.

    In their place stands the `InputError` that `work` raised. The order may differ from that of `items`.

    work: sent to each process once, so it may hold much; it must be picklable.
    workers: processes, None for one on each core; with 1 a thread of this process does the work.
    cache: a `FileCache`. What it has is not worked on again; what is new it keeps, except errors.
    """
    workers = workers or core_count()
    pool, run = _processes(work, workers) if workers > 1 else _thread(work)
    chunk, tasks = [], deque()

    def hand_out():
        tasks.append((chunk.copy(), pool.submit(run, [item for item, _ in chunk])))
        chunk.clear()

    def take_in():
        entries, task = tasks.popleft()
        for (item, stamp), result in zip(entries, task.result(), strict=True):
            if cache and isinstance(result, bytes):
                cache.put(item, stamp, result)
            yield item, result

    try:
        for item in items:
            stamp = cache and cache.stamp(item)
            kept = cache and cache.get(item, stamp)
            if kept is not None:
                yield item, kept
                continue
            chunk.append((item, stamp))
            if len(chunk) == CHUNK:
                hand_out()
            if len(tasks) > AHEAD * workers:
                yield from take_in()
        if chunk:
            hand_out()
        while tasks:
            yield from take_in()
    except BrokenProcessPool:
        raise InputError(
            "a process that read files was ended by the system, most likely for want of memory: set fewer "
            "'workers'. If that does not help, a file may crash its decoder: halve the list until you have it"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _thread(work):
    return ThreadPoolExecutor(1), partial(_results, work)


def _processes(work, workers):
    try:
        # An executor's own `map` hands out all items at once, and with them the work where it is a part of the call.
        return ProcessPoolExecutor(workers, initializer=_start, initargs=(work,)), _results_here
    except OSError as error:  # of the lock that they share: a container without room in /dev/shm, say
        warn(
            f"processes that read files cannot start ({error.strerror}, most likely in /dev/shm): one thread reads all"
        )
        return _thread(work)


_work = None  # what this process was started for


def _start(work):
    global _work
    _work = work
    # The processes share the cores already. Not 1: OpenCV then waits for threads that a fork has left behind.
    cv2.setNumThreads(0)


def _results_here(items):
    return _results(_work, items)


def _results(work, items):
    return [_result(work, item) for item in items]


def _result(work, item):
    try:
        return work(item)
    except InputError as error:
        return error
