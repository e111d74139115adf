"""How the page's runtime is fetched, by an `npm` that the tests write."""

import base64
import hashlib
import io
import sys
import tarfile

import pytest

from bisenet.deployment.formats import web
from bisenet.errors import InputError


def package(folder, names=tuple(web.RUNTIME)):
    """An npm package of tiny files, and the hash of its tarball."""
    with tarfile.open(folder / web.TARBALL, "w:gz") as tarball:
        for name in (*names, "package/README.md"):
            entry = tarfile.TarInfo(name)
            entry.size = len(name)
            tarball.addfile(entry, io.BytesIO(name.encode()))
    data = (folder / web.TARBALL).read_bytes()
    return base64.b64encode(hashlib.sha512(data).digest()).decode()


def put_npm(folder, monkeypatch, script):
    """A program `npm` that is the only one there is."""
    npm = folder / "npm"
    npm.write_text(f"#!{sys.executable}\nimport shutil, sys\n{script}\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_npm_fetches_the_runtime_once(tmp_path, monkeypatch):
    origin, cache = tmp_path / "origin", tmp_path / "cache"
    origin.mkdir()
    monkeypatch.setattr(web, "SHA512", package(origin))
    words = ["pack", web.PACKAGE]
    copy = f"assert sys.argv[1:3] == {words}\nshutil.copy({str(origin / web.TARBALL)!r}, sys.argv[-1])"
    put_npm(tmp_path, monkeypatch, copy)
    first = web.runtime_files(cache)
    assert first == {name: member.encode() for member, name in web.RUNTIME.items()}
    put_npm(tmp_path, monkeypatch, "sys.exit('asked twice')")
    assert web.runtime_files(cache) == first
    assert [path.name for path in cache.iterdir()] == [web.TARBALL]


def test_without_npm_the_message_says_what_to_put_where(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="install Node.js, or run npm pack onnxruntime-web@") as error:
        web.runtime_files(tmp_path / "cache")
    assert str(tmp_path / "cache" / web.TARBALL) in str(error.value)


@pytest.mark.parametrize("script", ["sys.exit('npm error\\nno network here')", "pass"])
def test_npm_that_fetches_nothing_is_told(tmp_path, monkeypatch, script):
    put_npm(tmp_path, monkeypatch, script)
    with pytest.raises(InputError, match="no network here|No such file"):
        web.runtime_files(tmp_path / "cache")


def test_another_package_is_refused(tmp_path):
    package(tmp_path)
    with pytest.raises(InputError, match=rf"{web.TARBALL}: is damaged, or not npm's"):
        web.runtime_files(tmp_path)
