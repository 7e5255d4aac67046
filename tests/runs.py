"""What runs are compared by."""

import hashlib

SAME_BYTES = ("data/*", "decisions/*", "pairs/*", "clusters/*", "quarantine/*", "manifest.json", "index.parquet")


def digests(out):
    """Return the sha256 of every file that must not differ, by its path."""
    paths = sorted(path for pattern in SAME_BYTES for path in out.glob(pattern))
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
