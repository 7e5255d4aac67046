"""Compressed benchmarks: what is chosen, and what its predictor says."""

import json
from itertools import product

import numpy as np
import pytest
from made_scores import made_scores

from tamis.hashing.compression.balance import cost_of, fold_numbers, judge
from tamis.hashing.compression.curves import ability_of, fitted_prior
from tamis.hashing.compression.genetic import Breeding
from tamis.hashing.compression.matrix import in_canonical_order
from tamis.hashing.errors import ArtefactError, ConfigError, InputError
from tamis.hashing.mix import derive_seed
from tamis.pipeline.compression.compress import CompressionSettings, compress_benchmark
from tamis.pipeline.compression.compressed import load_compressed

SCORES = made_scores(20, 300)
QUICK = CompressionSettings(breeding=Breeding(population=20, elite=2, generations=15))
WORDS = np.random.Generator(np.random.PCG64(8)).integers(0, 500, (300, 30))
TEXTS = [" ".join(f"word{number}" for number in row) for row in WORDS.tolist()]


def facts(compressed):
    whole = {**vars(compressed), **compressed.bends._asdict(), **compressed.full._asdict()}
    return {name: np.asarray(whole[name]).tolist() for name in sorted(whole.keys() - {"bends", "full"})}


def test_golden():
    found = compress_benchmark(SCORES, TEXTS, 12, 3, settings=QUICK)
    assert found.items.tolist() == [8, 39, 40, 41, 47, 101, 225, 231, 232, 259, 276, 278]
    assert (found.benchmark, found.removed, found.models, found.seed) == (300, 0, 20, 3)
    predicted = found.predict(SCORES[:3][:, found.items])
    assert predicted.tolist() == pytest.approx([0.470401, 0.478413, 0.584746], abs=1e-6)


def test_it_tells_scores_of_models_it_has_not_seen():
    seen = made_scores(60, 300, seed=1)
    found = compress_benchmark(seen[:40], None, 40, settings=QUICK)
    predicted = found.predict(seen[40:][:, found.items])
    error = 100 * np.sqrt(np.mean((predicted - seen[40:].mean(axis=1)) ** 2))
    assert error < 6
    assert found.expected_error == pytest.approx(error, rel=0.35)


def test_a_weight_is_what_an_answer_adds_for_a_model_of_middling_ability():
    found = compress_benchmark(SCORES, None, 10, settings=QUICK)
    middling = 1 / (1 + np.exp(-found.levels))
    for item in range(10):
        answers = np.stack([middling, middling])
        answers[:, item] = 0.0, 1.0
        wrong, right = found.predict(answers)
        assert right - wrong == pytest.approx(found.weights[item], rel=0.05)


def test_the_best_subset_is_found_where_there_are_few():
    scores = made_scores(8, 16, seed=5)
    settings = CompressionSettings(sharpest=1.0)
    found = compress_benchmark(scores, None, 4, 2, settings=settings)
    known = scores[in_canonical_order(scores)]
    abilities = ability_of(known.mean(axis=1), 16)
    folds = fold_numbers(8, 5, seed=derive_seed(2, "folds"))
    abilities = abilities - abilities.mean()
    cost = cost_of(judge(known, abilities, folds, fitted_prior(known, abilities)), settings.weight)
    means = known.mean(axis=0)
    order = sorted(range(16), key=lambda i: (means[i], i))
    spread = np.maximum(means[order] * (1 - means[order]), 0.01)
    stratum = np.minimum((np.cumsum(spread) - spread / 2) / spread.sum() * 4, 3).astype(int)
    pools = [[item for item, of in zip(order, stratum, strict=True) if of == number] for number in range(4)]
    every = np.array(list(product(*pools)))
    costs = cost(every)
    assert cost(found.items[None])[0] == pytest.approx(costs.min(), abs=1e-15)
    assert sorted(every[costs.argmin()].tolist()) == found.items.tolist()


