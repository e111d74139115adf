"""Packed data: what lies in it, when it is made anew, and what is said where it cannot be made or read."""

import errno
import json
import multiprocessing
import os
import pickle
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bisenet.errors import InputError
from bisenet.samples import packed
from bisenet.samples.classes import ClassTable
from bisenet.samples.packed import Packed, pack_once
from bisenet.samples.sources import PairFiles

TABLE = ClassTable.from_dict(
    {"classes": [{"name": f"c{i}", "color": [i, i, i]} for i in range(5)], "ignore": [255]}, "table"
)
LIST = b"a list"


@pytest.fixture
def made(tmp_path):
    """(source, images, labels): files of three sizes, 8 bit."""
    rng = np.random.default_rng(0)
    files, images, labels = [], [], []
    (tmp_path / "raw").mkdir()
    for i in range(5):
        size = 9 + i % 3, 14 - i
        images.append(rng.integers(0, 256, (*size, 3), dtype=np.uint8))
        labels.append(rng.choice(np.array([0, 1, 2, 3, 4, 255], np.uint8), size))
        files.append(tuple(str(tmp_path / "raw" / f"{i}{end}.png") for end in ("", "-label")))
        for path, array in zip(files[-1], (images[-1], labels[-1]), strict=True):
            Image.fromarray(array).save(path)
    return PairFiles(files, TABLE), images, labels


def pack(tmp_path, source, **options):
    return pack_once(tmp_path / "packed", "train", LIST, source, **{"workers": 1} | options)


def is_packed(folder, images, labels):
    found = Packed(folder)
    assert len(found) == len(images)
    for place, (image, label) in enumerate(zip(images, labels, strict=True)):
        assert (found[place][0] == image).all() and found[place][0].dtype == image.dtype
        assert (found[place][1] == label).all() and found[place][1].dtype == np.uint8
    return True


def overwrite(path, array):
    Image.fromarray(array).save(path)
    os.utime(path, (1, 1))


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_packed_are_the_pixels_of_the_files(tmp_path, made, workers):
    source, images, labels = made
    folder = pack(tmp_path, source, workers=workers)
    assert is_packed(folder, images, labels)
    assert 1 <= len(list(folder.glob("*.raw"))) <= workers
    assert is_packed(pickle.loads(pickle.dumps(Packed(folder))).folder, images, labels)
    assert not [path for path in (tmp_path / "packed").iterdir() if path.name.startswith(".partial")]


def test_16_bit_and_an_image_without_a_label(tmp_path):
    image = np.random.default_rng(0).integers(0, 65536, (7, 5, 6), dtype=np.uint16)
    np.save(tmp_path / "i.npy", image)
    folder = pack(tmp_path, PairFiles([(str(tmp_path / "i.npy"),)], TABLE))
    assert is_packed(folder, [image], [np.full((7, 5), 255, np.uint8)])


def test_it_is_packed_once(tmp_path, made, monkeypatch, capsys):
    folder = pack(tmp_path, made[0], size=12_340_000)
    said = capsys.readouterr().out
    assert f"packing train into {folder}" in said and "0.01 GB" in said
    monkeypatch.setattr(packed, "_pack", None)  # would fail
    assert pack(tmp_path, made[0]) == folder
    assert capsys.readouterr().out == ""


def test_another_list_table_or_form_is_another_folder(tmp_path, made):
    source = made[0]
    other = ClassTable.from_dict(
        {"classes": [{"name": "all", "id": [0, 1, 2, 3, 4], "color": [0, 0, 0]}], "ignore": [255]}, "t"
    )
    folders = {pack(tmp_path, source), pack_once(tmp_path / "packed", "train", b"other", source, workers=1)}
    folders |= {pack(tmp_path, PairFiles(source.files, other)), pack(tmp_path, PairFiles(source.files, TABLE, 1))}
    assert len(folders) == 4


@pytest.mark.parametrize("place", [0, 1])
def test_a_changed_file_is_packed_anew_and_said(tmp_path, made, capsys, place):
    source, images, labels = made
    pack(tmp_path, source)
    changed = (images, labels)[place]
    changed[2] = changed[2][::-1].copy() if place == 0 else (changed[2] == 0).astype(np.uint8)
    overwrite(source.files[2][place], changed[2])
    capsys.readouterr()
    assert is_packed(pack(tmp_path, source), images, labels)
    assert f"{source.files[2][place]} has changed" in capsys.readouterr().out


def test_a_file_that_was_only_touched_is_compared_once(tmp_path, made, monkeypatch):
    source = made[0]
    folder = pack(tmp_path, source)
    for files in source.files:
        os.utime(files[0], (5, 5))
    monkeypatch.setattr(packed, "_pack", None)
    pack(tmp_path, source)
    monkeypatch.setattr(packed, "_digest_file", None)
    assert pack(tmp_path, source) == folder


def test_other_code_that_reads_packs_anew(tmp_path, made, monkeypatch, capsys):
    pack(tmp_path, made[0])
    monkeypatch.setattr(packed, "_made_by", lambda: "other")
    capsys.readouterr()
    pack(tmp_path, made[0])
    assert "other code" in capsys.readouterr().out
    pack(tmp_path, made[0])
    assert capsys.readouterr().out == ""


