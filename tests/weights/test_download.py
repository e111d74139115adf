"""A path stays; a URL is fetched once, verified, and never left half done. The server is in this process."""

import errno
import hashlib
import multiprocessing
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bisenet.errors import InputError
from bisenet.weights import download
from bisenet.weights.download import fetch

CONTENT = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
OTHER = "0" * 64


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path == "/absent.pth":
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8" if self.path == "/page" else "binary/octet-stream")
        self.send_header("Content-Length", str(len(CONTENT) + 1000 * (self.path == "/cut.pth")))
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("source", ["a/b.pth", Path("a/b.pth"), "C:\\weights#1.pth", "absent?.pth"])
def test_a_path_stays_as_it_is(tmp_path, source):
    assert fetch(source, tmp_path / "cache") == Path(source)
    assert not (tmp_path / "cache").exists()


def test_the_home_folder_may_be_abbreviated(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert fetch("~/a.pth", tmp_path) == tmp_path / "a.pth"


@pytest.mark.parametrize("fragment", ["", f"#sha256={SHA256}", f"#sha256={SHA256.upper()}"])
@pytest.mark.parametrize("name", ["a.pth", f"net-{SHA256[:8]}.pth", "%2F..%2Fb.pth", "a.pth?token=1/2"])
def test_a_url_is_fetched_once(tmp_path, server, capsys, name, fragment):
    first = fetch(f"{server.url}/{name}{fragment}", tmp_path)
    assert first.read_bytes() == CONTENT
    assert re.fullmatch(r"[\w.-]+", first.name)
    assert f"1.3 MB, SHA-256 {SHA256}" in capsys.readouterr().out
    assert fetch(f"{server.url}/{name}{fragment}", tmp_path) == first
    assert len(server.asked) == 1
    assert list(tmp_path.iterdir()) == [first]


def test_files_of_one_name_do_not_meet(tmp_path, server):
    assert fetch(f"{server.url}/a/x.pth", tmp_path) != fetch(f"{server.url}/b/x.pth", tmp_path)


def test_a_file_url(tmp_path):
    (tmp_path / "a b.pth").write_bytes(CONTENT)
    path = fetch((tmp_path / "a b.pth").as_uri(), tmp_path / "cache")
    assert path.parent == tmp_path / "cache"
    assert path.read_bytes() == CONTENT
    with pytest.raises(InputError, match=r"none\.pth: cannot be fetched .*No such file.*; download it by hand"):
        fetch(f"file://{tmp_path}/none.pth", tmp_path / "cache")


@pytest.mark.parametrize("kept", [CONTENT[:-1], CONTENT + b"more", b""])
def test_a_damaged_cache_is_noticed_and_mended(tmp_path, server, capsys, kept):
    path = fetch(f"{server.url}/a.pth", tmp_path)
    path.write_bytes(kept)
    assert fetch(f"{server.url}/a.pth", tmp_path).read_bytes() == CONTENT
    assert "is damaged" in capsys.readouterr().err
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", [f"a.pth#sha256={OTHER}", "net-01234567.pth"])
def test_another_content_than_asked_for_is_refused_and_not_kept(tmp_path, server, name):
    with pytest.raises(InputError, match=f"SHA-256 {SHA256}, not 0"):
        fetch(f"{server.url}/{name}", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["weights-20240115.pth", f"net-01234567.pth#sha256={SHA256}"])
def test_a_date_is_no_hash_and_a_hash_that_is_given_goes_before_the_name(tmp_path, server, name):
    assert fetch(f"{server.url}/{name}", tmp_path).read_bytes() == CONTENT


def test_a_good_file_stays_where_another_is_asked_for(tmp_path, server):
    path = fetch(f"{server.url}/a.pth", tmp_path)
    with pytest.raises(InputError, match="not 0000"):
        fetch(f"{server.url}/a.pth#sha256={OTHER}", tmp_path)
    assert path.read_bytes() == CONTENT


def test_what_is_in_the_cache_must_be_what_is_asked_for_too(tmp_path, server):
    fetch(f"{server.url}/a.pth", tmp_path)
    with pytest.raises(InputError, match="not 0000"):
        fetch(f"{server.url}/a.pth#sha256={OTHER}", tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.pth", "cannot be fetched .the server answers 404 Not Found.; download it by hand, and give its path"),
        ("cut.pth", r"cannot be fetched .after 1\.3 MB: IncompleteRead.*1000 more expected"),
        ("page", "is a web page; give the address of the file itself"),
        ("a.pth#md5=12", "after '#' stands sha256="),
        ("a.pth#sha256=12", "after '#' stands sha256="),
    ],
)
def test_an_answer_that_is_no_file_is_named(tmp_path, server, name, message):
    with pytest.raises(InputError, match=message):
        fetch(f"{server.url}/{name}", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/a.pth", "http://[::1/a.pth"])
def test_a_server_that_does_not_answer_is_named_with_the_cure(tmp_path, url):
    with pytest.raises(InputError, match="a.pth: cannot be fetched .*; download it by hand, and give its path"):
        fetch(url, tmp_path)


@pytest.mark.parametrize("url", ["s3://bucket/a.pth", "ftp://host/a.pth"])
def test_other_protocols_are_refused(tmp_path, url):
    with pytest.raises(InputError, match="only http, https, file can be fetched; download it, and give its path"):
        fetch(url, tmp_path)


def test_a_full_disk_leaves_nothing(tmp_path, server, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download.os, "replace", full)
    with pytest.raises(InputError, match=r"cannot hold .*/a.pth .No space left on device.; make room"):
        fetch(f"{server.url}/a.pth", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_is_no_folder_is_named(tmp_path, server):
    (tmp_path / "cache").write_text("")
    with pytest.raises(InputError, match=r"cache: cannot hold .*/a.pth .File exists"):
        fetch(f"{server.url}/a.pth", tmp_path / "cache")


def test_processes_may_fetch_the_same_file_at_once(tmp_path, server):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        paths = pool.starmap(fetch, [(f"{server.url}/a.pth", tmp_path)] * 8)
    assert len(set(paths)) == 1
    assert list(tmp_path.iterdir()) == [paths[0]]
    assert paths[0].read_bytes() == CONTENT
