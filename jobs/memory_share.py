"""How much memory a run may take where nobody says: about half of what this process could have.

Linux tells what the machine has (proc(5), ``/proc/meminfo``) and where control groups limit a process (cgroups(7):
``memory.max`` and ``memory.high`` of version 2, ``memory.limit_in_bytes`` of version 1).
"""

from collections.abc import Iterator
from pathlib import Path

from ..pipeline.byte_sizes import bytes_of
from ..pipeline.settings.sizes import LEAST_MEMORY_BYTES

UNKNOWN_BYTES = 2 * 10**9
"""Where nothing tells what there is: on other systems than Linux."""

SHARE = 1 / 2
"""Of what there is: the rest is for interpreter and libraries, for others, and for pages of files."""

FREE_SHARE = 3 / 4
"""Of what is free, at most: a machine whose memory others hold is not pushed into its swap."""

LEAST_BYTES = 10**9
"""Not less, if that leaves ``BESIDE_BYTES``: with less, much goes to the disk."""

BESIDE_BYTES = 512 << 20
"""For interpreter and libraries."""

_V1_NAMES, _V2_NAMES = ("memory.limit_in_bytes",), ("memory.max", "memory.high")


def allowed_bytes(asked: int | str | None) -> int:
    """Return what a run may take, in bytes: what is asked for, or a share of what there is.

    What a run writes never depends on it, but for the figure in ``report.json``.

    Args:
        asked: bytes, or a size as in configurations, or None.

    Raises:
        ConfigError: if the text is no size.
    """
    if asked is None:
        return share_of(Path("/"))
    return bytes_of(asked) if isinstance(asked, str) else asked


def share_of(root: Path) -> int:
    """Return a share of the memory that this process may use, in bytes.

    Args:
        root: of the file system that tells.
    """
    known = _meminfo(root)
    ceilings = [*_limits(root), *(known[name] for name in ("MemTotal",) if name in known)]
    if not ceilings:
        return UNKNOWN_BYTES
    ceiling = min(ceilings)
    share = min(int(ceiling * SHARE), int(known.get("MemAvailable", ceiling) * FREE_SHARE))
    return max(share, min(LEAST_BYTES, ceiling - BESIDE_BYTES), LEAST_MEMORY_BYTES)


def _meminfo(root: Path) -> dict[str, int]:
    """Return lines of ``/proc/meminfo`` in bytes, by name."""
    found = {}
    for line in _lines(root / "proc/meminfo"):
        name, _, amount = line.partition(":")
        words = amount.split()
        if len(words) == 2 and words[0].isdecimal():
            found[name] = int(words[0]) << 10
    return found


def _limits(root: Path) -> Iterator[int]:
    """Yield the limits of the control groups that this process is in, and of those that they are in."""
    for line in _lines(root / "proc/self/cgroup"):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not path.startswith("/"):
            continue
        if not controllers:
            yield from _along(root / "sys/fs/cgroup", path, _V2_NAMES)
        elif "memory" in controllers.split(","):
            yield from _along(root / "sys/fs/cgroup/memory", path, _V1_NAMES)


def _along(top: Path, path: str, names: tuple[str, ...]) -> Iterator[int]:
    """Yield what files of these names say on the way from a group up to ``top``.

    In a container the path may be that of the host, of which only ``top`` is there.
    """
    group = top / path.lstrip("/")
    for folder in (group, *group.parents):
        for line in (line for name in names for line in _lines(folder / name)):
            if line.isdecimal():
                yield int(line)
        if folder == top:
            return


def _lines(path: Path) -> list[str]:
    """Return the lines of a file, none where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
