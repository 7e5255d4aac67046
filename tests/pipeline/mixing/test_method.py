"""Methods by name, limits, reasons, and the file that shards read."""

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.mixing.dynamic import coverage, one_shot
from tamis.hashing.mixing.histograms import equal_draws
from tamis.hashing.mixing.schedule import DynamicWeights
from tamis.hashing.mixing.tilt import Tilt
from tamis.pipeline.allocation import allocate
from tamis.pipeline.mixing.method import METHODS, weights
from tamis.pipeline.mixing.mixture_of import as_mixture, reasons_of, write_weights
from tamis.pipeline.mixing.settings import MixingSettings
from tamis.pipeline.mixing.sources import Sources
from tamis.pipeline.mixture import Mixture

NAMES = ("books", "code", "web")
HISTOGRAMS = np.array([[40, 30, 20, 10], [10, 20, 30, 40], [400, 300, 200, 100]])


def sources(**more):
    known = {
        "unique": np.array([50.0, 100.0, 350.0]),
        "histograms": HISTOGRAMS,
        "loads": [[4, 3, 2, 1], [1, 2, 3, 4], [4, 3, 2, 1]],
        "similarity": np.array([[1, 0.2, 1], [0.2, 1, 0.2], [1, 0.2, 1]]),
        "gains": (("web", 2.1), ("code", 0.8), ("books", 0.1)),
        "taken": np.array([10, 60, 30]),
    }
    return Sources(NAMES, np.array([100, 100, 1000]), **(known | more))


def settings(**values):
    return MixingSettings.model_validate(values)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("proportional", [1 / 12, 1 / 12, 10 / 12]),
        ("uniform", [1 / 3, 1 / 3, 1 / 3]),
        ("temperature", [0.193713, 0.193713, 0.612574]),
        ("router", [0.164176, 0.671647, 0.164176]),
        ("order-free", [1 / 2.2 / 1.623377, 1 / 1.4 / 1.623377, 1 / 2.2 / 1.623377]),
        ("smart", [0.129543, 0.248535, 0.621923]),
        ("importance", [0.1, 0.6, 0.3]),
    ],
)
def test_golden_weights(method, expected):
    found = weights(method, sources(), settings())
    assert found.weights.tolist() == pytest.approx(expected, abs=1e-6)
    assert found.budgets is None
    assert found.names == NAMES


def test_coverage_starts_at_what_is_unique():
    found = weights("coverage", sources(), settings())
    by_hand = coverage(HISTOGRAMS, prior=[50, 100, 350])
    assert found.weights.tolist() == pytest.approx(by_hand.weights.tolist(), abs=1e-9)
    assert found.notes == {"eta": pytest.approx(by_hand.eta), "steps": by_hand.steps, "settled": True}
    # books and web are alike and share half of all, as their prior of 50 to 350 says
    assert found.weights[1] == pytest.approx(0.5, abs=0.02)
    assert found.weights[0] / found.weights[2] == pytest.approx(50 / 350, rel=1e-6)
    assert "effective unique tokens" in reasons_of(found)[1]
    named = weights("coverage", sources(), settings(prior={"code": 1, "web": 1}))
    assert named.weights[0] == 0
    assert named.weights.sum() == pytest.approx(1)


def test_every_method_keeps_to_what_there_is():
    for method in METHODS:
        found = weights(method, sources(), settings(budget=600, max_epochs=2))
        assert found.budgets.sum() == 600
        assert (found.budgets <= [200, 200, 2000]).all()
        assert found.weights.sum() == pytest.approx(1)
        assert len(found.reasons) == 3
        with pytest.raises(ConfigError, match="hold"):
            weights(method, sources(), settings(budget=2401, max_epochs=2))


def test_what_a_source_lacks_goes_to_the_others():
    found = weights("router", sources(), settings(budget="1k"))
    assert found.budgets.tolist() == [100, 100, 800]
    assert found.reasons == (
        "loads 0.1491 from the others; held at all it holds",
        "loads 0.2981 from the others; held at all it holds",
        "loads 0.1491 from the others",
    )


