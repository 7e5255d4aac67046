"""Why a line of JSON Lines is not a record.

Python's ``json`` judges single lines: those that pyarrow refuses, to name the rule they break, and those with numbers
that pyarrow may have rounded.
"""

import json
import math
import re
from typing import Any

import numpy as np
import pyarrow as pa

from .schema import gather

BLANK_LINE = "blank-line"
INVALID_UTF8 = "invalid-utf8"
INVALID_JSON = "invalid-json"
NOT_AN_OBJECT = "not-an-object"
LONE_SURROGATE = "lone-surrogate"
DUPLICATE_KEY = "duplicate-key"
TOO_DEEP = "too-deep"
INEXACT_NUMBER = "inexact-number"
"""An integer outside int64, or one that its float64 column would round, or a number too large for a float64."""
WRONG_TYPE = "wrong-type"

SPACES = b" \t\r"

MAX_DEPTH = 64
"""How deep objects and lists may nest, the record included: what Arrow's own file format allows."""

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


class _Broken(Exception):
    def __init__(self, rule: str) -> None:
        self.rule = rule


def fault(line: bytes, kind: pa.DataType | None = None) -> str:
    """Return the rule that a line breaks, or "".

    Args:
        line: without its newline.
        kind: the struct that records must fit, if that is known.
    """
    try:
        record = _load(line)
    except _Broken as broken:
        return broken.rule
    return _misfit(record, kind) if kind is not None else ""


def kind_of(line: bytes, known: dict[Any, pa.DataType]) -> pa.DataType | None:
    """Return the type of a line, or None if no record is like it.

    Args:
        line: without its newline.
        known: types by shape, filled in here.
    """
    try:
        shape = _shape(_load(line))
    except _Broken:
        return None
    if shape not in known:
        known[shape] = _kind(shape)
    return known[shape]


def depth(line: bytes) -> int:
    """Return how deep objects and lists nest in a line.

    >>> depth(b'{"a": [[]], "b": "]["}')
    3
    """
    bare = np.frombuffer(_STRING.sub(b"", line), np.uint8) | 0x20  # [ and { differ in this bit alone, as do ] and }
    steps = (bare == ord("{")).astype(np.int32) - (bare == ord("}"))
    return int(np.cumsum(steps).max(initial=0))


def is_too_deep(line: bytes) -> bool:
    """Whether a line nests deeper than ``MAX_DEPTH``."""
    return line.count(b"{") + line.count(b"[") > MAX_DEPTH and depth(line) > MAX_DEPTH


def _load(line: bytes) -> dict[str, Any]:
    if not line.strip(SPACES):
        raise _Broken(BLANK_LINE)
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Broken(INVALID_UTF8) from error
    if is_too_deep(line):
        raise _Broken(TOO_DEEP)
    try:
        record = _DECODER.decode(text)
    except ValueError as error:
        raise _Broken(INVALID_JSON) from error
    if not isinstance(record, dict):
        raise _Broken(NOT_AN_OBJECT)
    if b"\\u" in line and _has_surrogate(record):
        raise _Broken(LONE_SURROGATE)
    return record


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Broken(DUPLICATE_KEY)
    return found


def _integer(digits: str) -> int:
    if len(digits) > 18 and (len(digits) > 20 or not -(2**63) <= int(digits) < 2**63):
        raise _Broken(INEXACT_NUMBER)
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _Broken(INEXACT_NUMBER)
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float)


def _has_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, dict):
        return any(_has_surrogate(k) or _has_surrogate(v) for k, v in value.items())
    return isinstance(value, list) and any(map(_has_surrogate, value))


def _misfit(value: Any, kind: pa.DataType) -> str:
    """Return the rule that a value breaks in a column of a type, or ""."""
    if value is None:
        return ""
    if isinstance(value, dict) and pa.types.is_struct(kind):
        places = {name: kind.get_field_index(name) for name in value}
        if min(places.values(), default=0) < 0:
            return WRONG_TYPE
        return next(filter(None, (_misfit(value[name], kind.field(at).type) for name, at in places.items())), "")
    if isinstance(value, list) and pa.types.is_list(kind):
        return next(filter(None, (_misfit(item, kind.value_type) for item in value)), "")
    if isinstance(value, int) and not isinstance(value, bool):
        if pa.types.is_floating(kind):
            return "" if int(float(value)) == value else INEXACT_NUMBER
        return "" if pa.types.is_integer(kind) else WRONG_TYPE
    fits = {bool: pa.types.is_boolean, float: pa.types.is_floating, str: _is_string}.get(type(value))
    return "" if fits is not None and fits(kind) else WRONG_TYPE


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


_SCALARS = {type(None): pa.null(), bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}


def _shape(value: Any) -> Any:
    """Return what the type of a value depends on, hashable: a scalar's class, (items,) or ((name, value), ...)."""
    if isinstance(value, dict):
        return (dict, tuple((name, _shape(item)) for name, item in value.items()))
    if isinstance(value, list):
        return (list, tuple(dict.fromkeys(map(_shape, value))))
    return type(value)


def _kind(shape: Any) -> pa.DataType:
    if not isinstance(shape, tuple):
        return _SCALARS[shape]
    container, parts = shape
    if container is dict:
        return pa.struct([(name, _kind(part)) for name, part in parts])
    item = pa.null()
    for part in parts:
        item = gather(item, _kind(part))
    return pa.list_(item)
