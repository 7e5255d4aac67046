"""The tutorial, the how-to pages and those that explain show what comes out when they are followed."""

import re
import shutil
from pathlib import Path

import pages
import pytest

DOCS = pages.ROOT / "docs"
EXPLAINED = [DOCS / "how-it-works.md", DOCS / "when-not-to-use.md"]
PAGES = [*EXPLAINED, *sorted((DOCS / "how-to").glob("*.md"))]


def test_the_tutorial(tmp_path):
    page = pages.TUTORIAL.read_text(encoding="utf-8")
    assert pages.play(page, tmp_path).splitlines() == page.splitlines()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A folder with the corpus of the tutorial: to be copied."""
    folder = tmp_path_factory.mktemp("corpus")
    pages.make_corpus(folder)
    return folder


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page(path, corpus, tmp_path):
    page = path.read_text(encoding="utf-8")
    shutil.copytree(corpus, tmp_path, dirs_exist_ok=True)
    assert pages.play(page, tmp_path).splitlines() == page.splitlines()


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.stem)
def test_links_lead_somewhere(path):
    text = re.sub(r"^```.*?^```|<!--.*?-->", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not Path(path.parent, link).exists()] == []


SHOWN = """\
Save this as `words.txt`:

```text
one
```

```console
$ cat words.txt
{}
```

```python
print("two")
```
{}"""


def test_what_is_shown_must_be_what_comes_out(tmp_path):
    right = SHOWN.format("one", "\n```text\ntwo\n```\n")
    assert pages.play(right, tmp_path) == right
    assert pages.play(SHOWN.format("o...", "\n```text\n...o\n```\n"), tmp_path) == SHOWN.format(
        "o...", "\n```text\n...o\n```\n"
    )
    for wrong in (SHOWN.format("two", ""), SHOWN.format("one", "\n```text\nthree\n```\n"), SHOWN.format("one", "")):
        assert pages.play(wrong, tmp_path) == right
