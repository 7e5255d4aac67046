"""The language of attribute rules.

    name                      equal values of a column
    name[:3]                  of characters of them; negative numbers count from the end
    words(title)              a word in common; see ``rule_values.FUNCTIONS`` for all functions
    ngrams(title, 4)[:2]      of what a function gives; functions may stand in functions
    zip & soundex(surname)    all of these
    name = title              a column of the left table and one of the right that are named differently
    `date of birth`           a name that is not made of letters, digits and underscores; a backquote in it is doubled

A record for which a part of a rule gives nothing satisfies the rule with no other.
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ...hashing.errors import ConfigError
from .rule_values import FUNCTIONS

_TOKENS = re.compile(r"\s*(?:(?P<name>[^\W\d]\w*)|`(?P<quoted>(?:[^`]|``)+)`|(?P<number>-?\d+)|(?P<mark>[()\[\]:,&=]))")
_MOST_DIGITS = 9
_MOST_CHARACTERS = 1_000


@dataclass(frozen=True)
class Column:
    """The values of a column, named at a position (from 1) of a rule."""

    name: str
    position: int


@dataclass(frozen=True)
class Slice:
    """Characters of values."""

    of: "Part"
    start: int | None
    stop: int | None


@dataclass(frozen=True)
class Call:
    """What a function gives."""

    function: str
    of: "Part"
    numbers: tuple[int, ...]


Part = Column | Slice | Call


@dataclass(frozen=True)
class Term:
    """What must be equal: of the left table and of the right one."""

    left: Part
    right: Part


@dataclass(frozen=True)
class Rule:
    """All of these terms; ``text`` is how it was written."""

    text: str
    terms: tuple[Term, ...]


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int


def parse_rule(text: str) -> Rule:
    """Return a rule as it is written.

    Raises:
        ConfigError: it is none; says where, and what is expected there.

    >>> parse_rule("words(title) & `release year`").terms[1].left
    Column(name='release year', position=16)
    """
    return _Reading(text).rule()


def column_of(part: Part) -> Column:
    """Return the column that a part of a rule reads."""
    while not isinstance(part, Column):
        part = part.of
    return part


def check_column(rule: Rule, part: Part, columns: Iterable[str], table: str) -> None:
    """Make sure that a table has the column of a part of a rule.

    Raises:
        ConfigError: it does not; names the nearest column.
    """
    column, known = column_of(part), list(columns)
    if column.name not in known:
        near = difflib.get_close_matches(column.name, known, n=1)
        raise _error(
            rule.text,
            column.position,
            f"no column {column.name!r} in the {table} table",
            f"Did you mean {near[0]!r}?" if near else f"Its columns are {', '.join(known)}.",
        )


class _Reading:
    """A rule that is being read."""

    def __init__(self, text: str) -> None:
        if len(text) > _MOST_CHARACTERS:
            raise ConfigError(
                f"a rule has at most {_MOST_CHARACTERS:,} characters",
                value=f"{len(text):,}",
                remedy="Write several rules, or shorter ones.",
            )
        self.text = text
        self.tokens = _tokens(text)
        self.at = 0

    def rule(self) -> Rule:
        terms = [self.term()]
        while self.take("&"):
            terms.append(self.term())
        if self.token.kind != "end":
            raise self.expected("'&', '=', '[' or the end")
        return Rule(self.text, tuple(terms))

    def term(self) -> Term:
        left = self.part()
        return Term(left, self.part() if self.take("=") else left)

    def part(self) -> Part:
        token, after = self.token, self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        if token.kind == "name" and after.text == "(" and after.kind == "mark":
            part: Part = self.call()
        elif token.kind in ("name", "quoted"):
            part = Column(token.text, token.position)
            self.at += 1
        else:
            raise self.expected("a column or a function")
        while self.take("["):
            start = self.number()
            self.need(":")
            stop = self.number()
            self.need("]")
            part = Slice(part, start, stop)
        return part

    def call(self) -> Call:
        name = self.token
        function = FUNCTIONS.get(name.text)
        if function is None:
            near = difflib.get_close_matches(name.text, FUNCTIONS, n=1)
            raise _error(
                self.text,
                name.position,
                f"no function {name.text!r}",
                f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(FUNCTIONS)}.",
            )
        self.at += 2
        of = self.part()
        numbers = []
        for least, most in function.numbers:
            self.need(",")
            token, number = self.token, self.number()
            if number is None or not least <= number <= most:
                raise _error(self.text, token.position, f"no number from {least} to {most}", "Mend it.")
            numbers.append(number)
        self.need(")")
        return Call(name.text, of, tuple(numbers))

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def take(self, mark: str) -> bool:
        found = self.token.kind == "mark" and self.token.text == mark
        self.at += found
        return found

    def need(self, mark: str) -> None:
        if not self.take(mark):
            raise self.expected(repr(mark))

    def number(self) -> int | None:
        token = self.token
        if token.kind != "number":
            return None
        if len(token.text) > _MOST_DIGITS:
            raise _error(self.text, token.position, f"{token.text}, which is too long", "Mend the number.")
        self.at += 1
        return int(token.text)

    def expected(self, what: str) -> ConfigError:
        token = self.token
        found = "the end" if token.kind == "end" else repr(token.text)
        return _error(self.text, token.position, found, f"There must be {what}.")


def _tokens(text: str) -> list[_Token]:
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        found = _TOKENS.match(text, at)
        if found is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            remedy = "Put names of other characters than letters, digits and underscores in backquotes: `a name`."
            raise _error(text, start + 1, repr(text[start]), remedy)
        kind = found.lastgroup or ""
        value = found[kind].replace("``", "`") if kind == "quoted" else found[kind]
        tokens.append(_Token(kind, value, found.start(kind) + 1 - (kind == "quoted")))
        at = found.end()
    return [*tokens, _Token("end", "", end + 1)]


def _error(text: str, position: int, found: str, remedy: str) -> ConfigError:
    return ConfigError(
        "a rule is made of columns and functions, as `name[:3] & words(title)`",
        value=f"{found}, at character {position} of {text!r}",
        remedy=remedy,
    )
