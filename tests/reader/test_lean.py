"""A training job has the reader beside a model: it loads nothing of what runs need."""

import subprocess
import sys

CODE = """
import sys
import tamis.reader
heavy = {"numba", "duckdb", "torch", "pandas", "scipy", "pydantic", "fsspec", "yaml", "rich", "typer", "matplotlib"}
print(sorted(heavy & sys.modules.keys()))
"""


def test_importing_the_reader_loads_numpy_and_arrow_alone():
    assert subprocess.check_output([sys.executable, "-c", CODE], text=True).strip() == "[]"


READ = """
import sys
from tamis.reader import ShardReader
reader = ShardReader(sys.argv[1], batch_size=8)
print(sum(batch.num_rows for batch in reader), sorted({"numba", "duckdb", "torch", "scipy"} & sys.modules.keys()))
"""


def test_reading_loads_no_more(tmp_path):
    from shard_sets import write_set

    out = write_set(tmp_path / "out", files=1, groups=2, group_rows=16)
    found = subprocess.check_output([sys.executable, "-c", READ, str(out)], text=True)
    assert found.strip() == "32 []"
