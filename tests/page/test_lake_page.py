"""The page of a lake scan in a browser: opens, works by mouse and keyboard, fits small screens, can be read."""

import json

import pytest
from in_browser import check_readable, needs_browser
from planted_found import big, refuted, star, write_found

from tamis.pipeline.lake.page import write_page

pytestmark = [pytest.mark.page, needs_browser]

DRAWN_TEXT = """() => {
  const light = (c) => c.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255)
    .map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const paper = light(getComputedStyle(document.querySelector("section")).backgroundColor);
  const ratio = (a, b) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  return [...document.querySelectorAll(".graph text")].map((e) => light(getComputedStyle(e).fill)).concat(
    [...document.querySelectorAll(".graph circle")].map((e) => light(getComputedStyle(e).stroke)))
    .map((found) => ratio(found, paper));
}"""

COVERED = """() => {
  const boxes = [...document.querySelectorAll(".graph .name")].map((e) => e.getBoundingClientRect());
  const found = [];
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b, j) => {
    if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
      found.push([i, i + 1 + j]);
  }));
  return found;
}"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return pages by name: of a lake of 100,000 tables with a plan, and of one table that holds others."""
    folder = tmp_path_factory.mktemp("lakes")
    big(folder / "big")
    names = [f"warehouse/{i % 97}/team-{i % 13}/events-of-{i:06}" for i in range(200)]
    plan = {
        "totals": {"cost_before": 20.5, "cost_after": 12.25},
        "deletions": [
            {"table": f"{name}-eu.parquet", "parent": f"{name}.parquet", "bytes": 5000, "rows": 10, "why": "inside"}
            | {"saves": 0.5, "rebuild_s": 3.25, "loses": ["column at"]}
            for name in names
        ],
        "not_planned": [{"table": f"{names[0]}-us.parquet", "why": "it is pinned"}],
    }
    (folder / "big" / "plan.json").write_text(json.dumps(plan))
    found = {"big": write_page(folder / "big", with_plan=True)}
    for nodes in (1, 20, 150):
        found[f"star {nodes}"] = write_page(star(folder / str(nodes), nodes))
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1200])
@pytest.mark.parametrize("name", ["big", "star 1", "star 20", "star 150"])
def test_it_can_be_read(opened, pages, name, width, scheme):
    tab = opened(pages[name], width, scheme)
    check_readable(tab, width)
    ratios = tab.evaluate(DRAWN_TEXT)
    assert len(ratios) >= 3
    assert min(ratios) >= 4.5
    assert tab.evaluate(COVERED) == []


def test_search_filter_sort(opened, pages):
    tab = opened(pages["big"])
    rows, count = tab.locator("#pairs tr"), tab.locator("#count")
    assert (rows.count(), count.inner_text()) == (25, "2,000 of 2,000 in the list")
    tab.click("#more")
    assert rows.count() == 225
    tab.select_option("#status", "equal copy")
    assert set(tab.locator("#pairs td:last-child").all_inner_texts()) == {"equal copy"}
    assert all(text.endswith("-copy.parquet") for text in tab.locator("#pairs th").all_inner_texts())
    tab.select_option("#status", "")
    tab.select_option("#sort", "child")
    names = tab.locator("#pairs th").all_inner_texts()
    assert names == sorted(names)
    tab.fill("#query", "TEAM-12 us.parquet")
    assert all("team-12" in text and "us.parquet" in text for text in rows.all_inner_texts())
    assert 0 < rows.count() < 2000
    tab.fill("#query", "no such table")
    assert (rows.count(), count.inner_text()) == (0, "0 of 2,000 in the list")
    assert not tab.locator("#more").is_visible()


def test_the_graph_by_keyboard_alone(opened, pages):
    tab = opened(pages["star 20"])
    told, one = tab.locator("#told"), tab.locator(".node.one")
    while tab.evaluate("document.activeElement.id") != "node-0":
        tab.keyboard.press("Tab")
    assert "area-0/orders of 000.parquet" in told.inner_text()
    assert "2 equal tables" in told.inner_text()
    tab.keyboard.press("ArrowDown")
    assert one.get_attribute("id") == "node-1"
    tab.keyboard.press("ArrowRight")
    assert one.get_attribute("id") == "node-2"
    assert told.inner_text().splitlines()[-1] == "18 rows · 180.0 kB · inside area-0/orders of 000.parquet"
    assert tab.locator(".edge.near").evaluate_all("all => all.map((e) => e.dataset.to)") == ["2"]
    tab.keyboard.press("End")
    assert one.get_attribute("id") == "node-19"
    tab.keyboard.press("ArrowUp")
    assert one.get_attribute("id") == "node-0"
    assert tab.locator(".edge.near").count() == 19
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    assert tab.locator(".graph.chosen").count() == 0
    tab.locator("h1").click()
    tab.keyboard.press("/")
    tab.keyboard.type("003")
    assert tab.input_value("#query") == "003"
    assert tab.locator("#pairs th").all_inner_texts() == ["area-0/orders of 003.parquet"]


def test_the_graph_by_pointer(opened, pages):
    tab = opened(pages["star 150"])
    tab.locator("#node-77 circle").hover()
    assert "orders of 077.parquet" in tab.locator("#told").inner_text()
    tab.locator("h1").hover()
    assert tab.locator(".graph.chosen").count() == 0


def test_what_a_lake_holds_does_not_run(opened, tmp_path):
    evil = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
    tables = [
        {"table": name, "group": i, "columns": [evil], "bytes": 9} for i, name in enumerate((evil, f"a {evil}", "b"))
    ]
    tables.append({"table": f"u {evil}", "state": "unreadable", "why": evil})
    others = [refuted("b", evil, 0.5, 1) | {"witness": evil}]
    quarantine = [{"table": evil, "record": evil, "rule": evil}]
    folder = write_found(tmp_path / "found", tables, [(f"a {evil}", evil)], others, quarantine, lakes=[evil])
    plan = {"table": f"a {evil}", "parent": evil, "bytes": 9, "rows": 1, "why": evil, "saves": 1, "rebuild_s": 1}
    staying = [{"table": evil, "why": evil}]
    made = {"totals": {}, "deletions": [plan | {"loses": [evil]}], "not_planned": staying}
    (folder / "plan.json").write_text(json.dumps(made))
    tab = opened(write_page(folder, with_plan=True))
    tab.locator("#node-1").focus()
    assert evil in tab.locator("#told").inner_text()
    assert tab.locator("#pairs th").all_inner_texts() == [f"a {evil}"]
    assert tab.evaluate("window.hacked") is None
    assert tab.locator("img").count() == 0


@pytest.mark.parametrize("name", ["big", "star 150"])
def test_it_prints(opened, pages, name):
    tab = opened(pages[name])
    tab.emulate_media(media="print")
    tab.set_viewport_size({"width": 720, "height": 1000})
    cut = "all => all.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.ariaLabel)"
    assert tab.locator(".scroll").evaluate_all(cut) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 720
    assert not tab.locator(".controls").is_visible()
    assert tab.locator("#pairs tr").count() > 0
