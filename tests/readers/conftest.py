"""Offline, and with caches of their own."""

import os

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"


@pytest.fixture(scope="session", autouse=True)
def _caches(tmp_path_factory):
    """Keep what libraries cache out of the user's folders; they look when they are imported."""
    folder = tmp_path_factory.mktemp("caches")
    os.environ["HF_HOME"] = str(folder / "huggingface")
    os.environ["LITDATA_CACHE_DIR"] = str(folder / "litdata")


@pytest.fixture(scope="session")
def out(tmp_path_factory):
    """An output with several sets, in which rows are repeated and tails are not empty."""
    from described import make_output

    return make_output(tmp_path_factory.mktemp("sifted"))
