"""Settings in YAML, and what models of settings have in common."""

from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict
from yaml.composer import ComposerError

from ..hashing.errors import ConfigError

NOT_YAML = (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)
"""What PyYAML raises: it leaves the errors of what it calls (dates, numbers, deep nesting) as they are."""


class _Loader(yaml.SafeLoader):
    """Refuses a mapping that has a key twice, as YAML does; PyYAML drops the first one without a word."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Return a mapping as it is written, before merge keys are followed."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise ComposerError(None, None, f"found the key {key.value!r} twice", key.start_mark)
                seen.add(key.value)
        return node


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
            raw = yaml.load(stream, Loader=_Loader)
    except OSError as error:
        raise ConfigError(
            f"the file of {what} can be read", value=f"{path}: {error.strerror}", remedy="Check the path."
        ) from error
    except NOT_YAML as error:
        raise ConfigError(f"{what} is YAML", value=f"{path}: {error}", remedy="Mend that line.") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{what} is a mapping of settings", value=f"{path}: {raw!r}", remedy=f"Start with `{start}`.")
    return raw
