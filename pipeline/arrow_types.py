"""Arrow types by their names, as manifests hold them: what is in lists and structs."""

import re
from dataclasses import dataclass

_LIST = re.compile(r"(?:large_)?(?:list|list_view)<(.*)>|fixed_size_list<(.*)>\[\d+\]", re.DOTALL)
_STRUCT = re.compile(r"struct<(.*)>", re.DOTALL)
_DICTIONARY = re.compile(r"dictionary<values=(.*), indices=\w+, ordered=\w+>", re.DOTALL)
_NOT_NULL = " not null"


@dataclass(frozen=True)
class ArrowType:
    """A type without its wrappings.

    Attributes:
        leaf: its name, of the innermost items if it is a list; ``struct`` for a struct.
        depth: how many lists are around it.
        fields: of a struct, by name.
    """

    leaf: str
    depth: int = 0
    fields: tuple[tuple[str, "ArrowType"], ...] = ()


def arrow_type(name: str) -> ArrowType:
    """Return the type of a name.

    >>> arrow_type("list<element: large_list<item: int8 not null>>")
    ArrowType(leaf='int8', depth=2, fields=())
    """
    name = name.removesuffix(_NOT_NULL)
    if match := _DICTIONARY.fullmatch(name):
        return arrow_type(match[1])
    if match := _LIST.fullmatch(name):
        inner = arrow_type(_typed(match[1] or match[2])[1])
        return ArrowType(inner.leaf, inner.depth + 1, inner.fields)
    if match := _STRUCT.fullmatch(name):
        return ArrowType("struct", 0, tuple((key, arrow_type(kind)) for key, kind in map(_typed, _parts(match[1]))))
    return ArrowType(name)


def _typed(text: str) -> tuple[str, str]:
    """Return (name, type) of ``name: type``."""
    name, _, kind = text.partition(": ")
    return name, kind


def _parts(text: str) -> list[str]:
    """Cut at commas that are in no brackets."""
    parts, depth, start = [], 0, 0
    for i, letter in enumerate(text):
        depth += (letter in "<[(") - (letter in ">])")
        if letter == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 2
    return [*parts, text[start:]] if text else []
