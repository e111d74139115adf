"""Every item once, whatever the number of processes; faults as values; few items under way."""

import os
import signal
from functools import partial

import pytest

from bisenet.errors import InputError
from bisenet.system import file_cache
from bisenet.system.file_cache import FileCache
from bisenet.system.parallel import AHEAD, CHUNK, map_files


def work(item):
    if item[0] == "7":
        raise InputError("7: is no number", "odd")
    return item[0].encode()


@pytest.mark.parametrize("workers", [1, 2, 3, None])
@pytest.mark.parametrize("count", [0, 1, CHUNK, 50])
def test_every_item_has_its_result(workers, count):
    items = [(str(number),) for number in range(count)]
    results = dict(map_files(work, items, workers=workers))
    fault = results.pop(("7",), None)
    assert results == {item: item[0].encode() for item in items if item[0] != "7"}
    assert (str(fault), getattr(fault, "kind", None)) == (("7: is no number", "odd") if count > 7 else ("None", None))


@pytest.mark.parametrize("workers", [1, 2])
def test_items_are_asked_for_as_they_are_needed(workers):
    asked = []
    items = ((str(number),) for number in range(10_000) if not asked.append(number))
    results = map_files(work, items, workers=workers)
    for _ in range(5):
        next(results)
    assert len(asked) <= CHUNK * (AHEAD * workers + 2)
    results.close()


def test_a_process_that_is_ended_is_a_message():
    with pytest.raises(InputError, match="want of memory: set fewer 'workers'"):
        list(map_files(partial(end_process, parent=os.getpid()), [("1",)] * 9, workers=2))


def end_process(_, parent):
    assert os.getpid() != parent
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_is_kept_is_not_worked_on(tmp_path, monkeypatch):
    monkeypatch.setattr(file_cache, "RACY", 0)
    items = [(str(tmp_path / str(number)),) for number in range(30)]
    for (path,) in items:
        open(path, "w").close()
    done = []

    def size(item):
        done.append(item)
        if item == items[3]:
            raise InputError("faulty")
        return str(os.path.getsize(item[0])).encode()

    def run():
        done.clear()
        with FileCache(tmp_path / "cache", "size", b"") as cache:
            return {item: str(result) for item, result in map_files(size, items, workers=1, cache=cache)}

    first = run()
    assert sorted(done) == sorted(items)
    assert run() == first
    assert done == [items[3]]  # errors are found anew
    with open(items[20][0], "w") as file:
        file.write("12")
    assert run() == first | {items[20]: "b'2'"}
    assert done == [items[3], items[20]]
