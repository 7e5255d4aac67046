"""The output folder: whose it is, whether its run is finished, and who works in it now."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..connectors.parquet_output import UNFINISHED
from ..hashing.errors import ArtefactError

WORK = "_work"
SUCCESS = "_SUCCESS"
_RUN = "run.json"


class OutputFolder:
    """The output folder of one run.

    Args:
        path: the folder.
        run: fingerprint of the configuration, the inputs and the version.
    """

    def __init__(self, path: Path, run: str) -> None:
        self.path = path
        self.run = run
        self.work = path / WORK

    @property
    def finished(self) -> bool:
        """Whether this very run is complete."""
        return self._recorded(self.path / SUCCESS) == self.run

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Take the folder for this run, alone.

        Raises:
            ArtefactError: if it holds anything but this run's state, or another process works in it.
        """
        if self.path.exists() and not self.path.is_dir():
            raise ArtefactError("the output is a folder", value=self.path, remedy="Choose another --out.")
        self._refuse_foreign()
        self.work.mkdir(parents=True, exist_ok=True)
        with open(self.work / "lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ArtefactError(
                    "one run at a time works in an output folder",
                    value=f"{self.path} is in use",
                    remedy="Wait for it, or choose another --out.",
                ) from None
            self._refuse_foreign()
            for left in self.path.rglob(f".*{UNFINISHED}"):
                left.unlink()
            write_atomically(self.work / _RUN, json.dumps({"run": self.run}))
            yield

    def _refuse_foreign(self) -> None:
        if not self.path.exists():
            return
        entries = {entry.name for entry in self.path.iterdir()}
        recorded = self._recorded(self.path / SUCCESS) or self._recorded(self.work / _RUN)
        if recorded is not None and recorded != self.run:
            raise ArtefactError(
                "an output folder is empty or belongs to the same configuration, inputs and version",
                value=f"{self.path} of run {recorded[:12]}, this is run {self.run[:12]}",
                remedy="Choose another --out, or delete that folder.",
            )
        if recorded is None and entries - {WORK}:
            raise ArtefactError(
                "an output folder is empty or carries the state of this run",
                value=f"{self.path} holds {', '.join(sorted(entries)[:3])}",
                remedy="Choose another --out.",
            )

    @staticmethod
    def _recorded(path: Path) -> str | None:
        try:
            return str(json.loads(path.read_text())["run"])
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (json.JSONDecodeError, KeyError, TypeError):
            return "unreadable"

    def finish(self) -> None:
        """Mark the run complete, last of all, and drop its working state."""
        write_atomically(self.path / SUCCESS, json.dumps({"run": self.run}) + "\n")
        shutil.rmtree(self.work, ignore_errors=True)


def write_atomically(path: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    with open(temporary, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(path)
