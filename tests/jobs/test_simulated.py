import json
import sys

import pytest
from shard_sets import write_set

from tamis.jobs import cli


@pytest.fixture
def simulate(monkeypatch, capsys, tmp_path):
    """Run the command on a small output; return (exit code, stdout, stderr)."""
    out = write_set(tmp_path / "out", files=6, groups=5, group_rows=16, tail_rows=29)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tamis", "simulate", str(out), *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        printed, err = capsys.readouterr()
        return stopped.value.code or 0, printed, err

    return run


def test_it_says_what_ranks_read_and_who_hangs(simulate):
    code, printed, _ = simulate("--world-size", 3, "--workers", 2, "--batch", 24)
    assert code == 0
    assert "509 rows of train" in printed
    assert "21 steps of 24 rows on each of 3 ranks x 2 workers. 5 rows are left out." in printed
    assert "Order: 6 streams, windows of 4 row groups, chunks of 8 rows." in printed
    assert "0 of 30 row groups, and the tail, are left for the end" in printed
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in printed.splitlines() if line[:1] == "│"]
    assert [row[:3] for row in rows[:3]] == [[str(rank), "21", "168"] for rank in range(3)]
    assert ["order-v1", "", "21", "21", "0", "5", "no"] in rows
    assert ["files", "7", "20", "23", "0", "5", "yes"] in rows
    assert "reader 1, 3; files 1, 3; row groups 1, 3, 5, 15." in printed


def test_json_and_a_chart(simulate, tmp_path):
    code, printed, _ = simulate("--world-size", 3, "--batch", 24, "--json", "--plot", tmp_path / "shuffle.svg")
    assert code == 0
    assert json.loads(printed)["steps"] == 21
    assert (tmp_path / "shuffle.svg").read_text().startswith('<svg xmlns="http://www.w3.org/2000/svg"')


def test_a_chart_goes_into_a_folder_that_is_there(simulate, tmp_path):
    plot = tmp_path / "none" / "shuffle.svg"
    code, _, err = simulate("--world-size", 3, "--batch", 24, "--plot", plot)
    assert code == 2
    assert f"a chart is written to a folder\n  found: {plot}\n  Make its folder first." in err


def test_many_ranks_have_two_lines(simulate):
    _, printed, _ = simulate("--world-size", 30, "--batch", 240)
    assert "least of 30" in printed
    assert "│ 16 " not in printed


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (("--world-size", 3, "--batch", 25), "the ranks divide a batch"),
        (("--world-size", 3, "--batch", 24, "--set", "test"), "a set is one of the output"),
        (("--world-size", 3, "--batch", 24, "--plot", "x.png"), "a chart is an SVG file"),
    ],
)
def test_what_cannot_be_is_refused(simulate, arguments, rule):
    code, _, err = simulate(*arguments)
    assert code == 2
    assert rule in err
