"""What CONTRIBUTING says an edit makes stale, by DVC's own word."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from project import ROOT, copy_of_the_project

ROW = re.compile(r"^\| `([^`]+)` \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
ASK = """
import json, pathlib, sys
from dvc.repo import Repo

found = {"": Repo().status()}
for name in sys.argv[1:]:
    path = pathlib.Path(name)
    original = path.read_bytes()
    path.write_bytes(original + (b"\\n" if path.suffix in (".json", ".md") else b"\\n# edited\\n"))
    found[name] = Repo().status()
    path.write_bytes(original)
print(json.dumps({name: list(changed) for name, changed in found.items()}))
"""  # each time anew: a repository remembers what it has seen


@pytest.fixture(scope="module")
def stale(tmp_path_factory):
    """{file: the stages that `dvc status` calls changed after an edit of it}, of a pipeline that was up to date.

    What the stages wrote is made up, and committed as if they had: whether an edit is seen does not depend on it.
    """
    root = copy_of_the_project(tmp_path_factory.mktemp("edited"), but=("tests/", "results/", "dvc.lock"))
    pipeline = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8"))
    for stage in pipeline["stages"].values():
        for out in [*stage["outs"], *(next(iter(metric)) for metric in stage.get("metrics", []))]:
            path = root / out if Path(out).suffix else root / out / "file"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}", encoding="utf-8")
    run(root, "-m", "dvc", "commit", "--force")
    return {
        file: set(changed) for file, changed in json.loads(run(root, "-c", ASK, *(file for file, _ in ROWS))).items()
    }


def run(root, *arguments):
    done = subprocess.run([sys.executable, *arguments], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_is_stale_before_an_edit(stale):
    assert stale[""] == set()
    assert len(ROWS) >= 10


@pytest.mark.parametrize(("file", "stages"), ROWS)
def test_an_edit_makes_just_these_stages_stale(stale, file, stages):
    assert stale[file] == set(stages.split(", ")) - {"none"}
