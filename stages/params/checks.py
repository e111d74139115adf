"""Are both files as the tables of `knobs.py` say? Else an `InputError` that names the key, the value and the cure."""

from bisenet.errors import InputError
from bisenet.inference.options import check_protocol
from bisenet.models.options import OPTIONS
from bisenet.system.kinds import check_names, check_section, mapping
from stages.params.knobs import KNOBS, RECIPE, SECTIONS

MOVED = "defaults", "presets"  # once sections of params.yaml


def check_params(params, path):
    if moved := [section for section in MOVED if section in params]:
        raise InputError(
            f"{path}: {' and '.join(moved)} live in presets.yaml now, a preset as <model>.<dataset>; move there what "
            "you changed of them, and delete them here"
        )
    _check_knobs(params, KNOBS, path, others=[*OPTIONS, *SECTIONS, "protocols"])
    for section, kinds in SECTIONS.items():
        check_section(params.get(section), kinds, f"{path}: {section}")
    for row, values in mapping(params.get("protocols"), f"{path}: protocols").items():
        check_protocol(values, f"{path}: protocols.{row}")
    for model, kinds in OPTIONS.items():
        _check_knobs(params.get(model) or {}, kinds, f"{path}: {model}")


def check_presets(presets, path):
    check_names(presets, ["defaults", *OPTIONS], path)
    defaults = presets.get("defaults") or {}
    _check_knobs(defaults, RECIPE, f"{path}: defaults", others=OPTIONS)
    for model, kinds in OPTIONS.items():
        _check_knobs(defaults.get(model) or {}, kinds, f"{path}: defaults.{model}")
        for dataset, preset in mapping(presets.get(model, {}), f"{path}: {model}").items():
            _check_preset(preset, kinds, f"{path}: {model}.{dataset}")


def _check_knobs(found, kinds, where, others=()):
    """Each may be left empty."""
    check_names(mapping(found, where), [*kinds, *others], where)
    for key, value in found.items():
        if key in kinds and value is not None and not kinds[key].accepts(value):
            raise InputError(f"{where}: {key} must be {kinds[key].words}, not {value!r}")


def _check_preset(preset, options, where):
    """A preset with its recipes, which hold the same but for more recipes."""
    recipes = mapping(preset, where).get("recipes") or {}
    each = {where: preset, **{f"{where}.recipes.{name}": recipe for name, recipe in recipes.items()}}
    for place, values in each.items():
        others = ["architecture", "recipes"] if place == where else ["architecture"]
        _check_knobs(mapping(values, place), RECIPE, place, others)
        _check_knobs(values.get("architecture") or {}, options, f"{place}.architecture")
