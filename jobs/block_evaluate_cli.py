"""``tamis block evaluate``: how much of the matches blockers find, and for how many comparisons."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pyarrow as pa
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..hashing.errors import ArtefactError, ConfigError, InputError
from ..pipeline.config import Spark
from ..pipeline.state import check_place, make_folder
from .block import Blocked, open_blocked
from .progress import Silent, shown

if TYPE_CHECKING:
    from ..pipeline.blocking.planted import FoundCopies
    from ..pipeline.engine import Progress

console = Console(emoji=False)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate")(evaluate)


def evaluate(
    blocked: Annotated[
        list[str], typer.Argument(metavar="DIR...", help="Folders of blocking runs, all of the same tables.")
    ],
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Folder for blocking.html and blocking.json.")],
    matches: Annotated[
        str | None,
        typer.Option("--matches", metavar="FILE", help="Known matches: two ids each, and perhaps a label 1 or 0."),
    ] = None,
    plant: Annotated[
        int,
        typer.Option("--plant", metavar="N", min=0, help="Plant N miswritten copies, block again, count those found."),
    ] = 0,
    by: Annotated[str, typer.Option("--by", help="Which pairs are the best ones: rank or score.")] = "rank",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of planted copies and of examples.")] = 0,
    no_text: Annotated[bool, typer.Option("--no-text", help="Leave texts of records out of the page.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show neither progress nor summary.")] = False,
) -> None:
    """Measure blocking runs: pairs, recall with its interval, precision, and recall against the number of pairs.

    Without known matches, --plant estimates recall for the kinds of faults that it makes, and for no others.
    """
    from ..pipeline.blocking.evaluation import evaluate as measured
    from ..pipeline.blocking.matches import read_known_pairs
    from ..pipeline.blocking.outputs import blocks_of
    from ..pipeline.blocking.page import Texts, write_evaluation

    if by not in ("rank", "score"):
        raise ConfigError("the best pairs are so by `rank` or `score`", value=by, remedy="Choose one of these.")
    check_place(out, blocked)
    folder = Path(out).expanduser()
    if folder.exists() and not folder.is_dir():
        raise ArtefactError("the output is a folder", value=out, remedy="Choose another --out.")
    runs = {path: open_blocked(Path(path).expanduser()) for path in blocked}
    names = _names(list(runs))
    first = next(iter(runs.values()))
    left, right = first.sides.left, first.sides.right
    ids = left.ids, None if right is None else right.ids
    gold = None if matches is None else read_known_pairs(matches, *ids).matches
    results: dict[str, pa.Table] = {}
    blocks, planted, together = {}, {}, []
    for path, run in runs.items():
        _check_same(path, run, first)
        copies = _planted(run, plant, seed, shown(quiet)) if plant else {}
        for name, pairs in _results(run).items():
            full = name if len(runs) == 1 else f"{names[path]}: {name}"
            results[full] = pairs
            if name not in run.each:
                together.append(full)
            blocks[full] = blocks_of(run.report["blockers"].get(name, {}).get("blocks"))
            if plant:
                planted[full] = copies[name]
    best: Literal["rank", "score"] = "rank" if by == "rank" else "score"
    evaluation = measured(results, gold, *ids, by=best, blocks=blocks, planted=planted, together=together, seed=seed)
    make_folder(folder)
    texts = None if no_text or not first.options.text else Texts.of(left, right)
    title = " and ".join(path.rstrip("/").rpartition("/")[2] for path in first.report["inputs"])
    page = write_evaluation(folder, evaluation, title=title, texts=texts)
    if not quiet:
        _show(evaluation.as_json(), page)


def _names(paths: list[str]) -> dict[str, str]:
    """Return what each run is called: its folder, or its path where folders have one name.

    Raises:
        ConfigError: a run is named twice.
    """
    there = [Path(path).expanduser().resolve() for path in paths]
    if len(set(there)) < len(there):
        raise ConfigError("each blocking run is named once", value=", ".join(paths), remedy="Name no folder twice.")
    short = [place.name for place in there]
    return {path: name if short.count(name) == 1 else path for path, name in zip(paths, short, strict=True)}


def _check_same(path: str, run: Blocked, first: Blocked) -> None:
    one, other = (some.sides for some in (run, first))
    same = one.left.ids.equals(other.left.ids) and one.searched.ids.equals(other.searched.ids)
    if not same or run.report["inputs"] != first.report["inputs"]:
        raise InputError(
            "runs that are measured together are of the same tables, with the same ids",
            value=f"{path} is of {' and '.join(run.report['inputs'])}, not {' and '.join(first.report['inputs'])}",
            remedy="Measure it by itself.",
        )


def _results(run: Blocked) -> dict[str, pa.Table]:
    """Return the pairs of each blocker of a run and, where there are several, of all of them together."""
    if len(run.each) == 1:
        return dict.fromkeys(run.each, run.pairs)
    return {**run.each, run.options.combine: run.pairs}


def _planted(run: Blocked, copies: int, seed: int, progress: "Progress") -> "dict[str, tuple[FoundCopies, ...]]":
    """Return how many planted copies each blocker of a run finds."""
    from ..pipeline.blocking.planted import found_copies, plant
    from ..pipeline.blocking.run import combined, found_by_each
    from ..pipeline.blocking.sides import with_asking
    from .engines import make

    tables, options = run.sides.tables, run.options
    searched = tables[1] if len(tables) > 1 else None
    made = plant(
        tables[0],
        searched,
        options.left_id,
        copies=copies,
        searched_id=options.right_id,
        columns=options.columns,
        seed=seed,
    )
    sides = with_asking(run.sides, made.asking, options)
    with tempfile.TemporaryDirectory(prefix="tamis-planted-") as work:
        engine = make("local", Path(work), memory_bytes=None, threads=None, progress=Silent(), settings=Spark())
        try:
            each = {name: pairs for name, (pairs, _) in found_by_each(engine, sides, options, progress).items()}
        finally:
            engine.close()
    together = combined(list(each.values()), options)  # within the budget
    each = {**each, options.combine: together} if len(each) > 1 else dict.fromkeys(each, together)
    right_ids = None if sides.right is None else sides.right.ids
    return {name: found_copies(pairs, made, right_ids) for name, pairs in each.items()}


def _show(report: dict[str, Any], page: Path) -> None:
    table = Table("blocker", "pairs", "CSSR", "PC", "95 %", "PQ", "F1", "planted found")
    for one in report["blockers"]:
        against = one["against"]
        cells = [escape(one["name"]), f"{one['pairs']:,}", f"{100 * one['cssr']:.3f} %"]
        if against:
            cells += [
                f"{100 * against['pc']:.2f} %",
                f"{100 * against['pc_low']:.2f} to {100 * against['pc_high']:.2f}",
            ]
            cells += [f"{100 * against['pq']:.2f} %", f"{100 * against['f1']:.2f} %"]
        else:
            cells += [""] * 4
        all_copies = next((some for some in one["planted"] if some["kind"] == "all"), None)
        cells.append(f"{100 * all_copies['share']:.1f} % of {all_copies['copies']:,}" if all_copies else "")
        table.add_row(*cells)
    for column in table.columns[1:]:
        column.justify = "right"
    console.print(table)
    for one in report["recaptures"]:
        if one["recall_at_most_95"] > 0.9995:
            continue  # says nothing
        console.print(
            f"Recall of {one['of'][0]} and {one['of'][1]} together, if other matches are like the known ones: at most"
            f" {100 * one['recall_at_most_95']:.2f} %, and perhaps far less.",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    console.print(f"{page}", markup=False, soft_wrap=True, highlight=False)
