"""The page on training does what it shows."""

import pages
import pytest

pytestmark = pytest.mark.readers


def test_the_page(tmp_path):
    pytest.importorskip("torch")
    page = (pages.ROOT / "docs" / "train.md").read_text(encoding="utf-8")
    pages.make_corpus(tmp_path)
    assert pages.play(page, tmp_path).splitlines() == page.splitlines()
