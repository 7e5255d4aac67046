import hashlib

import numpy as np
import pytest

from tamis.hashing.errors import ArtefactError, ConfigError
from tamis.hashing.neural.head import Head, head_bytes, read_head


def some_head(*sizes, seed=3, activation="gelu"):
    rng = np.random.Generator(np.random.PCG64(seed))
    shapes = list(zip(sizes, sizes[1:], strict=False))
    weights = tuple(rng.standard_normal(shape).astype(np.float32) for shape in shapes)
    return Head(weights, tuple(rng.standard_normal(n).astype(np.float32) for _, n in shapes), activation)


def test_layers_have_the_activation_between_them_and_none_behind():
    one = np.array([[1.0], [-1.0]], np.float32)
    head = Head((one, np.array([[-2.0]], np.float32)), (np.zeros(1, np.float32), np.ones(1, np.float32)), "relu")
    assert head(np.array([[3, 1], [1, 3]], np.float32)).tolist() == [[-3], [1]]
    assert (head.dim, head.hidden, head.bits) == (2, (1,), 1)


@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_a_head_makes_what_numpy_makes(activation):
    from scipy.special import erf

    head = some_head(12, 8, 5, activation=activation)
    vectors = np.random.Generator(np.random.PCG64(1)).standard_normal((9, 12)).astype(np.float32)
    hidden = vectors.astype(np.float64) @ head.weights[0] + head.biases[0]
    hidden = np.maximum(hidden, 0) if activation == "relu" else 0.5 * hidden * (1 + erf(hidden / np.sqrt(2)))
    assert np.allclose(head(vectors), hidden @ head.weights[1] + head.biases[1], rtol=0, atol=1e-5)


def test_values_of_a_vector_do_not_depend_on_the_others():
    head = some_head(12, 8, 5)
    vectors = np.random.Generator(np.random.PCG64(1)).standard_normal((9, 12)).astype(np.float32)
    whole = head(vectors)
    for i in range(9):
        assert head(vectors[i : i + 1]).tobytes() == whole[i].tobytes()


def test_a_head_comes_back_from_its_bytes_which_are_always_the_same():
    head = some_head(12, 8, 5, activation="relu")
    again = read_head(head_bytes(head), "relu", "here")
    assert head_bytes(again) == head_bytes(head)
    assert [w.tobytes() for w in again.weights + again.biases] == [w.tobytes() for w in head.weights + head.biases]
    exact = Head((np.ones((2, 1), np.float32),), (np.zeros(1, np.float32),))
    assert hashlib.sha256(head_bytes(exact)).hexdigest()[:16] == "2573adb6034e469f"


def test_layers_that_do_not_fit_are_refused():
    w, b = np.ones((2, 3), np.float32), np.ones(3, np.float32)
    for weights, biases, activation in [
        ((), (), "gelu"),
        ((w,), (), "gelu"),
        ((w,), (np.ones(2, np.float32),), "gelu"),
        ((w, w), (b, b), "gelu"),
        ((w,), (b,), "tanh"),
    ]:
        with pytest.raises(ConfigError, match="layers of a head take what the one before makes"):
            Head(weights, biases, activation)
    with pytest.raises(ConfigError, match="finite"):
        Head((w * np.nan,), (b,))


@pytest.mark.parametrize("damage", [lambda c: c[:40], lambda c: b"", lambda c: c.replace(b"w0.npy", b"x0.npy")])
def test_a_damaged_head_is_named(damage):
    with pytest.raises(ArtefactError, match="HASHER/head.npz"):
        read_head(damage(head_bytes(some_head(2, 3))), "gelu", "HASHER/head.npz")
