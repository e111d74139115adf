"""The shape of the project: who may import whom, and that dvc.yaml tells what the stages really use."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from imports import ROOT, imported_files, reached_files

DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES = list(DVC["stages"])
PLACE_NOT_CONTENT = {  # where and how safely a stage runs, not what it makes: never a reason to rerun
    *("data_root", "device", "gpu_wait", "deterministic", "workers", "save_every", "skip_nonfinite"),
}
LEVELS = [  # a module imports only from levels before its own
    {"__init__", "errors"},
    {"artifacts", "cores", "file_cache", "lists", "locks", "precision", "progress", "signals", "synchronized"}
    | {"torch_files", "weights", "yaml12"},
    {"classes", "distributed", "download", "parallel", "scenes"},
    {"arrays", "class_tables", "reporting"},
    {"images"},
    {"polygons"},
    {"pairing", "labels", "resume", "transforms", "models"},
    {"annotations", "datasets", "digests", "predictions", "rendering", "statistics", "visualize"},
    {"layouts", "listing", "losses", "schedules", "optim", "metrics", "inference", "loader"},
    {"official", "val_lists"},
    {"dataset_report", "suggestion", "trainer", "evaluation", "evaluation_report", "checkpoint"},
    {"weight_files"},
    {"pretrained", "published"},
]


def core_files():
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "bisenet").rglob("*.py"))


def level(file):
    name = Path(file).parts[1].removesuffix(".py")
    return next((i for i, names in enumerate(LEVELS) if name in names), None)


def declared_files(stage):
    """The Python files that a stage's deps cover."""
    files = set()
    for dep in DVC["stages"][stage]["deps"]:
        path = ROOT / dep
        if dep.endswith(".py"):
            files.add(dep)
        elif dep.startswith(("bisenet", "stages")):
            files |= {file.relative_to(ROOT).as_posix() for file in path.rglob("*.py")}
    return files


def loaded_params(stage):
    """The names that a stage asks `load_params` for."""
    tree = ast.parse((ROOT / "stages" / f"{stage}.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    asked = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "load_params"]
    tuples = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    return {name for call in asked for argument in call.args for name in names_in(argument, tuples)}


def names_in(node, tuples):
    """The strings of an expression: a constant, a tuple, or a starred name of one."""
    if isinstance(node, ast.Constant):
        return {node.value}
    if isinstance(node, ast.Starred):
        return names_in(tuples[node.value.id], tuples)
    return {name for element in node.elts for name in names_in(element, tuples)}


@pytest.mark.parametrize("stage", STAGES)
def test_deps_are_the_files_that_the_stage_reaches(stage):
    assert declared_files(stage) == reached_files(f"stages/{stage}.py")


@pytest.mark.parametrize("stage", STAGES)
def test_params_are_those_that_the_stage_loads(stage):
    declared = DVC["stages"][stage].get("params", [])
    sources = {"defaults", "presets.${model}.${dataset}"}  # what fills empty knobs
    knobs = {"architecture" if name == "${model}" else name for name in declared if name not in sources}
    assert knobs == loaded_params(stage) - PLACE_NOT_CONTENT
    assert len(declared) == len(set(declared))


def test_only_the_active_model_and_preset_can_make_training_stale():
    declared = DVC["stages"]["train"]["params"]
    assert {"defaults", "${model}", "presets.${model}.${dataset}"} <= set(declared)
    assert not {name for name in declared if name.startswith(("bisenet", "presets."))} - {"presets.${model}.${dataset}"}


def test_how_weights_are_used_and_measured_cannot_make_training_stale():
    assert not reached_files("stages/train.py") & {"bisenet/published.py", "bisenet/official.py"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_one_name(stage):
    declared = DVC["stages"][stage]
    assert declared["cmd"].endswith(f" -m stages.{stage}")
    outs = [out if isinstance(out, str) else next(iter(out)) for out in declared["outs"] + declared.get("metrics", [])]
    assert all(out.startswith((f"results/{stage}", "data/")) for out in outs)


@pytest.mark.parametrize("file", core_files())
def test_imports_point_down(file):
    assert level(file) is not None, f"{file}: give it a level"
    package = Path(file).parts[:2]
    for imported in imported_files(file):
        assert imported.startswith("bisenet/"), f"{file} imports a stage"
        within = Path(imported).parts[:2] == package
        assert within or level(imported) < level(file), f"{file} imports {imported}"


def test_models_know_nothing_of_data():
    for file in core_files():
        if file.startswith("bisenet/models/"):
            reached = {Path(name).parts[1] for name in imported_files(file)}
            assert reached <= {"__init__.py", "errors.py", "models"}


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_imports_another(stage):
    shared = {"stages/entry.py", "stages/params.py", "stages/paths.py"}
    others = {file for file in imported_files(f"stages/{stage}.py") if file.startswith("stages/")}
    assert others <= shared


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_one_page(stage):
    assert len((ROOT / "stages" / f"{stage}.py").read_text(encoding="utf-8").splitlines()) <= 90


def test_nothing_of_the_core_or_the_stages_imports_dvc():
    for file in [*core_files(), *(f"stages/{stage}.py" for stage in STAGES)]:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
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
        if path.startswith(("bisenet", "stages", "params.yaml"))
    }
    assert not reasons, "run dvc repro, and commit dvc.lock"
    assert set(yaml.safe_load((ROOT / "dvc.lock").read_text(encoding="utf-8"))["stages"]) == set(STAGES)


def test_readme_names_every_file():
    """The file tree in README is complete."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tracked = subprocess.run(
        ["git", "ls-files", "bisenet", "stages", "benchmarks"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    names = {Path(file).name for file in tracked if file.endswith(".py") and not file.endswith("__init__.py")}
    assert {name for name in names if name not in readme} == set()
