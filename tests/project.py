"""Where the project lies, a copy of it, and which of its files a file reaches by import, read from the source."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bisenet", "stages")


@cache
def parsed(path):
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


@cache
def imported_files(path):
    """The project's own files that one file imports, relative to the root, with the packages they lie in."""
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            found |= _files_of(name.split("."))
    return found


def _files_of(parts):
    if parts[0] not in PACKAGES:
        return set()
    files = {Path(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)}
    files.add(Path(*parts).with_suffix(".py"))
    return {file.as_posix() for file in files if (ROOT / file).is_file()}


def reached_files(path):
    """Everything that a file imports, and what that imports, with the file itself."""
    reached, waiting = set(), {path}
    while waiting:
        file = waiting.pop()
        reached.add(file)
        waiting |= imported_files(file) - reached
    return reached


def only_says_what_it_is(path):
    """Whether a file is a docstring alone, as most `__init__.py` are: no edit of it changes what a stage does."""
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in parsed(path).body)


def copy_of_the_project(folder, but=()):
    """`folder`, with a git repository of the files that git tracks here, or would, as they are now.

    but: beginnings of names that are left out
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    tracked = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, tracked):
        if (ROOT / name).is_file() and not name.startswith(but):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder
