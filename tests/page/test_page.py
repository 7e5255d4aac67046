"""The page in a browser: opens fast, works by mouse and keyboard, fits small screens, can be read."""

import json
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from in_browser import CONTRAST, LABELS, needs_browser
from typer.testing import CliRunner

import tamis
from tamis.jobs.cli import app

pytestmark = [pytest.mark.page, needs_browser]

WORDS = [a + b for a in ("ba", "ke", "mi", "no", "ru", "ta") for b in ("lo", "shi", "pen", "dra", "xu", "vor")]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """Return an output with 100,000 pairs to choose examples from."""
    folder = tmp_path_factory.mktemp("page")
    rng = Random(1)
    texts, sources = [], []
    for i in range(25_000):
        base = rng.choices(WORDS, k=60)
        for j in range(5):
            place = rng.randrange(5, 60)
            texts.append(" ".join([*base[:place], f"edit{j}", *base[place:]]) + f" case{i}")
            sources.append(("web", "books", "a-source-with-a-rather-long-name-that-does-not-fit")[j % 3])
    ids = [f"row-{i}" for i in range(len(texts))]
    table = pa.table({"id": ids, "text": texts, "source": sources})
    tamis.dedup(table, out=folder / "out", id="id", source="source", threshold=0.6, allow_loss=sorted(set(sources)))
    return folder / "out"


@pytest.fixture
def page(opened, out):
    """Return a function that opens the page of the output, or another one."""
    return lambda width=1200, scheme="light", path=out / "report.html": opened(path, width, scheme)


def test_it_opens_and_is_small(out, page):
    report = json.loads((out / "report.json").read_text())
    assert report["explorer"]["available"] >= 90_000
    assert (out / "report.html").stat().st_size <= 5_000_000
    tab = page()
    tab.locator("#list li[aria-selected=true]").wait_for()
    assert tab.locator("#list li").count() > 1


def test_search_filter_sort(page):
    tab = page()
    count = tab.locator("#count")
    whole = count.inner_text()
    first = tab.locator("#pair-0 .what").inner_text()
    tab.select_option("#sort", "high")
    assert tab.locator("#pair-0 .what").inner_text() != first
    tab.select_option("#source", "web")
    assert set(tab.locator("#list .what span:nth-child(2)").all_inner_texts()) == {"web"}
    tab.fill("#least", "0.9")
    assert all(float(text.split()[1]) >= 0.9 for text in tab.locator("#list .what span:nth-child(1)").all_inner_texts())
    tab.fill("#query", "no such words")
    assert count.inner_text().startswith("0 of")
    assert "Nothing matches" in tab.locator("#detail").inner_text()
    tab.fill("#query", "")
    tab.fill("#least", "0")
    tab.select_option("#source", "")
    assert count.inner_text() == whole


def test_differences_are_marked(page):
    tab = page()
    for side in ("gone", "kept"):
        text = tab.locator(f".side.{side} pre").inner_text()
        marked = tab.locator(f".side.{side} mark").all_inner_texts()
        assert any("edit" in mark for mark in marked)
        assert all(mark in text for mark in marked)
    plain = [
        tab.locator(f".side.{side} pre").evaluate(
            "e => [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent).join('')"
        )
        for side in ("gone", "kept")
    ]
    assert plain[0] == plain[1] != ""


def test_by_keyboard_alone(page):
    tab = page()
    selected = tab.locator("#list li[aria-selected=true]")
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    assert selected.get_attribute("id") == "pair-2"
    tab.keyboard.press("k")
    assert selected.get_attribute("id") == "pair-1"
    tab.locator("#list").focus()
    tab.keyboard.press("End")
    last = selected.get_attribute("id")
    tab.keyboard.press("ArrowUp")
    assert int(last.split("-")[1]) - int(selected.get_attribute("id").split("-")[1]) == 1
    tab.keyboard.press("/")
    tab.keyboard.type("row-")
    assert tab.input_value("#query") == "row-"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read(page, scheme):
    tab = page(scheme=scheme)
    assert tab.evaluate(CONTRAST) == []
    assert tab.evaluate(LABELS) == []


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_nothing_leaves_the_screen(page, width):
    tab = page(width)
    tab.locator("summary").first.click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.fixture(scope="module")
def others(out, tmp_path_factory):
    """Return the pages of `tamis tune`, with labels, and of `tamis report A B`."""
    folder = tmp_path_factory.mktemp("others")
    rows = pq.read_table(out / "data", columns=["id", "text", "source"]).slice(0, 2000)
    pq.write_table(rows, folder / "rows.parquet")
    texts = rows["text"].to_pylist()
    pq.write_table(pa.table({"left": texts[:40], "right": texts[1:41], "label": [0, 1] * 20}), folder / "pairs.parquet")
    at = str(folder) + "/"
    labelled = ["--pairs", at + "pairs.parquet", "--threshold", "0.5"]
    commands = [
        ["tune", at + "rows.parquet", *labelled, "--out", at + "tuned", "--quiet"],
        ["dedup", at + "rows.parquet", "--out", at + "low", "--id", "id", "--threshold", "0.5", "--quiet"],
        ["dedup", at + "rows.parquet", "--out", at + "high", "--id", "id", "--threshold", "0.9", "--quiet"],
        ["report", at + "low", at + "high", "--html", at + "changes.html"],
    ]
    for command in commands:
        run = CliRunner().invoke(app, command)
        assert run.exit_code == 0, (command, run.output, run.exception)
    return {"tune": folder / "tuned" / "tune.html", "changes": folder / "changes.html"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("name", ["tune", "changes"])
def test_the_other_pages(page, others, name, width, scheme):
    tab = page(width, scheme, others[name])
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate(CONTRAST) == []
    assert tab.evaluate(LABELS) == []


def test_what_inputs_hold_does_not_run(tmp_path, page):
    evil = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
    words = " ".join(f"word{i}" for i in range(40))
    table = pa.table({"id": [evil, "b"], "text": [f"{evil} {words}", f"{evil} {words} more"]})
    tamis.dedup(table, out=tmp_path / "out", id="id")
    tab = page(path=tmp_path / "out" / "report.html")
    assert tab.evaluate("window.hacked") is None
    assert evil in tab.locator(".side.kept").inner_text()
