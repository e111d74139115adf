"""The files of a dataset's folder that a pattern means; `sources.py` says how patterns are written."""

import os
import re
from functools import cache, cached_property
from itertools import product
from pathlib import PurePosixPath
from types import MappingProxyType

from bisenet.annotation.name_lists import ITEM, lines_of, plain_form
from bisenet.errors import InputError
from bisenet.samples.images import files_below

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
            own, forms = {}, {}
            for path, name, _ in self._matches(PurePosixPath(pattern).as_posix(), suffixes):
                if besides.get(name) == path:
                    continue
                if not _is_utf8(path):
                    faults.append(f"{self.root}: the file name {path!r} is not UTF-8; rename the file")
                elif name in own:
                    twins = ", ".join(sorted([own[name], path]))
                    faults.append(f"{self.root}: two files with one name: {twins}; keep one, or name it by a pattern")
                elif not name.isascii() and forms.setdefault(plain_form(name), path) != path:
                    faults.append(self._two_forms(forms[plain_form(name)], path))
                else:
                    own[name] = path
            found = own | found
        return found, faults

    def match_masks(self, patterns, known, besides=frozenset()):
        """({name: {class: path}}, faults) of the files that match patterns with a `{class}`.

        known: names of images, which tell where a name ends and the class begins: `a_l_eye` is `l_eye` of `a`
        besides: paths that are no masks
        """
        found, faults = {}, []
        for pattern in patterns:
            own, forms = set(), {}
            behind = re.search(rf"\*([^*{{}}/]+){re.escape(CLASS)}", pattern)
            before = re.search(rf"{re.escape(CLASS)}([^*{{}}/]+)\*", pattern)
            cuts = _cuts if behind else _cuts_before
            between = behind or before
            for path, name, of in self._matches(PurePosixPath(pattern).as_posix(), ()):
                if path in besides:  # an image, in a folder beside those of the classes
                    continue
                name, of = next((cut for cut in cuts(name, of, between and between[1]) if cut[0] in known), (name, of))
                if (name, of) in own:
                    faults.append(f"{self.root}: two masks of {of!r} of one image: {found[name][of]}, {path}; keep one")
                elif not name.isascii() and forms.setdefault((plain_form(name), of), path) != path:
                    faults.append(self._two_forms(forms[plain_form(name), of], path))
                own.add((name, of))
                found.setdefault(name, {}).setdefault(of, path)
        return found, faults

    def paths(self):
        """All files below the folder."""
        return self._files("")

    def _two_forms(self, *paths):
        first, second = sorted(paths)
        return (
            f"{self.root}: the names of two files look alike, and differ only in how Unicode writes them (NFC, NFD): "
            f"{first} ({ascii(first)}), {second} ({ascii(second)}); keep one, or rename one"
        )

    def file_of(self, path):
        """The file that a path means, relative to the folder: itself, or one that it ends in; None where there is none.

        So a path of another machine or of Windows is one of here, and so is one in another of Unicode's forms.
        """
        if not os.path.isabs(path) and (self.root / path).is_file():
            return path
        parts = PurePosixPath(plain_form(path).replace("\\", "/")).parts
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        return next((self._plain_paths[end] for end in ends if end in self._plain_paths), None)

    @cached_property
    def _plain_paths(self):
        return {plain_form(path): path for path in self.paths()}

    def named(self, pattern):
        """The existing files that a pattern without a star names."""
        paths = (PurePosixPath(path).as_posix() for path in _alternatives(pattern))
        found = [path if (self.root / path).is_file() else self._in_another_form(path) for path in paths]
        return [path for path in found if path is not None]

    def lines(self, item):
        """The lines of the list that an item of `only` or `except` names."""
        file, column, value = ITEM.fullmatch(item).group("file", "column", "value")
        files = self.named(file)
        if not files:
            raise InputError(f"{self.root / file}: the list of names is missing")
        lines = lines_of(self.root / files[0], column, value)
        if not lines:
            raise InputError(f"{self.root / files[0]}: the list of names is empty")
        return lines

    def _in_another_form(self, path):
        return None if path.isascii() else self._plain_paths.get(plain_form(path))

    def _matches(self, pattern, suffixes):
        if "*" not in pattern:
            pattern = f"{pattern}/".removeprefix("./") + f"**/*{{{','.join(suffixes)}}}"
        regex, plain, seen = _pattern_regex(pattern), _pattern_regex(plain_form(pattern)), set()
        starts = [re.split(r"[*{]", form)[0].rpartition("/")[0] for form in _alternatives(pattern)]
        for start in dict.fromkeys(starts):
            for path in self._files(start):
                match = regex.fullmatch(path)
                if not match and not path.isascii():
                    match = plain.fullmatch(plain_form(path))
                if match and path not in seen:
                    seen.add(path)
                    of = match.groupdict().get("of")
                    parts = [match[i] for i in range(1, regex.groups + 1) if i != regex.groupindex.get("of")]
                    yield path, "/".join(part.rstrip("/") for part in parts if part), of

    def _list(self, start):
        if not start.isascii() and not (self.root / start).is_dir():
            return [path for path in self.paths() if plain_form(path).startswith(f"{plain_form(start)}/")]
        return [path.relative_to(self.root).as_posix() for path in files_below(self.root / start)]


def _cuts(name, of, between):
    """The ways to cut what `*` and `{class}` match, with what stands between them; the longest name first."""
    yield name, of
    while between and between in name.rpartition("/")[2]:
        name, _, more = name.rpartition(between)
        of = more + between + of
        yield name, of


def _cuts_before(name, of, between):
    """The same where the class stands before the name."""
    yield name, of
    above, slash, name = name.rpartition("/")
    while between and between in name:
        more, _, name = name.partition(between)
        of += between + more
        yield above + slash + name, of


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
