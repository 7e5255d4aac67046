"""DAGs before they run: what tasks there are, what they are told, what is imported; and the operator by itself."""

import os
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
import yaml
from airflow.sdk import DAG, Asset
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from jinja2 import Environment

from tamis.hashing.errors import ConfigError
from tamis.jobs.airflow import TamisOperator, build_dag, build_task_group, manifest_asset
from tamis.pipeline.config import load_config
from tamis.pipeline.plan import steps_of

pytestmark = pytest.mark.airflow

ROOT = Path(__file__).parents[2]
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def write(tmp_path):
    """Write a pipeline; return its path."""

    def write(**settings):
        path = tmp_path / "p.yaml"
        path.write_text(yaml.safe_dump({"inputs": [{"path": "/data/{{ ds }}"}], "out": "/out/{{ ds }}"} | settings))
        return path

    return write


def test_the_ready_dag_file_is_imported_by_a_bag_without_errors(home):
    code = (
        "from airflow.dag_processing.dagbag import DagBag\n"
        f"bag = DagBag({str(ROOT / 'conf' / 'airflow')!r})\n"
        "print(bag.import_errors, sorted(bag.dags), bag.dags['tamis_daily'].max_active_runs)"
    )
    told = subprocess.check_output([sys.executable, "-c", code], env=home.environment, text=True)
    assert told.splitlines()[-1] == "{} ['tamis_daily'] 1"


