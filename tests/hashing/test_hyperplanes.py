import numpy as np
import pytest

from tamis.hashing.codes import hamming, pack_signs
from tamis.hashing.errors import ConfigError
from tamis.hashing.hyperplanes import hyperplanes, standard_normals
from tamis.hashing.projections import project


def test_golden_normals():
    expected = [[1.0699458, -2.0169730, 1.1920616], [-0.8352594, 0.5052851, -2.2909687]]
    assert standard_normals(2, 3, 7) == pytest.approx(np.array(expected, np.float32), rel=1e-6)
    first = [0.3431187, -0.7304928, 2.1217463, -0.3992525]
    assert hyperplanes(3, 4, 1).weights[0] == pytest.approx(np.array(first, np.float32), rel=1e-6)


def test_an_entry_does_not_depend_on_the_others():
    large = standard_normals(20, 30, 5)
    assert (standard_normals(7, 11, 5) == large[:7, :11]).all()
    assert (hyperplanes(8, 128, 3).weights[:, :64] == hyperplanes(8, 64, 3).weights).all()
    assert (hyperplanes(8, 4, -1).weights != hyperplanes(8, 4, 1).weights).all()
    assert not hyperplanes(8, 4, 3).offsets.any()


def test_they_are_normal_and_independent():
    x = standard_normals(1000, 400, 1).astype(np.float64)
    n = x.size
    assert abs(x.mean()) < 4 / n**0.5
    assert abs((x**2).mean() - 1) < 4 * (2 / n) ** 0.5
    assert abs((x**3).mean()) < 4 * (15 / n) ** 0.5
    assert abs((x**4).mean() - 3) < 4 * (96 / n) ** 0.5
    for other in (x[1:] * x[:-1], x[:, 1:] * x[:, :-1]):
        assert abs(other.mean()) < 4 / other.size**0.5


def test_bits_differ_as_angles():
    """The share of differing bits of two vectors at an angle is that angle by pi."""
    angles = np.array([0.1, 0.5, 1.0, 2.0, 3.0])
    vectors = np.zeros((6, 50), np.float32)
    vectors[:, 3] = [1.0, *np.cos(angles)]
    vectors[1:, 17] = np.sin(angles)
    codes = pack_signs(project(vectors, hyperplanes(50, 8192, 11)))
    shares = hamming(np.repeat(codes[:1], 5, axis=0), codes[1:]) / 8192
    expected = angles / np.pi
    assert (np.abs(shares - expected) < 4 * np.sqrt(expected * (1 - expected) / 8192)).all()


@pytest.mark.parametrize("shape", [(0, 1), (1, 0), (-1, 5)])
def test_shapes_that_cannot_be(shape):
    with pytest.raises(ConfigError, match="at least one dimension and one bit"):
        hyperplanes(*shape, 1)