def test_planted_copies_are_what_is_removed():
    copied = [7, 100, 250]
    scores = np.concatenate([SCORES, SCORES[:, copied]], axis=1)
    texts = [*TEXTS, *(TEXTS[i] + "." for i in copied)]
    found = compress_benchmark(scores, texts, 200, settings=QUICK)
    assert found.removed == 3
    assert not {300, 301, 302} & set(found.items.tolist())
    other_answers = scores.copy()
    other_answers[:, 300:] = 1 - other_answers[:, 300:]
    assert compress_benchmark(other_answers, texts, 20, settings=QUICK).removed == 0
    assert compress_benchmark(scores, None, 20, settings=QUICK).removed == 0
    vectors = np.concatenate([np.eye(300), np.eye(300)[copied]])
    assert compress_benchmark(scores, None, 20, vectors=vectors, settings=QUICK).removed == 3


def test_models_may_come_in_any_order():
    order = np.random.Generator(np.random.PCG64(1)).permutation(20)
    scores = SCORES.copy()
    scores[4, 10:30] = np.nan
    one = compress_benchmark(scores, TEXTS, 15, 1, settings=QUICK)
    assert facts(compress_benchmark(scores[order], TEXTS, 15, 1, settings=QUICK)) == facts(one)


def test_items_that_all_have_right_or_wrong_give_numbers():
    scores = SCORES.copy()
    scores[:, :50], scores[:, 50:100] = 0.0, 1.0
    found = compress_benchmark(scores, None, 300, settings=QUICK)
    assert np.isfinite(found.weights).all()
    assert np.isfinite(found.predict(scores)).all()


def test_scores_between_0_and_1_and_missing_answers():
    scores = SCORES * 0.5 + 0.25
    found = compress_benchmark(scores, None, 30, settings=QUICK)
    answers = scores[:, found.items]
    answers[0, :5] = np.nan
    predicted = found.predict(answers)
    assert ((predicted > 0.2) & (predicted < 0.8)).all()
    assert np.corrcoef(predicted, scores.mean(axis=1))[0, 1] > 0.8


def test_it_is_read_as_it_was_written(tmp_path):
    found = compress_benchmark(SCORES, None, 10, settings=QUICK)
    found.save(tmp_path / "predictor.json")
    assert facts(load_compressed(tmp_path / "predictor.json")) == facts(found)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"version": 1},
        {"items": [3, 1]},
        {"items": [0, 300]},
        {"levels": [1.0]},
        {"straight": [0.5]},
        {"rises": [[0.5, 0.5]]},
        {"features": [[0.5, 0.5]]},
        {"variances": [0.1, 0.0]},
        {"variances": [0.1]},
        {"weights": [1.0, "x"]},
        {"spread": None},
        {"benchmark": True},
        {"slopes": [1.0, float("nan")]},
    ],
)
def test_a_damaged_file_is_refused(tmp_path, change):
    path = tmp_path / "predictor.json"
    compress_benchmark(SCORES, None, 2, settings=QUICK).save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ArtefactError, match="Compress the benchmark again"):
        load_compressed(path)


def test_what_is_no_file_of_ours_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match="predictor.json"):
        load_compressed(tmp_path / "predictor.json")
    (tmp_path / "predictor.json").write_text("[1")
    with pytest.raises(ArtefactError, match="JSONDecodeError"):
        load_compressed(tmp_path / "predictor.json")


def test_what_cannot_be():
    differs = SCORES[:, 0] != SCORES[:, 1]
    with pytest.raises(ConfigError, match="k is 1 to the number of items, 300"):
        compress_benchmark(SCORES, None, 301)
    with pytest.raises(ConfigError, match="k is 1 to"):
        compress_benchmark(SCORES, None, 0)
    with pytest.raises(ConfigError, match="not redundant, 2"):
        compress_benchmark(np.repeat(SCORES[differs, :2], 2, axis=1), ["a text", "a text", "its like", "its like"], 3)
    with pytest.raises(InputError, match="texts are one for each item"):
        compress_benchmark(SCORES, TEXTS[:-1], 3)
    with pytest.raises(InputError, match="vectors are finite"):
        compress_benchmark(SCORES, None, 3, vectors=np.full((300, 2), np.nan))
    with pytest.raises(ConfigError, match="`sharpest` is above 0"):
        CompressionSettings(sharpest=0)
    with pytest.raises(InputError, match="answers are a row for each model"):
        compress_benchmark(SCORES, None, 3, settings=QUICK).predict([[1, 0]])
    with pytest.raises(InputError, match="answers are 0 to 1"):
        compress_benchmark(SCORES, None, 3, settings=QUICK).predict([[1, 0, 7]])
