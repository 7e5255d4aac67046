"""The page of an evaluation in a browser: fits small screens, can be read and printed."""

import pytest
from evaluated import ODD, evaluated
from in_browser import check_readable, needs_browser

from tamis.pipeline.blocking.page import write_evaluation

pytestmark = [pytest.mark.page, needs_browser]

DRAWN = """() => {
  const light = (c) => c.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255)
    .map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const paper = light(getComputedStyle(document.querySelector("section")).backgroundColor);
  const ratio = (a, b) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  const of = (selector, style) => [...document.querySelectorAll(selector)].map((e) => getComputedStyle(e)[style]);
  const curves = of("path.curve", "stroke"), texts = of(".charts text", "fill");
  return {
    colours: [...new Set(curves)].length,
    same: of(".swatch", "borderTopColor").every((colour, i) => colour === curves[i]),
    curves: Math.min(...curves.map((colour) => ratio(light(colour), paper))),
    texts: Math.min(...texts.map((colour) => ratio(light(colour), paper))),
  };
}"""

COVERED = """() => [...document.querySelectorAll(".charts svg")].flatMap((svg) => {
  const boxes = [...svg.querySelectorAll("text")].map((e) => [e.textContent, e.getBoundingClientRect()]);
  const frame = svg.getBoundingClientRect(), found = [];
  boxes.forEach(([name, a], i) => {
    if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.bottom > frame.bottom + 1) found.push([name]);
    boxes.slice(i + 1).forEach(([other, b]) => {
      const across = a.left < b.right - 1 && b.left < a.right - 1;
      if (across && a.top < b.bottom - 2 && b.top < a.bottom - 2) found.push([name, other]);
    });
  });
  return found;
})"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return pages by name: two tables and one with texts, many blockers, no matches."""
    kinds = {"two": {}, "one": {"dirty": True, "by": "score"}, "many": {"blockers": 11}, "unknown": {"known": False}}
    found = {}
    for name, options in kinds.items():
        *_, evaluation, texts = evaluated(**options)
        folder = tmp_path_factory.mktemp(name)
        found[name] = write_evaluation(folder, evaluation, title=ODD[2], texts=None if name == "many" else texts)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1200])
@pytest.mark.parametrize("name", ["two", "one", "many", "unknown"])
def test_it_can_be_read(opened, pages, name, width, scheme):
    tab = opened(pages[name], width, scheme)
    check_readable(tab, width)
    assert tab.evaluate(COVERED) == []
    if name != "unknown":
        drawn = tab.evaluate(DRAWN)
        assert drawn["colours"] == min(8, 11 if name == "many" else 3)
        assert drawn["same"]
        assert drawn["curves"] >= 3.0
        assert drawn["texts"] >= 4.5


def test_what_records_hold_does_not_run(opened, pages):
    tab = opened(pages["two"])
    assert tab.title().startswith(ODD[2])
    assert tab.locator("script").count() == 0
    for summary in tab.locator("summary").all():
        summary.click()
    assert any("<b>bold</b>" in text for text in tab.locator("code").all_inner_texts())
    assert any("</pre>" in text for text in tab.locator("pre").all_inner_texts())


def test_texts_are_side_by_side(opened, pages):
    tab = opened(pages["two"])
    tab.locator("summary").first.click()
    left, right = (tab.locator(f".examples .{side} pre").first.bounding_box() for side in ("gone", "kept"))
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]


@pytest.mark.parametrize("name", ["two", "one", "many", "unknown"])
def test_it_prints(opened, pages, name):
    tab = opened(pages[name])
    tab.emulate_media(media="print")
    tab.set_viewport_size({"width": 720, "height": 1000})
    cut = "all => all.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.ariaLabel)"
    assert tab.locator(".scroll").evaluate_all(cut) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 720
