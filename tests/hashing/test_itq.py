import numpy as np
import pytest

from tamis.hashing.codes import pack_signs
from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.hyperplanes import standard_normals
from tamis.hashing.itq import fit_itq, principal_axes, random_rotation
from tamis.hashing.projections import project

GOLDEN_ROTATION = np.array([[0.997638, 0.068685], [0.068685, -0.997638]])
GOLDEN_WEIGHTS = np.array(
    [[0.416108, -0.90396], [-0.9068, -0.405581], [0.063839, 0.124414], [0.002043, -0.048254], [-0.022094, -0.023532]],
    np.float32,
)
GOLDEN_OFFSETS = np.array([1.333165, 3.761346])


def spread(n=200, dim=5, seed=2):
    return standard_normals(n, dim, seed) * np.arange(dim, 0, -1, dtype=np.float32) + np.float32(3)


def lost(vectors, projection):
    """Return the mean squared distance of values from their signs."""
    return float(((np.abs(project(vectors, projection).astype(np.float64)) - 1) ** 2).mean())


def test_axes_are_those_of_most_variance():
    points = spread().astype(np.float64)
    points -= points.mean(axis=0)
    axes = principal_axes(points, 5)
    assert axes.T @ axes == pytest.approx(np.eye(5), abs=1e-12)
    variances = ((points @ axes) ** 2).sum(axis=0)
    assert (np.diff(variances) < 0).all()
    assert variances == pytest.approx(np.linalg.svd(points, compute_uv=False) ** 2)
    assert (axes[np.abs(axes).argmax(axis=0), range(5)] > 0).all()
    assert (principal_axes(points, 2) == axes[:, :2]).all()


def test_a_rotation_is_orthogonal():
    turned = random_rotation(6, 5)
    assert turned.T @ turned == pytest.approx(np.eye(6), abs=1e-12)
    assert random_rotation(2, 5) == pytest.approx(GOLDEN_ROTATION, abs=1e-6)
    assert (random_rotation(6, 5) == turned).all()
    assert (random_rotation(6, 6) != turned).all()


def test_each_turn_loses_no_more():
    vectors = spread()
    losses = [lost(vectors, fit_itq(vectors, 4, 1, turns)) for turns in (0, 1, 2, 5, 20, 50)]
    assert (np.diff(losses) <= 1e-9).all()
    assert losses[-1] < losses[0]


def test_a_cube_is_turned_onto_its_corners():
    """The corners of a turned and moved cube are what a rotation can make signs of without loss; then bits are free."""
    corners = np.array([[1 if i >> bit & 1 else -1 for bit in range(3)] for i in range(8)], np.float64)
    turned = np.zeros((8, 6))
    turned[:, :3] = corners @ random_rotation(3, 9)
    vectors = (turned @ random_rotation(6, 10) + 5).astype(np.float32)
    projection = fit_itq(vectors, 3, 0)
    assert lost(vectors, projection) < 1e-8
    assert sorted(pack_signs(project(vectors, projection))[:, 0].tolist()) == list(range(8))


def test_golden_projection():
    projection = fit_itq(spread(), 2, 0)
    assert projection.weights == pytest.approx(GOLDEN_WEIGHTS, abs=1e-4)
    assert projection.offsets == pytest.approx(GOLDEN_OFFSETS, abs=1e-3)
    assert (fit_itq(spread(), 2, 0).weights == projection.weights).all()
    means = project(spread(), projection).astype(np.float64).mean(axis=0)
    assert means == pytest.approx([0, 0], abs=1e-5)


@pytest.mark.parametrize(("bits", "turns"), [(0, 1), (6, 1), (2, -1)])
def test_settings_that_cannot_be(bits, turns):
    with pytest.raises(ConfigError, match=f"{bits} bits, {turns} turns"):
        fit_itq(spread(), bits, 0, turns)


def test_vectors_that_cannot_be():
    broken = spread()
    broken[3, 1] = np.nan
    with pytest.raises(InputError, match="1 numbers of them not finite"):
        fit_itq(broken, 2, 0)
    with pytest.raises(InputError, match="two or more finite vectors"):
        fit_itq(spread()[:1], 2, 0)
