"""Other ways to write a record: what its copies in other tables may look like.

Each change is drawn from a generator that the caller keys, so that a view of a record is the same wherever it is made.
The operators are those of Ditto (Li et al. 2020) and Sudowoodo (Wang et al. 2023), and typing errors.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from ...hashing.errors import ConfigError

Attributes = list[tuple[str, str]]
"""Names and values of a record, those that it has."""


@dataclass(frozen=True)
class Augmentation:
    """How often what is changed; each a share from 0 to 1.

    Attributes:
        attributes: of attributes that are left out.
        tokens: of tokens that are left out.
        typos: of tokens that get a typing error: a letter lost, doubled, or changed places with the next.
        shuffled: of records whose attributes change places.
        turned: of attributes whose tokens change places.
        cut: of attributes that end early.
    """

    attributes: float = 0.1
    tokens: float = 0.1
    typos: float = 0.02
    shuffled: float = 0.2
    turned: float = 0.05
    cut: float = 0.1

    def __post_init__(self) -> None:
        """Refuse shares that cannot be."""
        for part in fields(self):
            share = getattr(self, part.name)
            if not 0.0 <= share <= 1.0:
                raise ConfigError(
                    f"`{part.name}` of an augmentation is a share from 0 to 1", value=share, remedy="Mend it."
                )


def attributes_of(marked: str, columns: Sequence[str]) -> Attributes:
    """Return the attributes of a record from its marked text.

    A mark within a value is taken for that of a column if such a column may follow there.

    >>> attributes_of("COL name VAL Sony TV COL price VAL 5", ["name", "colour", "price"])
    [('name', 'Sony TV'), ('price', '5')]
    """
    if not columns:
        return []
    names = "|".join(re.escape(name) for name in sorted(columns, key=len, reverse=True))
    place = {name: i for i, name in enumerate(columns)}
    found: Attributes = []
    last, start = -1, 0
    for mark in re.finditer(f"(?:^| )COL ({names}) VAL ", marked):
        if place[mark[1]] <= last:
            continue
        if found:
            found[-1] = (found[-1][0], marked[start : mark.start()])
        found.append((mark[1], ""))
        last, start = place[mark[1]], mark.end()
    if found:
        found[-1] = (found[-1][0], marked[start:])
    return found


def written(attributes: Attributes, marked: bool) -> str:
    """Return attributes as a text: with the names of their columns, or their values alone."""
    return " ".join(f"COL {name} VAL {value}" if marked else value for name, value in attributes)


def augmented(attributes: Attributes, how: Augmentation, rng: np.random.Generator) -> Attributes:
    """Return a view of a record; one of which nothing would be left stays as it is."""
    kept = [
        pair for pair, drawn in zip(attributes, rng.random(len(attributes)), strict=True) if drawn >= how.attributes
    ]
    changed = [(name, _changed(value, how, rng)) for name, value in kept]
    changed = [pair for pair in changed if pair[1]]
    if rng.random() < how.shuffled:
        changed = [changed[i] for i in rng.permutation(len(changed))]
    return changed or attributes


def _changed(value: str, how: Augmentation, rng: np.random.Generator) -> str:
    tokens = value.split()
    drawn = rng.random((2, len(tokens)))
    tokens = [
        _mistyped(token, rng) if typo < how.typos else token
        for token, kept, typo in zip(tokens, *drawn, strict=True)
        if kept >= how.tokens
    ]
    cut, turned = rng.random(2)
    if cut < how.cut and len(tokens) > 1:
        tokens = tokens[: int(rng.integers(1, len(tokens)))]
    if turned < how.turned:
        tokens = [tokens[i] for i in rng.permutation(len(tokens))]
    return " ".join(tokens)


def _mistyped(token: str, rng: np.random.Generator) -> str:
    """Return a token of two letters or more with one typing error."""
    if len(token) < 2:
        return token
    kind, at = int(rng.integers(3)), int(rng.integers(len(token) - 1))
    before, this, following, after = token[:at], token[at], token[at + 1], token[at + 2 :]
    return before + (following, this + this + following, following + this)[kind] + after
