"""Time how long the report page of an output takes to open in a browser, until its list shows something.

    python benchmarks/page.py out/quickstart --turns 5

The page is that of a run that removed something, or of `tamis lake scan`.

It fails above two seconds, or five megabytes. Chromium must be on the PATH.
"""

import argparse
import shutil
import statistics
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

MOST_SECONDS, MOST_BYTES = 2.0, 5_000_000


def main() -> None:
    """Open the page some times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="output folder")
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    path = args.out.resolve() / "report.html"
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise SystemExit("no Chromium on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        seconds = [_opened(browser, path) for _ in range(args.turns)]
        browser.close()
    size = path.stat().st_size
    print(
        f"{size / 1e6:.2f} MB; opens in {statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"
    )
    if max(seconds) > MOST_SECONDS or size > MOST_BYTES:
        raise SystemExit(1)


def _opened(browser: Browser, path: Path) -> float:
    """Return the seconds until the first line of the list is shown."""
    context = browser.new_context(offline=True)
    start = time.perf_counter()
    page = context.new_page()
    page.goto(path.as_uri())
    page.locator("#list li[aria-selected=true], #pairs tr").first.wait_for()
    seconds = time.perf_counter() - start
    context.close()
    return seconds


if __name__ == "__main__":
    main()
