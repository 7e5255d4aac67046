import numpy as np
import pytest
from scipy.stats import beta as beta_distribution
from scipy.stats import kstest, spearmanr

from tamis.hashing.neural.sdc import calibration_loss, calibration_targets

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.neural


@pytest.mark.parametrize("n", [1, 2, 7, 64])
@pytest.mark.parametrize("shape", [(5.0, 5.0), (2.0, 2.0), (0.5, 0.5), (2.0, 5.0)])
def test_targets_are_quantiles_of_the_distribution(n, shape):
    found = calibration_targets(n, *shape)
    expected = 2 * beta_distribution.ppf((2 * np.arange(1, n + 1) - 1) / (2 * n), *shape) - 1
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert (np.diff(found) > 0).all()
    if shape[0] == shape[1]:
        np.testing.assert_allclose(found, -found[::-1], atol=1e-9)


def test_spread_of_beta_5_5():
    assert calibration_targets(10_000).std() == pytest.approx(11**-0.5, abs=1e-3)


def plane(similarity):
    """Return two rows of two values with this cosine."""
    return [1.0, 0.0], [similarity, (1 - similarity**2) ** 0.5]


def test_the_loss_is_0_where_similarities_are_their_targets():
    rng = np.random.default_rng(2)
    targets = calibration_targets(9)
    order = rng.permutation(9)
    codes = [plane(targets[i]) for i in order]
    features = [plane(i / 10) for i in order]
    halves = [torch.tensor([row[side] for row in rows]) for rows in (features, codes) for side in (0, 1)]
    given, values = torch.cat(halves[:2]), torch.cat(halves[2:])
    assert float(calibration_loss(given, values)) == pytest.approx(0.0, abs=1e-6)
    assert float(calibration_loss(given.flip(0), values)) > 0.1


def test_an_odd_row_is_left_out_and_features_get_no_gradient():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(9, 4, generator=generator, requires_grad=True)
    values = torch.randn(9, 6, generator=generator, requires_grad=True)
    loss = calibration_loss(features, values)
    loss.backward()
    assert features.grad is None
    assert values.grad[8].abs().max() == 0
    assert float(loss.detach()) == pytest.approx(float(calibration_loss(features[:8], values[:8]).detach()), abs=1e-7)


def test_training_draws_similarities_to_the_distribution():
    """After training a head the similarities fit better, bits are balanced, and the order of pairs is kept."""
    generator = torch.Generator().manual_seed(1)
    centres = torch.randn(12, 16, generator=generator)
    x = centres[torch.randint(12, (256,), generator=generator)] + 0.6 * torch.randn(256, 16, generator=generator)
    x = torch.nn.functional.normalize(x + 2.0, dim=1)  # all in one corner: most are alike
    weights = torch.randn(16, 32, generator=generator).requires_grad_()
    bias = torch.zeros(32, requires_grad=True)

    def judged():
        with torch.no_grad():
            v = x @ weights + bias
            t, s = (torch.nn.functional.cosine_similarity(a[:128], a[128:]).numpy() for a in (x, v))
        fit = kstest((s + 1) / 2, beta_distribution(5, 5).cdf).statistic
        return fit, spearmanr(s, t).statistic, torch.where(v >= 0, 1.0, -1.0).mean(0).abs().mean()

    fit, order, balance = judged()
    optimiser = torch.optim.Adam([weights, bias], lr=0.05)
    for _ in range(150):
        rows = torch.randperm(256, generator=generator)
        optimiser.zero_grad()
        calibration_loss(x[rows], x[rows] @ weights + bias).backward()
        optimiser.step()
    fit_after, order_after, balance_after = judged()
    assert fit_after < fit / 2
    assert order_after > order - 0.05
    assert balance_after < balance
