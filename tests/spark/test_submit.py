"""spark-submit, as on a cluster: the package as a zip, executors of their own, a master and two workers."""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pyspark
import pytest
from corpora import dealt, parquet_folder, random_rows
from runs import digests, pipeline

from tamis.jobs.api import run
from tamis.pipeline.config import save_config

ROOT = Path(__file__).parents[2]
BIN = Path(pyspark.__file__).parent / "bin"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The wheel, renamed: Spark puts a zip on the path of executors, and not a wheel."""
    folder = tmp_path_factory.mktemp("zip")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True)
    shutil.copy(next(folder.glob("*.whl")), folder / "tamis.zip")
    return folder / "tamis.zip"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    rng = Random(17)
    rows = dealt(rng, [row for _ in range(3) for row in random_rows(rng)], files=3)
    return parquet_folder(rows, tmp_path_factory.mktemp("submit") / "in", group_rows=40)


def longest(inputs, out):
    return pipeline(inputs, out, keep="longest", shards={"target_size": "20KB", "group_size": "5KB"})


@pytest.fixture(scope="module")
def expected(inputs, tmp_path_factory):
    out = tmp_path_factory.mktemp("expected") / "out"
    run(longest(inputs, out))
    return digests(out)


def submit(master, archive, config, folder, *options):
    """Submit the launcher from the zip: what is imported is the zip's, wherever the tree is."""
    save_config(config, folder / "pipeline.yaml")
    launcher = folder / "submit.py"
    shutil.copy(ROOT / "jobs" / "submit.py", launcher)
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "NUMBA_CACHE_DIR": str(archive.parent / "cache")}
    command = [BIN / "spark-submit", "--master", master, "--properties-file", ROOT / "conf" / "spark.conf"]
    command += ["--driver-memory", "1g", *options, "--py-files", archive, launcher, "run", folder / "pipeline.yaml"]
    ended = subprocess.run([*map(str, command), "--quiet"], capture_output=True, text=True, env=environment)
    assert ended.returncode == 0, ended.stdout[-3000:] + "\n".join(told(ended.stderr))


def told(log):
    """What a log says besides Spark's own chatter."""
    return [line for line in log.splitlines() if " INFO " not in line and " WARN " not in line][-60:]


@pytest.mark.parametrize("executors", [1, 2])
def test_a_cluster_of_processes(archive, inputs, expected, tmp_path, executors):
    submit(f"local-cluster[{executors},1,1024]", archive, longest(inputs, tmp_path / "out"), tmp_path)
    assert digests(tmp_path / "out") == expected


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.fixture
def master(tmp_path):
    """A standalone master and two workers."""
    port = free_port()
    environment = {**os.environ, "SPARK_WORKER_DIR": str(tmp_path / "workers"), "SPARK_NO_DAEMONIZE": "1"}
    url = f"spark://127.0.0.1:{port}"
    at = ["--host", "127.0.0.1", "--webui-port", "0"]
    commands = [["org.apache.spark.deploy.master.Master", *at, "--port", str(port)]]
    commands += [["org.apache.spark.deploy.worker.Worker", *at, "--cores", "1", "--memory", "1g", url]] * 2
    servers = []
    try:
        for command in commands:
            log = open(tmp_path / f"server-{len(servers)}.log", "w")  # noqa: SIM115  lives as long as the server
            servers.append(
                (subprocess.Popen([BIN / "spark-class", *command], stdout=log, stderr=log, env=environment), log)
            )
            wait_for_master(port)
        yield url
    finally:
        for server, log in servers:
            server.terminate()
            server.wait(timeout=30)
            log.close()


def wait_for_master(port):
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("no master")


def test_a_standalone_cluster(master, archive, inputs, expected, tmp_path):
    submit(master, archive, longest(inputs, tmp_path / "out"), tmp_path, "--executor-memory", "1g")
    assert digests(tmp_path / "out") == expected
