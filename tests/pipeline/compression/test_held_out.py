"""Errors on held-out models."""

import numpy as np
import pytest
from made_scores import made_scores

from tamis.hashing.compression.genetic import Breeding
from tamis.hashing.errors import ConfigError
from tamis.pipeline.compression import held_out
from tamis.pipeline.compression.compress import CompressionSettings
from tamis.pipeline.compression.held_out import DRAWS, FITTED, METHODS, RANDOM, TAMIS, judge_on_held_out, splits_of
from tamis.pipeline.compression.texts import NO_PAIRS

SCORES = made_scores(16, 200, seed=2)
QUICK = CompressionSettings(breeding=Breeding(population=10, elite=2, generations=5))


def test_splits_hold_out_as_many_as_asked_and_lose_no_model():
    splits = splits_of(16, 5, 6, seed=4)
    assert [sorted([*one.training, *one.held_out]) for one in splits] == [list(range(16))] * 6
    assert {len(one.held_out) for one in splits} == {5}
    assert len({tuple(one.held_out) for one in splits}) == 6
    assert [one.held_out.tolist() for one in splits[:2]] == [
        one.held_out.tolist() for one in splits_of(16, 5, 2, seed=4)
    ]


def test_held_out_models_touch_neither_the_choice_nor_the_predictor(monkeypatch):
    seen = []
    make = held_out.compress_with

    def watched(training, *others):
        seen.append(make(training, *others))
        return seen[-1]

    monkeypatch.setattr(held_out, "compress_with", watched)
    splits = splits_of(16, 4, 1, seed=0)
    judge_on_held_out(SCORES, NO_PAIRS, 20, splits, settings=QUICK)
    in_order = SCORES[held_out.in_canonical_order(SCORES)]
    alone = make(in_order[splits[0].training], NO_PAIRS, 20, seen[0].seed, QUICK)
    one, other = ({**vars(made), **made.bends._asdict(), **made.full._asdict()} for made in (alone, seen[0]))
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one.keys() - {"bends", "full"})


def test_every_way_is_judged_and_models_may_come_in_any_order():
    splits = splits_of(16, 4, 3, seed=0)
    found = judge_on_held_out(SCORES, NO_PAIRS, 30, splits, settings=QUICK)
    assert tuple(found) == METHODS
    draws = dict.fromkeys(METHODS, 1) | {RANDOM: DRAWS, FITTED: DRAWS}
    assert {name: one.errors.shape for name, one in found.items()} == {name: (3, n) for name, n in draws.items()}
    assert all(one.taus.shape == one.errors.shape for one in found.values())
    assert all(len(set(errors)) > DRAWS // 2 for errors in found[RANDOM].errors.tolist())
    again = judge_on_held_out(SCORES[::-1], NO_PAIRS, 30, splits, settings=QUICK)
    assert again[TAMIS].errors.tolist() == found[TAMIS].errors.tolist()
    assert again[RANDOM].errors.tolist() == found[RANDOM].errors.tolist()


def test_all_items_at_random_make_no_error():
    found = judge_on_held_out(SCORES, NO_PAIRS, 200, splits_of(16, 4, 2, seed=1), settings=QUICK)
    assert found[RANDOM].errors.tolist() == [[0.0] * DRAWS] * 2
    assert found[RANDOM].taus.tolist() == [[1.0] * DRAWS] * 2


def test_too_few_models_are_refused():
    for out in (1, 12):
        with pytest.raises(ConfigError, match="5 are learned from"):
            splits_of(16, out, 1, seed=0)