def test_smart_rounds_as_published():
    found = weights("smart", sources(), settings(budget=1000, max_epochs=1))
    # web 621 + 1 more, code 248 + 1 more but holds 100, books 129 but holds 100: what is over goes to web
    assert found.budgets.tolist() == [100, 100, 800]
    small = weights("smart", sources(), settings(budget=100))
    assert small.budgets.tolist() == [12, 25, 63]  # 62.19, 24.85, 12.95, rounded down, and 2 more: web and code
    assert small.reasons == (
        "chosen as number 3, gain 0.1000",
        "chosen as number 2, gain 0.8000",
        "chosen as number 1, gain 2.1000",
    )
    some = weights("smart", sources(gains=(("web", 1.0),)), settings(budget=100))
    assert some.budgets.tolist() == [0, 0, 100]
    assert some.reasons[0] == "not chosen"


def test_unimax_is_even_up_to_passes():
    assert weights("unimax", sources(), settings(budget=900, max_epochs=1)).budgets.tolist() == [100, 100, 700]
    with pytest.raises(ConfigError, match="UniMax deals out a budget"):
        weights("unimax", sources())


def test_a_pass_may_be_over_effective_unique_words():
    found = weights("uniform", sources(), settings(budget=450, passes_of="unique"))
    assert found.budgets.tolist() == [50, 100, 300]
    assert found.reasons[0] == "one weight for all; held at its effective unique words"
    assert found.held.tolist() == [True, True, False]
    twice = weights("uniform", sources(), settings(budget=900, passes_of="unique", max_epochs=2))
    assert twice.budgets.tolist() == [100, 200, 600]
    assert twice.reasons[0] == "one weight for all; held at 2 times its effective unique words"
    assert weights("smart", sources(), settings(budget=450, passes_of="unique")).budgets.tolist() == [50, 100, 300]
    with pytest.raises(ConfigError, match="hold"):
        weights("uniform", sources(), settings(budget=501, passes_of="unique"))
    little = Sources(("a", "b"), np.array([3, 9]), unique=np.array([0.2, 9.0]))
    assert weights("uniform", little, settings(budget=10, passes_of="unique")).budgets.tolist() == [1, 9]
    with pytest.raises(InputError, match="unique"):
        weights("uniform", Sources(("a",), np.array([3])), settings(budget=1, passes_of="unique"))


def test_a_source_that_holds_nothing_has_no_weight():
    empty = Sources(("a", "b"), np.array([0, 5]), unique=np.array([0.0, 5.0]), histograms=np.array([[0, 0], [2, 3]]))
    for method in ("proportional", "uniform", "coverage", "tilt"):
        found = weights(method, empty, settings(budget=5))
        assert found.weights.tolist() == [0.0, 1.0]
        assert found.budgets.tolist() == [0, 5]
        assert found.reasons[0] == "holds nothing"
    assert weights("tilt", empty, settings(prior={"a": 1, "b": 1})).weights.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("method", [name for name in METHODS if name != "unimax"])
def test_the_order_of_sources_does_not_matter(method):
    found = weights(method, sources(), settings())
    order = [2, 0, 1]
    given = sources()
    turned = Sources(
        tuple(given.names[i] for i in order),
        given.available[order],
        given.unique[order],
        given.histograms[order],
        [given.loads[i] for i in order],
        None,
        given.similarity[np.ix_(order, order)],
        given.gains,
        given.taken[order],
    )
    np.testing.assert_allclose(weights(method, turned, settings()).weights, found.weights[order], atol=1e-9)


def test_what_cannot_be_is_refused():
    with pytest.raises(ConfigError, match="`method` is one of proportional"):
        weights("best", sources())
    with pytest.raises(InputError, match="this method knows the histograms"):
        weights("tilt", Sources(("a",), np.array([1])))
    with pytest.raises(ConfigError, match="the prior's weights are of sources that there are; found 'blogs'"):
        weights("tilt", sources(), settings(prior={"blogs": 1}))
    with pytest.raises(ConfigError, match="gains are of sources that there are; found 'blogs'"):
        sources(gains=(("blogs", 1.0),))
    with pytest.raises(ConfigError, match="gains name a source once"):
        sources(gains=(("web", 1.0), ("web", 0.5)))
    with pytest.raises(InputError, match="`histograms` is of all sources; found 2 of 3"):
        sources(histograms=HISTOGRAMS[:2])
    with pytest.raises(InputError, match="sources have names of their own; found none"):
        Sources((), np.zeros(0, np.int64))
    with pytest.raises(InputError, match="some source holds something"):
        weights("uniform", Sources(("a",), np.array([0])))
    for bad in ({"budget": 0}, {"smoothing": 2}, {"sign": "up"}, {"max_epochs": 0}, {"extra": 1}):
        with pytest.raises(ValidationError):
            settings(**bad)


