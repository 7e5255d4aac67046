"""What is put into the settings of a file before they are checked: ``a.b=c`` of a command, and ``${env:NAME}``."""

import os
import re
import sysconfig
from collections.abc import Callable
from typing import Any

import yaml

from ...hashing.errors import ConfigError
from ..settings_file import NOT_YAML


def apply_override(raw: dict[str, Any], override: str) -> None:
    """Put ``a.b=c`` into settings as a file has them.

    Raises:
        ConfigError: it has another form, or leads nowhere.
    """
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(
            "an override has the form KEY=VALUE", value=repr(override), remedy="Write --set keep=longest."
        )
    try:
        parsed = yaml.safe_load(value)
    except NOT_YAML as error:
        raise ConfigError("an override's value is YAML", value=repr(override), remedy="Quote it.") from error
    *parents, last = key.split(".")
    if parents[:1] == ["stages"]:
        raw.setdefault("stages", ["exact", "near"])  # those of a file that names none
    if parents[:1] in (["inputs"], ["against"]) and len(parents) == 2 and isinstance(raw.get(parents[0]), list):
        raw[parents[0]] = [{"path": item} if isinstance(item, str) else item for item in raw[parents[0]]]
    target: Any = raw
    for part in parents:
        target = _descend(target, part, key)
    if isinstance(target, list):
        target[_index(target, last, key)] = parsed
    elif isinstance(target, dict):
        target[last] = parsed
    else:
        raise _no_way_down(key, last)


def _descend(target: Any, part: str, key: str) -> Any:
    if isinstance(target, list):
        return target[_index(target, part, key)]
    if isinstance(target, dict):
        if target.get(part) is None:
            target[part] = {}
        return target[part]
    raise _no_way_down(key, part)


def _no_way_down(key: str, part: str) -> ConfigError:
    return ConfigError(
        "an override descends into mappings and lists", value=f"{key} at {part!r}", remedy="Check the key."
    )


def _index(target: list[Any], part: str, key: str) -> int:
    """Find a list item by number, or a stage by its name."""
    if part.isdigit() and int(part) < len(target):
        return int(part)
    for i, item in enumerate(target):
        if item == part or (isinstance(item, dict) and (part in item or item.get("stage") == part)):
            if isinstance(item, str):
                target[i] = {"stage": item}
            elif part in item:
                target[i] = {"stage": part, **(item[part] or {})}
            return i
    raise ConfigError("an override names an existing list item", value=f"{key} at {part!r}", remedy="Check the key.")


_VARIABLES: dict[str, Callable[[str], str | None]] = {
    "env": os.environ.get,
    "python": lambda name: sysconfig.get_paths().get(name),
}


def substitute(value: Any) -> Any:
    """Replace ``${env:NAME}`` and ``${python:stdlib}`` (any name of ``sysconfig.get_paths``) in strings.

    Raises:
        ConfigError: a variable is not set.
    """
    if isinstance(value, dict):
        return {key: substitute(item) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item) for item in value]
    return re.sub(r"\$\{(\w+):(\w+)\}", _variable, value) if isinstance(value, str) else value


def _variable(match: re.Match[str]) -> str:
    kind, name = match.groups()
    found = _VARIABLES[kind](name) if kind in _VARIABLES else None
    if found is None:
        raise ConfigError("a variable is set", value=match.group(0), remedy="Set it, or write the value.")
    return found
