"""Writes the reference pages: configuration.md and lake-costs.md from the models, command-line.md from its own help.

``make docs`` runs it; a test fails while a page is not what it would write. What a setting means is said in
``pipeline/config.py``, what an option means in ``jobs/cli.py``.
"""

import contextlib
import inspect
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
import yaml
from pydantic import BaseModel

from tamis.hashing import errors
from tamis.jobs.cli import app
from tamis.pipeline import config
from tamis.pipeline.config import Pipeline, make_config
from tamis.pipeline.keep import KeepPolicy
from tamis.pipeline.lake.costs import Costs, TableCosts, commented
from tamis.pipeline.mixture import Mixture, Phase, SourceShare

FOLDER = Path(__file__).parent

SECTIONS: dict[type[BaseModel], str] = {
    config.Input: "inputs, against",
    config.Columns: "columns",
    config.Filter: "stages: filter",
    config.Decontaminate: "stages: decontaminate",
    config.Benchmark: "stages: decontaminate: benchmarks",
    config.Exact: "stages: exact",
    config.Near: "stages: near",
    config.Shingle: "stages: near: shingle",
    config.UseIndex: "stages: near: index",
    config.NewIndex: "stages: near: index: create",
    config.Contained: "stages: contained",
    config.Semantic: "stages: semantic",
    config.Balance: "stages: balance",
    config.Select: "stages: select",
    config.Paragraphs: "stages: paragraphs",
    KeepPolicy: "keep",
    config.Shards: "shards",
    config.Folds: "shards: folds",
    config.TokenizerFile: "tokenizers",
    Mixture: "mixture",
    SourceShare: "mixture: sources",
    Phase: "mixture: phases",
    config.Alarm: "alarm",
    config.Report: "report",
    config.Spark: "spark",
}
"""Headings of the models, in the order of the page."""

SIZES = {"target_size", "group_size", "driver_tables", "memory"}
MADE = "<!-- Made by docs/reference.py (`make docs`) from {}. -->\n"

CONFIGURATION = """\
# Configuration

A pipeline is one YAML file. `tamis run pipeline.yaml` runs it, on this machine or on Spark, with the same answer.
The shortest one names its inputs:

```yaml
inputs:
  - path: corpus
```

With every default written out, which is how a run saves it as `config.yaml`:

```yaml
{defaults}```

- **Stages** go in this order: filters, then each once at most, decontaminate, exact, near, contained, semantic,
  balance, select, paragraphs. They have short forms: `- exact`, `- near: {{threshold: 0.9}}`, `- filter: lang = 'en'`.
- **`inputs`** and `against` have a short form: a path alone, as in `inputs: [corpus, more.parquet]`.
- **`keep`** has short forms: `longest` is `{{by: longest}}`, `newest:date` is `{{by: newest, column: date}}`.
- **Sizes** are bytes, or as `2GB` (thousands) or `512MiB` (1,024s).
- **Variables**: `${{env:NAME}}` is an environment variable, `${{python:stdlib}}` any path of Python's `sysconfig`.
- **Overrides**: `tamis run pipeline.yaml --set stages.near.threshold=0.9 --set keep=longest`.
  Items of lists go by number, stages by name.
- **Unknown keys** are refused, and the nearest known one is named. `tamis schema` prints a JSON Schema for editors.
- **`memory: null`** is a share of what the process may use: [architecture.md](architecture.md#memory). A run says how
  much when it begins and in its `report.json`, and nothing else changes with it.
- **What the answer depends on**: everything but `out`, `staging`, `engine`, `spark`, `memory`, `threads`, `check_room`,
  `allow_loss`, `report` and `metrics`. Change any of the others, and it is another run, which needs another `out`.

"""

COSTS = """\
# Costs of a lake

`tamis lake plan FOUND --costs costs.yaml` weighs what it costs to keep a table against what it costs to rebuild it from
another one whenever it is read. Every setting has a default; `tamis lake costs > costs.yaml` writes this file to start
from:

```yaml
{commented}```

- A table **kept** costs storage, and the scans of its upkeep, for the horizon.
- A table that **goes** is rebuilt at every access: its parent is read, and it is written.
- A table whose rebuild would take longer than its `latency_limit_s` stays, and so does one that is `pinned`.
- **Later globs** override what earlier ones say, setting by setting.

"""

COMMAND_LINE = """\
# Command line

What `--help` says of every command. Progress goes to standard error: as bars on a terminal, elsewhere as a line of JSON
before all steps, at the start and end of each and every few seconds between. The summary goes to standard output.

"""

EXIT_CODES = """\
## Exit codes

Every error says which rule was broken, what was found, and what to do.

| code | what it means |
|---|---|
| 0 | done |
"""


