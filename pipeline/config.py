"""The configuration: one YAML for every engine.

The models are in ``settings/``; here a file becomes a checked pipeline, an error names the nearest known key, and the
saved configuration says everything, defaults included.
"""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from ..hashing.errors import ConfigError
from ..hashing.redaction import redacted_settings
from .byte_sizes import bytes_of, parse_size
from .mixture import Mixture, Phase, SourceShare
from .selection.settings import Balance, Select
from .settings.inputs import Columns, Input
from .settings.near import Contained, Near, NewIndex, Shingle, UseIndex
from .settings.outputs import Alarm, Folds, Report, Shards, Spark, TokenizerFile
from .settings.overrides import apply_override, substitute
from .settings.pipeline import Pipeline
from .settings.schema import pipeline_schema
from .settings.stages import Benchmark, Decontaminate, Exact, Filter, Paragraphs, Semantic
from .settings_file import read_yaml
from .state import write_atomically

__all__ = [
    "Alarm",
    "Benchmark",
    "Columns",
    "Contained",
    "Decontaminate",
    "Near",
    "NewIndex",
    "Pipeline",
    "Semantic",
    "Shards",
    "Spark",
    "bytes_of",
    "load_config",
    "make_config",
    "parse_size",
    "pipeline_schema",
    "save_config",
]


def load_config(path: str, *, overrides: Iterable[str] = ()) -> Pipeline:
    """Read a YAML pipeline and apply ``a.b=c`` overrides.

    Raises:
        ConfigError: naming the key, the value and, for a key that does not exist, the nearest one.
    """
    raw = read_yaml(path, what="a configuration", start="inputs:")
    for override in overrides:
        apply_override(raw, override)
    try:
        filled = substitute(raw)
    except RecursionError as error:
        raise ConfigError(
            "a configuration does not contain itself", value=f"an alias in {path}", remedy="Write the part out."
        ) from error
    return make_config(filled)


def make_config(raw: Mapping[str, Any]) -> Pipeline:
    """Return a checked pipeline.

    Raises:
        ConfigError: for the first thing that is wrong.
    """
    try:
        return Pipeline.model_validate(raw)
    except ValidationError as error:
        raise _config_error(error) from None


def _config_error(error: ValidationError) -> ConfigError:
    errors = error.errors()
    first = next((fault for fault in errors if fault["type"] == "extra_forbidden"), errors[0])  # often a mistyped name
    where = ".".join(str(part) for part in first["loc"]) or "configuration"
    if first["type"] == "extra_forbidden":
        name = str(first["loc"][-1])
        near = difflib.get_close_matches(name, _known_keys(), n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else "`tamis schema` lists all keys."
        return ConfigError("a configuration has known keys only", value=f"{where!r}", remedy=remedy)
    return ConfigError(
        f"`{where}`: {first['msg'].removeprefix('Value error, ')}",
        value=repr(first.get("input"))[:200],
        remedy="Change it; `tamis schema` says what it may be.",
    )


def _known_keys() -> list[str]:
    sections = (Pipeline, Input, Columns, Shards, Folds, TokenizerFile, Alarm, Report, Spark)
    stages = (
        Filter,
        Decontaminate,
        Benchmark,
        Exact,
        Near,
        Contained,
        Semantic,
        Balance,
        Select,
        Paragraphs,
        UseIndex,
        NewIndex,
        Shingle,
    )
    models: tuple[type[BaseModel], ...] = (*sections, *stages, Mixture, SourceShare, Phase)
    return sorted({name for model in models for name in model.model_fields})


def save_config(config: Pipeline, path: Path) -> None:
    """Write the resolved configuration as YAML, whole or not at all, without secrets."""
    settings = redacted_settings(config.model_dump(mode="json"))
    write_atomically(path, yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
