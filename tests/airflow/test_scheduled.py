"""Three days by a real scheduler: killed, retried, repeated; and all together as if they had come at once."""

import stat
from random import Random

import pyarrow.parquet as pq
import pytest
import yaml
from index_batches import settings, told, write_batches
from runs import digests

import tamis
from tamis.pipeline.config import save_config
from tamis.pipeline.result import Result
from tamis.pipeline.verify import verify

pytestmark = pytest.mark.airflow

DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")

DAGS = """
from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG
from airflow.providers.standard.operators.bash import BashOperator

from tamis.jobs.airflow import build_dag, manifest_asset

days = build_dag(
    {config!r},
    dag_id="days",
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    python={python!r},
    tasks=["rank", "decide"],
    task_settings={{"retries": 1, "retry_delay": timedelta(seconds=1)}},
    dag_settings={{
        "catchup": True, "end_date": datetime(2026, 1, 3, tzinfo=UTC), "is_paused_upon_creation": False
    }},
)

with DAG("after", schedule=manifest_asset({out!r} + "/{{{{ ds }}}}"), is_paused_upon_creation=False) as after:
    BashOperator(
        task_id="note",
        bash_command=(
            "{{% for events in triggering_asset_events.values() %}}{{% for event in events %}}"
            "echo {{{{ event.extra.manifest }}}} >> {seen}; {{% endfor %}}{{% endfor %}}"
        ),
    )
"""

KILLED_ONCE = """#!/bin/sh
# Runs Tamis; of the second day, the first process that ranked rows is killed as soon as it saved something more.
case "$*" in
*{day}*"--until decide"*)
  if [ ! -e {mark} ]; then
    {python} "$@" & running=$!
    while [ ! -e {out}/_work/candidates/_SAVED ] && kill -0 $running; do sleep 0.01; done
    kill -KILL $running
    ls {out} > {mark}
    kill -KILL $$
  fi;;
esac
exec {python} "$@"
"""


@pytest.fixture(scope="module")
def days(tmp_path_factory, home, tamis_python):
    """Run three days; return the folder, and what the third was before and after it was repeated."""
    folder = tmp_path_factory.mktemp("days")
    paths = write_batches(Random(21), folder / "in", 3)
    for path, day in zip(paths, DAYS, strict=True):
        path.rename(folder / "in" / f"{day}.parquet")
    index = {"path": str(folder / "known"), "create": {"capacity": 2000}}
    save_config(settings([], folder / "out", index=index, keep="longest", inputs=[{"path": "/"}]), folder / "p.yaml")
    config = yaml.safe_load((folder / "p.yaml").read_text())
    config |= {"inputs": [{"path": f"{folder}/in/{{{{ ds }}}}.parquet"}], "out": f"{folder}/out/{{{{ ds }}}}"}
    config["allow_loss"].append("{{ ds }}.parquet")
    (folder / "p.yaml").write_text(yaml.safe_dump(config))
    killer = folder / "python"
    out = folder / "out" / DAYS[1]
    killer.write_text(KILLED_ONCE.format(day=DAYS[1], mark=folder / "killed", python=tamis_python, out=out))
    killer.chmod(killer.stat().st_mode | stat.S_IXUSR)
    (home.dags / "days.py").write_text(
        DAGS.format(config=str(folder / "p.yaml"), python=str(killer), out=str(folder / "out"), seen=folder / "seen")
    )
    with home.started():
        home.wait(lambda: ended(home, 3))
        before = stamps(folder / "out" / DAYS[2])
        third = next(run for date, run in home.runs("days").items() if date.startswith(DAYS[2]))["dag_run_id"]
        url = f"http://127.0.0.1:{home.port}/api/v2/dags/days"
        home.get(f"{url}/dagRuns/{third}/clear", dry_run=False)
        home.wait(lambda: ended(home, 3))
        after = stamps(folder / "out" / DAYS[2])
        home.wait(lambda: (folder / "seen").exists() and len((folder / "seen").read_text().split()) >= 4)
        tries = home.get(f"{url}/dagRuns/~/taskInstances")["task_instances"]
    return folder, before, after, tries


def ended(home, count):
    """Tell whether so many runs have succeeded; one that failed ends the test."""
    states = [run["state"] for run in home.runs("days").values()]
    assert "failed" not in states
    return states == ["success"] * count


def stamps(folder):
    return {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


def test_a_killed_process_was_killed_half_way_and_its_task_retried(days):
    folder, _, _, tries = days
    assert (folder / "killed").read_text().split() == ["_work", "config.yaml"]
    told = {(task["logical_date"][:10], task["task_id"]): task["try_number"] for task in tries}
    assert told[DAYS[1], "tamis.decide"] == 2
    assert [told[DAYS[0], f"tamis.{step}"] for step in ("rank", "decide", "write_shards")] == [1, 1, 1]


def test_the_day_that_was_killed_has_the_bytes_of_one_that_was_not(days, tmp_path):
    folder = days[0]
    for day in DAYS[:2]:
        index = {"path": str(tmp_path / "known"), "create": {"capacity": 2000}}
        config = settings([folder / "in" / f"{day}.parquet"], tmp_path / day, index=index, keep="longest")
        tamis.run(config.model_copy(update={"allow_loss": (*config.allow_loss, f"{day}.parquet")}))
        assert digests(folder / "out" / day) == digests(tmp_path / day)


def test_days_together_are_one_run_over_them(days, tmp_path):
    folder = days[0]
    paths = [folder / "in" / f"{day}.parquet" for day in DAYS]
    whole = tamis.run(settings(paths, tmp_path / "whole", keep="quality:order"))
    joined, rows = {}, []
    for day in DAYS:
        result = Result(folder / "out" / day)
        assert all(check.passed for check in verify(result.out))
        joined |= told(result)
        rows += pq.read_table(result.out / "data").to_pylist()
    assert joined == told(whole)
    assert any(place[0] != keeper[0] for place, (_, keeper, _) in joined.items())
    expected = pq.read_table(whole.out / "data").to_pylist()
    assert sorted(map(repr, rows)) == sorted(map(repr, expected))


def test_a_repeated_day_touches_nothing(days):
    _, before, after, _ = days
    assert before == after
    assert len(before) > 10


def test_another_dag_was_told_of_each_manifest(days):
    folder = days[0]
    seen = (folder / "seen").read_text().split()
    assert set(seen) == {f"{folder}/out/{day}/manifest.json" for day in DAYS}
