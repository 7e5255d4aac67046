"""The page of a mixture in a browser: fits small screens, can be read, reached by keys and printed."""

import pytest
from in_browser import check_readable, needs_browser
from mixed_sources import ODD, found_and_report

from tamis.pipeline.mixing.page import write_page

pytestmark = [pytest.mark.page, needs_browser]

KINDS = {
    "budget": {"budget": 20_000, "max_epochs": 2, "clusters": True},
    "phases": {"method": "router", "loads": 3, "budget": 40_000},
    "smart": {"method": "smart"},
    "many": {"sources": 40, "budget": 100_000, "clusters": True},
    "one": {"sources": 1, "method": "uniform"},
}

DRAWN = """() => {
  const light = (c) => c.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255)
    .map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const paper = light(getComputedStyle(document.querySelector("section")).backgroundColor);
  const ratio = (a, b) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  const of = (selector, style) => [...document.querySelectorAll(selector)].map((e) => getComputedStyle(e)[style]);
  const curves = of("path.curve", "stroke"), texts = of(".charts text", "fill");
  return {
    same: of(".swatch", "borderTopColor").every((colour, i) => colour === curves[i]),
    curves: Math.min(...curves.map((colour) => ratio(light(colour), paper))),
    texts: Math.min(...texts.map((colour) => ratio(light(colour), paper))),
  };
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    return {
        name: write_page(tmp_path_factory.mktemp(name), found_and_report(**options)[1])
        for name, options in KINDS.items()
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("name", KINDS)
def test_it_can_be_read(opened, pages, name, width, scheme):
    tab = opened(pages[name], width, scheme)
    check_readable(tab, width)
    drawn = tab.evaluate(DRAWN)
    assert drawn["same"]
    if name != "one":
        assert drawn["curves"] is None or drawn["curves"] >= 3.0
        assert drawn["texts"] >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_heat_map_has_shades(opened, pages, scheme):
    tab = opened(pages["budget"], 1200, scheme)
    colour = "e => getComputedStyle(e).backgroundColor"
    found = {name: tab.locator(f"td.{name}").first.evaluate(colour) for name in ("h0", "h1", "h2", "h4")}
    assert len(set(found.values())) == 4


def test_tables_are_reached_by_keys(opened, pages):
    tab = opened(pages["many"], 360)
    reached = []
    for _ in range(4):
        tab.keyboard.press("Tab")
        reached.append(tab.evaluate("document.activeElement.ariaLabel"))
    assert reached == [
        "Weights of the sources",
        "Budgets and limits of the sources",
        "Shared mass",
        "Shared clusters",
    ]


def test_names_do_not_run(opened, pages):
    tab = opened(pages["budget"])
    assert tab.locator("script").count() == 0
    assert ODD[0] in tab.locator("tbody code").all_inner_texts()


@pytest.mark.parametrize("name", KINDS)
def test_it_prints(opened, pages, name):
    tab = opened(pages[name])
    tab.emulate_media(media="print")
    tab.set_viewport_size({"width": 720, "height": 1000})
    cut = "all => all.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.ariaLabel)"
    assert tab.locator(".scroll").evaluate_all(cut) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 720
