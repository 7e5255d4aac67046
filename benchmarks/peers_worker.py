"""What a contestant of ``peers.py`` is told and reports: plain Python, for it runs in the environments of others."""

import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Job:
    """One run of one contestant.

    Attributes:
        folder: of the Parquet files to read; columns ``id``, ``text`` and ``source``.
        out: folder for whatever it leaves; kept rows go to ``out/kept``.
        threads: how many it may use.
        settings: as the table of settings prints them.
    """

    folder: Path
    out: Path
    threads: int
    settings: dict[str, Any]

    @property
    def files(self) -> list[Path]:
        """The files to read, in order."""
        return sorted(self.folder.glob("*.parquet"))

    @property
    def kept(self) -> Path:
        """The folder of the rows that stay."""
        path = self.out / "kept"
        path.mkdir(parents=True, exist_ok=True)
        return path


def job() -> Job:
    """Read the job from the command line."""
    told = json.loads(sys.argv[1])
    return Job(Path(told["folder"]), Path(told["out"]), told["threads"], told["settings"])


def report(begun: float, **facts: Any) -> None:
    """Print what was measured inside: seconds since ``begun``, taken after the imports."""
    print(json.dumps({"inner_seconds": time.perf_counter() - begun, **facts}), flush=True)


def shingles(text: str, size: int) -> list[str]:
    """Return the word n-grams of a text in plain Python, as users of the sketch libraries write them."""
    words = WORD.findall(text.lower())
    return [" ".join(words[i : i + size]) for i in range(max(1, len(words) - size + 1))]


def chunks(rows: list[str], size: int) -> Iterator[list[str]]:
    """Yield a list in pieces."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
