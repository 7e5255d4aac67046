"""A blocker by attribute rules: pairs of records that satisfy one of some rules, as ``rule_language`` has them.

The rarer what two records share, the more it tells: the score of a pair is the cosine of ``key_search`` over the keys
that all rules give, so that the best k of a record, or the best pairs of all, are a useful choice.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pyarrow as pa

from ...hashing.errors import ConfigError, InputError
from ...hashing.key_blocks import Blocked, Keys
from ...hashing.key_products import product_keys
from ...hashing.mix import derive_seed
from ...hashing.murmur3 import murmur3_all
from ..text_column import text_buffers
from .key_search import KeySearch, SharedKeys, key_search
from .records import Records
from .rule_language import Column, Part, Rule, Slice, check_column, parse_rule
from .rule_values import FUNCTIONS, Values, column_values, sliced

RULES = "rules"
"""What this blocker is called in tables of pairs."""

MOST_KEYS = 10_000
"""Keys of one record by one rule."""

_SEED = np.uint64(derive_seed(0, "rules"))


def rule_search(
    left: Records,
    right: Records | None,
    rules: Sequence[str],
    k: int | None = None,
    *,
    exclude: Sequence[str] = (),
    max_block: int | None = None,
) -> KeySearch:
    """Prepare to find for each record of the left table those of the right one with which it satisfies a rule.

    The score is above 0 and up to 1, which is that of two records that share all the keys that either shares with any
    record of the other table. Of equal scores the lower id comes first, as bytes.

    Args:
        left: the records that are queried with, with their values.
        right: the records that are searched; None: the left ones are one table with duplicates in it.
        rules: a pair satisfies one or more of them.
        k: best ones of each record; None: all.
        exclude: rules that no pair may satisfy; they are judged pair by pair, whatever the size of blocks.
        max_block: most pairs of a block that is used; None: see ``purging``.

    Raises:
        ConfigError: a rule is none, a column is not there, k or max_block is below 1.
        InputError: a rule gives a record more than ``MOST_KEYS`` keys.
    """
    if not rules:
        raise ConfigError("there is a rule to block by", value="none", remedy="Name one or more.")
    parsed = [_checked(text, left, right) for text in rules]
    families = [_keys_of_both(rule, left, right) for rule in parsed]
    return key_search(
        RULES,
        families,
        left,
        right,
        lambda found, block: _described(parsed[found.families[block]], found, block, left, right),
        k=k,
        max_block=max_block,
        excluded=shared_keys(exclude, left, right) if exclude else None,
    )


def shared_keys(rules: Sequence[str], left: Records, right: Records | None) -> SharedKeys:
    """Return the judge of pairs that satisfy one of some rules, whatever the size of blocks.

    Args:
        rules: one or more.
        left, right: as in ``rule_search``.

    Raises:
        ConfigError, InputError: as in ``rule_search``.
    """
    families = [_keys_of_both(_checked(text, left, right), left, right) for text in rules]
    rows = np.concatenate([np.repeat(np.arange(len(keys.bounds) - 1), np.diff(keys.bounds)) for keys in families])
    values = np.concatenate([keys.values ^ np.uint64(derive_seed(i, "rule")) for i, keys in enumerate(families)])
    order = np.lexsort((values, rows))
    counts = np.bincount(rows, minlength=len(families[0].bounds) - 1)
    return SharedKeys(np.append(0, np.cumsum(counts)), values[order], 0 if right is None else len(left))


def _checked(text: str, left: Records, right: Records | None) -> Rule:
    rule = parse_rule(text)
    for term in rule.terms:
        check_column(rule, term.left, left.values, "left")
        if right is not None:
            check_column(rule, term.right, right.values, "right")
        elif term.left is not term.right:
            raise ConfigError(
                "a rule within one table names each column once", value=repr(text), remedy="Leave out `= ...`."
            )
    return rule


def _values(part: Part, columns: dict[str, pa.Array]) -> Values:
    """Return the values of a part of a rule."""
    if isinstance(part, Column):
        return column_values(columns[part.name])
    of = _values(part.of, columns)
    return (
        sliced(of, part.start, part.stop)
        if isinstance(part, Slice)
        else FUNCTIONS[part.function].apply(of, *part.numbers)
    )


def _keys_of_both(rule: Rule, left: Records, right: Records | None) -> Keys:
    """Return the keys that a rule gives the left records and behind them the right ones."""
    one = _keys([term.left for term in rule.terms], rule, left)
    if right is None:
        return one
    other = _keys([term.right for term in rule.terms], rule, right)
    bounds = np.append(one.bounds, one.bounds[-1] + other.bounds[1:])
    return Keys(bounds, np.append(one.values, other.values))


def _keys(parts: Sequence[Part], rule: Rule, records: Records) -> Keys:
    keys: Keys | None = None
    for part in parts:
        values = _values(part, records.values)
        more = _hashed(values)
        counts = np.diff(more.bounds) * (1 if keys is None else np.diff(keys.bounds))
        if counts.max(initial=0) > MOST_KEYS:
            raise InputError(
                f"a rule gives a record at most {MOST_KEYS:,} keys",
                value=f"{counts.max():,} of {rule.text!r} for {records.ids[int(counts.argmax())].as_py()!r}",
                remedy="Combine fewer functions that give many values each.",
            )
        keys = more if keys is None else product_keys(keys, more)
    if keys is None:
        raise ConfigError("a rule has a term", value=repr(rule.text), remedy="Name a column.")
    return keys


def _hashed(values: Values) -> Keys:
    data, offsets = text_buffers(values.texts)
    return Keys(values.bounds, murmur3_all(data, offsets, _SEED)[:, 0].copy())


def _described(rule: Rule, found: Blocked, block: int, left: Records, right: Records | None) -> str:
    """Return the rule of a block and what its records share."""
    row = int(found.firsts[block])
    records, side = (left, 0) if right is None or row < len(left) else (right, 1)
    row -= 0 if side == 0 else len(left)
    columns = {name: column.slice(row, 1) for name, column in records.values.items()}
    parts = [term.right if side else term.left for term in rule.terms]
    one = Records(records.ids.slice(row, 1), records.texts.slice(row, 1), records.marked.slice(row, 1), (), columns)
    keys = _keys(parts, rule, one).values
    texts = product(*(_values(part, columns).texts.to_pylist() for part in parts))
    shared = next(some for key, some in zip(keys, texts, strict=True) if key == found.keys[block])
    return f"{rule.text}: {' & '.join(shared)}"
