"""What git and DVC would make of a run in this checkout, seen before it costs anything."""

import os
import subprocess
import sys
from pathlib import Path

from bisenet.errors import InputError

UNTRACKED = "--literal-pathspecs", "ls-files", "--others", "--exclude-standard", "-z"


def refuse_lost_experiment():
    """Raise `InputError` in `dvc exp run --temp` or `--queue` of a shallow clone: DVC would record nothing of it."""
    checkout = os.environ.get("DVC_ROOT")  # the person's own, also where the stage runs in a copy of it
    if checkout is None or not Path(checkout).is_dir() or os.path.samefile(checkout, "."):
        return
    if _git("rev-parse", "--is-shallow-repository", folder=checkout) == "true\n":
        raise InputError(
            f"{checkout}: this clone is shallow (git clone --depth), where DVC runs --temp and --queue, but keeps no "
            "experiment of them; git fetch --unshallow, and run it again"
        )


def refuse_raw_data_for_git(folder):
    """Raise `InputError` where the next `dvc exp run` would commit the raw files of `folder`.

    DVC adds what its stages depend on to each experiment's commit, unless git ignores it; behind links, too. A
    dataset.yaml may be in git.
    """
    place = Path(os.path.relpath(folder))
    if ".." in place.parts:
        return  # outside of the project, where DVC adds nothing
    link = next((path for path in [*reversed(place.parents), place] if path.is_symlink()), None)
    if link is None:
        names = (_git(*UNTRACKED, "--", place) or "").split("\0")
        found = [name for name in names if name and Path(name).name != "dataset.yaml"]
    else:
        ignored = _git("check-ignore", "--no-index", "--", link) or _git("rev-parse", "--git-dir") is None
        found = [] if ignored else [link]
    if found:
        rule = "/" + (link or place).as_posix()
        raise InputError(
            f"{folder}: git does not ignore these files, so dvc exp run would commit all of them; "
            f"echo '{rule}' >> .gitignore"
        )


def dvc(*command):
    """What `dvc` prints. Raises `InputError` with its message where it fails."""
    done = subprocess.run([sys.executable, "-m", "dvc", *command], capture_output=True, text=True)
    if done.returncode:
        raise InputError(f"dvc {' '.join(command)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def _git(*command, folder="."):
    """What git says; None where it cannot, as outside of a repository."""
    try:
        done = subprocess.run(["git", *command], cwd=folder, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return os.fsdecode(done.stdout)
