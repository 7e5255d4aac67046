import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tamis.hashing.neural.loss import (  # noqa: E402
    balance_loss,
    batch_margin_loss,
    decorrelation_loss,
    distances,
    double_margin_loss,
    margin_loss,
    quantisation_loss,
    straight_through,
)

pytestmark = pytest.mark.neural


def random(*shape, seed=0, dtype=None):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype or torch.float64)


@pytest.mark.parametrize(("radius", "ratio"), [(0.5, 2.0), (1.0, 1.5), (0.3, 6.0)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_published_loss_is_the_double_margin_loss_but_for_a_constant(radius, ratio, dtype):
    p, q, r = (random(5000, 8, seed=seed, dtype=dtype) / 3 for seed in (1, 2, 3))
    near, far = (p - q).norm(dim=1), (p - r).norm(dim=1)
    published = torch.maximum(torch.tensor(radius), near) - torch.minimum(torch.tensor(ratio * radius), far)
    found = margin_loss(near, far, radius, ratio)
    assert (found - published).abs().max() <= 1e-6
    assert (found - (double_margin_loss(near, far, radius, ratio) - (ratio - 1) * radius)).abs().max() <= 1e-6
    assert (double_margin_loss(near, far, radius, ratio) >= 0).all()


def test_golden_margins():
    near, far = torch.tensor([0.2, 0.7, 0.5, 2.0]), torch.tensor([1.2, 0.9, 1.0, 0.0])
    assert margin_loss(near, far, 0.5, 2.0).tolist() == pytest.approx([-0.5, -0.2, -0.5, 2.0])
    assert double_margin_loss(near, far, 0.5, 2.0).tolist() == pytest.approx([0.0, 0.3, 0.0, 2.5])


def test_no_gradient_within_the_margins():
    for loss in (margin_loss, double_margin_loss):
        near = torch.tensor([0.1, 0.49, 0.6, 0.3], requires_grad=True)
        far = torch.tensor([1.1, 5.0, 1.5, 0.8], requires_grad=True)
        loss(near, far, 0.5, 2.0).sum().backward()
        assert near.grad.tolist() == [0.0, 0.0, 1.0, 0.0]
        assert far.grad.tolist() == [0.0, 0.0, 0.0, -1.0]


def test_distances():
    vectors = random(20, 5)
    expected = np.linalg.norm(vectors.numpy()[:, None] - vectors.numpy()[None], axis=2)
    np.testing.assert_allclose(distances(vectors).numpy(), expected, atol=1.1e-6)


def test_equal_vectors_have_a_finite_gradient():
    vectors = torch.ones(3, 4, requires_grad=True)
    distances(vectors).sum().backward()
    assert torch.isfinite(vectors.grad).all()


@pytest.mark.parametrize("hardest", [1, 2, 50])
def test_a_batch_against_loops(hardest):
    vectors, groups = random(12, 4, seed=4), torch.tensor([0, 0, 1, 1, 2, 2, 3, 3, 0, 4, 5, 6])
    first, second = torch.tensor([0, 2, 4, 6]), torch.tensor([1, 3, 5, 7])
    d = distances(vectors)
    near, far = [], []
    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        near.append(max(0.0, float(d[a, b]) - 0.8))
        for end in (a, b):
            others = sorted(float(d[end, i]) for i in range(12) if groups[i] != groups[end])
            far += [
                max(0.0, 0.8 * 2.5 - other) for other in [*others[:hardest], *[np.inf] * (12 - len(others))][:hardest]
            ]
    found = batch_margin_loss(d, first, second, groups, 0.8, 2.5, hardest)
    assert float(found) == pytest.approx(np.mean(near) + np.mean(far), abs=1e-9)


def test_texts_of_one_group_are_no_negatives():
    vectors = torch.zeros(4, 3, requires_grad=True)
    pairs = torch.tensor([0]), torch.tensor([1])
    loss = batch_margin_loss(distances(vectors), *pairs, torch.tensor([7, 7, 7, 7]), 0.5, 2.0, 3)
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert vectors.grad.abs().max() == 0


def test_straight_through():
    values = torch.tensor([-2.0, -0.0, 0.0, 0.5], requires_grad=True)
    signs = straight_through(values)
    assert signs.tolist() == [-1.0, 1.0, 1.0, 1.0]
    signs.sum().backward()
    np.testing.assert_allclose(values.grad.numpy(), 1 - np.tanh([-2.0, 0.0, 0.0, 0.5]) ** 2, rtol=1e-6)


def test_terms_of_bits_by_hand():
    bits = torch.tensor([[1.0, 1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, -1.0]])
    assert float(balance_loss(bits)) == pytest.approx((0.5**2 + 0.0**2) / 2)
    assert float(decorrelation_loss(bits)) == pytest.approx((2 / 4) ** 2)
    assert float(decorrelation_loss(torch.tensor([[1.0, 1.0], [1.0, -1.0]]))) == 0.0
    assert float(quantisation_loss(torch.tensor([[3.0, -3.0], [0.2, 0.2]]))) == pytest.approx(0.0, abs=1e-6)
    assert float(quantisation_loss(torch.tensor([[1.0, 0.0]]))) == pytest.approx(1 - 2**-0.5)
