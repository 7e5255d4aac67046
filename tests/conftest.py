"""One environment for every test: no inherited configuration, one locale and time zone."""

import os
import sys

import pytest

for name in [name for name in os.environ if name.startswith("TAMIS_") and name != "TAMIS_DATA"]:
    del os.environ[name]
os.environ.update(PYTHONHASHSEED="0", LC_ALL="C.UTF-8", TZ="UTC", COLUMNS="120")

# Every process that a test starts would compile the package anew, and every worker the tests: most of their start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.fixture(scope="session", autouse=True)
def _power_stays_on():
    """No test cuts the power, so what runs write need not reach the disk: one would wait for that two dozen times."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda opened: None)
        yield


@pytest.fixture
def write_parquet(tmp_path):
    """Write columns as a Parquet file under the test's folder and return its path."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def write(name, **columns):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), path)
        return path

    return write
