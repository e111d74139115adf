"""Files from the network, fetched once and verified."""

import hashlib
import http.client
import os
import re
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from bisenet.errors import InputError
from bisenet.system.progress import warn

SCHEMES = ("http", "https", "file")
# resnet18-5c106cde.pth: torchvision, mmsegmentation and others; -20240115.pth is a date.
HASH_IN_NAME = re.compile(r"-(?!(?:19|20)\d{6}\.)([0-9a-f]{8,64})\.\w+$")
PIECE = 2**20  # bytes
PATIENCE = 30.0  # seconds without an answer


def fetch(source, cache):
    """The path of a file: `source` itself where it is a path; an http, https or file URL is fetched once into `cache`.

    `#sha256=<hex>` at the end of a URL, and the start of a SHA-256 at the end of a file's name (`-5c106cde.pth`), are
    what the content must have. What is in the cache is verified each time, and fetched anew where it is damaged.
    Several processes may fetch the same file at once. Raises `InputError` that says how to do without the network.
    """
    if isinstance(source, Path) or "://" not in source:
        return Path(source).expanduser()
    url, _, fragment = source.partition("#")
    if url.partition("://")[0].lower() not in SCHEMES:
        raise InputError(f"{source}: only {', '.join(SCHEMES)} can be fetched; download it, and give its path")
    name = re.sub(r"[^\w.-]", "_", url.partition("?")[0].rpartition("/")[2])[-100:]
    expected = _expected(fragment, name, source)
    cache, key = Path(cache), hashlib.sha256(url.encode()).hexdigest()[:12]
    for path in sorted(cache.glob(f"{key}-*")):
        with suppress(FileNotFoundError):
            digest = file_digest(path)
            if path.name == _cached_name(key, digest, name) and digest.startswith(expected):
                return path
            warn(f"{path}: is damaged or not what is asked for; fetching anew")
    return _download(url, expected, cache, key, name)


def file_digest(path):
    """The SHA-256 of a file, as hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _expected(fragment, name, source):
    """The start that the SHA-256 must have; what the URL says outright goes before the name."""
    kind, _, digest = fragment.partition("=")
    if fragment and (kind != "sha256" or not re.fullmatch("[0-9a-fA-F]{64}", digest)):
        raise InputError(f"{source}: after '#' stands sha256= and 64 hexadecimal digits, or nothing")
    in_name = HASH_IN_NAME.search(name)
    return digest.lower() or (in_name[1] if in_name else "")


def _cached_name(key, digest, name):
    return f"{key}-{digest[:16]}-{name}"  # the digest in the name: file and proof appear in one step


def _download(url, expected, cache, key, name):
    partial = cache / f".partial-{uuid4().hex}"
    sha, size = hashlib.sha256(), 0
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with partial.open("xb") as file:
            for piece in _pieces(url):
                file.write(piece)
                sha.update(piece)
                size += len(piece)
        digest = sha.hexdigest()
        if not digest.startswith(expected):
            raise InputError(
                f"{url}: its content has the SHA-256 {digest}, not {expected}...; it was changed on the "
                "way or at its source, and was not kept"
            )
        path = cache / _cached_name(key, digest, name)
        os.replace(partial, path)
    except OSError as error:
        raise InputError(
            f"{cache}: cannot hold {url} ({error.strerror}); make room, or download it elsewhere and give its path"
        ) from None
    finally:
        with suppress(OSError):
            partial.unlink()
    print(f"{url}: fetched {size / 1e6:.1f} MB, SHA-256 {digest}, into {path}", flush=True)
    return path


def _pieces(url):
    """The bytes at a URL."""
    count = 0
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "bisenet"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            if answer.headers.get_content_type() == "text/html":
                raise InputError(
                    f"{url}: is a web page; give the address of the file itself, or download it and give its path"
                )
            length = answer.headers.get("Content-Length")
            while piece := answer.read(PIECE):
                count += len(piece)
                yield piece
        if length is not None and count != int(length):
            raise http.client.IncompleteRead(b"", int(length) - count)
    except urllib.error.HTTPError as error:
        reason = f"the server answers {error.code} {error.reason}"
    except urllib.error.URLError as error:
        reason = error.reason
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = f"after {count / 1e6:.1f} MB: {error or type(error).__name__}"
    else:
        return
    raise InputError(f"{url}: cannot be fetched ({reason}); download it by hand, and give its path instead")