def test_a_copy_serves_where_there_are_no_files_and_other_code(tmp_path, made, monkeypatch):
    source, images, labels = made
    pack(tmp_path, source)
    shutil.copytree(tmp_path / "packed", tmp_path / "elsewhere" / "packed")
    shutil.rmtree(tmp_path / "raw")
    monkeypatch.setattr(packed, "_made_by", lambda: "other")
    files = [tuple(str(tmp_path / "nowhere" / Path(file).name) for file in pair) for pair in source.files]
    assert is_packed(pack(tmp_path / "elsewhere", PairFiles(files, TABLE)), images, labels)


def spoil_data(folder):
    part = next(folder.glob("*.raw"))
    os.truncate(part, part.stat().st_size - 1)


def lose_data(folder):
    next(folder.glob("*.raw")).unlink()


def spoil_index(folder):
    text = (folder / "index.json").read_text()
    (folder / "index.json").write_text(text.replace('"image": 0', '"image": 8', 1))


def empty_index(folder):
    (folder / "index.json").write_text("")


DAMAGES = pytest.mark.parametrize("damage", [spoil_data, lose_data, spoil_index, empty_index])


@DAMAGES
def test_a_damaged_folder_is_packed_anew(tmp_path, made, capsys, damage):
    source, images, labels = made
    damage(pack(tmp_path, source))
    capsys.readouterr()
    assert is_packed(pack(tmp_path, source), images, labels)
    assert "packing train" in capsys.readouterr().out


@DAMAGES
def test_a_damaged_folder_without_its_files_is_an_error_that_names_it(tmp_path, made, damage):
    source = made[0]
    folder = pack(tmp_path, source)
    damage(folder)
    shutil.rmtree(tmp_path / "raw")
    with pytest.raises(InputError, match=f"{folder}: .*copy the folder again"):
        pack(tmp_path, source)
    assert folder.is_dir()


def test_a_disk_that_is_too_small_is_an_error_before_anything_is_decoded(tmp_path, made, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=2_000_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    monkeypatch.setattr(packed, "_pack", None)
    with pytest.raises(InputError, match=r"cache: .*3\.50 GB.*2\.00 GB are free.*set cache: none"):
        pack(tmp_path, made[0], size=3_500_000_000)
    assert not list((tmp_path / "packed").glob("*train*/"))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path, made, monkeypatch, workers):
    def full(file, array):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(packed, "_append", full)
    with pytest.raises(InputError, match="No space left on device.*set cache: none"):
        pack(tmp_path, made[0], workers=workers)
    assert [path.suffix for path in (tmp_path / "packed").iterdir()] == [".lock"]


def test_a_faulty_file_is_an_error_that_names_it_and_leaves_nothing_behind(tmp_path, made):
    Path(made[0].files[3][1]).write_bytes(b"")
    with pytest.raises(InputError, match=r"3-label\.png: the file is empty"):
        pack(tmp_path, made[0])
    assert [path.suffix for path in (tmp_path / "packed").iterdir()] == [".lock"]


def started(work):
    """A process that does `work()`."""
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    return process


def test_a_kill_in_the_middle_leaves_nothing_that_is_taken_for_whole(tmp_path, made, monkeypatch):
    source, images, labels = made
    with monkeypatch.context() as patch:
        patch.setattr(packed, "_write_index", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        process = started(lambda: pack(tmp_path, source, workers=2))
        process.join()
    assert process.exitcode == -signal.SIGKILL
    assert list((tmp_path / "packed").glob(".partial-*/*.raw"))
    assert is_packed(pack(tmp_path, source), images, labels)
    assert not list((tmp_path / "packed").glob(".partial*"))


def test_one_process_packs_and_another_waits_for_it(tmp_path, made, monkeypatch):
    source, images, labels = made
    inside, go_on = multiprocessing.Event(), multiprocessing.Event()

    def slow(path, size, check=packed._check_room):
        inside.set()
        go_on.wait(10)
        check(path, size)

    with monkeypatch.context() as patch:
        patch.setattr(packed, "_check_room", slow)
        first = started(lambda: pack(tmp_path, source))
    assert inside.wait(10)
    monkeypatch.setattr(packed, "_pack", None)  # would fail
    second = started(lambda: pack(tmp_path, source))
    second.join(0.4)
    assert second.is_alive()
    go_on.set()
    for process in first, second:
        process.join()
        assert process.exitcode == 0
    assert is_packed(pack(tmp_path, source), images, labels)


def test_a_folder_that_cannot_be_written_serves_while_it_is_whole(tmp_path, made, monkeypatch):
    source, images, labels = made
    pack(tmp_path, source)

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(packed, "lock", refuse)
    monkeypatch.setattr(packed, "write_text", refuse)
    os.utime(source.files[0][0], (7, 7))
    assert is_packed(pack(tmp_path, source), images, labels)
    overwrite(source.files[0][0], images[0][::-1])
    with pytest.raises(InputError, match="cannot be written"):
        pack(tmp_path, source)


def test_the_index_tells_the_files(tmp_path, made):
    text = (pack(tmp_path, made[0]) / "index.json").read_text().splitlines()[1]
    assert [len(pair["digests"]) for pair in json.loads(text)["pairs"]] == [2] * 5
