"""The benchmark of mixing: texts are held out by content, budgets are met, pieces miss nothing, intervals are right."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
downstream_texts = pytest.importorskip("downstream_texts", reason="benchmarks are not part of the source distribution")
downstream_model = pytest.importorskip("downstream_model")
downstream = pytest.importorskip("downstream")
downstream_summary = pytest.importorskip("downstream_summary")

END = downstream_model.END


def passage(number):
    return " ".join(f"word{number}x{place}" for place in range(30))


def row(template, number, of, text):
    return downstream_texts.Row(downstream_texts.dataset_of(template), template, number / of, text, "yes")


def rows():
    """Two templates over the same 20 passages, one of them with a long frame of its own."""
    frame = " ".join(f"frame{place}" for place in range(200)) + " "
    return [
        *(row("imdb_One", number, 20, passage(number)) for number in range(20)),
        *(row("imdb_Two", number, 20, frame + passage(number)) for number in range(20)),
    ]


def test_the_same_passages_are_held_out_of_every_template():
    held = downstream_texts.held_out(rows(), 0.15)

    assert np.flatnonzero(held).tolist() == [17, 18, 19, 37, 38, 39]


def test_no_row_tells_where_templates_go_over_the_same_passages():
    some = rows()
    held = downstream_texts.held_out(some)

    assert not downstream_texts.telling(some, held).any()


def test_rows_that_share_a_passage_with_a_held_out_one_tell_whatever_their_source():
    some = [*rows(), *(row("xsum_One", number, 20, passage(100 + number)) for number in range(20))]
    some[4] = row("imdb_One", 4, 20, "so it begins " + passage(18))
    some[43] = row("xsum_One", 3, 20, passage(103) + " " + passage(19) + " " + passage(103))
    some[44] = row("xsum_One", 4, 20, " ".join(passage(104 + 20 * part) for part in range(12)) + " " + passage(19)[:90])
    held = downstream_texts.held_out(some)

    assert np.flatnonzero(downstream_texts.telling(some, held)).tolist() == [4, 43]


def test_templates_are_of_the_longest_name_there_is():
    assert downstream_texts.dataset_of("adversarial_qa_dbert_based_on") == "adversarial_qa_dbert"
    assert downstream_texts.dataset_of("wiki_qa_exercise") == "wiki_qa"
    assert downstream_texts.dataset_of("gsm8k") == "gsm8k"
    with pytest.raises(ValueError, match="no data set has the template 'novel_one'"):
        downstream_texts.dataset_of("novel_one")


def test_the_order_of_rows_is_this():
    names = [f"row {number}" for number in range(8)]

    assert downstream_texts.shuffled(names, 1) == [5, 4, 2, 6, 0, 1, 3, 7]
    assert downstream_texts.shuffled(names, 2) != [5, 4, 2, 6, 0, 1, 3, 7]


@given(st.permutations(range(12)), st.integers(0, 11), st.integers(0, 2**64 - 1))
@settings(max_examples=30, derandomize=True, deadline=None)
def test_rows_keep_their_order_whatever_else_there_is(order, fewer, seed):
    names = [f"row {number}" for number in order]

    told = [names[place] for place in downstream_texts.shuffled(names, seed)]
    some = names[fewer:]

    assert [some[place] for place in downstream_texts.shuffled(some, seed)] == [name for name in told if name in some]


def test_budgets_are_met_as_nearly_as_rows_allow():
    order, words = [4, 0, 1, 2, 3, 5], [10, 10, 10, 4, 10, 100]
    sources = ["a", "a", "a", "b", "a", "b"]

    assert downstream_texts.drawn(order, sources, words, {"a": 24, "b": 30}) == {"a": [4, 0], "b": [3]}
    assert downstream_texts.drawn(order, sources, words, {"a": 26, "b": 0}) == {"a": [4, 0, 1], "b": []}


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 30)), min_size=1, max_size=40),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 300)),
)
@settings(max_examples=100, derandomize=True, deadline=None)
def test_what_is_drawn_is_a_start_of_the_order_and_no_row_from_the_budget(rows, budgets):
    sources, words = [name for name, _ in rows], [size for _, size in rows]

    found = downstream_texts.drawn(range(len(rows)), sources, words, budgets)

    for name, budget in budgets.items():
        there = [place for place in range(len(rows)) if sources[place] == name]
        assert found[name] == there[: len(found[name])]
        got = sum(words[place] for place in found[name])
        if len(found[name]) < len(there):
            assert abs(got - budget) <= words[there[len(found[name])]] / 2 or abs(got - budget) <= 15
        else:
            assert got <= budget + 15


def test_random_weights_ask_for_the_budget_and_no_more_than_there_is():
    available = {"a": 40, "b": 1000, "c": 1000}

    found = [downstream.random_budgets(available, 900, seed) for seed in range(20)]

    assert all(sum(budgets.values()) == 900 for budgets in found)
    assert all(list(budgets) == ["a", "b", "c"] and budgets["a"] <= 40 for budgets in found)
    assert max(budgets["a"] for budgets in found) == 40
    assert found[:2] == [{"a": 40, "b": 844, "c": 16}, {"a": 40, "b": 47, "c": 813}]


@given(st.lists(st.integers(1, 99), max_size=30), st.lists(st.integers(1, 99), max_size=30), st.integers(1, 9))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_each_token_is_a_target_once_behind_the_one_before_it(prompt, completion, context):
    found = downstream_model.pieces(prompt, completion, context)

    assert all(1 <= len(piece.tokens) <= context for piece in found)
    targets = [int(token) for piece in found for token in piece.targets]
    assert targets == [*prompt, *completion]
    assert [int(token) for piece in found for token in piece.tokens] == [END, *targets][: len(targets)]
    counted = [bool(one) for piece in found for one in piece.counted[1]]
    assert counted == [False] * len(prompt) + [True] * len(completion)


def test_the_rate_warms_up_and_falls_to_a_tenth():
    pace = [downstream_model.pace(step, 100) for step in range(100)]

    assert pace[:5] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert pace[5] == 1.0
    assert all(later < earlier for earlier, later in zip(pace[5:], pace[6:], strict=False))
    assert pace[-1] == pytest.approx(0.1, abs=0.001)


def test_the_interval_is_that_of_student():
    found = downstream_summary.spread([1.0, 2.0, 3.0])

    assert found.mean == 2.0
    assert found.half == pytest.approx(4.302652729911275 / 3**0.5, rel=1e-9)
    assert not found.clear
    assert downstream_summary.spread([1.0, 1.1, 1.05]).clear


def test_methods_are_compared_by_seed_and_only_on_seeds_that_all_have():
    def run(method, seed, *bits):
        return {"method": method, "seed": seed, "bits": {"a": [bits[0], None], "b": [bits[1], bits[2]]}}

    runs = [
        run("proportional", 1, 2.0, 3.0, 1.0),
        run("proportional", 2, 4.0, 5.0, 1.0),
        run("proportional", 3, 9.0, 9.0, 9.0),
        run("other", 1, 1.0, 3.5, 0.5),
        run("other", 2, 3.0, 5.5, 0.5),
    ]

    found = downstream_summary.compared(runs, {"a": 30, "b": 10})

    assert found["proportional"]["macro"].mean == 3.5
    assert found["proportional"]["macro"].seeds == 2
    assert found["other"]["against_macro"].mean == -0.25
    assert found["other"]["against_macro"].half == 0
    assert found["other"]["against_micro"].mean == pytest.approx((30 * -1 + 10 * 0.5) / 40)
    assert found["other"]["against_worst"].mean == 0.5
    assert found["other"]["against_completion"].mean == -0.5
    assert found["other"]["better"] == 1
