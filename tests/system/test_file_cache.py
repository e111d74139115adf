"""What is kept of files: found again, never stale, and never an error."""

import multiprocessing
import os
import random
import sqlite3
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from bisenet.system import file_cache
from bisenet.system.file_cache import FileCache, maker_digest


@pytest.fixture(autouse=True)
def old_files(monkeypatch):
    """Files of this moment count as old enough to be kept."""
    monkeypatch.setattr(file_cache, "RACY", 0)


@pytest.fixture
def files(tmp_path):
    paths = tmp_path / "a, 1.png", tmp_path / "ü\n2.png"
    for path in paths:
        path.write_bytes(b"old content")
    return paths


def keep(folder, files, value, made_by=b"code"):
    with FileCache(folder, "test", made_by) as cache:
        cache.put(files, cache.stamp(files), value)


def kept(folder, files, made_by=b"code"):
    with FileCache(folder, "test", made_by) as cache:
        return cache.get(files, cache.stamp(files))


@pytest.fixture
def folder(tmp_path, files):
    """A cache that has one value, `b"value"` for `files`."""
    keep(tmp_path / "cache", files, b"value")
    return tmp_path / "cache"


def test_what_was_put_is_found_by_a_later_run(folder, files, monkeypatch):
    assert kept(folder, files) == b"value"
    assert kept(folder, files[:1]) is None
    assert kept(folder, files[::-1]) is None
    assert kept(folder, files, made_by=b"other code") is None
    monkeypatch.chdir(folder)
    assert kept(folder, [os.path.relpath(file) for file in files]) == b"value"
    assert list(folder.iterdir()) == [folder / "test.sqlite"]


