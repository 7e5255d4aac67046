import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    "name",
    [
        "hashing.ngrams",
        "pipeline.blocking.measures",
        "pipeline.blocking.records",
        "pipeline.blocking.rule_language",
        "pipeline.blocking.soundex",
    ],
)
def test_examples(name):
    found = doctest.testmod(import_module(f"tamis.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
