"""Settings in YAML, and what models of settings have in common."""

from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from ..hashing.errors import ConfigError

NOT_YAML = (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)
"""What PyYAML raises: it leaves the errors of what it calls (dates, numbers, deep nesting) as they are."""


class Model(BaseModel):
    """A section of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_mixture(value: object) -> object:
    """Return the settings in a file, for a path; anything else as it is."""
    if not isinstance(value, str):
        return value
    return read_yaml(value, what="a mixture", start="sources:")


def read_yaml(path: str, *, what: str, start: str) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Raises:
        ConfigError: naming the file and what is wrong with it.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            raw = yaml.safe_load(stream)
    except OSError as error:
        raise ConfigError(
            f"the file of {what} can be read", value=f"{path}: {error.strerror}", remedy="Check the path."
        ) from error
    except NOT_YAML as error:
        raise ConfigError(f"{what} is YAML", value=f"{path}: {error}", remedy="Mend that line.") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{what} is a mapping of settings", value=f"{path}: {raw!r}", remedy=f"Start with `{start}`.")
    return raw