def test_names_that_are_not_utf_8(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png"))
    path.write_bytes(b"1")
    keep(tmp_path / "cache", [path], b"value")
    assert kept(tmp_path / "cache", [path]) == b"value"


def touch(path):
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


def replace(path):
    """By a file of the same size, with the same time of change."""
    new, before = path.with_name("new"), path.stat()
    new.write_bytes(b"new content")
    os.utime(new, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(new, path)


def write_in_place(path):
    """Bytes of the same number, with the old time of change put back."""
    before = path.stat()
    time.sleep(0.02)  # the file system's clock ticks every few ms: what RACY is for
    path.write_bytes(b"new content")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", [touch, replace, write_in_place, os.unlink])
@pytest.mark.parametrize("which", [0, 1])
def test_a_changed_file_is_read_anew(folder, files, change, which):
    change(files[which])
    assert kept(folder, files) is None


def test_a_new_value_takes_the_place_of_the_old(folder, files):
    replace(files[0])
    keep(folder, files, b"new value")
    assert kept(folder, files) == b"new value"
    assert count_rows(folder) == 1


def test_files_that_were_changed_a_moment_ago_are_not_kept(tmp_path, files, monkeypatch):
    monkeypatch.setattr(file_cache, "RACY", 60 * 10**9)
    keep(tmp_path / "cache", files, b"value")
    monkeypatch.setattr(file_cache, "RACY", 0)
    assert kept(tmp_path / "cache", files) is None
    os.utime(files[0], ns=(0, time.time_ns() + 10**12))  # by a clock that is ahead
    keep(tmp_path / "cache", files, b"value")
    assert kept(tmp_path / "cache", files) is None


def test_a_file_that_is_changed_while_it_is_read_is_not_taken_for_what_it_became(tmp_path, files):
    with FileCache(tmp_path / "cache", "test", b"") as cache:
        stamp = cache.stamp(files)
        replace(files[0])
        cache.put(files, stamp, b"value of the old")
    assert kept(tmp_path / "cache", files, made_by=b"") is None


def count_rows(folder):
    with sqlite3.connect(folder / "test.sqlite") as database:
        return database.execute("SELECT count(*) FROM results").fetchone()[0]


def test_values_are_written_in_batches(tmp_path, files, monkeypatch):
    monkeypatch.setattr(file_cache, "BATCH", 2)
    with FileCache(tmp_path, "test", b"") as cache:
        for file in files:
            cache.put([file], cache.stamp([file]), b"value")
        assert count_rows(tmp_path) == 2


def test_rows_of_files_that_are_gone_do_not_pile_up(tmp_path, files, monkeypatch):
    monkeypatch.setattr(file_cache, "BATCH", 8)
    random.seed(1)
    for generation in range(20):
        paths = [tmp_path / f"{generation}-{number}.png" for number in range(8)]
        for path in paths:
            path.write_bytes(b"1")
        with FileCache(tmp_path / "cache", "test", b"") as cache:
            for path in paths:
                cache.put([path], cache.stamp([path]), b"value")
        for path in paths:
            path.unlink()
    assert count_rows(tmp_path / "cache") < 80


@pytest.mark.parametrize("damage", ["text", "cut", "noise", "other table"])
def test_a_damaged_database_is_made_anew(tmp_path, files, damage, capsys):
    folder, path = tmp_path / "cache", tmp_path / "cache" / "test.sqlite"
    many = [tmp_path / f"{number}.png" for number in range(100)]
    with FileCache(folder, "test", b"code") as cache:
        for file in many:
            file.write_bytes(b"1")
            cache.put([file], cache.stamp([file]), os.urandom(300))
    data = bytearray(path.read_bytes())
    if damage == "text":
        path.write_text("no database")
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "noise":
        data[4096:] = random.Random(2).randbytes(len(data) - 4096)
        path.write_bytes(data)
    else:
        path.unlink()
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE results (something)")
    for _ in range(3):  # the first may find out on reading, the second on writing
        with FileCache(folder, "test", b"code") as cache:
            for file in [*many, files[0]]:
                cache.get([file], cache.stamp([file]))
                cache.put([file], cache.stamp([file]), b"value")
    said = capsys.readouterr().out.splitlines()
    assert all(line.startswith(f"warning: {path}: kept results are not used in this run (") for line in said)
    assert len(said) == (1 if damage != "other table" else 3)
    assert kept(folder, files[:1]) == (b"value" if damage != "other table" else None)


def test_no_flipped_byte_gives_a_wrong_value(folder, files):
    keep(folder, files, b"one of these bytes will flip")
    path = folder / "test.sqlite"
    path.write_bytes(path.read_bytes().replace(b"one of these", b"two of these"))
    assert kept(folder, files) is None


def test_where_nothing_can_be_written_there_is_one_warning(tmp_path, files, capsys):
    (tmp_path / "file").write_bytes(b"")
    keep(tmp_path / "file", files, b"value")
    assert kept(tmp_path / "file", files) is None
    assert capsys.readouterr().out.count("\n") == 2  # one of each run


def test_without_a_folder_nothing_is_kept_or_said(files, capsys):
    keep(None, files, b"value")
    assert kept(None, files) is None
    assert capsys.readouterr().out == ""


def test_a_database_that_another_process_holds_is_not_waited_for_long(folder, files, monkeypatch, capsys):
    monkeypatch.setattr(file_cache, "PATIENCE", 0.05)
    other = sqlite3.connect(folder / "test.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert kept(folder, files) is None
    keep(folder, files, b"new value")
    assert "database is locked" in capsys.readouterr().out
    other.rollback()
    assert kept(folder, files) == b"value"


def put_some(folder, paths):
    with FileCache(folder, "test", b"code") as cache:
        for path in paths:
            cache.put([path], cache.stamp([path]), path.name.encode())


def test_two_processes_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(file_cache, "BATCH", 5)
    paths = [tmp_path / f"{number}.png" for number in range(200)]
    for path in paths:
        path.write_bytes(b"1")
    parts = paths[:120], paths[80:]
    context = multiprocessing.get_context("fork")  # takes over the patches
    processes = [context.Process(target=put_some, args=(tmp_path / "cache", part)) for part in parts]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [kept(tmp_path / "cache", [path]) for path in paths] == [path.name.encode() for path in paths]


def test_the_digest_of_a_maker_is_that_of_its_source_and_its_arguments(tmp_path):
    source = tmp_path / "made.py"
    source.write_text("a = 1")
    module = SimpleNamespace(__file__=source)
    first = maker_digest([module], "table", None)
    assert first == maker_digest([module], "table", None)
    assert first != maker_digest([module], "table", 3)
    source.write_text("a = 2")
    assert first != maker_digest([module], "table", None)
    other = SimpleNamespace(__file__=tmp_path / "other.py")
    other.__file__.write_text("a = 3")
    two = maker_digest([module, other])
    source.write_text("a = ")
    other.__file__.write_text("2a = 3")
    assert two != maker_digest([module, other])
