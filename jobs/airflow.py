"""Airflow: a pipeline as a DAG, or as a group of tasks in one; a task a step, chained.

    from tamis.jobs.airflow import build_dag

    dag = build_dag("/etc/tamis/daily.yaml", dag_id="daily", schedule="@daily", start_date=datetime(2026, 1, 1))

Nothing is passed between tasks: each goes on from the tables that those before it saved in the output folder.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, TaskGroup, chain

from ..hashing.errors import ConfigError
from ..pipeline.config import Pipeline, load_config
from ..pipeline.plan import last_step, steps_of
from ..pipeline.settings_file import read_yaml
from .airflow_operator import TamisOperator

__all__ = ["TamisOperator", "build_dag", "build_task_group", "manifest_asset"]


def build_dag(
    config: str | Path,
    *,
    dag_id: str,
    schedule: Any = None,
    start_date: Any = None,
    params: Mapping[str, Any] | None = None,
    task_settings: Mapping[str, Any] | None = None,
    dag_settings: Mapping[str, Any] | None = None,
    **group: Any,
) -> DAG:
    """Return the DAG of a pipeline.

    Args:
        config: path of the YAML. Strings in it may hold Jinja templates, as ``{{ ds }}``.
        dag_id, schedule, start_date: of the DAG.
        params: settings by their keys, as ``stages.near.threshold``: parameters of the DAG with these defaults.
        task_settings: of every task, as ``retries`` and ``pool``.
        dag_settings: further ones of the DAG, as ``catchup`` and ``tags``.
        group: options of ``build_task_group``.

    Raises:
        ConfigError: if the pipeline makes no sense, or has paths that depend on where it runs.
    """
    settings: dict[str, Any] = {"max_active_runs": 1} if _index(_load(config, params)) else {}
    settings |= {"dag_id": dag_id, "schedule": schedule, "start_date": start_date, "params": dict(params or {})}
    with DAG(**settings | dict(dag_settings or {})) as dag:
        build_task_group(config, params=params, task_settings=task_settings, **group)
    return dag


def build_task_group(
    config: str | Path,
    *,
    group_id: str = "tamis",
    tasks: str | Sequence[str] = "steps",
    engine: str | None = None,
    python: str | None = None,
    env: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    spark: Mapping[str, Any] | None = None,
    task_settings: Mapping[str, Any] | None = None,
) -> TaskGroup:
    """Return the tasks of a pipeline, chained, in the DAG that is being built.

    Args:
        config: path of the YAML; the workers read it, too.
        group_id: name of the group, and the beginning of the names of its tasks.
        tasks: ``steps``: one for each; ``one``; or the names of the steps that a task ends with.
        engine: ``local`` or ``spark``, if not as in the YAML.
        python: the interpreter that has Tamis; default: Airflow's own. Not for Spark.
        env: variables of the processes (templated).
        params: as of ``build_dag``; the DAG must have them.
        spark: options of ``SparkSubmitOperator``, as ``conn_id``, ``py_files``, ``deploy_mode``.
        task_settings: of every task, as ``retries`` and ``pool``.

    Raises:
        ConfigError: if the pipeline makes no sense, or has paths that depend on where it runs.
    """
    pipeline = _load(config, params)
    _check_absolute(pipeline)
    engine = engine or pipeline.engine
    changed = [*_templates(config), *(f'{key}={{{{ params["{key}"] | tojson }}}}' for key in params or ())]
    arguments = ["run", str(Path(config).absolute()), *_repeated("--set", changed), "--engine", engine]
    common: dict[str, Any] = {"depends_on_past": True} if _index(pipeline) else {}
    common |= {"inputs": [item.path for item in (*pipeline.inputs, *pipeline.against)], **(task_settings or {})}
    made = []
    with TaskGroup(group_id) as group:
        for step in _ends(pipeline, tasks):
            last = last_step(pipeline, step) is None
            settings: dict[str, Any] = common | {"task_id": "run" if tasks == "one" else step.replace(" ", "_")}
            if last:
                settings |= {"out": pipeline.out, "outlets": [manifest_asset(pipeline.out)]}
            given = arguments if last else [*arguments, "--until", step]
            if engine == "spark":
                from .airflow_spark import TamisSparkOperator

                submitted = {"application_args": given, "conf": dict(pipeline.spark.conf), "env_vars": dict(env or {})}
                made.append(TamisSparkOperator(**submitted | settings | dict(spark or {})))
            else:
                made.append(TamisOperator(arguments=given, python=python, env=env, **settings))
        chain(*made)
    return group


def manifest_asset(out: str) -> Asset:
    """Return the asset of an output: its manifest, or of templated outputs the folder that they lie in.

    >>> manifest_asset("/data/sifted").uri, manifest_asset("s3://bucket/daily/{{ ds }}").uri
    ('file:///data/sifted/manifest.json', 's3://bucket/daily')
    """
    place, template, _ = out.partition("{{")
    uri = place.rpartition("/")[0] if template else f"{place.rstrip('/')}/manifest.json"
    return Asset(uri if "://" in uri else f"file://{uri}")


def _load(config: str | Path, params: Mapping[str, Any] | None) -> Pipeline:
    """Return the pipeline with the defaults of its parameters; templates stay as they are."""
    defaults = {key: getattr(value, "value", value) for key, value in (params or {}).items()}
    return load_config(str(config), overrides=[f"{key}={json.dumps(value)}" for key, value in defaults.items()])


def _index(pipeline: Pipeline) -> bool:
    """Whether runs depend on those before them."""
    return pipeline.near is not None and pipeline.near.index is not None


def _ends(pipeline: Pipeline, tasks: str | Sequence[str]) -> Sequence[str]:
    """Return the steps that tasks end with."""
    steps = steps_of(pipeline)
    if tasks == "steps":
        return steps
    wanted = [] if tasks == "one" else [tasks] if isinstance(tasks, str) else list(tasks)
    chosen = [step for step in wanted if last_step(pipeline, step)]
    if chosen != [step for step in steps if step in chosen]:
        raise ConfigError("steps go in their order, each once", value=chosen, remedy=f"It is: {', '.join(steps)}.")
    return [*chosen, steps[-1]]


def _check_absolute(pipeline: Pipeline) -> None:
    """Make sure that paths mean the same to every worker."""
    paths = [pipeline.out, *(item.path for item in (*pipeline.inputs, *pipeline.against))]
    if pipeline.near and pipeline.near.index:
        paths.append(pipeline.near.index.path)
    for path in paths:
        if not path.startswith(("/", "{{")) and "://" not in path:
            raise ConfigError(
                "paths of a scheduled pipeline are absolute, or URLs",
                value=path,
                remedy="Write the whole path: workers run in folders of their own.",
            )


def _repeated(option: str, values: Sequence[str]) -> Iterator[str]:
    for value in values:
        yield from (option, value)


def _templates(config: str | Path) -> list[str]:
    """Return an override for each string of a YAML that holds a template, for Airflow to fill in.

    The value is a literal block, in which YAML takes every character as it is, whatever the template turns into.
    """
    found = _strings(read_yaml(str(config), what="a configuration", start="inputs:"), ())
    return [f"{key}=|2-\n  {text}" for key, text in found if "{{" in text or "{%" in text]


def _strings(value: object, keys: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the strings in a value, with their keys as ``--set`` takes them."""
    if isinstance(value, str):
        yield ".".join(keys), value.replace("\n", "\n  ")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(item, (*keys, str(key)))
    elif isinstance(value, Sequence):
        for number, item in enumerate(value):
            yield from _strings(item, (*keys, str(number)))
