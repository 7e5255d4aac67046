"""The command line loads a group of commands without the others, and says the same."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tamis import __version__
from tamis.jobs import cli, command

RUN = """
import sys
from tamis.jobs.command import main
try:
    main()
finally:
    print("whole" if "tamis.jobs.cli" in sys.modules else "part")
"""


def ran(*arguments):
    return subprocess.run([sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("arguments", "loads"), [(["lake", "scan", "--help"], "part"), (["mix", "--help"], "whole")])
def test_a_group_is_loaded_alone(arguments, loads):
    ended = ran(*arguments)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == loads


def test_a_mistake_is_told_without_a_traceback(tmp_path):
    ended = ran("lake", "scan", str(tmp_path / "none"), "--out", str(tmp_path / "out"), "--match", "type")
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "error: columns match by `name` or `name,type`",
        "  found: type",
        "  Choose one of these.",
    ]


@pytest.mark.parametrize("arguments", [["lake"], ["lake", "plan", "--help"], ["--version"]])
def test_alone_as_with_all_others(arguments):
    alone, whole = (CliRunner().invoke(app, arguments) for app in (command._app_for("lake"), cli.app))
    assert alone.output == whole.output
    assert alone.exit_code == whole.exit_code
    assert arguments != ["--version"] or alone.output == f"tamis {__version__}\n"
