"""Numbers with their nouns."""

import pytest

from tamis.pipeline.counted import counted


@pytest.mark.parametrize(
    ("number", "nouns", "said"),
    [
        (0, ("row",), "0 rows"),
        (1, ("row",), "1 row"),
        (2, ("row",), "2 rows"),
        (12_345, ("row",), "12,345 rows"),
        (1, ("match is", "matches are"), "1 match is"),
        (0, ("match is", "matches are"), "0 matches are"),
    ],
)
def test_singular_and_plural(number, nouns, said):
    assert counted(number, *nouns) == said
