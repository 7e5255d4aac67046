"""A disk that fills up: a clear error, nothing that looks whole, and equal bytes after more room was made."""

import subprocess
import sys
from random import Random

import pytest
from corpora import dealt, parquet_folder, random_rows
from runs import digests, pipeline

import tamis
from tamis.pipeline.config import save_config

LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
from tamis.jobs.cli import main
main()
"""
"""A command line that can write no file of more bytes than its first argument: writes fail as on a full disk."""


@pytest.fixture
def config(tmp_path):
    rng = Random(4)
    rows = dealt(rng, [row for _ in range(3) for row in random_rows(rng)], files=2)
    return pipeline(parquet_folder(rows, tmp_path / "in"), tmp_path / "out")


def test_room_is_made_bit_by_bit(config, tmp_path):
    expected = digests(tamis.run(config.model_copy(update={"out": str(tmp_path / "whole")})).out)
    save_config(config, tmp_path / "pipeline.yaml")
    codes = []
    for limit in (500, 10_000, 20_000, 40_000, 1 << 20):
        command = [sys.executable, "-B", "-c", LIMITED, str(limit), "run", str(tmp_path / "pipeline.yaml"), "--quiet"]
        ended = subprocess.run(command, capture_output=True, text=True)
        codes.append(ended.returncode)
        if ended.returncode:
            assert "error: " in ended.stderr
            assert "Traceback" not in ended.stderr
            assert "File too large" in ended.stderr
            assert not (tmp_path / "out" / "_SUCCESS").exists()
    assert codes[0] == codes[1] == 7
    assert codes[-1] == 0
    assert digests(tmp_path / "out") == expected
