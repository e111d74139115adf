"""Which images a folder holds, and what the result of each is called."""

import os

import pytest
from image_files import SMALL

from bisenet.errors import InputError
from bisenet.samples.images import files_below, find_images, read_image
from bisenet.system.png import write_png


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


@pytest.fixture
def elsewhere(tmp_path_factory):
    """A folder for results that is nowhere near the images."""
    return tmp_path_factory.mktemp("elsewhere") / "out"


def test_images_are_found_in_folders_below_sorted_in_any_case(tmp_path, elsewhere):
    touch(tmp_path, "b.JPG", "a/z.png", "a/deep/er/x.WebP", "notes.txt", "a/labels.json", "c.tar.bmp", ".hidden", "png")
    found = find_images(tmp_path, elsewhere)
    assert {path.relative_to(tmp_path).as_posix(): name for path, name in found.items()} == {
        "a/deep/er/x.WebP": "a/deep/er/x.png",
        "a/z.png": "a/z.png",
        "b.JPG": "b.png",
        "c.tar.bmp": "c.tar.png",
    }
    assert list(found) == sorted(found)


def test_odd_names_are_found(tmp_path, elsewhere):
    names = ["a,b.png", " lead.png", "q\"'.png", "日本.png", "#1.png", "line\nbreak.png", "{x}[y]*.png", "-.png"]
    touch(tmp_path, *names)
    assert sorted(find_images(tmp_path, elsewhere).values()) == sorted(names)


def test_one_file_is_its_own_list(tmp_path, elsewhere):
    touch(tmp_path, "one.picture")
    for output in (elsewhere, tmp_path):
        assert find_images(tmp_path / "one.picture", output) == {tmp_path / "one.picture": "one.png"}


def test_a_folder_named_like_an_image_is_none(tmp_path, elsewhere):
    touch(tmp_path, "frames.png/a.jpg")
    assert list(find_images(tmp_path, elsewhere).values()) == ["frames.png/a.png"]


def test_linked_folders_are_followed_and_loops_end(tmp_path):
    touch(tmp_path, "elsewhere/a.png", "here/b.png", "here/sub/c.png")
    os.symlink(tmp_path / "elsewhere", tmp_path / "here/link")
    os.symlink("..", tmp_path / "here/sub/up")
    os.symlink(tmp_path / "here", tmp_path / "elsewhere/back")
    found = find_images(tmp_path / "here", tmp_path / "out")
    assert list(found.values()) == ["b.png", "link/a.png", "sub/c.png"]


def test_hidden_files_and_folders_are_left_out(tmp_path, elsewhere):
    touch(tmp_path, "a.jpg", "._a.jpg", ".hidden/b.jpg", "c/.ipynb_checkpoints/d.png", "c/e..png", "c/f.jpg")
    assert list(find_images(tmp_path, elsewhere).values()) == ["a.png", "c/e..png", "c/f.png"]
    (tmp_path / ".hidden/sub").mkdir()
    touch(tmp_path, ".hidden/sub/g.jpg")
    assert sorted(find_images(tmp_path / ".hidden", elsewhere).values()) == ["b.png", "sub/g.png"]


def test_links_that_lead_nowhere_are_files_and_errors_when_read(tmp_path, elsewhere):
    touch(tmp_path, "a.png")
    for name, target in {"loop.png": "loop.png", "lost.png": "absent", "long.png": "x" * 300}.items():
        os.symlink(target, tmp_path / name)
    found = find_images(tmp_path, elsewhere)
    assert sorted(found.values()) == ["a.png", "long.png", "loop.png", "lost.png"]
    for name in ("long", "loop", "lost"):
        with pytest.raises(InputError, match=rf"{name}\.png: cannot be read"):
            read_image(tmp_path / f"{name}.png")


def test_a_name_that_no_result_can_have_is_an_error_before_any_work(tmp_path, elsewhere):
    fits, over = "é" * 121 + ".jpg", "é" * 121 + "x.jpg"
    touch(tmp_path, fits)
    ((_, name),) = find_images(tmp_path, elsewhere).items()
    write_png(elsewhere / name, SMALL)
    touch(tmp_path, over)
    with pytest.raises(InputError, match=r"éx\.jpg: its result's name would be over 246 bytes; rename the file"):
        find_images(tmp_path, elsewhere)
    with pytest.raises(InputError, match="there is no such file or folder"):
        find_images(tmp_path / ("x" * 300), elsewhere)


def test_two_links_to_one_folder_are_two_folders(tmp_path):
    touch(tmp_path, "shared/a.png")
    for name in ("one", "two"):
        (tmp_path / "here").mkdir(exist_ok=True)
        os.symlink(tmp_path / "shared", tmp_path / "here" / name)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in files_below(tmp_path / "here")) == [
        "here/one/a.png",
        "here/two/a.png",
    ]


@pytest.mark.parametrize("output", ["out", "out/../out", "link", "deep/er/out"])
def test_earlier_results_below_the_images_are_left_out(tmp_path, monkeypatch, output):
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "a.jpg", "out.png", "outside/b.png", "out/color/a.png", "out/legend.png", "deep/er/out/id/a.png")
    os.symlink("out", tmp_path / "link")
    results = "deep/er/out" if output == "deep/er/out" else "out"
    for source in (tmp_path, "."):  # absolute and relative paths together
        found = find_images(source, output)
        places = {path.resolve().relative_to(tmp_path.resolve()).as_posix() for path in found}
        assert {"a.jpg", "out.png", "outside/b.png"} <= places
        assert not any(place.startswith(f"{results}/") for place in places)
        assert len(places) == (5 if results == "deep/er/out" else 4)


@pytest.mark.parametrize("output", [".", "..", "../.."])
def test_results_that_go_above_the_images_leave_none_out(tmp_path, output):
    touch(tmp_path, "photos/trip/a.jpg", "photos/trip/b/c.jpg")
    source = tmp_path / "photos/trip"
    assert list(find_images(source, source / output).values()) == ["a.png", "b/c.png"]


def test_only_earlier_results_is_no_image(tmp_path):
    touch(tmp_path, "out/a.png")
    with pytest.raises(InputError, match=f"{tmp_path}: there is no image here"):
        find_images(tmp_path, tmp_path / "out")


def test_no_image_is_an_error_that_names_the_folder(tmp_path, elsewhere):
    touch(tmp_path, "notes.txt")
    with pytest.raises(InputError, match=f"{tmp_path}: there is no image here"):
        find_images(tmp_path, elsewhere)


def test_a_missing_path_is_called_missing(tmp_path, elsewhere):
    for source in (tmp_path / "absent", tmp_path / "absent" / "a.png"):
        with pytest.raises(InputError, match=f"{source}: there is no such file or folder"):
            find_images(source, elsewhere)


def test_two_images_with_one_result_are_an_error_that_names_both(tmp_path, elsewhere):
    touch(tmp_path, "a.jpg", "a.png", "b/a.png")
    with pytest.raises(InputError, match=r"a\.png: and .*a\.jpg have one name"):
        find_images(tmp_path, elsewhere)