def test_importing_it_is_light():
    heavy = ["pyspark", "torch", "numba", "duckdb", "pandas", "scipy", "matplotlib", "numpy", "pyarrow"]
    code = (
        "import sys, airflow.sdk; before = set(sys.modules)\n"
        "from tamis.jobs.airflow import build_dag\n"
        f"build_dag({str(ROOT / 'conf' / 'airflow' / 'tamis_daily.yaml')!r}, dag_id='x')\n"
        f"print([name for name in {heavy} if name in set(sys.modules) - before])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).splitlines()[-1] == "[]"


def test_there_is_a_task_for_each_step_one_after_the_other(write):
    dag = build_dag(write(), dag_id="x", schedule="@daily", start_date=START, task_settings={"retries": 3})
    names = [f"tamis.{step.replace(' ', '_')}" for step in steps_of(load_config(write()))]
    assert [task.task_id for task in dag.topological_sort()] == names
    assert [task.downstream_task_ids for task in dag.topological_sort()] == [*({name} for name in names[1:]), set()]
    assert {task.retries for task in dag.tasks} == {3}
    assert [task.arguments[-2:] for task in dag.topological_sort()][:2] == [
        ["--until", "read and sketch"],
        ["--until", "rank"],
    ]
    assert "--until" not in dag.get_task(names[-1]).arguments
    assert [task.task_id for task in dag.tasks if task.outlets] == names[-1:]


@pytest.mark.parametrize(
    ("tasks", "names"),
    [
        ("one", ["tamis.run"]),
        (["rank", "verify"], ["tamis.rank", "tamis.verify", "tamis.write_shards"]),
        (["write shards"], ["tamis.write_shards"]),
    ],
)
def test_tasks_may_be_fewer(write, tasks, names):
    assert [task.task_id for task in build_dag(write(), dag_id="x", tasks=tasks).topological_sort()] == names


@pytest.mark.parametrize("tasks", [["verify", "rank"], ["rank", "rank"], ["nothing"], "all"])
def test_steps_that_are_not_of_the_run_or_out_of_order_are_refused(write, tasks):
    with pytest.raises(ConfigError, match="read and sketch, rank, exact"):
        build_dag(write(), dag_id="x", tasks=tasks)


@pytest.mark.parametrize(
    "relative", [{"out": "out"}, {"inputs": [{"path": "in/x"}]}, {"stages": [{"near": {"index": {"path": "known"}}}]}]
)
def test_paths_that_depend_on_where_a_worker_runs_are_refused(write, relative):
    with pytest.raises(ConfigError, match="paths of a scheduled pipeline are absolute"):
        build_dag(write(**relative), dag_id="x")


def test_templates_arrive_as_they_are_written_whatever_they_turn_into(write):
    path = write(
        inputs=[{"path": "/data/{{ ds }}", "source": "{{ ds }}"}],
        stages=[{"filter": "day = '{{ ds }}' and \"a: #\" <> '{{ params[\"odd\"] }}'"}, "exact", {"near": {}}],
        allow_loss=["{{ ds }}", "plain", " two\nlines {{ ds }}"],
    )
    dag = build_dag(path, dag_id="x", params={"stages.near.threshold": 0.8, "keep": "longest"})
    task = dag.topological_sort()[0]
    context = {"ds": "2026-01-01", "params": {"stages.near.threshold": 0.9, "keep": "newest:'x'", "odd": "y: 'z"}}
    rendered = [Environment().from_string(argument).render(context) for argument in task.arguments]
    overrides = [value for option, value in zip(rendered, rendered[1:], strict=False) if option == "--set"]
    config = load_config(str(path), overrides=overrides)
    assert config.inputs[0].path == "/data/2026-01-01"
    assert config.inputs[0].source == "2026-01-01"
    assert config.filters == ("day = '2026-01-01' and \"a: #\" <> 'y: 'z'",)
    assert config.allow_loss == ("2026-01-01", "plain", " two\nlines 2026-01-01")
    assert (config.out, config.near.threshold, str(config.keep)) == ("/out/2026-01-01", 0.9, "newest:'x'")


def test_with_an_index_days_wait_for_those_before(write):
    path = write(stages=["exact", {"near": {"index": {"path": "/known", "create": {"capacity": 10}}}}])
    dag = build_dag(path, dag_id="x")
    assert dag.max_active_runs == 1
    assert {task.depends_on_past for task in dag.tasks} == {True}
    plain = build_dag(write(stages=["exact"]), dag_id="x")
    assert {task.depends_on_past for task in plain.tasks} == {False}


def test_a_group_stands_in_a_dag_of_others(write):
    with DAG("x"):
        group = build_task_group(write(stages=["exact"]), group_id="sift", tasks=["exact"], python="/opt/python")
    assert sorted(group.children) == ["sift.exact", "sift.write_shards"]
    assert {task.python for task in group.children.values()} == {"/opt/python"}


def test_spark_tasks_submit_the_same_arguments(write):
    path = write(engine="spark", spark={"conf": {"spark.executor.memory": "2g"}})
    dag = build_dag(path, dag_id="x", tasks=["rank"], spark={"conn_id": "cluster"}, env={"A": "{{ ds }}"})
    local = build_dag(path, dag_id="x", tasks=["rank"], engine="local")
    tasks = dag.topological_sort()
    assert {type(task).__mro__[1].__name__ for task in tasks} == {"SparkSubmitOperator"}
    assert {Path(task.application).resolve() for task in tasks} == {ROOT / "jobs" / "submit.py"}
    told = [[*task.application_args] for task in tasks]
    assert told == [["spark" if a == "local" else a for a in task.arguments] for task in local.topological_sort()]
    assert {tuple(task.conf.items()) for task in tasks} == {(("spark.executor.memory", "2g"),)}
    assert {tuple(task.env_vars.items()) for task in tasks} == {(("A", "{{ ds }}"),)}
    assert {"inputs", "out", "application_args"} <= set(tasks[0].template_fields)
    assert {task.durable for task in tasks} == {True}  # the provider's: a driver in cluster mode is found again


@pytest.mark.parametrize(
    ("out", "uri"),
    [
        ("/data/sifted", "file:///data/sifted/manifest.json"),
        ("/data/{{ ds }}/sifted", "file:///data"),
        ("/data/day-{{ ds }}", "file:///data"),
        ("s3://bucket/sifted/", "s3://bucket/sifted/manifest.json"),
    ],
)
def test_assets_have_static_names(out, uri):
    assert manifest_asset(out) == Asset(uri)


@pytest.fixture
def script(tmp_path):
    """Write a program to run in place of an interpreter; return its path."""

    def write(lines):
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return write


@pytest.mark.parametrize(
    ("ending", "final"),
    [
        *((f"exit {code}", True) for code in (2, 3, 5, 6)),
        *((f"exit {code}", False) for code in (1, 4, 7)),
        ("kill -KILL $$", False),
    ],
)
def test_what_a_retry_cannot_mend_is_not_retried(script, ending, final):
    task = TamisOperator(task_id="x", arguments=["run", "p.yaml"], python=script(ending))
    with pytest.raises(AirflowException, match="tamis ended with exit code") as raised:
        task.execute({"task": task})
    assert isinstance(raised.value, AirflowFailException) is final


def test_arguments_and_variables_reach_the_process_and_its_lines_the_log(script, tmp_path, capsys):
    task = TamisOperator(
        task_id="x",
        arguments=["run", "a b"],
        python=script(f'echo "$@ $SAID" > {tmp_path}/said; echo out; echo err >&2'),
        env={"SAID": "so"},
    )
    task.execute({"task": task})
    assert (tmp_path / "said").read_text() == "-m tamis run a b so\n"
    lines = capsys.readouterr().out.splitlines()[-2:]
    assert [line.split("]")[1].split("[")[0].strip() for line in lines] == ["out", "err"]


def alive(pid):
    return Path(f"/proc/{pid}").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def test_a_task_that_is_killed_leaves_no_process(script, tmp_path):
    program = script(f"sleep 600 & echo $! > {tmp_path}/child.part; mv {tmp_path}/child.part {tmp_path}/child; wait")
    task = TamisOperator(task_id="x", arguments=[], python=program)
    ended = []

    def execute():
        with pytest.raises(AirflowException):
            task.execute({"task": task})
        ended.append(True)

    thread = Thread(target=execute)
    thread.start()
    while not (tmp_path / "child").exists():
        time.sleep(0.01)
    child = int((tmp_path / "child").read_text())
    assert alive(child)
    task.on_kill()
    thread.join(30)
    assert ended == [True]
    for _ in range(500):
        if not alive(child):
            break
        time.sleep(0.01)
    assert not alive(child)


def test_lineage_names_what_is_read_and_what_is_written(write):
    pytest.importorskip("airflow.providers.openlineage")
    dag = build_dag(write(against=[{"path": "s3://old/texts"}]), dag_id="x", tasks=["rank"])
    first, last = dag.topological_sort()
    for found in (last.get_openlineage_facets_on_start(), last.get_openlineage_facets_on_complete(None)):
        assert [(item.namespace, item.name) for item in found.inputs] == [
            ("file", "/data/{{ ds }}"),
            ("s3://old", "texts"),
        ]
        assert [(item.namespace, item.name) for item in found.outputs] == [("file", "/out/{{ ds }}")]
    assert first.get_openlineage_facets_on_complete(None).outputs == []
    assert {"inputs", "out"} <= set(last.template_fields)


def test_without_the_provider_there_is_no_lineage(monkeypatch):
    monkeypatch.setitem(sys.modules, "airflow.providers.openlineage.extractors", None)
    task = TamisOperator(task_id="x", arguments=[], inputs=["/in"], out="/out")
    assert task.get_openlineage_facets_on_start() is None


def test_the_environment_of_the_worker_is_handed_on(script, tmp_path, monkeypatch):
    monkeypatch.setenv("OF_THE_WORKER", "1")
    task = TamisOperator(task_id="x", arguments=[], python=script(f"echo $OF_THE_WORKER > {tmp_path}/said"))
    task.execute({"task": task})
    assert (tmp_path / "said").read_text() == "1\n"
    assert "OF_THE_WORKER" in os.environ
