import doctest
from importlib import import_module

import pytest

MODULES = [
    "hashing.ngrams",
    "pipeline.blocking.measures",
    "pipeline.blocking.recapture",
    "pipeline.blocking.records",
    "pipeline.blocking.rule_language",
    "pipeline.blocking.soundex",
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    found = doctest.testmod(import_module(f"tamis.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
