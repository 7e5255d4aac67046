"""Weights to amounts, by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tamis.hashing.errors import ConfigError
from tamis.pipeline.allocation import allocate
from tamis.pipeline.mixture import Mixture, mixture_schema, parse_count

HELD = {"books": 100, "web": 1000, "wiki": 300}


def mixture(**settings):
    return Mixture.model_validate({"sources": {"books": 1, "web": 1, "wiki": 2}} | settings)


def test_a_budget_is_dealt_by_weight():
    plan = allocate(mixture(budget=200), HELD)
    assert plan.names == ("books", "web", "wiki")
    assert plan.available.tolist() == [100, 1000, 300]
    assert plan.wanted.tolist() == [50, 50, 100]
    assert plan.short.tolist() == [0, 0, 0]


def test_without_a_budget_the_scarcest_source_is_used_up():
    plan = allocate(mixture(), HELD)
    assert plan.wanted.tolist() == [100, 100, 200]


def test_a_cap_leaves_a_source_short_and_the_others_as_they_are():
    plan = allocate(mixture(budget=2000, max_epochs=2), HELD)
    assert plan.wanted.tolist() == [500, 500, 1000]
    assert plan.limit.tolist() == [200, 2000, 600]
    assert plan.short.tolist() == [300, 0, 400]


def test_a_source_has_a_cap_of_its_own():
    sources = {"books": {"weight": 1, "max_epochs": 4.5}, "web": 1, "wiki": 1}
    assert allocate(mixture(sources=sources), HELD).limit.tolist() == [450, 1000, 300]


@pytest.mark.parametrize("epochs", [1e17, 1e300])
def test_a_cap_may_be_out_of_reach(epochs):
    assert allocate(mixture(budget=2**53, max_epochs=epochs), HELD).short.tolist() == [0, 0, 0]
    assert allocate(mixture(max_epochs=epochs), HELD).wanted.tolist() == [2**52, 2**52, 2**53]


def test_phases_take_one_piece_after_another():
    phases = [{"name": "main", "share": 3}, {"name": "anneal", "share": 1, "weights": {"books": 1}}]
    plan = allocate(mixture(budget=400, phases=phases), HELD)
    assert plan.bounds.tolist() == [[0, 75, 175], [0, 75, 75], [0, 150, 150]]


@pytest.mark.parametrize(
    ("text", "number"), [("300M", 300_000_000), ("1.5B", 1_500_000_000), ("2T", 2 * 10**12), ("10k", 10_000)]
)
def test_counts_have_suffixes(text, number):
    assert mixture(budget=text).budget == number


@pytest.mark.parametrize("text", ["M", "1.2.3B", "-3M", "12X", "1e9M", "\u00b2k", "9" * 400 + "k"])
def test_counts_that_are_none(text):
    assert parse_count(text) == text
    with pytest.raises(ValidationError):
        mixture(budget=text)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sources": {}}, "at least 1"),
        ({"sources": {"a": 0}}, "some source has a weight above 0"),
        ({"sources": {"a": -1}}, "greater than or equal to 0"),
        ({"sources": {"a": float("nan")}}, "finite"),
        ({"phases": [{"name": "a", "share": 1}, {"name": "a", "share": 1}]}, "names of their own"),
        ({"phases": [{"name": "a", "share": 1, "weights": {"blogs": 1}}]}, "weights blogs"),
        ({"phases": [{"name": "a/b", "share": 1}]}, "pattern"),
        ({"sources": {"a": 1e308, "b": 1e308}}, "add up to a number"),
        ({"phases": [{"name": "a", "share": 1e308}, {"name": "b", "share": 1e308}]}, "add up to a number"),
        ({"sources": {None: 1}}, "the name of a source is text, not None: put it in quotes"),
        ({"sources": {2020: 1}}, "not 2020: put it in quotes"),
        ({"budget": 10**30}, "less than or equal to 9007199254740992"),
        ({"wieght": 1}, "extra"),
        ({"version": 2}, "1"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        mixture(**settings)


def test_sources_are_those_that_there_are():
    with pytest.raises(ConfigError, match="a mixture weights every source; found no weight for 'web'"):
        allocate(mixture(sources={"books": 1, "wiki": 1}), HELD)
    with pytest.raises(ConfigError, match="names sources that have rows to train on; found 'blogs'"):
        allocate(mixture(sources={"books": 1, "wiki": 1, "web": 0, "blogs": 0}), HELD)


def test_what_a_run_writes_is_asked_for_again():
    written = {"weight": 1.0, "available": 10, "wanted": 5, "emitted": 5, "rows": 2, "epochs": 0.5}
    again = mixture(sources={"books": written, "web": 1, "wiki": 2})
    assert again.as_asked() == mixture().as_asked()


def test_the_schema_has_what_the_model_has():
    assert set(mixture_schema()["properties"]) == set(Mixture.model_fields)


@settings(derandomize=True, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.integers(1, 10**9), st.floats(0.01, 100)), min_size=1),
    st.none() | st.integers(1, 10**10),
    st.lists(st.floats(0.01, 10), min_size=1, max_size=4),
)
def test_amounts_follow_weights(sources, budget, shares):
    asked = Mixture.model_validate(
        {
            "sources": {name: weight for name, (_, weight) in sources.items()},
            "budget": budget,
            "phases": [{"name": f"p{i}", "share": share} for i, share in enumerate(shares)],
        }
    )
    plan = allocate(asked, {name: held for name, (held, _) in sources.items()})
    assert np.all(np.diff(plan.bounds, axis=1) >= 0)
    total = sum(weight for _, weight in sources.values())
    whole = budget if budget is not None else min(held * total / weight for held, weight in sources.values())
    expected = [whole * sources[name][1] / total for name in plan.names]
    assert np.allclose(plan.wanted, expected, rtol=1e-9, atol=1 + total / min(w for _, w in sources.values()))
    if budget is None:
        assert np.all(plan.wanted <= plan.limit)
