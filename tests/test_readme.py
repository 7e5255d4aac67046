"""The README's Python example runs and prints what it says."""

import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_python_example(capsys):
    code = re.search(r"```python\n(.*?)```", README, re.S).group(1)
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert re.sub(r"Result\('.*?':", "Result(...:", printed[0]) == re.search(r"# (Result.*)", README).group(1)
    assert "'keeper_address': 0" in printed[1]
    assert "'reason': 'near-duplicate'" in printed[1]
    assert printed[2] == "0"


def test_the_quickstart_is_named_as_it_is():
    assert "conf/quickstart.yaml" in README
