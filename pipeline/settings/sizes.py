"""Sizes in bytes as settings: numbers, or ``2GB`` and ``512MiB``."""

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from ..byte_sizes import parse_size

_SIZE_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "examples": ["2GB", "512MiB"]}]}
_TABLE_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "examples": ["256MiB"]}]}

Size = Annotated[int, BeforeValidator(parse_size), Field(gt=0), WithJsonSchema(_SIZE_SCHEMA)]
MemorySize = Annotated[int, BeforeValidator(parse_size), Field(ge=128 * 2**20), WithJsonSchema(_SIZE_SCHEMA)]
TableSize = Annotated[int, BeforeValidator(parse_size), Field(ge=0), WithJsonSchema(_TABLE_SCHEMA)]
