"""Ways in which a record is written badly: each is one edit of the values of a record, drawn by a generator.

An edit takes the values of a record, None where one is missing, and returns others; None where the record has nothing
that the edit could change. Values are written as by profile ``record-v1``, so that a space separates tokens.
"""

from collections.abc import Callable, Sequence

import numpy as np

Values = list[str | None]
Edit = Callable[[Sequence[str | None], np.random.Generator], Values | None]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TYPO_CHARACTERS = 3
_ABBREVIATED_CHARACTERS = 4


def typo(values: Sequence[str | None], rng: np.random.Generator) -> Values | None:
    """Take a character out of a token of three or more, write one too many or another one, or turn two round."""
    at = _drawn(rng, _tokens(values, _TYPO_CHARACTERS))
    if at is None:
        return None
    column, place = at
    token = _split(values[column])[place]
    i = int(rng.integers(len(token)))
    letter = _LETTERS[int(rng.integers(len(_LETTERS)))]
    kind = int(rng.integers(4))
    if kind == 0:
        changed = token[:i] + token[i + 1 :]
    elif kind == 1:
        changed = token[:i] + letter + token[i:]
    elif kind == 2:
        changed = token[:i] + letter + token[i + 1 :]
    else:
        i = min(i, len(token) - 2)
        changed = token[:i] + token[i + 1] + token[i] + token[i + 2 :]
    return _with_token(values, column, place, [changed])


def dropped(values: Sequence[str | None], rng: np.random.Generator) -> Values | None:
    """Leave out a token of a value that has two or more."""
    at = _drawn(rng, [(c, i) for c, value in enumerate(values) if (n := len(_split(value))) > 1 for i in range(n)])
    return None if at is None else _with_token(values, *at, [])


def swapped(values: Sequence[str | None], rng: np.random.Generator) -> Values | None:
    """Turn two neighbouring, different tokens of a value round."""
    split = [_split(value) for value in values]
    at = _drawn(rng, [(c, i) for c, some in enumerate(split) for i in range(len(some) - 1) if some[i] != some[i + 1]])
    if at is None:
        return None
    column, place = at
    tokens = split[column]
    tokens[place : place + 2] = reversed(tokens[place : place + 2])
    return _with(values, column, " ".join(tokens))


def missing(values: Sequence[str | None], rng: np.random.Generator) -> Values | None:
    """Leave out a value of a record that has two or more."""
    there = [(column, 0) for column, value in enumerate(values) if value is not None]
    at = _drawn(rng, there) if len(there) > 1 else None
    return None if at is None else _with(values, at[0], None)


def abbreviated(values: Sequence[str | None], rng: np.random.Generator) -> Values | None:
    """Shorten a token of four or more letters to the first one and a full stop."""
    at = _drawn(rng, [at for at in _tokens(values, _ABBREVIATED_CHARACTERS) if _split(values[at[0]])[at[1]].isalpha()])
    if at is None:
        return None
    column, place = at
    return _with_token(values, column, place, [_split(values[column])[place][0] + "."])


KINDS: dict[str, Edit] = {
    "typo": typo,
    "dropped token": dropped,
    "swapped tokens": swapped,
    "missing value": missing,
    "abbreviation": abbreviated,
}
"""The edits by name."""

_TRIES = 20


def corrupted(values: Sequence[str | None], kind: str, edits: int, rng: np.random.Generator) -> Values | None:
    """Return values after edits of one kind, as many of them as can be made up to ``edits``.

    Returns:
        the values, which differ from the given ones and are not all missing; None: the kind cannot change this record.
    """
    for _ in range(_TRIES):  # edits may undo one another
        changed = list(values)
        for _ in range(edits):
            edited = KINDS[kind](changed, rng)
            if edited is None:
                break
            changed = edited
        if changed != list(values) and any(value is not None for value in changed):
            return changed
    return None


def _split(value: str | None) -> list[str]:
    return [] if value is None else value.split(" ")


def _tokens(values: Sequence[str | None], characters: int) -> list[tuple[int, int]]:
    """Return (column, place) of the tokens of at least so many characters."""
    return [
        (column, place)
        for column, value in enumerate(values)
        for place, token in enumerate(_split(value))
        if len(token) >= characters
    ]


def _drawn(rng: np.random.Generator, some: list[tuple[int, int]]) -> tuple[int, int] | None:
    return some[int(rng.integers(len(some)))] if some else None


def _with_token(values: Sequence[str | None], column: int, place: int, tokens: list[str]) -> Values:
    """Return values with another token, or none, in place of one."""
    split = _split(values[column])
    return _with(values, column, " ".join([*split[:place], *tokens, *split[place + 1 :]]))


def _with(values: Sequence[str | None], column: int, value: str | None) -> Values:
    changed = list(values)
    changed[column] = value or None
    return changed
