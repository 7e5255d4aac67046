"""A local run loads neither pandas nor SciPy nor Spark, though they are installed; later imports of them work.

A deduplication that fits into memory does without DuckDB, too.
"""

import subprocess
import sys

import pytest

RUN = """
import sys
from tamis.jobs.cli import main
sys.argv = ["tamis", *sys.argv[1:], "--quiet"]
try:
    main()
except SystemExit as ended:
    if ended.code:
        raise
unwanted = {"pandas", "scipy", "pyspark", "torch"} | ({"duckdb"} if "dedup" in sys.argv else set())
loaded = sorted(unwanted & sys.modules.keys())
if loaded:
    sys.exit(f"loaded: {loaded}")
import pandas, scipy.linalg
"""


@pytest.mark.parametrize("command", [["dedup"], ["lake", "scan"]])
def test_a_local_run_loads_no_more_than_it_needs(tmp_path, write_parquet, command):
    pytest.importorskip("pandas")
    pytest.importorskip("scipy")
    path = write_parquet("in/x.parquet", text=["one text", "another text", "one text"])
    write_parquet("in/y.parquet", text=["one text"])
    arguments = [*command, str(path.parent), "--out", str(tmp_path / "out")]
    ended = subprocess.run([sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "out" / "_SUCCESS").exists()
