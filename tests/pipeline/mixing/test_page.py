"""The page of a mixture: it shows no number that the file has not, and all that a method found out."""

import json

import pytest
from mixed_sources import ODD, found_and_report
from page_numbers import look_up, numbers_of

from tamis.pipeline.mixing.page import clusters_of, mix_page, shade, write_page
from tamis.pipeline.report.rendering import shown

PAGES = [
    {"budget": 20_000, "max_epochs": 2},
    {"clusters": True},
    {"method": "smart", "budget": 9_000},
    {"method": "router", "loads": 1, "updates": 5},
    {"method": "router", "loads": 3, "budget": 40_000, "clusters": True},
    {"method": "importance"},
    {"method": "uniform", "sources": 1},
    {"method": "order-free", "sources": 40},
]


@pytest.mark.parametrize("options", PAGES)
def test_every_number_of_the_page_is_in_the_file(tmp_path, options):
    _, report = found_and_report(**options)
    page = write_page(tmp_path, report)
    held = json.loads((tmp_path / "mix.json").read_text("utf-8"))
    assert held == json.loads(json.dumps(report))
    found = numbers_of(page.read_text("utf-8"), names=("code", "h1", "title"))
    for number in found.found:
        value = look_up(held, number["data-key"])
        assert number["value"] == ("" if value is None else str(value)), number
        assert number["text"] == shown(value, number["data-how"])
    assert [word for word in " ".join(found.prose).split() if any(c.isdigit() for c in word)] == []
    keys = {number["data-key"] for number in found.found}
    for i in range(len(report["sources"])):
        names = ["weight", "proportional", "change", "available", "effective_unique", "rows"]
        names += ["budget", "most", "epochs", "wanted"] if "budget" in options else []
        assert keys >= {f"sources.{i}.{name}" for name in names}
    assert ("clusters.shared.0.0" in keys) == bool(options.get("clusters"))


def test_what_is_drawn():
    page = mix_page(found_and_report("smart")[1])
    assert page.count("<rect") == 5  # of six, one holds nothing
    assert 'aria-label="What each source added when it was chosen"' in page
    assert page.count('class="curve') == 0
    page = mix_page(found_and_report("router", loads=3)[1])
    assert page.count('<path class="curve') == 6
    assert page.count("<svg") == 1
    page = mix_page(found_and_report(sources=40)[1])
    assert page.count('<path class="curve') == 8
    assert "Only the sources with the largest weights are drawn." in page
    assert page.count('scope="col" class="heat"') == 12
    assert "<svg" not in mix_page(found_and_report("uniform")[1])


def test_names_are_text():
    page = mix_page(found_and_report(clusters=True, method="smart")[1])
    assert ODD[0] not in page
    assert ODD[1] not in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page


def test_shades():
    assert [shade(share) for share in (None, 0, 1e-9, 0.25, 0.2501, 0.75, 0.76, 1.0)] == [0, 0, 1, 1, 2, 3, 4, 4]
    assert clusters_of([[4, 1], [1, 0]], 0, 1) == 0.25
    assert clusters_of([[4, 1], [1, 0]], 1, 0) == 0.0
