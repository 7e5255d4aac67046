"""Sizes in bytes as settings: numbers, or ``2GB`` and ``512MiB``."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from ..byte_sizes import parse_size

LEAST_MEMORY_BYTES = 128 << 20

_SIZE_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "examples": ["2GB", "512MiB"]}]}
_TABLE_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "examples": ["256MiB"]}]}


def _size(value: object) -> object:
    parsed = parse_size(value)
    if isinstance(parsed, str):
        raise ValueError("a size is a number of bytes, or written as 2GB or 512MiB")
    return parsed


def _enough(size: int) -> int:
    if size < LEAST_MEMORY_BYTES:
        raise ValueError("a run takes 128MiB of memory or more: write it as 2GB or 512MiB")
    return size


Size = Annotated[int, BeforeValidator(_size), Field(gt=0), WithJsonSchema(_SIZE_SCHEMA)]
MemorySize = Annotated[int, BeforeValidator(_size), AfterValidator(_enough), WithJsonSchema(_SIZE_SCHEMA)]
TableSize = Annotated[int, BeforeValidator(_size), Field(ge=0), WithJsonSchema(_TABLE_SCHEMA)]
