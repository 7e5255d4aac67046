"""One run on Spark, where Java is found; ``make test-spark`` has the others."""

import json
import re
import shutil
import subprocess
import sys
from random import Random

import pytest
from corpora import dealt, parquet_folder, random_rows
from runs import digests, pipeline

from tamis.jobs.api import run
from tamis.pipeline.config import save_config


def java_version():
    """The major version of Java, or 0."""
    if not shutil.which("java"):
        return 0
    told = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0


@pytest.mark.skipif(java_version() < 17, reason="Spark needs Java 17 or newer")
def test_spark_gives_the_bytes_of_the_local_engine(tmp_path):
    rng = Random(3)
    folder = parquet_folder(dealt(rng, random_rows(rng), files=2), tmp_path / "in")
    run(pipeline(folder, tmp_path / "local"))
    save_config(pipeline(folder, tmp_path / "spark"), tmp_path / "spark.yaml")
    conf = json.dumps({"spark.driver.memory": "1g"})
    command = [sys.executable, "-m", "tamis", "run", str(tmp_path / "spark.yaml"), "--quiet", "--engine", "spark"]
    subprocess.run([*command, "--threads", "2", f"--set=spark.conf={conf}"], check=True, capture_output=True)
    assert digests(tmp_path / "spark") == digests(tmp_path / "local")


def test_the_local_engine_needs_no_spark(tmp_path):
    rng = Random(3)
    folder = parquet_folder(dealt(rng, random_rows(rng), files=2), tmp_path / "in")
    save_config(pipeline(folder, tmp_path / "local"), tmp_path / "local.yaml")
    code = (  # pandas is no business of ours: Arrow imports it wherever it is installed
        "import sys; from tamis.jobs.cli import app; from typer.testing import CliRunner;"
        f"ended = CliRunner().invoke(app, ['run', {str(tmp_path / 'local.yaml')!r}, '--quiet']);"
        "loaded = [name for name in ('pyspark', 'py4j') if name in sys.modules];"
        "sys.exit(f'{ended.output} {loaded}' if ended.exit_code or loaded else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "local" / "_SUCCESS").exists()
