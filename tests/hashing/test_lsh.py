import numpy as np
import pytest
from scipy.integrate import quad

from tamis.hashing.errors import ConfigError
from tamis.hashing.lsh import Banding, expected_candidates, hit_probability, solve_balanced, solve_for_recall


@pytest.mark.parametrize(
    ("bands", "rows", "curve"),
    [
        (42, 6, {0.2: 0.0027, 0.3: 0.030, 0.4: 0.158, 0.5: 0.484, 0.6: 0.866, 0.7: 0.995}),
        (9, 13, {0.5: 0.001, 0.6: 0.012, 0.7: 0.084, 0.8: 0.399, 0.9: 0.929}),
    ],
)
def test_published_points_of_the_curve(bands, rows, curve):
    for similarity, expected in curve.items():
        assert hit_probability(similarity, bands, rows) == pytest.approx(expected, abs=6e-4)
        assert Banding(bands, rows).hit_probability(similarity) == hit_probability(similarity, bands, rows)


@pytest.mark.parametrize(("bands", "rows"), [(1, 1), (28, 9), (256, 1), (1, 256), (42, 6)])
def test_the_curve_is_its_formula(bands, rows):
    points = np.linspace(0, 1, 101)
    curve = [hit_probability(s, bands, rows) for s in points]
    assert curve == pytest.approx(1 - (1 - points**rows) ** bands, abs=1e-12)
    assert curve == sorted(curve)
    assert curve[0] == 0.0
    assert curve[-1] == 1.0


def test_small_probabilities_keep_their_digits():
    assert hit_probability(0.01, 10, 9) == pytest.approx(10 * 1e-18, rel=1e-9)


@pytest.mark.parametrize(("bands", "rows"), [(1, 1), (1, 5), (28, 9), (42, 6), (256, 1), (1, 256), (16, 16), (4096, 1)])
def test_expected_candidates_is_the_area_under_the_curve(bands, rows):
    middle = (1 / bands) ** (1 / rows)
    area, _ = quad(hit_probability, 0, 1, args=(bands, rows), points=[middle], limit=500, epsabs=1e-12)
    assert expected_candidates(bands, rows) == pytest.approx(area, rel=1e-8)


@pytest.mark.parametrize(("bands", "rows"), [(0, 5), (5, 0), (-1, 3)])
def test_a_banding_is_at_least_one_by_one(bands, rows):
    with pytest.raises(ConfigError, match=f"at least one band and one row; found {bands} x {rows}"):
        Banding(bands, rows)


def test_values_of_a_banding():
    assert Banding(28, 9).values == 252


def cheapest(threshold, values, recall):
    """Search all bandings, by numeric integration instead of the closed form."""
    s = (np.arange(20_000) + 0.5) / 20_000
    best = None
    for rows in range(1, values + 1):
        powers = s**rows
        for bands in range(1, values // rows + 1):
            if 1 - (1 - threshold**rows) ** bands >= recall:
                area = (1 - (1 - powers) ** bands).mean()
                if best is None or area < best[0]:
                    best = area, Banding(bands, rows)
    return best[1]


@pytest.mark.parametrize("values", [16, 64, 128])
@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.95])
@pytest.mark.parametrize("recall", [0.5, 0.9, 0.98])
def test_solve_for_recall_is_the_cheapest_of_all(threshold, values, recall):
    solved = solve_for_recall(threshold, values, recall=recall)
    assert solved == cheapest(threshold, values, recall)
    assert solved.values <= values
    assert solved.hit_probability(threshold) >= recall


def test_solve_for_recall_golden():
    # The default of the near stage: changing it changes which pairs are found.
    assert solve_for_recall(0.8, 256) == Banding(28, 9) == cheapest(0.8, 256, 0.98)
    assert solve_for_recall(1.0, 256) == Banding(1, 256)


def test_recall_that_cannot_be_reached_names_its_numbers():
    with pytest.raises(ConfigError) as caught:
        solve_for_recall(0.1, 16, recall=0.99)
    assert str(caught.value) == (
        "16 sketch values must be able to reach a recall of 0.99 at similarity 0.1; found at best 0.815. "
        "Raise `values` or lower `recall`."
    )
    assert round(1 - 0.9**16, 3) == 0.815


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.5, ["14x4", "25x5", "42x6"]),
        (0.6, ["10x6", "18x7", "32x8"]),
        (0.7, ["8x8", "14x9", "25x10"]),
        (0.8, ["5x11", "9x13", "17x15"]),
        (0.9, ["3x21", "5x25", "9x28"]),
    ],
)
def test_solve_balanced_gives_the_published_table(threshold, expected):
    solved = [solve_balanced(threshold, values) for values in (64, 128, 256)]
    assert [f"{banding.bands}x{banding.rows}" for banding in solved] == expected
