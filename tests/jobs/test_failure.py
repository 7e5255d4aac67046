import json

import pytest

from tamis.hashing.errors import BadRowError, LedgerError
from tamis.jobs.failure import read, written


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (BadRowError("a rule", value=7, remedy="Mend it."), BadRowError, "a rule; found 7. Mend it."),
        (LedgerError("rows", value="1", remedy="No."), LedgerError, "rows; found 1. No."),
        (ZeroDivisionError("on purpose"), ZeroDivisionError, "on purpose"),
        (KeyError("k"), KeyError, "\"'k'\""),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "no"), RuntimeError, "UnicodeDecodeError: 'utf-8' codec"),
        (SystemExit(3), RuntimeError, "SystemExit: 3"),
    ],
)
def test_errors_come_back_as_themselves(error, kind, text):
    found = read(written(error, "the trace"))
    assert type(found) is kind
    assert str(found).startswith(text)


def test_names_of_other_things_are_no_errors():
    for name in ("eval", "print", "TamisError.__init__", "redacted", "Callable"):
        found = read(json.dumps({"kind": name, "said": ["1 + 1"]}))
        assert type(found) is RuntimeError
