"""The pipeline that runs of different engines are compared on, and what they are compared by."""

import hashlib

from corpora import SOURCES

from tamis.pipeline.config import make_config

SAME_BYTES = (
    "data/**/*.parquet",
    "decisions/*",
    "pairs/*",
    "semantic_pairs/*",
    "selection/*",
    "clusters/*",
    "quarantine/*",
    "edits/*",
    "unsampled/*",
    "mixture.yaml",
    "manifest.json",
    "index.parquet",
)


NEAR = {"threshold": 0.6, "values": 64, "bands": 32, "rows": 2}
"""Bands that find nearly every pair at the threshold, in little time."""


def pipeline(folder, out, **settings):
    """Return a pipeline over a folder of ``corpora``, with some settings changed."""
    return make_config(
        {
            "inputs": [{"path": str(folder), "source": "web"}],
            "columns": {"text": "text", "id": "id", "source": "source"},
            "stages": ["exact", {"near": NEAR}],
            "allow_loss": SOURCES,
            "shards": {"target_size": "8KB", "group_size": "1KB"},
            "out": str(out),
        }
        | settings
    )


def digests(out):
    """Return the sha256 of every file that must not differ, by its path."""
    paths = sorted(path for pattern in SAME_BYTES for path in out.glob(pattern))
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
