"""Pages of docs/ whose examples are run: what they show is what comes out.

In such a page

- a block after a line that ends in "Save this as `NAME`:" is written to the file NAME;
- in a ``console`` block, lines that begin with ``$ `` are run by bash, and what follows is what they print (progress
  left out); ``...`` stands for anything, as in doctest;
- a ``python`` block is run, in one namespace for all of a page, and a ``text`` block after it is what it prints, unless
  the line before the block is ``<!-- not run -->``;
- all other blocks (``sh``, ``yaml``, ``sql``) are only to be read.

``python tests/pages.py docs/tutorial.md ...`` writes what came out into the pages.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.md"

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```\n", re.M | re.S)
_FILE = re.compile(r"Save this as `([^`]+)`:\n\n$")
_COMMAND = re.compile(r"^\$ (.*(?:\\\n.*)*)\n", re.M)
_SHELL = re.compile(r"[|&;<>()$`*?\\]")
_PROGRESS = re.compile(r'^\{"(?:step|state)": .*\n', re.M)


def play(page: str, folder: Path) -> str:
    """Run a page in a folder and return it as it should be: equal to ``page`` if all outputs are as shown."""
    shown: list[str] = []
    names: dict[str, object] = {"__name__": "page"}
    printed: str | None = None
    end = 0
    for block in _BLOCK.finditer(page):
        before, (language, body) = page[end : block.start()], block.groups()
        if printed is not None and (language != "text" or before.strip()):
            shown.append(_text_block(printed))
            printed = None
        shown.append(before)
        if named := _FILE.search(before):
            (folder / named[1]).write_text(body, encoding="utf-8")
        elif language == "console":
            body = "".join(_console(body, folder))
        elif language == "python" and not before.endswith("<!-- not run -->\n"):
            printed = _python(body, folder, names) or None
        elif language == "text" and printed is not None:
            body, printed = _as_shown(body, printed), None
        shown.append(f"```{language}\n{body}```\n")
        end = block.end()
    if printed is not None:
        shown.append(_text_block(printed))
    return "".join(shown) + page[end:]


def make_corpus(folder: Path) -> None:
    """Make the corpus of the tutorial in a folder."""
    page = TUTORIAL.read_text(encoding="utf-8")
    block = next(block for block in _BLOCK.finditer(page) if _FILE.search(page[: block.start()]))
    (folder / "make_corpus.py").write_text(block[2], encoding="utf-8")
    _bash("python make_corpus.py", folder)


def _text_block(printed: str) -> str:
    return f"\n```text\n{printed}```\n"


def _console(body: str, folder: Path) -> Iterator[str]:
    """Yield each command and what it prints."""
    commands = list(_COMMAND.finditer(body))
    ends = [command.start() for command in commands[1:]] + [len(body)]
    yield body[: commands[0].start()]
    for command, end in zip(commands, ends, strict=True):
        yield command[0]
        yield _as_shown(body[command.end() : end], _run(command[1], folder))


def _as_shown(shown: str, printed: str) -> str:
    """Return what is shown if it is what was printed, else that."""
    pattern = ".*?".join(map(re.escape, shown.split("...")))
    return shown if re.fullmatch(pattern, printed, re.S) else printed


def _tidy(printed: str) -> str:
    lines = [line.rstrip() for line in _PROGRESS.sub("", printed).splitlines()]
    return "".join(line + "\n" for line in "\n".join(lines).strip("\n").splitlines())


def _run(command: str, folder: Path) -> str:
    if command.startswith("tamis ") and not _SHELL.search(command):
        return _tidy(_tamis(command, folder))
    return _tidy(_bash(command, folder))


def _bash(command: str, folder: Path) -> str:
    with tempfile.TemporaryDirectory() as programs:
        for name, what in (("python", ""), ("tamis", "-m tamis ")):
            program = Path(programs, name)
            program.write_text(f'#!/bin/sh\nexec {sys.executable} {what}"$@"\n', encoding="utf-8")
            program.chmod(0o755)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    return done.stdout


def _tamis(command: str, folder: Path) -> str:
    """Run the command line in this process, which spares the time to start one."""
    import shlex

    from tamis.jobs import cli

    out, err = io.StringIO(), io.StringIO()
    arguments, sys.argv = sys.argv, shlex.split(command)
    try:
        with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
    except SystemExit:
        pass
    finally:
        sys.argv = arguments
    return out.getvalue() + err.getvalue()


def _python(code: str, folder: Path, names: dict[str, object]) -> str:
    out = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out):
        exec(compile(code, "page", "exec"), names)
    return _tidy(out.getvalue())


def main() -> None:
    """Write what comes out into the pages that are named."""
    os.environ.update(LC_ALL="C.UTF-8", TZ="UTC", COLUMNS="120")
    sys.path.insert(0, str(ROOT / "src"))
    for name in sys.argv[1:]:
        page = Path(name)
        with tempfile.TemporaryDirectory() as folder:
            if page.resolve() != TUTORIAL:
                make_corpus(Path(folder))
            played = play(page.read_text(encoding="utf-8"), Path(folder))
        page.write_text(played, encoding="utf-8")


if __name__ == "__main__":
    main()
