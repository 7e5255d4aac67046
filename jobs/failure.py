"""Errors of tasks, written down for the driver: Spark tells it their text only.

They are JSON: what a driver reads from a folder that others can write must not be able to run anything.
"""

import builtins
import json
from typing import TypeGuard

from ..hashing import errors
from ..hashing.errors import TamisError


def written(error: BaseException, trace: str) -> str:
    """Return an error as JSON."""
    if isinstance(error, TamisError):
        return json.dumps({"kind": type(error).__name__, "said": [error.rule, str(error.value), error.remedy]})
    return json.dumps({"kind": type(error).__name__, "said": [str(error)], "trace": trace})


def read(text: str) -> Exception:
    """Return the error that was written: one of ours or of Python's as itself, any other as a ``RuntimeError``."""
    found = json.loads(text)
    name, said = str(found["kind"]), [str(part) for part in found["said"]]
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, TamisError):
        return kind(said[0], value=said[1], remedy=said[2])
    plain = getattr(builtins, name, None)
    error = plain(said[0]) if _plain(plain) else RuntimeError(f"{name}: {said[0]}")
    error.add_note(str(found.get("trace", "")))
    return error


def _plain(kind: object) -> TypeGuard[type[Exception]]:
    """Whether something is an error that takes a text alone."""
    return isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, UnicodeError)
