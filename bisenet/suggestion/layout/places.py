"""The files of a folder, and where each lies: what of its path has a meaning."""

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from bisenet.errors import name_some
from bisenet.samples.images import files_below
from bisenet.suggestion.layout.words import SPLIT, SPLIT_WORDS, WORDS, tells


@dataclass(frozen=True)
class File:
    path: str
    folders: tuple[str, ...]
    stem: str
    suffix: str

    @classmethod
    def of(cls, path):
        *folders, name = path.split("/")
        suffix = PurePosixPath(name).suffix
        return cls(path, tuple(folders), name.removesuffix(suffix), suffix.lower())


@dataclass
class Place:
    """Where a file lies: folders with a meaning as they are, a split as a NUL, all others together as None."""

    key: tuple
    split: str | None
    word: str  # the split as it is written
    runs: tuple[str, ...]  # of each None: the folders, each with a slash behind

    @classmethod
    @cache
    def of(cls, folders, depth):
        """depth: the level of a folder that counts as one with a meaning, or None"""
        key, runs, split, word = [], [], None, ""
        for level, folder in enumerate(folders):
            found = SPLIT.search(folder)
            if found and split is None:
                split, word = SPLIT_WORDS[found[0].lower()], found[0]
                key.append(folder[: found.start()] + "\0" + folder[found.end() :])
            elif level == depth or any(tells(folder, of) for of in WORDS.values()):
                key.append(folder)
            elif key and key[-1] is None:
                runs[-1] += folder + "/"
            else:
                key.append(None)
                runs.append(folder + "/")
        if not key or key[-1] is not None:
            key.append(None)
            runs.append("")
        return cls(tuple(key), split, word, tuple(runs))


def list_paths(root):
    """All files, sorted, as relative paths; without hidden ones."""
    paths = (path.relative_to(root).as_posix() for path in files_below(root))
    return sorted(path for path in paths if not any(part.startswith((".", "__MACOSX")) for part in path.split("/")))


def count_kinds(paths):
    """How many files of each kind are in which folder, in words."""
    files = map(File.of, paths)
    counts = Counter(("/".join(file.folders[:2]) or ".", file.suffix or "no suffix") for file in files)
    return name_some([f"{count} {suffix} in {json.dumps(folder)}" for (folder, suffix), count in counts.most_common()])