def test_a_single_source_gets_all():
    one = Sources(("a",), np.array([7]), unique=np.array([7.0]), histograms=np.array([[3, 4]]))
    for method in ("proportional", "uniform", "temperature", "unimax", "tilt", "coverage", "leverage"):
        assert weights(method, one, settings(budget=7)).budgets.tolist() == [7]


def test_shards_get_the_budgets(tmp_path):
    found = weights("coverage", sources(), settings(budget=700, max_epochs=3))
    mixture = as_mixture(found, max_epochs=3)
    write_weights(tmp_path / "mixture.yaml", found, mixture)
    text = (tmp_path / "mixture.yaml").read_text("utf-8")
    assert text.startswith("# method coverage: eta ")
    assert '\n# "books": ' in text
    read = Mixture.model_validate(yaml.safe_load(text))
    assert read == mixture
    plan = allocate(read, dict(zip(NAMES, [100, 100, 1000], strict=True)))
    assert plan.wanted.tolist() == found.budgets.tolist()
    assert plan.short.tolist() == [0, 0, 0]


def test_golden_file(tmp_path):
    found = weights("proportional", Sources(("a: b", "web"), np.array([25, 75])))
    write_weights(tmp_path / "mixture.yaml", found, as_mixture(found, unit="bytes"))
    assert (tmp_path / "mixture.yaml").read_text("utf-8").splitlines() == [
        "# method proportional",
        '# "a: b": 25.00%: holds 25',
        '# "web": 75.00%: holds 75',
        "version: 1",
        "unit: bytes",
        "max_epochs: 1.0",
        "sources:",
        "  'a: b':",
        "    weight: 0.25",
        "    available: 25",
        "  web:",
        "    weight: 0.75",
        "    available: 75",
        "phases: []",
    ]


def test_a_name_of_two_lines_stays_one_comment(tmp_path):
    found = weights("proportional", Sources(("a\nb: 1", "web"), np.array([25, 75])))
    write_weights(tmp_path / "mixture.yaml", found, as_mixture(found))
    assert list(yaml.safe_load((tmp_path / "mixture.yaml").read_text("utf-8"))["sources"]) == ["a\nb: 1", "web"]


def test_a_schedule_becomes_phases():
    schedule = DynamicWeights(NAMES, measure=lambda step: HISTOGRAMS)
    found = weights("proportional", sources(), settings(budget=200))
    mixture = as_mixture(found, phases=schedule.phases(250))
    assert [(phase.name, phase.share) for phase in mixture.phases] == [("0", 100.0), ("1", 100.0), ("2", 50.0)]
    assert mixture.phases[1].weights == dict(zip(NAMES, schedule(100).tolist(), strict=True))
    assert Mixture.model_validate(mixture.model_dump()) == mixture
    with pytest.raises(ConfigError, match="a phase weighs every source"):
        as_mixture(found, phases=[(1, np.ones(2))])


def test_settings_reach_the_method():
    tilted = settings(eta=3, smoothing=0.2, sign="common")
    assert tilted.tilt == Tilt(eta=3.0, strength=1.0, smoothing=0.2, sign="common")
    more, less = (
        weights("tilt", sources(), settings(prior="uniform", sign=sign)).weights for sign in ("distinct", "common")
    )
    assert more[1] > 1 / 3 > less[1]
    for distance in ("root-js", "l2", "l2-corrected"):
        assert weights("coverage", sources(), settings(distance=distance)).weights.sum() == pytest.approx(1)
    thinned = [equal_draws(HISTOGRAMS, 60, 5), np.array([1.0, 1.0, 1.0])]
    found = weights("tilt", sources(), settings(prior="uniform", draws=60, seed=5))
    assert found.weights.tolist() == pytest.approx(one_shot(thinned[0], prior=thinned[1]).tolist(), abs=1e-9)
