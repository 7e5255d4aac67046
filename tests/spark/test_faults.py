"""Machines die: executors, Python workers and drivers are killed, tasks run twice. The output is the same bytes."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from random import Random

import pytest
from corpora import dealt, parquet_folder, random_rows
from runs import digests, pipeline

from tamis.jobs.api import run
from tamis.pipeline.config import save_config
from tamis.pipeline.verify import verify

CLUSTER = "local-cluster[2,1,1024]"
RETRYING = "local[2,4]"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    rng = Random(11)
    rows = dealt(rng, [row for _ in range(40) for row in random_rows(rng)], files=6)
    return parquet_folder(rows, tmp_path_factory.mktemp("faults") / "in", group_rows=50)


def several_shards(inputs, out, **settings):
    return pipeline(inputs, out, shards={"target_size": "60KB", "group_size": "10KB"}, **settings)


@pytest.fixture(scope="module")
def expected(inputs, tmp_path_factory):
    out = tmp_path_factory.mktemp("expected") / "out"
    run(several_shards(inputs, out))
    return digests(out)


class Attempt:
    """A run in a process of its own, which tells the steps that it is in."""

    def __init__(self, config, folder, **conf):
        path = folder / "pipeline.yaml"
        save_config(config, path)
        options = [f"--set=spark.conf={json.dumps({'spark.driver.memory': '1g', **conf})}"]
        command = [sys.executable, "-m", "tamis", "run", str(path), "--engine", "spark", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.steps, self.lines = [], []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)
            if line.startswith('{"step"') and '"started"' in line:
                self.steps.append(json.loads(line)["step"])

    def wait(self):
        status = self.process.wait(timeout=600)
        self._reader.join()
        self.process.stderr.close()
        return status


def processes(command_part, ancestor):
    """Return the processes whose command has a part, below another process."""
    found = []
    parents, commands = {}, {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stat, open(f"/proc/{entry}/cmdline") as command:
                    parents[int(entry)] = int(stat.read().rsplit(")", 1)[1].split()[1])
                    commands[int(entry)] = command.read()
            except (FileNotFoundError, ProcessLookupError):
                continue
    for number, command in commands.items():
        line, above = command.replace("\0", " "), parents.get(number)
        while above and above != ancestor:
            above = parents.get(above)
        if command_part in line and above:
            found.append((number, parents[number]))
    return found


def executors(driver):
    return [number for number, _ in processes("CoarseGrainedExecutorBackend", driver)]


def python_workers(driver):
    """Python processes that run tasks: children of Spark's daemons."""
    daemons = {number: parent for number, parent in processes("pyspark.daemon", driver)}
    return [number for number, parent in daemons.items() if parent in daemons]


def harass(attempt, victims, *, most_a_step, rng):
    """Kill a victim at some moments of each step until the run ends; return the steps in which something died."""
    struck = []
    seen = 0
    while attempt.process.poll() is None:
        if len(attempt.steps) > seen:
            seen = len(attempt.steps)
            for _ in range(most_a_step):
                time.sleep(rng.uniform(0.05, 0.5))
                alive = victims(attempt.process.pid)
                if alive and len(attempt.steps) == seen:
                    try:
                        os.kill(rng.choice(sorted(alive)), signal.SIGKILL)
                        struck.append(attempt.steps[seen - 1])
                    except ProcessLookupError:
                        continue
        time.sleep(0.02)
    return struck


def finished(attempt, out, expected):
    assert attempt.wait() == 0, "".join(attempt.lines[-40:])
    assert digests(out) == expected
    assert all(check.passed for check in verify(out))
    assert not list(out.rglob(".*"))


def test_executors_killed_while_steps_run(inputs, expected, tmp_path):
    settings = {"spark": {"master": CLUSTER, "partitions": 12, "driver_tables": 0}}
    attempt = Attempt(several_shards(inputs, tmp_path / "out", **settings), tmp_path)
    struck = harass(attempt, executors, most_a_step=1, rng=Random(1))
    finished(attempt, tmp_path / "out", expected)
    assert len(set(struck)) >= 5, struck


def test_tasks_that_fail_twice(inputs, expected, tmp_path):
    settings = {"spark": {"master": RETRYING, "partitions": 12, "driver_tables": 0}}
    attempt = Attempt(several_shards(inputs, tmp_path / "out", **settings), tmp_path)
    struck = harass(attempt, python_workers, most_a_step=2, rng=Random(2))
    finished(attempt, tmp_path / "out", expected)
    assert len(set(struck)) >= 5, struck


def test_drivers_killed_and_restarted(inputs, expected, tmp_path):
    rng = Random(3)
    config = several_shards(inputs, tmp_path / "out", spark={"master": RETRYING, "partitions": 5, "driver_tables": 0})
    killed_in = []
    for step in ("read and sketch", "exact", "candidates", "verify", "write shards", "balance the ledger"):
        attempt = Attempt(config, tmp_path)
        while attempt.process.poll() is None and step not in attempt.steps:
            time.sleep(0.02)
        time.sleep(rng.uniform(0, 1.0))
        attempt.process.kill()
        attempt.wait()
        killed_in.append(attempt.steps[-1])
    last = Attempt(config, tmp_path)
    finished(last, tmp_path / "out", expected)
    assert len(set(killed_in)) >= 4, killed_in


def test_tasks_that_run_twice(inputs, expected, tmp_path):
    """Speculation starts a second copy of every task that is not among the first to end."""
    speculation = {
        "spark.speculation": "true",
        "spark.speculation.interval": "10ms",
        "spark.speculation.multiplier": "1.01",
        "spark.speculation.quantile": "0.1",
        "spark.speculation.minTaskRuntime": "1ms",
    }
    settings = {"spark": {"master": CLUSTER, "partitions": 6, "driver_tables": 0}}
    attempt = Attempt(several_shards(inputs, tmp_path / "out", **settings), tmp_path, **speculation)
    finished(attempt, tmp_path / "out", expected)
