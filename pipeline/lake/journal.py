"""What was done to a lake: ``journal.jsonl`` in the folder of its scan, a line for each step, only ever appended to.

    moving -> moved -> restoring -> restored

Each is written before the next step begins, and is on the disk by then. After a stop at any point the last line of a
deletion says how far it may have come, and the files say how far it came.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal

from ...hashing.errors import ArtefactError

JOURNAL = "journal.jsonl"

Event = Literal["moving", "moved", "restoring", "restored"]


@dataclass(frozen=True)
class Entry:
    """A step of one deletion.

    Attributes:
        event: which.
        number: of the deletion, that of its recipe.
        table, parent: names.
        source: the file or folder in the lake, an absolute path.
        target: where it is in the quarantine, an absolute path.
        how: of a restoration: ``moved``, ``rebuilt``, or ``stayed`` where nothing had been moved; else "".
        at: the time, in UTC.
    """

    event: Event
    number: int
    table: str
    parent: str
    source: str
    target: str
    how: str = ""
    at: str = ""

    def to(self, event: Event, how: str = "") -> "Entry":
        """Return the next step of the same deletion."""
        return replace(self, event=event, how=how)

    @property
    def is_gone(self) -> bool:
        """Whether the table is not in the lake, or may not be."""
        return self.event != "restored"


class Journal:
    """The journal of one folder.

    Args:
        folder: of the scan.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL
        self.entries = list(_entries(self.path))

    def last(self) -> dict[int, Entry]:
        """Return the last step of each deletion, by number."""
        return {entry.number: entry for entry in self.entries}

    def gone(self) -> list[Entry]:
        """Return the last step of deletions that were not undone, in order of their number."""
        return [entry for _, entry in sorted(self.last().items()) if entry.is_gone]

    @contextmanager
    def opened(self) -> Iterator["Pen"]:
        """Take the journal for this process alone, to write to it.

        Raises:
            ArtefactError: if another process has it.
        """
        with open(self.path, "ab+") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ArtefactError(
                    "one process at a time moves tables of a lake",
                    value=f"{self.path} is in use",
                    remedy="Wait for it.",
                ) from None
            _drop_half_line(stream)
            self.entries = list(_entries(self.path))
            yield Pen(self, stream)


class Pen:
    """Writes to a journal that was taken."""

    def __init__(self, journal: Journal, stream: BinaryIO) -> None:
        self._journal, self._stream = journal, stream

    def write(self, entry: Entry) -> None:
        """Append a step; it is on the disk when this returns.

        Raises:
            ArtefactError: if it cannot be written; nothing more is to be moved then.
        """
        dated = replace(entry, at=datetime.now(UTC).isoformat(timespec="seconds"))
        try:
            self._stream.write(json.dumps(asdict(dated), ensure_ascii=False).encode() + b"\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise ArtefactError(
                "the journal of what is moved can be written",
                value=f"{self._journal.path}: {error.strerror}",
                remedy="Make room, then run `tamis lake apply` or `restore` again.",
            ) from error
        self._journal.entries.append(dated)


def _entries(path: Path) -> Iterator[Entry]:
    """Yield the steps; the rest of a line that was not finished is none."""
    if not path.exists():
        return
    *lines, _ = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        try:
            raw: dict[str, Any] = json.loads(line)
            yield Entry(**raw)
        except (ValueError, TypeError) as error:
            raise ArtefactError(
                "every line of a journal is a step of a deletion",
                value=f"line {number} of {path}: {error}",
                remedy="Restore the file: it says where your tables are.",
            ) from error


def _drop_half_line(stream: BinaryIO) -> None:
    """Cut off what a process that was stopped while it wrote has left."""
    stream.seek(0)
    whole = stream.read().rfind(b"\n") + 1
    stream.truncate(whole)
    stream.seek(0, os.SEEK_END)
