"""What git and DVC would make of a run is seen before it costs anything; git leaves bytes and locks alone."""

import subprocess

import pytest
from project import ROOT

from bisenet.errors import InputError
from stages.params.checkout import refuse_lost_experiment, refuse_raw_data_for_git


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A git repository that is the working folder, with three images in mydata/plants."""
    root = tmp_path / "project"
    raw_folder(root / "mydata/plants")
    git(root, "init", "-q")
    monkeypatch.chdir(root)
    return root


def git(folder, *command):
    who = [word for what in ("name", "email") for word in ("-c", f"user.{what}=tester")]
    subprocess.run(["git", *who, *command], cwd=folder, check=True, capture_output=True)


def raw_folder(folder):
    folder.mkdir(parents=True)
    for name in "0.jpg", "1.png", "dataset.yaml":
        (folder / name).write_bytes(b"raw")


def refused(folder, rule):
    with pytest.raises(InputError, match=f"git does not ignore .* echo '{rule}' >> .gitignore"):
        refuse_raw_data_for_git(folder)


def test_raw_files_that_git_does_not_ignore_are_refused_until_it_does(repository):
    for folder in "mydata/plants", "./mydata/plants", repository / "mydata/plants":
        refused(folder, "/mydata/plants")
    (repository / ".gitignore").write_text("/mydata/plants\n")
    refuse_raw_data_for_git("mydata/plants")
    (repository / ".gitignore").write_text("*.jpg\n*.png\n")  # dataset.yaml alone may be in git
    refuse_raw_data_for_git("mydata/plants")
    (repository / "mydata/plants/2.tif").write_bytes(b"raw")
    refused("mydata/plants", "/mydata/plants")


def test_raw_files_that_git_has_already_are_a_persons_choice(repository):
    git(repository, "add", "-A")
    refuse_raw_data_for_git("mydata/plants")
    (repository / "mydata/plants/new.jpg").write_bytes(b"raw")
    refused("mydata/plants", "/mydata/plants")


@pytest.mark.parametrize(("link", "folder"), [("a b [1]", "a b [1]/plants"), ("mydata/linked", "mydata/linked")])
def test_dvc_follows_links_so_they_must_be_ignored_too(repository, link, folder):
    raw_folder(repository.parent / "elsewhere/plants")
    target = repository.parent / ("elsewhere" if folder.endswith("plants") else "elsewhere/plants")
    (repository / link).symlink_to(target)
    with pytest.raises(InputError, match="git does not ignore"):
        refuse_raw_data_for_git(folder)
    (repository / ".gitignore").write_text("/mydata/\n/a b*\n")
    refuse_raw_data_for_git(folder)


def test_data_outside_of_the_project_or_of_any_repository_is_nobodys_business(repository, monkeypatch):
    raw_folder(repository.parent / "elsewhere/plants")
    refuse_raw_data_for_git(repository.parent / "elsewhere/plants")
    (repository / "project").mkdir()
    monkeypatch.chdir(repository / "project")  # DVC adds nothing from beside it, though git could
    refuse_raw_data_for_git("../mydata/plants")
    monkeypatch.chdir(repository.parent)
    (repository.parent / "link").symlink_to("elsewhere")
    refuse_raw_data_for_git("elsewhere/plants")
    refuse_raw_data_for_git("link/plants")


def test_an_experiment_in_a_folder_of_its_own_is_refused_in_a_shallow_clone(repository, tmp_path, monkeypatch):
    for message in "first", "second":
        git(repository, "commit", "-q", "--allow-empty", "-m", message)
    git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), "shallow")
    refuse_lost_experiment()  # not of DVC
    for checkout in repository, tmp_path / "nowhere":
        monkeypatch.setenv("DVC_ROOT", str(checkout))
        refuse_lost_experiment()
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "shallow"))
    with pytest.raises(InputError, match="this clone is shallow .* git fetch --unshallow"):
        refuse_lost_experiment()
    monkeypatch.chdir(tmp_path / "shallow")
    refuse_lost_experiment()  # in the workspace DVC keeps it
    monkeypatch.chdir(repository)
    git(tmp_path / "shallow", "fetch", "-q", "--unshallow")
    refuse_lost_experiment()


def test_a_clone_has_the_same_bytes_whatever_git_would_do_with_line_ends(tmp_path):
    files = {"a.py": b"one\ntwo\n", "b.txt": b"three\r\nfour\n", "c.png": b"\x89PNG\r\n\x1a\n\0"}
    root = tmp_path / "project"
    root.mkdir()
    (root / ".gitattributes").write_bytes((ROOT / ".gitattributes").read_bytes())
    for name, content in files.items():
        (root / name).write_bytes(content)
    git(root, "init", "-q")
    git(root, "-c", "core.autocrlf=false", "add", "-A")
    git(root, "commit", "-q", "-m", "files")
    git(tmp_path, "clone", "-q", "-c", "core.autocrlf=true", "-c", "core.eol=crlf", str(root), "windows")
    for name, content in files.items():
        assert (tmp_path / "windows" / name).read_bytes() == content
    git(tmp_path / "windows", "add", "--renormalize", ".")
    git(tmp_path / "windows", "diff", "--cached", "--quiet")


def test_two_locks_are_never_mixed_by_a_merge(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    (root / ".gitattributes").write_bytes((ROOT / ".gitattributes").read_bytes())
    lock = [f"line {number}\n" for number in range(20)]
    git(root, "init", "-q", "-b", "main")
    for branch, changed in ("main", None), ("release", 2), ("mine", 17):
        git(root, "checkout", "-q", "-B", branch, *(["main"] if changed else []))
        text = "".join(f"{branch}\n" if number == changed else line for number, line in enumerate(lock))
        (root / "dvc.lock").write_text(text)
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", branch)
    merged = subprocess.run(["git", "merge", "release"], cwd=root, capture_output=True, text=True)
    assert merged.returncode != 0 and "CONFLICT" in merged.stdout and "dvc.lock" in merged.stdout
    assert (root / "dvc.lock").read_text() == text
    git(root, "checkout", "HEAD", "--", "dvc.lock")  # the cure that docs/sharing.md gives
    git(root, "commit", "-q", "-m", "merged")
    assert (root / "dvc.lock").read_text() == text
