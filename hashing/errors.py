"""Every error a user can meet, in one tree.

    TamisError                    exit code
    |-- ConfigError               2   a setting that cannot be
    |-- InputError                3   an input that cannot be read as asked
    |   `-- BadRowError           3   one record broke a row rule under ``on_error: fail``
    |-- ArtefactError             4   a file of ours is damaged, foreign or of another version
    |-- LedgerError               5   rows were lost or doubled: never ship such output
    |-- LossAlarm                 6   a source lost nearly everything; the run stopped before ``_SUCCESS``
    `-- EngineError               7   the engine could not do the work (memory, disk, dependency)

Each says which rule was broken, by which value, and what to do. The tree lives in the lowest
layer so that every layer can raise from it.
"""

from collections.abc import Callable

from .redaction import redacted


class TamisError(Exception):
    """Base of all errors raised on purpose.

    Args:
        rule: what must hold, as a sentence without a final stop.
        value: what was found instead; secrets in URLs are not shown.
        remedy: what the user can do about it.
    """

    exit_code = 1

    def __init__(self, rule: str, *, value: object, remedy: str) -> None:
        self.rule = rule
        self.value = redacted(value) if isinstance(value, str) else value
        self.remedy = remedy
        super().__init__(f"{rule}; found {redacted(str(value))}. {remedy}")

    def __reduce__(self) -> tuple[Callable[..., "TamisError"], tuple[type["TamisError"], str, str, str]]:
        """Survive a process boundary; the value arrives as text."""
        return (_rebuild, (type(self), self.rule, redacted(str(self.value)), self.remedy))


def _rebuild(kind: type[TamisError], rule: str, value: object, remedy: str) -> TamisError:
    return kind(rule, value=value, remedy=remedy)


class ConfigError(TamisError):
    """A setting that cannot be."""

    exit_code = 2


class InputError(TamisError):
    """An input that cannot be read as asked."""

    exit_code = 3


class BadRowError(InputError):
    """A record that breaks a row rule while ``on_error`` is ``fail``."""


class ArtefactError(TamisError):
    """A file of ours that is damaged, foreign, or of another version."""

    exit_code = 4


class LedgerError(TamisError):
    """Rows in differ from rows accounted for."""

    exit_code = 5


class LossAlarm(TamisError):
    """A source lost nearly all its rows, and nobody said that this is wanted."""

    exit_code = 6


class EngineError(TamisError):
    """The engine could not do the work."""

    exit_code = 7
