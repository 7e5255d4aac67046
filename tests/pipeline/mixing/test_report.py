"""What ``mix.json`` says."""

import json

import numpy as np
import pytest
from mixed_sources import ODD, found_and_report, measured

from tamis.hashing.mixing.overlap import shared_mass


def test_a_source_that_holds_nothing_shares_nothing():
    found, report = found_and_report(budget=20_000, max_epochs=2)
    json.dumps(report, allow_nan=False)
    place = found.names.index(ODD[3])
    assert report["shared_mass"][place] == [None] * 6
    some = [i for i in range(6) if i != place]
    expected = shared_mass([measured().samples[i] for i in some])
    assert np.array(report["shared_mass"], float)[np.ix_(some, some)].tolist() == expected.tolist()
    line = report["sources"][place]
    assert (line["weight"], line["budget"], line["most"], line["epochs"], line["held"]) == (0.0, 0, 0, None, False)
    assert line["change"] is None


def test_amounts_belong_together():
    found, report = found_and_report(budget=70_000, max_epochs=1.5)
    assert report["totals"]["budget"] == sum(one["budget"] for one in report["sources"]) == 70_000
    assert report["totals"]["held"] == sum(one["held"] for one in report["sources"]) > 0
    for one in report["sources"]:
        assert one["weight"] == pytest.approx(one["budget"] / 70_000, abs=1e-3)
        assert one["budget"] <= one["most"]
        assert one["held"] == ("held at" in one["reason"])
    assert report["path"][0]["step"] == 0
    assert report["path"][-1]["weights"] == pytest.approx([one["wanted"] for one in report["sources"]])
    assert report["settings"]["max_epochs"] == 1.5


def test_a_pass_over_unique_words_is_the_most_there_is():
    _, report = found_and_report()
    budget = int(1.6 * report["totals"]["effective_unique"])
    _, report = found_and_report(budget=budget, passes_of="unique", max_epochs=2)
    for one in report["sources"]:
        assert one["most"] == 2 * int(one["effective_unique"])
        assert one["budget"] <= one["most"]
        assert one["held"] == ("held at 2 times its effective unique words" in one["reason"])
    assert report["totals"]["held"] > 0


def test_gains_are_in_the_order_of_the_choice():
    _, report = found_and_report("smart")
    gains = [one["gain"] for one in report["gains"]]
    assert gains == sorted(gains, reverse=True)
    assert report["clusters"] is None


def test_phases_add_up():
    found, report = found_and_report("router", loads=3, budget=40_000)
    spent = sum(phase["share"] * np.array(phase["weights"]) for phase in report["phases"])
    assert spent == pytest.approx([one["budget"] for one in report["sources"]])
    assert [row["step"] for row in report["path"]] == [0, 100, 200, 300, 400]