def configuration() -> str:
    """Return the page of all settings."""
    defaults = make_config({"inputs": [{"path": "corpus"}]}).model_dump(mode="json")
    page = MADE.format("pipeline/config.py and pipeline/keep.py")
    page += CONFIGURATION.format(defaults=yaml.safe_dump(defaults, sort_keys=False))
    page += "## The whole pipeline\n\n" + "".join(_table(Pipeline))
    for model, heading in SECTIONS.items():
        note = (inspect.getdoc(model) or "").splitlines()[0].replace("``", "`")
        page += f"\n## {heading}\n\n{note}\n\n" + "".join(_table(model))
    return page


def lake_costs() -> str:
    """Return the page of what a plan of a lake weighs."""
    page = MADE.format("pipeline/lake/costs.py") + COSTS.format(commented=commented())
    for model, heading in ((Costs, "All settings"), (TableCosts, "tables")):
        page += f"## {heading}\n\n{(inspect.getdoc(model) or '').splitlines()[0]}\n\n{''.join(_table(model))}\n"
    return page.rstrip("\n") + "\n"


def _table(model: type[BaseModel]) -> Iterator[str]:
    properties = model.model_json_schema()["properties"]
    if list(properties) == ["stage"]:
        yield "It has no settings.\n"
        return
    yield "| setting | value | default | meaning |\n|---|---|---|---|\n"
    for name, field in model.model_fields.items():
        if name == "stage":  # the short forms name it
            continue
        default = "required" if field.is_required() else _default(name, field.default)
        meaning = (field.description or "").replace("|", "\\|")
        yield f"| `{name}` | {_value(name, properties[name])} | {default} | {meaning} |\n"


def _default(name: str, value: object) -> str:
    if isinstance(value, KeepPolicy):
        return f"`{value}`"
    if value is None or value in ((), {}):
        return ""
    if isinstance(value, tuple):
        return ", ".join(f"`{getattr(item, 'stage', item)}`" for item in value)
    if isinstance(value, BaseModel):
        return "see below"
    if name in SIZES and isinstance(value, int):
        return f"`{value >> 20}MiB`" if value % 2**20 == 0 else f"`{value // 10**9}GB`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _value(name: str, schema: dict[str, Any]) -> str:
    """Say what a value may be, from its JSON Schema."""
    if name in SIZES:
        return "size"
    if name == "keep":
        return "policy"
    if "anyOf" in schema:
        return " or ".join(_value(name, part) for part in schema["anyOf"] if part != {"type": "null"})
    if "$ref" in schema:
        return "section"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "$ref" in schema.get("additionalProperties", {}):
        return "sections by glob"
    if schema.get("format") == "date":
        return "date"
    if schema["type"] == "array":
        item = schema["items"]
        return "list of texts" if item.get("type") == "string" else "list of sections"
    kinds = {"string": "text", "boolean": "`true`, `false`", "object": "texts by name"}
    return kinds.get(schema["type"]) or " ".join([schema["type"], *_range(schema)])


def _range(schema: dict[str, Any]) -> Iterator[str]:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = [f"{sign} {_number(schema[key])}" for key, sign in signs.items() if key in schema]
    if limits:
        yield ", ".join(limits)


def _number(value: float) -> str:
    return "2^63" if value == 2**63 else f"{value:g}"


def command_line() -> str:
    """Return the page of all commands and exit codes."""
    page = MADE.format("the help of jobs/cli.py and the errors of hashing/errors.py") + COMMAND_LINE
    command = typer.main.get_command(app)
    for names in _commands(command, ()):
        page += f"## {' '.join(['tamis', *names])}\n\n```text\n{_help(command, names)}```\n\n"
    return page + EXIT_CODES + "".join(_exit_codes())


def _commands(command: Any, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the names of a command and of those below it."""
    yield names
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*names, name))


def _help(command: Any, names: tuple[str, ...]) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        command([*names, "--help"], prog_name="tamis", standalone_mode=False)
    return "".join(line.rstrip() + "\n" for line in printed.getvalue().strip("\n").splitlines())


def _exit_codes() -> Iterator[str]:
    kinds = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, errors.TamisError)]
    for code in sorted({kind.exit_code for kind in kinds} - {errors.TamisError.exit_code}):
        first = next(kind for kind in kinds if kind.exit_code == code)
        what = re.sub(r"``(.*?)``", r"`\1`", (inspect.getdoc(first) or "").splitlines()[0]).rstrip(".")
        yield f"| {code} | {what[0].lower()}{what[1:]} (`{first.__name__}`){_ALSO.get(code, '')} |\n"


_ALSO = {2: "; an option that is not known", 4: "; `tamis verify` found a fault"}


def pages() -> dict[Path, str]:
    """Return every page with what it should hold."""
    return {
        FOLDER / "configuration.md": configuration(),
        FOLDER / "lake-costs.md": lake_costs(),
        FOLDER / "command-line.md": command_line(),
    }


if __name__ == "__main__":
    for path, page in pages().items():
        path.write_text(page, encoding="utf-8")
