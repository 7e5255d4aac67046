"""Inputs that are sources by the ends of their paths."""

import re

import pytest

from tamis.connectors.corpus import InputSpec
from tamis.hashing.errors import ConfigError
from tamis.pipeline.own_names import check_own_names


@pytest.mark.parametrize(
    "inputs",
    [
        [],
        [InputSpec("a/train"), InputSpec("a/test")],
        [InputSpec("a/train", source="a"), InputSpec("b/train")],
        [InputSpec("a/train", source="wiki"), InputSpec("b/train", source="wiki")],  # one source, as it says
    ],
)
def test_names_of_their_own(inputs):
    check_own_names(inputs, remedy="Rename one.")


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([InputSpec("a/train"), InputSpec("b/train/")], "'train' more than once: a/train, b/train/"),
        ([InputSpec("a/wiki"), InputSpec("b", source="wiki")], "'wiki' more than once: a/wiki, b"),
        ([InputSpec("x"), InputSpec("s3://user:word@b/x?key=1")], "'x' more than once: x, s3://"),
        (
            [InputSpec("b/y"), InputSpec("b/x"), InputSpec("c/x"), InputSpec("c/y")],
            "'x' more than once: b/x, c/x; 'y' more than once: b/y, c/y",
        ),
    ],
)
def test_names_that_two_inputs_have(inputs, said):
    with pytest.raises(ConfigError, match=re.escape(said)) as found:
        check_own_names(inputs, remedy="Rename one.")
    assert "word" not in str(found.value)
    assert "Rename one." in str(found.value)
