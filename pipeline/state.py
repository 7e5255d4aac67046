"""The output folder: whose it is, whether its run is finished, and who works in it now."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..connectors.unfinished import UNFINISHED
from ..hashing.errors import ArtefactError, ConfigError

WORK = "_work"
SUCCESS = "_SUCCESS"
_RUN = "run.json"


def check_place(out: str, inputs: Sequence[str]) -> None:
    """Make sure that an output folder can be where it is asked to be.

    Raises:
        ConfigError: if it lies inside an input folder, where later runs would read it as input.
    """
    if "://" in out:
        around = [path for path in inputs if f"{out.rstrip('/')}/".startswith(f"{path.rstrip('/')}/")]
        if around:
            raise _inside(out, around[0])
        return
    place = Path(out).expanduser().resolve()
    for path in inputs:
        folder = Path(path).expanduser()
        if "://" not in path and folder.is_dir() and place.is_relative_to(folder.resolve()):
            raise _inside(out, path)


def begin_anew(out: Path) -> None:
    """Make sure that an output folder is new or empty, for what is quickly made; take away what a stopped one left.

    Raises:
        ConfigError: something is in it.
    """
    if out.exists() and any(path.name != WORK for path in out.iterdir()):
        raise ConfigError("--out is a new or empty folder", value=out, remedy="Choose another, or empty it.")
    shutil.rmtree(out / WORK, ignore_errors=True)


def _inside(out: str, path: str) -> ConfigError:
    return ConfigError(
        "an output folder lies outside the input folders, or later runs would read it",
        value=f"{out} inside {path}",
        remedy="Choose another --out.",
    )


def cache_folder() -> Path:
    """Return the folder of what is kept for this user between runs, and can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tamis"


def staging_folder(out: str, staging: str | None) -> Path:
    """Return the local folder in which an output is made: itself, or for a URL one that is found again.

    Args:
        out: folder or URL of the output.
        staging: where to make the output of a URL; default: a folder of its own below the user's cache.
    """
    if "://" not in out:
        return Path(out).expanduser()
    if staging:
        return Path(staging).expanduser()
    return cache_folder() / hashlib.sha256(out.rstrip("/").encode()).hexdigest()[:24]


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
        try:
            self.work.mkdir(parents=True, exist_ok=True)
            opened = open(self.work / "lock", "w")  # noqa: SIM115  closed below
        except OSError as error:
            raise _not_writable(self.path, error) from error
        with opened as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ArtefactError(
                    "one run at a time works in an output folder",
                    value=f"{self.path} is in use",
                    remedy="Wait for it, or choose another --out.",
                ) from None
            self._refuse_foreign()
            self._drop_fruitless()
            self._drop_unfinished()
            write_atomically(self.work / _RUN, json.dumps({"run": self.run}))
            yield

    def _drop_unfinished(self) -> None:
        for left in self.path.rglob(f".*{UNFINISHED}"):
            left.unlink()

    def _refuse_foreign(self) -> None:
        if not self.path.exists():
            return
        entries = {entry.name for entry in self.path.iterdir()}
        recorded = self._recorded(self.path / SUCCESS) or self._recorded(self.work / _RUN)
        if recorded is not None and recorded != self.run and not self._fruitless(entries):
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

    def _fruitless(self, entries: set[str]) -> bool:
        """Whether another run left nothing here but an attempt that failed before it had saved anything."""
        return entries <= {WORK, "config.yaml"} and not any(self.work.glob("*/_SAVED"))

    def _drop_fruitless(self) -> None:
        """Clear what such an attempt left; the lock stays."""
        if self._recorded(self.work / _RUN) not in (None, self.run):
            for left in self.work.iterdir():
                if left.is_dir():
                    shutil.rmtree(left)
                elif left.name != "lock":
                    left.unlink()

    @staticmethod
    def _recorded(path: Path) -> str | None:
        try:
            return str(json.loads(path.read_text())["run"])
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (json.JSONDecodeError, KeyError, TypeError):
            return "unreadable"

    def finish(self) -> None:
        """Mark the run complete, last of all, and drop its working state and what stray tasks left."""
        self._drop_unfinished()
        write_atomically(self.path / SUCCESS, json.dumps({"run": self.run}) + "\n")
        self.drop_work()

    def drop_work(self) -> None:
        """Remove the working state of a finished run, which one that was killed in its last moment leaves."""
        shutil.rmtree(self.work, ignore_errors=True)


def make_folder(folder: Path, *, of: Path | None = None) -> None:
    """Make a folder where it is not there yet, and those above it.

    Args:
        folder: to make.
        of: the output that it is a part of, which the message names; default: itself.

    Raises:
        ConfigError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(of or folder, error) from error


def _not_writable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        "the output folder can be made and written",
        value=f"{folder}: {error.strerror}",
        remedy="Choose another --out.",
    )


def write_named(path: Path, text: str, *, option: str) -> None:
    """Write a small file that an option names, whole or not at all.

    Raises:
        ConfigError: it cannot be written there.
    """
    try:
        write_atomically(path, text)
    except OSError as error:
        raise ConfigError(
            f"the file of {option} can be written", value=f"{path}: {error.strerror}", remedy="Name another place."
        ) from error


def write_atomically(path: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    with open(temporary, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(path)
