"""What every page must be in a browser: readable, labelled; and the browser."""

import shutil

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((path for name in _NAMES if (path := shutil.which(name))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium on PATH")

CONTRAST = """() => {
  const channel = (v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; };
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (c) => .2126 * channel(c[0]) + .7152 * channel(c[1]) + .0722 * channel(c[2]);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.getClientRects().length || e.closest("svg, script, style, noscript")) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.push([e.tagName, e.textContent.slice(0, 30), ratio]);
  }
  return bad;
}"""

LABELS = """() => [
  ...[...document.querySelectorAll("input, select, button")].filter(
    (e) => !e.labels?.length && !e.ariaLabel && !(e.matches("button") && e.textContent.trim())),
  ...[...document.querySelectorAll("[role=region], [role=listbox], svg")].filter((e) => !e.ariaLabel),
  ...[...document.querySelectorAll("table")].filter((e) => !e.querySelector("th[scope]")),
  ...[...document.querySelectorAll("section")].filter(
    (e) => !document.getElementById(e.getAttribute("aria-labelledby"))),
].map((e) => e.outerHTML.slice(0, 100))"""


def check_readable(tab, width):
    """Open all that can be opened, and make sure that the page is no wider than its window and can be read."""
    for summary in tab.locator("summary").all():
        summary.click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate(CONTRAST) == []
    assert tab.evaluate(LABELS) == []
