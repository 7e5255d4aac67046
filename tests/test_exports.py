"""The public face: adding or removing a name shows up here."""

import subprocess
import sys

import tamis


def test_exported_names():
    assert tamis.__all__ == ["Pipeline", "Result", "TamisError", "__version__", "dedup", "load_config", "run"]
    assert dir(tamis) == sorted(tamis.__all__)
    for name in tamis.__all__:
        assert getattr(tamis, name) is not None


def test_unknown_names_are_attribute_errors():
    assert not hasattr(tamis, "unknown")


def test_importing_tamis_is_light():
    heavy = ["pyspark", "torch", "pandas", "numba", "duckdb", "pyarrow", "matplotlib", "scipy"]
    code = f"import sys, tamis; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_a_local_run_imports_neither_spark_nor_pandas_nor_torch():
    code = (
        "import sys, tamis.jobs.api; print([n for n in ('pyspark', 'torch', 'pandas', 'airflow') if n in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
