"""Saturated coverage against its formula."""

import numpy as np
import pytest

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.selection.dense_columns import dense_columns
from tamis.hashing.selection.saturated_coverage import SaturatedCoverage

from . import set_cases


def test_golden_gains():
    function = SaturatedCoverage(set_cases.graph(set_cases.GOLDEN), 0.5)  # rows are full at 1.0, 1.05 and 0.65
    assert function.gains(np.arange(3)).tolist() == pytest.approx([2.0, 2.1, 0.95], abs=1e-8)
    assert [function.add(j) for j in (1, 0, 2)] == pytest.approx([2.1, 0.25, 0.35], abs=1e-8)


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_gains_are_those_of_the_formula(share):
    made = set_cases.vectors(5, 8)
    similarities = set_cases.cosines(made)

    def value(chosen):
        return set_cases.saturated_coverage(similarities, chosen, share)

    for columns in (dense_columns(made), dense_columns(made, memory=0), set_cases.graph(similarities)):
        set_cases.check_against(SaturatedCoverage(columns, share), value, [7, 2, 3, 0])


def test_what_is_refused():
    with pytest.raises(InputError, match="not negative; found -0.5"):
        SaturatedCoverage(set_cases.graph([[1.0, -0.5], [0.0, 1.0]]), 0.5)
    with pytest.raises(ConfigError, match="share"):
        SaturatedCoverage(set_cases.graph(set_cases.GOLDEN), 0.0)
