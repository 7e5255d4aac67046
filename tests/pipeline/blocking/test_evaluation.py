"""An evaluation against counting with Python's sets, and its page: it shows no number that the file has not."""

import itertools
import json

import numpy as np
import pyarrow as pa
import pytest
from evaluated import ODD, evaluated
from page_numbers import look_up, numbers_of

from tamis.hashing.errors import ConfigError, InputError
from tamis.pipeline.blocking.evaluation import TARGETS, evaluate
from tamis.pipeline.blocking.measures import measure_pairs
from tamis.pipeline.blocking.page import _marked, blocking_page, write_evaluation
from tamis.pipeline.blocking.recapture import recaptured
from tamis.pipeline.report.rendering import shown


def sets_of(table, dirty):
    pairs = zip(table["left_id"].to_pylist(), table["right_id"].to_pylist(), strict=True)
    return [tuple(sorted(pair)) if dirty else pair for pair in pairs]


@pytest.mark.parametrize("by", ["rank", "score"])
@pytest.mark.parametrize("dirty", [False, True])
def test_every_number_can_be_counted_again(dirty, by):
    results, gold, left, right, evaluation, _ = evaluated(dirty, by=by)
    report = json.loads(json.dumps(evaluation.as_json()))
    true = set(sets_of(gold, dirty))
    found = {name: sets_of(pairs, dirty) for name, pairs in results.items()}
    possible = 80 * 79 // 2 if dirty else 80 * 120
    assert report["records"] == {"left": 80, "right": None if dirty else 120}
    assert (report["possible"], report["matches"], report["by"]) == (possible, len(true), by)
    assert report["missed_by_all"] == len(true.difference(*found.values()))
    assert [one["name"] for one in report["blockers"]] == list(results)
    assert report["recaptures"] == [
        {"of": [one, other]}
        | recaptured(
            *(len(set(found[x]) & set(found[y]) & true) for x, y in ((one, one), (other, other), (one, other)))
        ).as_json()
        for one, other in itertools.combinations(results, 2)
    ]
    for one in report["blockers"]:
        pairs, to = results[one["name"]], one["against"]
        said = found[one["name"]]
        others = {pair for name, some in found.items() if name != one["name"] for pair in some}
        hits = set(said) & true
        assert (one["pairs"], one["alone"]) == (len(said), len(set(said) - others))
        assert (one["cssr"], one["reduction_ratio"]) == (len(said) / possible, 1 - len(said) / possible)
        assert (to["found"], to["missed"], to["alone"]) == (len(hits), len(true - hits), len(hits - others))
        assert (to["pc"], to["pq"]) == (len(hits) / len(true), len(hits) / len(said))
        assert to["f1"] == 2 * len(hits) / (len(said) + len(true))
        measured = measure_pairs(pairs, gold, left, right, by)
        assert (to["pc_low"], to["pc_high"]) == (measured.pc_low, measured.pc_high)
        assert {line["times"]: line["recall"] for line in to["recall_at"]} == measured.recall_at
        for which, sign in (("rank", 1), ("score", -1)):
            curve, values = to[f"by_{which}"], (sign * pairs[which].to_numpy()).tolist()
            steps = [
                {pair for pair, value in zip(said, values, strict=True) if value <= cut} for cut in sorted(set(values))
            ]
            assert curve["pairs"] == [len(some) for some in steps]
            assert curve["found"] == [len(some & true) for some in steps]
            assert curve["recall"] == [len(some & true) / len(true) for some in steps]
            assert curve["recall"][-1] == to["pc"]
            if which == by:
                counts = [max([len(s & true) for s in steps if len(s) <= n], default=0) for n in range(1, 801)]
                assert to["area"] == sum(counts) / (800 * len(true))
            if which == "rank":
                assert [line["target"] for line in to["needed"]] == list(TARGETS)
                for line in to["needed"]:
                    enough = [
                        k for k, some in zip(curve["cuts"], curve["recall"], strict=True) if some >= line["target"]
                    ]
                    assert line["k"] == (int(enough[0]) if enough else None)
        missed = [(pair["left_id"], pair["right_id"]) for pair in to["missed_examples"]]
        assert len(missed) == len(set(missed)) == min(10, len(true - hits))
        assert set(missed) <= true - hits
        wrong = [row for row, pair in zip(pairs.to_pylist(), said, strict=True) if pair not in true]
        wrong.sort(key=lambda row: (-row["score"], row["rank"], row["left_id"].encode(), row["right_id"].encode()))
        assert to["wrong_examples"] == [
            {name: row[name] for name in ("left_id", "right_id", "score", "rank")} for row in wrong[:10]
        ]
        assert one["left"]["records"] == 80
        assert sum(line["records"] for line in one["left"]["bins"]) == 80
    lexical, rules = report["blockers"][:2]
    assert lexical["blocks"] is None
    assert rules["blocks"]["largest"][0] == {
        "key": "<b>a & b</b>", "left": 40, "right": 30, "pairs": 780 if dirty else 1200, "purged": True,
    }  # fmt: skip
    assert (rules["blocks"]["count"], rules["blocks"]["purged"], rules["blocks"]["purged_pairs"]) == (12, 1, 1200)
    assert rules["planted"] == []
    assert lexical["planted"][2] == {
        "kind": "missing value", "copies": 20, "found": 12, "share": 0.6, "low": 0.3, "high": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize("dirty", [False, True])
def test_no_order_matters(dirty):
    results, gold, left, right, evaluation, _ = evaluated(dirty)
    rng = np.random.Generator(np.random.PCG64(1))

    def turned(some):
        return None if some is None else some.take(pa.array(rng.permutation(len(some))))

    again = evaluate({name: turned(some) for name, some in results.items()}, turned(gold), turned(left), turned(right))
    one, other = (found.as_json() for found in (evaluation, again))
    for found in (one, other):
        for blocker in found["blockers"]:
            del blocker["blocks"], blocker["planted"]
    assert one == other


def test_without_matches():
    results, _, left, right, _, _ = evaluated(known=False)
    report = evaluate(results, None, left, right).as_json()
    assert (report["matches"], report["missed_by_all"]) == (None, None)
    assert [one["against"] for one in report["blockers"]] == [None] * 3
    assert [one["pairs"] for one in report["blockers"]] == [len(pairs) for pairs in results.values()]


def test_a_blocker_without_pairs(tmp_path):
    results, gold, left, right, _, texts = evaluated()
    evaluation = evaluate({"none": results["lexical"].slice(0, 0)}, gold, left, right)
    against = evaluation.as_json()["blockers"][0]["against"]
    assert (against["pc"], against["pq"], against["f1"], against["area"]) == (0, 0, 0, 0)
    assert [line["k"] for line in against["needed"]] == [None] * 3
    assert against["by_rank"]["pairs"] == []
    assert "<svg" not in write_evaluation(tmp_path, evaluation, title="none", texts=texts).read_text()


def test_what_cannot_be():
    results, gold, left, right, _, _ = evaluated()
    with pytest.raises(ConfigError, match="at least one blocker"):
        evaluate({}, gold, left, right)
    with pytest.raises(ConfigError, match="of a blocker that is measured.*'other' beside 'lexical'"):
        evaluate(results, gold, left, right, blocks={"other": None})
    with pytest.raises(ConfigError, match="is negative"):
        evaluate(results, gold, left, right, seed=-1)
    with pytest.raises(InputError, match="the left_id of all pairs"):
        evaluate(results, gold, left.slice(20), right)


PAGES = [
    {"dirty": False},
    {"dirty": True, "by": "score"},
    {"dirty": False, "known": False},
    {"dirty": True, "blockers": 2},
    {"blockers": 11},
]


@pytest.mark.parametrize("options", PAGES)
@pytest.mark.parametrize("with_texts", [True, False])
def test_every_number_of_the_page_is_in_the_file(tmp_path, options, with_texts):
    *_, evaluation, texts = evaluated(**options)
    page = write_evaluation(tmp_path, evaluation, title="7 sets", texts=texts if with_texts else None)
    report = json.loads((tmp_path / "blocking.json").read_text())
    assert report == json.loads(json.dumps(evaluation.as_json()))
    found = numbers_of(page.read_text(), names=("code", "h1", "title"))
    assert len(found.found) > 60
    for number in found.found:
        value = look_up(report, number["data-key"])
        assert number["value"] == ("" if value is None else str(value)), number
        assert number["text"] == shown(value, number["data-how"])
    assert [word for word in " ".join(found.prose).split() if any(c.isdigit() for c in word)] == []
    keys = {number["data-key"] for number in found.found}
    for i, one in enumerate(report["blockers"]):
        names = ["pairs", "cssr", "reduction_ratio", "left.most"]
        if one["against"]:
            names += [f"against.{name}" for name in ("pc", "pc_low", "pc_high", "pq", "f1", "missed", "area")]
            names += [f"against.recall_at.{j}.recall" for j in range(3)] + [f"against.needed.{j}.k" for j in range(3)]
        assert keys >= {f"blockers.{i}.{name}" for name in names}


def test_texts_are_shown_only_when_given():
    *_, evaluation, texts = evaluated()
    report = evaluation.as_json()
    page = blocking_page(report, title="t", texts=texts)
    shown_pairs = [
        pair
        for one in report["blockers"]
        for which in ("missed", "wrong")
        for pair in one["against"][f"{which}_examples"]
    ]
    assert page.count("<pre") == 2 * len(shown_pairs)
    assert "<mark>" in page
    without = blocking_page(report, title="t")
    assert "<pre" not in without
    assert "<mark>" not in without


def test_odd_names_and_texts_do_not_become_markup():
    *_, evaluation, texts = evaluated()
    page = blocking_page(evaluation.as_json(), title=ODD[2], texts=texts)
    assert "<script" not in page
    assert "<b>" not in page
    assert "<i>" not in page
    assert "&lt;i&gt;rules&lt;/i&gt; &amp; more" in page


def test_words_that_the_other_text_lacks_are_marked():
    assert _marked("Sony TV red big", "big sony phone") == [("Sony", False), ("TV red", True), ("big", False)]
    assert _marked("", "a") == []
    assert _marked("a" * 700, "a") == [("a" * 600, True), ("…", False)]
