"""Sizes in bytes, written as ``2GB`` or ``512MiB``."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from ...hashing.errors import ConfigError

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
          "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}  # fmt: skip


def parse_size(value: object) -> object:
    """Return the bytes of a size like ``2GB`` or ``512MiB``; anything else as it is, for pydantic to judge.

    >>> parse_size("2GB")
    2000000000
    """
    if isinstance(value, str) and (match := re.fullmatch(r"\s*([0-9.]+)\s*([A-Za-z]*)\s*", value)):
        number, unit = match.groups()
        if unit.lower() in _UNITS and number.count(".") <= 1 and number != "." and len(number) < 20:
            return int(float(number) * _UNITS[unit.lower()])
    return value


def bytes_of(size: str) -> int:
    """Return a size in bytes, written as in configurations.

    Raises:
        ConfigError: if it is none.

    >>> bytes_of("2GB")
    2000000000
    """
    found = parse_size(size)
    if not isinstance(found, int) or found < 1:
        raise ConfigError("a size is a number of bytes", value=size, remedy="Write it as 2GB or 512MiB.")
    return found


_SIZE_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "examples": ["2GB", "512MiB"]}]}
_TABLE_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "examples": ["256MiB"]}]}

Size = Annotated[int, BeforeValidator(parse_size), Field(gt=0), WithJsonSchema(_SIZE_SCHEMA)]
TableSize = Annotated[int, BeforeValidator(parse_size), Field(ge=0), WithJsonSchema(_TABLE_SCHEMA)]
