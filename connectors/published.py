"""Output at a URL: made in a local folder first, then copied, the mark of completeness last.

Object stores have no rename and no lock: what is there is either a whole object or none. So a reader that waits for the
mark sees a whole output, and a copy that was cut off goes on where it stopped: objects of the right size are not sent
again, as equal runs make equal bytes.
"""

import json
from pathlib import Path
from typing import Any

from ..hashing.errors import ArtefactError, InputError
from .storage import locate, reached, storage_errors

DATA = "data"
"""The folder that is not fetched back: the shards."""

_RUN = "_tamis_run.json"

_OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss"}
"""Kinds of URLs without folders: asked to make one, they would make a bucket."""


class Destination:
    """A folder at a URL.

    Args:
        url: of the folder.
        success: name of the file that marks an output as complete.

    Raises:
        InputError: if the kind of URL is unknown.
    """

    def __init__(self, url: str, *, success: str) -> None:
        self.url = url.rstrip("/")
        self._success = success
        self._files, self._root = locate(self.url)

    def finished(self, run: str) -> bool:
        """Whether this very run is complete there.

        Raises:
            ArtefactError: if something else is there.
            InputError: if it cannot be reached.
        """
        with reached(self.url):
            return self._finished(run)

    def _finished(self, run: str) -> bool:
        recorded = self._recorded(self._success) or self._recorded(_RUN)
        if recorded not in (None, run):
            raise ArtefactError(
                "an output folder is empty or belongs to the same configuration, inputs and version",
                value=f"{self.url} of another run",
                remedy="Choose another --out, or delete that folder.",
            )
        if recorded is None and (names := list(self._sizes())):
            raise ArtefactError(
                "an output folder is empty or carries the state of this run",
                value=f"{self.url} holds {', '.join(sorted(names)[:3])}",
                remedy="Choose another --out.",
            )
        return self._recorded(self._success) == run

    def claim(self, run: str) -> None:
        """Leave a mark of this run, which also shows that the place can be written.

        Raises:
            InputError: if it cannot.
        """
        try:
            self._make_folder(self._root)
            self._files.pipe_file(self._path(_RUN), json.dumps({"run": run}).encode())
        except storage_errors() as error:
            raise InputError(
                "the output's place can be written", value=f"{self.url}: {error}", remedy="Check address and rights."
            ) from error

    def publish(self, folder: Path) -> None:
        """Copy all files of a finished local folder, the mark last; then nothing else is there."""
        names = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file()]
        there = self._sizes()
        for name in names:
            if name != self._success and there.get(name) != (folder / name).stat().st_size:
                self._put(folder / name, name)
        for name in there.keys() - set(names):
            self._files.rm_file(self._path(name))
        self._put(folder / self._success, self._success)

    def _put(self, source: Path, name: str) -> None:
        path = self._path(name)
        self._make_folder(path.rpartition("/")[0])
        self._files.put_file(str(source), path)

    def _make_folder(self, path: str) -> None:
        if self.url.partition("://")[0] not in _OBJECT_STORES:
            self._files.makedirs(path, exist_ok=True)

    def fetch(self, folder: Path, *, data: bool) -> None:
        """Copy what is there to a local folder.

        Args:
            folder: where to.
            data: whether to copy the shards, too.

        Raises:
            InputError: if it cannot be reached.
            ArtefactError: if a name there leads out of the folder; names of objects may hold anything.
        """
        with reached(self.url):
            names = list(self._sizes())
            for name in names:
                if any(part in ("", ".", "..") for part in name.split("/")):
                    raise ArtefactError(
                        "files of an output are named by plain names",
                        value=f"{name!r} in {self.url}",
                        remedy="Do not use this output: nobody but Tamis should write there.",
                    )
            for name in names:
                if (data or not name.startswith(f"{DATA}/")) and name != _RUN:
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    self._files.get_file(self._path(name), str(folder / name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _sizes(self) -> dict[str, int]:
        """Return the size of each file there, by its name within the folder."""
        self._files.invalidate_cache()
        found: dict[str, Any] = self._files.find(self._root, detail=True) if self._files.exists(self._root) else {}
        start = len(self._root) + 1
        return {name[start:]: int(info["size"]) for name, info in found.items() if info["type"] == "file"}

    def _recorded(self, name: str) -> str | None:
        try:
            return str(json.loads(self._files.cat_file(self._path(name)))["run"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return "unreadable"
