"""``tamis simulate``: what a training run would read, on a terminal, as JSON, and as a chart."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ..hashing.errors import ConfigError
from ..pipeline.counted import counted
from ..pipeline.report.charts import distance_chart, standalone
from ..pipeline.simulate import Loading, simulate
from ..pipeline.state import write_named
from ..reader.shard_set import open_sets

RANKS_SHOWN = 16
"""Ranks that have a line of their own."""


def simulate_command(
    out: str, name: str, loading: Loading, *, as_json: bool, plot: str | None, console: Console
) -> None:
    """Run the command; see its help."""
    if plot is not None and not plot.endswith(".svg"):
        raise ConfigError("a chart is an SVG file", value=plot, remedy="Name a file that ends in .svg.")
    if plot is not None and not Path(plot).absolute().parent.is_dir():
        raise ConfigError("a chart is written to a folder", value=plot, remedy="Make its folder first.")
    (shards,) = open_sets(out, [name])
    found = simulate(shards, loading)
    if plot is not None:
        if not found["shuffle"]["pairs"]:
            raise ConfigError(
                "a chart needs rows", value=f"{counted(found['rows'], 'row')} in {name}", remedy="Leave --plot out."
            )
        write_named(Path(plot), standalone(distance_chart(found["shuffle"])), option="--plot")
    if as_json:
        console.file.write(json.dumps(found, indent=1) + "\n")
        return
    show(found, console)


def show(found: dict[str, Any], console: Console) -> None:
    """Print it."""
    loading = found["loading"]
    console.print(
        f"{counted(found['rows'], 'row')} of {found['set']}, {_mb(found['bytes'])} MB in files: "
        f"{counted(found['steps'], 'step')} of {counted(loading['batch'], 'row')} on each of "
        f"{counted(loading['world_size'], 'rank')} x {counted(loading['workers'], 'worker')}. "
        f"{_remainder(found)}",
        soft_wrap=True,
        highlight=False,
    )
    console.print(
        f"Order: {counted(loading['streams'], 'stream')}, windows of {counted(loading['window'], 'row group')}, chunks "
        f"of {counted(loading['chunk'], 'row')}. A process holds {_mb(found['memory_bytes'])} MB at most, about. "
        f"{found['pool_groups']:,} of {counted(found['groups'], 'row group')}, and the tail, are left for the end, "
        f"where every process reads them: all together read {found['read_share']:.2f} times what the files have.",
        soft_wrap=True,
        highlight=False,
    )
    console.print(_ranks(found["ranks"]))
    if found["shuffle"]["pairs"]:
        console.print(_shuffle(found["shuffle"]))
    console.print(_others(found))
    console.print(
        "World sizes at which all have equal shares, with as many workers: "
        + "; ".join(f"{name} {_listed(sizes)}" for name, sizes in found["even"].items())
        + ".",
        soft_wrap=True,
        highlight=False,
    )


def _remainder(found: dict[str, Any]) -> str:
    if found["dropped"]:
        return f"{counted(found['dropped'], 'row is', 'rows are')} left out."
    if found["padded"]:
        return f"{counted(found['padded'], 'row is', 'rows are')} added to fill the last batch."
    return "No row is left over."


def _ranks(ranks: list[dict[str, int]]) -> Table:
    table = _table("rank", "steps", "rows", "MB read", "row groups", "files opened", title="What each rank reads")
    for rank in ranks[:RANKS_SHOWN]:
        table.add_row(str(rank["rank"]), *_line(rank))
    if len(ranks) > RANKS_SHOWN:
        for name, choose in (("least", min), ("most", max)):
            table.add_row(f"{name} of {len(ranks):,}", *_line({key: choose(r[key] for r in ranks) for key in ranks[0]}))
    return table


def _line(rank: dict[str, int]) -> list[str]:
    counts = [f"{rank[name]:,}" for name in ("steps", "rows", "groups", "files")]
    return [*counts[:2], _mb(rank["bytes"]), *counts[2:]]


def _shuffle(shuffle: dict[str, Any]) -> Table:
    table = _table(
        "", "median", "5 % are nearer than", title="How far apart rows are read that are neighbours in a file"
    )
    table.add_row("this order", f"{shuffle['median']:,.0f}", f"{shuffle['low']:,.0f}")
    table.add_row("a permutation", f"{shuffle['uniform_median']:,.0f}", f"{shuffle['uniform_low']:,.0f}")
    return table


def _others(found: dict[str, Any]) -> Table:
    columns = (
        "split by",
        "units",
        "fewest steps",
        "most steps",
        "idle workers",
        "rows left out",
        "hangs",
    )
    table = _table(*columns, title="Loaders that deal out what is in files")
    table.add_row(
        "order-v1", "", f"{found['steps']:,}", f"{found['steps']:,}", "0", f"{found['dropped']:,}", "no", style="bold"
    )
    for other in found["others"]:
        counts = [f"{other[name]:,}" for name in ("units", "least_steps", "most_steps", "idle_workers", "dropped")]
        table.add_row(other["split"], *counts, "yes" if other["hangs"] else "no")
    return table


def _listed(sizes: list[int]) -> str:
    if not sizes:
        return "none"
    return ", ".join(f"{size}" for size in sizes[:12]) + (" ..." if len(sizes) > 12 else "")


def _mb(size_bytes: float) -> str:
    return f"{size_bytes / 1e6:,.1f}"


def _table(*columns: str, title: str) -> Table:
    table = Table(*columns, title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    return table
