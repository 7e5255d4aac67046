"""A blocking run, from its tables to a finished output folder."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..pipeline.engine import Progress
from ..pipeline.state import OutputFolder, write_atomically
from .lake import EngineOptions
from .progress import Silent

if TYPE_CHECKING:
    from ..pipeline.blocking.options import Options


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
    from .engines import make

    folder = OutputFolder(out, _fingerprint(left, right, options))
    told = progress or Silent()
    with folder.claim():
        if not folder.finished:
            engine = make(
                on.name,
                folder.work,
                memory_bytes=on.memory_bytes,
                threads=on.threads,
                progress=told,
                settings=on.spark,
            )
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


def _fingerprint(left: str, right: str | None, options: "Options") -> str:
    from ..connectors.record_table import stamp_of

    stamps = [stamp_of(path) for path in (left, right) if path is not None]
    said = json.dumps([__version__, left, right, options.as_json(), stamps], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
