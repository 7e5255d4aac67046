"""The Python examples of the README and of the docs run and print what they say."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(page):
    return re.findall(r"```python\n(.*?)```", page, re.S)


def test_the_python_example(capsys):
    code, *_ = blocks(README)
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert re.sub(r"Result\('.*?':", "Result(...:", printed[0]) == re.search(r"# (Result.*)", README).group(1)
    assert "'keeper_address': 0" in printed[1]
    assert "'reason': 'near-duplicate'" in printed[1]
    assert printed[2] == "0"


@pytest.mark.parametrize("page", ["sketches.md"])
def test_the_examples_of_a_page_print_what_they_say(page, capsys):
    code = "\n".join(blocks((ROOT / "docs" / page).read_text(encoding="utf-8")))
    exec(compile(code, page, "exec"), {})
    assert capsys.readouterr().out.splitlines() == re.findall(r"^print.*  # (.*)$", code, re.M)


def test_the_quickstart_is_named_as_it_is():
    assert "conf/quickstart.yaml" in README
