"""The shape of the project: who may import whom, and that dvc.yaml tells what the stages really use."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from project import ROOT, imported_files, only_says_what_it_is, parsed, reached_files

DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES = list(DVC["stages"])
PLACE_NOT_CONTENT = {  # where and how safely a stage runs, not what it makes: never a reason to rerun
    *("data_root", "device", "gpu_wait", "deterministic", "workers", "cache", "save_every", "skip_nonfinite"),
    "keep_runs",
}
FLOORS = [  # of the rooms and of what lies beside them; each imports only from floors above it in this list
    {"errors"},
    {"system"},
    {"models", "samples", "scenes"},
    {"annotation", "charts", "scoring", "visualize"},
    {"inspection", "suggestion", "weights"},
    {"inference"},
    {"deployment", "training"},
    {"interface", "video"},
]
MOST_DEPS = 12  # code deps of a stage, which a person reads
MOST_LINES = 400  # of a file: two screens, and some
PYTHON_INTERFACE = "bisenet/__init__.py"  # hands out what no stage asks for, when it is asked: no dep of any
VAGUE = {"utils", "util", "common", "helpers", "helper", "core", "base", "misc", "tools"}


def core_files():
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "bisenet").rglob("*.py"))


STAGE_FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "stages").rglob("*.py"))


def room(file):
    """Of `bisenet/<room>/...` or `bisenet/<room>.py`."""
    return Path(file).parts[1].removesuffix(".py")


def floor(file):
    return next((number for number, rooms in enumerate(FLOORS) if room(file) in rooms), None)


def code_deps(stage):
    return [dep for dep in DVC["stages"][stage]["deps"] if dep.startswith(("bisenet", "stages"))]


def covers(dep, file):
    """Whether a dep of dvc.yaml is this file, or a folder above it."""
    return file == dep or file.startswith(f"{dep}/")


def loaded_params(stage):
    """The names that a stage asks `load_params` for."""
    tree = parsed(f"stages/{stage}.py")
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    asked = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "load_params"]
    bodies = tree.body + parsed("stages/params/groups.py").body
    tuples = {node.targets[0].id: node.value for node in bodies if isinstance(node, ast.Assign)}
    return {name for call in asked for argument in call.args for name in names_in(argument, tuples)}


def names_in(node, tuples):
    """The strings of an expression: a constant, a tuple, or a starred name of one."""
    if isinstance(node, ast.Constant):
        return {node.value}
    if isinstance(node, ast.Starred):
        return names_in(tuples[node.value.id], tuples)
    return {name for element in node.elts for name in names_in(element, tuples)}


@pytest.mark.parametrize("stage", STAGES)
def test_deps_are_the_rooms_that_the_stage_reaches(stage):
    """None too few: else an edit would leave a result as it was. None too many: else one would make it anew in vain."""
    reached = {file for file in reached_files(f"stages/{stage}.py") if not only_says_what_it_is(file)}
    reached.discard(PYTHON_INTERFACE)
    deps = code_deps(stage)
    assert [file for file in sorted(reached) if not any(covers(dep, file) for dep in deps)] == [], "not declared"
    assert [dep for dep in deps if not any(covers(dep, file) for file in reached)] == [], "declared and never reached"
    assert len(deps) == len(set(deps)) <= MOST_DEPS


@pytest.mark.parametrize("stage", STAGES)
def test_params_are_those_that_the_stage_loads(stage):
    declared = DVC["stages"][stage].get("params", [])
    if stage == "choose_preset":  # loads no value in force, but what fills in those that are empty
        assert declared == ["model", "dataset", "recipe"]
    else:
        knobs = {"architecture" if name == "${model}" else name for name in declared}
        assert knobs == loaded_params(stage) - PLACE_NOT_CONTENT
    assert len(declared) == len(set(declared))


def test_only_the_active_model_and_preset_can_make_training_stale():
    declared = DVC["stages"]["train"]["params"]
    assert "${model}" in declared
    assert not [name for name in declared if name.startswith("bisenet")]
    assert [stage for stage in STAGES if "presets.yaml" in DVC["stages"][stage]["deps"]] == ["choose_preset"]
    assert DVC["stages"]["choose_preset"]["outs"] == ["results/choose_preset/preset.yaml"]
    assert "results/choose_preset/preset.yaml" in DVC["stages"]["train"]["deps"]


def test_what_never_makes_training_stale():
    covered = {file for file in core_files() if any(covers(dep, file) for dep in code_deps("train"))}
    assert {room(file) for file in covered}.isdisjoint(
        {"annotation", "inspection", "scenes", "suggestion", "visualize"}
    )
    assert {file for file in covered if room(file) == "scoring"} == {"bisenet/scoring/metrics.py"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_one_name(stage):
    declared = DVC["stages"][stage]
    assert declared["cmd"].endswith(f" -m stages.{stage}")
    outs = [out if isinstance(out, str) else next(iter(out)) for out in declared["outs"] + declared.get("metrics", [])]
    assert all(out.startswith((f"results/{stage}", "data/")) for out in outs)


@pytest.mark.parametrize("file", core_files())
def test_imports_point_down(file):
    if only_says_what_it_is(file) or file == PYTHON_INTERFACE:
        return
    assert floor(file) is not None, f"{file}: give its room a floor"
    for imported in imported_files(file):
        assert imported.startswith("bisenet/"), f"{file} imports a stage"
        if room(imported) != room(file) and not only_says_what_it_is(imported) and imported != PYTHON_INTERFACE:
            assert floor(imported) < floor(file), f"{file} imports {imported}"


def test_the_package_hands_out_the_interface_and_nothing_inside_asks_for_it():
    assert {file for file in imported_files(PYTHON_INTERFACE) if file.startswith("bisenet")} == set()
    for file in [*core_files(), *STAGE_FILES]:
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.ImportFrom) and node.module == "bisenet":
                assert {alias.name for alias in node.names} <= {room(core) for core in core_files()}, file
            assert not isinstance(node, ast.Import) or "bisenet" not in {alias.name for alias in node.names}, file


def test_rooms_have_no_circle():
    """Nor have the files of one room."""
    waiting = {file: {other for other in imported_files(file) if other != file} for file in core_files()}
    while waiting:
        free = {file for file, others in waiting.items() if not others & waiting.keys()}
        assert free, f"these import each other: {sorted(waiting)}"
        waiting = {file: others for file, others in waiting.items() if file not in free}


@pytest.mark.parametrize("file", [*core_files(), *STAGE_FILES])
def test_a_file_is_short_and_says_what_it_is_for(file):
    assert len((ROOT / file).read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    assert ast.get_docstring(parsed(file)), f"{file}: begin it with a docstring"
    assert VAGUE.isdisjoint(part.removesuffix(".py") for part in Path(file).parts)


def test_tests_are_short_and_lie_in_the_same_rooms():
    tests = ROOT / "tests"
    for path in tests.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES, path
    rooms = {path.name for path in (ROOT / "bisenet").iterdir() if (path / "__init__.py").is_file()}
    assert {path.name for path in tests.iterdir() if any(path.glob("test_*.py"))} == {*rooms, "stages"}
    names = [path.name for path in tests.rglob("test_*.py")]
    assert len(names) == len(set(names))  # pytest takes two of one name for one


def test_models_know_nothing_of_data():
    reached = {room(file) for path in core_files() if room(path) == "models" for file in reached_files(path)}
    assert reached <= {"__init__", "errors", "models", "system"}


@pytest.mark.parametrize("stage", ["make_synthetic", "gen_dataset_annos", "dataset_stats", "choose_preset"])
def test_stages_of_data_start_without_torch(stage):
    code = f"import sys, stages.{stage}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_imports_another(stage):
    others = {file for file in imported_files(f"stages/{stage}.py") if file.startswith("stages/")}
    assert all(file.startswith("stages/params/") for file in others)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_one_page(stage):
    assert len((ROOT / "stages" / f"{stage}.py").read_text(encoding="utf-8").splitlines()) <= 90


def test_nothing_of_the_core_or_the_stages_imports_dvc():
    for file in [*core_files(), *STAGE_FILES]:
        tree = parsed(file)
        names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
        names += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        assert not any(name.split(".")[0] == "dvc" for name in names), file


def test_every_plot_reads_a_declared_output():
    outs = set()
    for stage in DVC["stages"].values():
        outs |= {out if isinstance(out, str) else next(iter(out)) for out in stage["outs"]}
    for plot in DVC["plots"]:
        if isinstance(plot, str):
            assert plot in outs
        else:
            (settings,) = plot.values()
            assert set(settings["y"]) <= outs
            template = settings["template"]
            assert template == "simple" or (ROOT / ".dvc" / "plots" / f"{template}.json").is_file()


def test_the_lock_is_of_this_pipeline():
    """By DVC's own word, nothing that a stage depends on has changed since dvc.lock was written, code or parameter."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "status", "--json"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    changed = json.loads(done.stdout)
    reasons = {
        (stage, path, str(state))
        for stage, entries in changed.items()
        for entry in entries
        for path, state in (entry.get("changed deps", {}) if isinstance(entry, dict) else {}).items()
        if path.startswith(("bisenet", "stages", "params.yaml", "presets.yaml"))
    }
    assert not reasons, "run dvc repro, and commit dvc.lock"
    assert set(yaml.safe_load((ROOT / "dvc.lock").read_text(encoding="utf-8"))["stages"]) == set(STAGES)


def test_the_page_on_development_names_every_file():
    page = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
    files = [
        *core_files(),
        *STAGE_FILES,
        *(path.relative_to(ROOT).as_posix() for path in (ROOT / "benchmarks").glob("*.py")),
    ]
    assert [file for file in files if not file.endswith("__init__.py") and Path(file).name not in page] == []
    assert {room(file) for file in core_files() if len(Path(file).parts) > 2} <= set(re.findall(r"`(\w+)/", page))
