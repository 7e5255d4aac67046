"""Who takes part in ``peers.py``, with which settings, and who does not and why."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Settings = Mapping[str, Any]

BANDING = {"bands": 28, "rows": 9}
"""Those of Tamis at a threshold of 0.8: a pair at the threshold is a candidate with probability 0.98."""


@dataclass(frozen=True)
class Contestant:
    """A tool and how it is run.

    Attributes:
        name: of the tool.
        script: what runs it, beside this file.
        packages: what pip installs, versions pinned.
        settings: what the script passes to the tool.
        about: the settings in words, and where they come from.
        after: Python that it needs at least.
    """

    name: str
    script: str
    packages: tuple[str, ...]
    settings: Settings
    about: str
    after: tuple[int, int] = (3, 11)
    env: Mapping[str, str] = field(default_factory=dict)


TAMIS = Contestant(
    "Tamis",
    "peers_tamis.py",
    (),
    {"threshold": 0.8, "memory": "8GB"},
    "`tamis dedup` with its defaults, and the memory that is named (the others have no limit): 28 bands of "
    "9 rows, every candidate verified on the texts; shards, decisions, checksums and the report page are part of it",
)

CONTESTANTS = (
    TAMIS,
    Contestant(
        "datatrove",
        "peers_datatrove.py",
        ("datatrove[io,processing]==0.10.1", "spacy==3.8.18", "numpy==2.4.6"),
        {"n_grams": 5, "num_buckets": 14, "hashes_per_bucket": 8},
        "the four steps of its MinHash example on the local executor, as many tasks and workers as threads; "
        "its default banding (14 x 8) and English tokeniser; removed rows are not written, tokens not counted",
    ),
    Contestant(
        "text-dedup",
        "peers_text_dedup.py",
        ("text-dedup==0.4.1", "numpy==2.4.6"),
        {
            "ngram_size": 5,
            "num_perm": 252,
            **BANDING,
            "threshold": 0.8,
            "hash_bits": 64,
            "seed": 42,
            "check_false_positive": True,
        },
        "`python -m text_dedup.minhash`, the settings of its README, verification included, but threshold and bands as "
        "Tamis has them; `num_proc` is the number of threads",
        after=(3, 12),
    ),
    Contestant(
        "datasketch",
        "peers_datasketch.py",
        ("datasketch==2.0.0", "numpy==2.4.6", "pyarrow==26.0.1"),
        {"ngram": 5, **BANDING},
        "`MinHash.bulk` in as many processes as threads, one `MinHashLSH`; a row goes if the index knows a row that "
        "shares a band; nothing is verified",
    ),
    Contestant(
        "rensa",
        "peers_rensa.py",
        ("rensa==0.5.0", "pyarrow==26.0.1"),
        {"ngram": 5, **BANDING, "threshold": 0.8},
        "`RMinHashDeduplicator.add_pairs` with LSH as its README shows: full sets, not its `rho` calls, which sample "
        "positions; candidates are judged by the estimate from their sketches; n-grams are made in Python, one thread",
    ),
    Contestant(
        "Daft",
        "peers_daft.py",
        ("daft==0.7.26", "igraph==1.0.0", "pyarrow==25.0.1"),
        {"ngram": 5, **BANDING},
        "the steps of its MinHash guide (normalise, `minhash`, bands, groups); components by igraph, with which the "
        "guide checks its own; nothing is verified",
        env={"DAFT_ANALYTICS_ENABLED": "0", "DO_NOT_TRACK": "1"},
    ),
)

ABSENT = {
    "semhash": "judges by embeddings, not n-grams; installs, but stops without its encoder, a model to download",
    "NeMo Curator": "fuzzy deduplication needs a GPU",
    "duplodocus": "is not on PyPI; to be built with cargo",
    "dolma": "Bloom filters of paragraphs and n-grams: no MinHash, other pairs by definition",
    "distributed-curator": "is made for Spark clusters; see the Spark figures of this project instead",
    "data-juicer": "not tried: it brings a large stack for what is the same union-find over MinHash bands",
}
"""Others that users compare, and why they have no row."""

NEWER = ("python3.13", "python3.12")


def interpreter(after: tuple[int, int], given: str | None) -> str | None:
    """Return a Python of at least that version, or None: this one, the one given, or one that is installed."""
    if sys.version_info >= after and not given:
        return sys.executable
    for name in filter(None, (given, *NEWER)):
        path = shutil.which(name)
        if path and _version(path) >= after:
            return path
    return None


def _version(python: str) -> tuple[int, int]:
    code = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    major, _, minor = done.stdout.strip().partition(" ")
    return (int(major), int(minor)) if done.returncode == 0 else (0, 0)


def environment(contestant: Contestant, folder: Path, newer: str | None) -> tuple[str | None, str]:
    """Make a contestant's environment, unless it is there; return its Python and "", or None and the reason."""
    if not contestant.packages:
        return sys.executable, ""
    base = interpreter(contestant.after, newer if sys.version_info < contestant.after else None)
    if not base:
        wanted = ".".join(map(str, contestant.after))
        return None, f"needs Python {wanted}; name one with --newer-python"
    place = folder / contestant.name.lower()
    python, ready = place / "bin" / "python", place / ".ready"
    wanted = json.dumps(contestant.packages)
    if ready.exists() and ready.read_text(encoding="utf-8") == wanted:
        return str(python), ""
    print(f"installing {contestant.name} into {place}", file=sys.stderr)
    shutil.rmtree(place, ignore_errors=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *contestant.packages]
    for command in ([base, "-m", "venv", str(place)], pip):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=_clean())
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no message"]
            return None, f"did not install: {lines[-1]}"
    ready.write_text(wanted, encoding="utf-8")
    return str(python), ""


def installed(python: str) -> list[str]:
    """Return the packages of an environment with their versions."""
    command = [python, "-m", "pip", "freeze", "--disable-pip-version-check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_clean())
    return [line for line in done.stdout.splitlines() if "==" in line]


def _clean() -> dict[str, str]:
    """Return the environment variables without the path of this project's modules."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
