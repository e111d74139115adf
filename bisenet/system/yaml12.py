"""YAML as DVC reads it (version 1.2): `1e-05` is a number, `off` and `no` are words. PyYAML alone follows 1.1."""

import json
import re
from pathlib import Path

import yaml

from bisenet.errors import InputError

# What PyYAML trips over: not UTF-8, a number of thousands of digits, a tag that its value does not fit, a deep nest ...
ODD_VALUES = ValueError, KeyError, AttributeError, TypeError, RecursionError


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # libyaml's takes an eighth of the time
    """The core schema of YAML 1.2, and no key twice."""

    yaml_implicit_resolvers = {}

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"the key '{twice[0]}' stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


for tag, pattern, first in [
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
]:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), first)
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))
_Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: _float(node.value))


def _float(text):
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.2 would not read as a word."""

    yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


def yaml_text(data):
    """The text that `read_yaml` reads as the same mapping, in the given order."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _LineDumper(_Dumper):
    """Escapes line breaks."""


_LineDumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, None if text.isprintable() else '"'),
)


def yaml_line(value):
    """A value in one line, as it may stand anywhere in a YAML file."""
    style = {"default_flow_style": True, "width": float("inf"), "sort_keys": False, "allow_unicode": True}
    return yaml.dump([value], Dumper=_LineDumper, **style)[1:-2]


def read_yaml(path):
    """The mapping in a YAML file; raises `InputError` where there is none."""
    try:
        data = yaml.load(Path(path).read_text(encoding="utf-8"), _Loader)
        json.dumps(data, ensure_ascii=False, default=str).encode()  # no text that could not be written again
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, *ODD_VALUES) as error:
        raise InputError(f"{path}: is not valid YAML: {error}") from None
    if not isinstance(data, dict):
        raise InputError(f"{path}: must hold 'key: value' lines")
    return data
