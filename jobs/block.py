"""A blocking run, from its tables to a finished output folder."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from .. import __version__
from ..hashing.errors import ArtefactError, ConfigError
from ..pipeline.engine import Progress
from ..pipeline.state import SUCCESS, OutputFolder, write_atomically
from .engine_options import EngineOptions
from .progress import Silent

if TYPE_CHECKING:
    from ..pipeline.blocking.options import Options
    from ..pipeline.blocking.sides import Sides


def block_tables(
    left: str,
    right: str | None,
    out: Path,
    options: "Options",
    on: EngineOptions,
    *,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Find the pairs of records of one or two tables that are worth comparing.

    A folder that has the finished output of the same run is left as it is.

    Args:
        left: file, folder or URL of the table whose records ask.
        right: of the table that is searched; None: the left one has duplicates in it.
        out: folder of the output.
        options: what is asked for.
        on: what it runs on.
        progress: told about steps.

    Returns:
        what ``block.json`` holds.

    Raises:
        InputError: a table cannot be read as asked.
        ConfigError: the options do not fit the tables.
        ArtefactError: the folder holds something else.
    """
    from ..pipeline.blocking.outputs import REPORT
    from ..pipeline.blocking.run import block
    from .engines import engine_on

    left, right = _absolute(left), None if right is None else _absolute(right)  # commands may stand elsewhere later
    folder = OutputFolder(out, _fingerprint(left, right, options))
    told = progress or Silent()
    with folder.claim():
        if not folder.finished:
            engine = engine_on(on, folder.work, told)
            try:
                report = block(engine, left, right, out, options, told)
            finally:
                engine.close()
            write_atomically(out / REPORT, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
            folder.finish()
        else:
            folder.drop_work()
    found: dict[str, Any] = json.loads((out / REPORT).read_text(encoding="utf-8"))
    return found


def _absolute(path: str) -> str:
    local = Path(path).expanduser()
    return str(local.absolute()) if "://" not in path and local.exists() else path


@dataclass(frozen=True)
class Blocked:
    """A finished blocking run, with its records read again.

    Attributes:
        options: what was asked for.
        sides: the records.
        pairs: the pairs of the run.
        each: what each blocker found by itself.
        report: what ``block.json`` holds.
    """

    options: "Options"
    sides: "Sides"
    pairs: pa.Table
    each: dict[str, pa.Table]
    report: dict[str, Any]


def open_blocked(folder: Path) -> Blocked:
    """Return a finished run and its records.

    Raises:
        ArtefactError: there is none, it is of another version, a file is not as it was written, or the tables that it
            was made of are not what they were.
        InputError: the tables that it was made of cannot be read.
    """
    from ..pipeline.blocking.options import options_of
    from ..pipeline.blocking.outputs import FORMAT, FORMAT_VERSION, PAIRS_FILE, REPORT, check_files, file_of
    from ..pipeline.blocking.sides import read_sides

    try:
        said = json.loads((folder / SUCCESS).read_text(encoding="utf-8"))["run"]
        report: dict[str, Any] = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        found = (report["format"], report["version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        missing = f"no {error.filename}" if isinstance(error, FileNotFoundError) else f"{folder}: {error!r}"
        raise ArtefactError(
            "the folder is that of a finished blocking run",
            value=missing,
            remedy="Make one: `tamis block LEFT [RIGHT] --id COL --out DIR`.",
        ) from error
    if found != (FORMAT, FORMAT_VERSION):
        raise ArtefactError(
            f"a blocking run is of format {FORMAT} version {FORMAT_VERSION}",
            value=f"{found[0]} version {found[1]} in {folder}",
            remedy="Block again with this version of Tamis.",
        )
    try:
        options = options_of(report["options"])
        left, *others = report["inputs"]
        check_files(folder, report, options.blockers)
    except (AttributeError, KeyError, TypeError, ValueError, ConfigError) as error:
        raise _damaged(folder / REPORT, repr(error)) from error
    right = others[0] if others else None
    if _fingerprint(left, right, options) != said:
        raise ArtefactError(
            "the tables and the version of Tamis are those of the blocking run",
            value=f"others than those of {folder}",
            remedy="Block again.",
        )
    pairs = _pairs_of(folder / PAIRS_FILE)
    each = dict.fromkeys(options.blockers, pairs)
    if len(each) > 1:
        each = {name: _pairs_of(folder / file_of(name)) for name in each}
    return Blocked(options, read_sides(left, right, options), pairs, each, report)


def _pairs_of(path: Path) -> pa.Table:
    """Return a table of pairs of a run."""
    from ..pipeline.blocking.pairs import PAIRS

    try:
        pairs = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(path, repr(error)) from error
    if not pairs.schema.equals(PAIRS):
        raise _damaged(path, f"columns {', '.join(pairs.column_names)}")
    return pairs


def _damaged(path: Path, what: str) -> ArtefactError:
    return ArtefactError("a blocking run is as it was written", value=f"{path}: {what}", remedy="Block again.")


def _fingerprint(left: str, right: str | None, options: "Options") -> str:
    from ..connectors.record_table import stamp_of

    stamps = [stamp_of(path) for path in (left, right) if path is not None]
    if options.hasher is not None:
        from ..hashing.neural.hasher import load_hasher

        stamps.append(load_hasher(options.hasher).fingerprint)
    said = json.dumps([__version__, left, right, options.as_json(), stamps], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
