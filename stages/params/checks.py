"""Is params.yaml as the tables of `knobs.py` say? Else an `InputError` that names the key, the value and the cure."""

import difflib

from bisenet.errors import InputError
from bisenet.models.options import OPTIONS
from stages.params.knobs import KNOBS, PROTOCOL, RECIPE, SECTIONS, START


def check_file(params, path):
    _check_knobs(params, KNOBS, path, others=[*OPTIONS, *SECTIONS, "protocols", "defaults", "presets"])
    for section, kinds in SECTIONS.items():
        _check_section(params.get(section), kinds, f"{path}: {section}")
    for row, values in _mapping(params.get("protocols"), f"{path}: protocols").items():
        start = {key: START[key] for key in START if key in _mapping(values, f"{path}: protocols.{row}")}
        _check_section(values, {**PROTOCOL, **start}, f"{path}: protocols.{row}")
        if len(start) > 1:
            raise InputError(f"{path}: protocols.{row}: {' and '.join(start)} exclude each other")
    defaults = params.get("defaults") or {}
    _check_knobs(defaults, RECIPE, f"{path}: defaults", others=OPTIONS)
    for model, kinds in OPTIONS.items():
        _check_knobs(params.get(model) or {}, kinds, f"{path}: {model}")
        _check_knobs(defaults.get(model) or {}, kinds, f"{path}: defaults.{model}")
    for model, of_model in _mapping(params.get("presets"), f"{path}: presets").items():
        for dataset, preset in _mapping(of_model, f"{path}: presets.{model}").items():
            _check_preset(preset, model, f"{path}: presets.{model}.{dataset}")


def _mapping(found, where):
    if not isinstance(found, dict):
        raise InputError(f"{where}: must hold 'key: value' lines, not {found!r}")
    return found


def _check_names(found, known, where):
    for key in found:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(known)}"
            raise InputError(f"{where}: there is no parameter '{key}' here; {hint}")


def _check_knobs(found, kinds, where, others=()):
    """Each may be left empty."""
    _check_names(_mapping(found, where), [*kinds, *others], where)
    for key, value in found.items():
        if key in kinds and value is not None and not kinds[key].accepts(value):
            raise InputError(f"{where}: {key} must be {kinds[key].words}, not {value!r}")


def _check_preset(preset, model, where):
    """A preset with its recipes, which hold the same but for more recipes."""
    recipes = _mapping(preset, where).get("recipes") or {}
    each = {where: preset, **{f"{where}.recipes.{name}": recipe for name, recipe in recipes.items()}}
    for place, values in each.items():
        others = ["architecture", "recipes"] if place == where else ["architecture"]
        _check_knobs(_mapping(values, place), RECIPE, place, others)
        _check_knobs(values.get("architecture") or {}, OPTIONS.get(model, {}), f"{place}.architecture")


def _check_section(found, kinds, where):
    """Each must be there."""
    _check_names(_mapping(found, where), kinds, where)
    for key, kind in kinds.items():
        if not kind.accepts(found.get(key)):
            raise InputError(f"{where}: {key} must be {kind.words}, not {found.get(key)!r}")
