"""The files of a dataset's folder that a pattern means; `sources.py` says how patterns are written."""

import re
from functools import cache
from itertools import product
from pathlib import PurePosixPath
from types import MappingProxyType

from bisenet.errors import InputError
from bisenet.samples.images import files_below
from bisenet.samples.lists import read_lines

BRACED = r"\{[^{}]*\}"
CLASS = "{class}"  # any part of a name, which tells the class that a mask shows
WILDCARD = rf"(\*\*/|\*|{BRACED})"


class Folder:
    """The files of a dataset's folder; each part of it is listed once."""

    def __init__(self, root):
        self.root = root
        self._files = cache(self._list)

    def match(self, patterns, suffixes, besides=MappingProxyType({})):
        """({name: path}, faults) of the files that match, but for `besides`, of the same form.

        suffixes: of the files that count in a folder
        """
        found, faults = {}, []
        for pattern in patterns:
            own = {}
            for path, name, _ in self._matches(PurePosixPath(pattern).as_posix(), suffixes):
                if besides.get(name) == path:
                    continue
                if not _is_utf8(path):
                    faults.append(f"{self.root}: the file name {path!r} is not UTF-8; rename the file")
                elif name in own:
                    twins = ", ".join(sorted([own[name], path]))
                    faults.append(f"{self.root}: two files with one name: {twins}; keep one, or name it by a pattern")
                else:
                    own[name] = path
            found = own | found
        return found, faults

    def match_masks(self, patterns, known):
        """({name: {class: path}}, faults) of the files that match patterns with a `{class}`.

        known: names of images, which tell where a name ends and the class begins: `a_l_eye` is `l_eye` of `a`
        """
        found, faults = {}, []
        for pattern in patterns:
            own = set()
            between = re.search(rf"\*([^*{{}}/]+){re.escape(CLASS)}", pattern)
            for path, name, of in self._matches(PurePosixPath(pattern).as_posix(), ()):
                name, of = next((cut for cut in _cuts(name, of, between and between[1]) if cut[0] in known), (name, of))
                if (name, of) in own:
                    faults.append(f"{self.root}: two masks of {of!r} of one image: {found[name][of]}, {path}; keep one")
                own.add((name, of))
                found.setdefault(name, {}).setdefault(of, path)
        return found, faults

    def paths(self):
        """All files below the folder."""
        return self._files("")

    def named(self, pattern):
        """The existing files that a pattern without a star names."""
        paths = (PurePosixPath(path).as_posix() for path in _alternatives(pattern))
        return [path for path in paths if (self.root / path).is_file()]

    def lines(self, pattern):
        """The lines of the text file that a pattern names."""
        files = self.named(pattern)
        if not files:
            raise InputError(f"{self.root / pattern}: the list of names is missing")
        names = read_lines(self.root / files[0])
        if not names:
            raise InputError(f"{self.root / files[0]}: the list of names is empty")
        return names

    def _matches(self, pattern, suffixes):
        if "*" not in pattern:
            pattern = f"{pattern}/".removeprefix("./") + f"**/*{{{','.join(suffixes)}}}"
        regex, seen = _pattern_regex(pattern), set()
        starts = [re.split(r"[*{]", form)[0].rpartition("/")[0] for form in _alternatives(pattern)]
        for start in dict.fromkeys(starts):
            for path in self._files(start):
                match = regex.fullmatch(path)
                if match and path not in seen:
                    seen.add(path)
                    of = match.groupdict().get("of")
                    parts = [match[i] for i in range(1, regex.groups + 1) if i != regex.groupindex.get("of")]
                    yield path, "/".join(part.rstrip("/") for part in parts if part), of

    def _list(self, start):
        return [path.relative_to(self.root).as_posix() for path in files_below(self.root / start)]


def _cuts(name, of, between):
    """The ways to cut what `*` and `{class}` match, with what stands between them; the longest name first."""
    yield name, of
    while between and between in name.rpartition("/")[2]:
        name, _, more = name.rpartition(between)
        of = more + between + of
        yield name, of


def _alternatives(pattern):
    """The pattern with each `{a,b}` written out."""
    parts = re.split(f"({BRACED})", pattern)
    options = [part[1:-1].split(",") if re.fullmatch(BRACED, part) and part != CLASS else [part] for part in parts]
    return ["".join(choice) for choice in product(*options)]


def _is_utf8(name):
    return not any("\ud800" <= char <= "\udfff" for char in name)


def _pattern_regex(pattern):
    """`**/` any folders, `*` any part of a name (both captured), `{png,jpg}` one of these (not captured)."""
    return re.compile("".join(map(_token_regex, re.split(WILDCARD, pattern))), re.IGNORECASE)


def _token_regex(token):
    if token == "**/":
        return "((?:[^/]+/)*)"
    if token == "*":
        return "([^/]*)"
    if token == CLASS:
        return "(?P<of>[^/]+?)"
    if re.fullmatch(WILDCARD, token):
        return f"(?:{'|'.join(map(re.escape, token[1:-1].split(',')))})"
    return re.escape(token)
