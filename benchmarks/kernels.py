"""Time the kernels on real text, on one core, beside a byte-serial hash loop and beside other libraries.

    python benchmarks/kernels.py --data DIR --json out/kernels.json
    python benchmarks/kernels.py --data DIR --only sketch --only stages

Parts: ``sketch`` (bytes to band keys), ``stages`` (where the time of a row goes), ``peers`` (text to signatures against
datasketch and rensa, with the error of each), ``verify`` (time of a candidate pair), ``start`` (imports and compiling).
Without ``--data`` the text is the sources of Python's standard library.

All contestants of a part run in one process on one core (``start``: in fresh ones), in turns whose order changes every
round. A turn before the first is not counted: it compiles. Medians of the rounds are compared.
"""

import argparse
import json
import os
from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
from end_to_end import machine, versions
from kernels_peers import measure_peers, show_peers
from kernels_sketch import measure_sketch, measure_stages, show_sketch, show_stages
from kernels_turns import Found, Texts, load
from kernels_verify import measure_start, measure_verify, show_start, show_verify

PARTS: dict[str, tuple[Callable[[Sequence[Texts], argparse.Namespace], Found], Callable[[Found], list[str]]]] = {
    "sketch": (measure_sketch, show_sketch),
    "stages": (measure_stages, show_stages),
    "peers": (measure_peers, show_peers),
    "verify": (measure_verify, show_verify),
    "start": (measure_start, show_start),
}


def one_core(cpu: int | None) -> None:
    """Keep this process and its children to one core and one thread."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0)) if cpu is None else cpu})
    for library in ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    if len(os.sched_getaffinity(0)) != 1:
        raise SystemExit("cannot keep to one core")


def all_versions() -> dict[str, str]:
    """Return the versions that matter, those of the peers too."""
    return {**versions(), **{name: version(name) for name in ("llvmlite", "datasketch", "rensa") if find_spec(name)}}


def as_markdown(found: Found) -> str:
    """Return the report."""
    mine = found["machine"]
    lines = [
        f"{mine['cores']} cores (one used), {mine['memory_bytes'] / 2**30:.1f} GiB, {mine['processor']}; "
        + ", ".join(f"{name} {number}" for name, number in found["versions"].items()),
        f"Medians of {found['settings']['rounds']} rounds.",
    ]
    for name, (_, show) in PARTS.items():
        if name in found:
            lines += ["", f"## {name}", "", *show(found[name])]
    return "\n".join(lines)


def main() -> None:
    """Read the arguments and measure."""
    data = os.environ.get("TAMIS_DATA")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=data, help="folder of real sets; default: $TAMIS_DATA, or none")
    parser.add_argument("--only", choices=PARTS, action="append", help="part to run, may be repeated; default: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit-mb", type=float, default=25.0, metavar="MB", help="most text of each set")
    parser.add_argument("--documents", type=int, default=2_000, metavar="N", help="sample that the peers are timed on")
    parser.add_argument("--cpu", type=int, metavar="N", help="core to run on; default: the last one allowed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here")
    args = parser.parse_args()
    if args.rounds < 1 or args.documents < 1 or args.limit_mb <= 0:
        parser.error("rounds, documents and text are needed")
    settings = {"rounds": args.rounds, "limit_mb": args.limit_mb, "documents": args.documents}
    found: Found = {"machine": machine(), "versions": all_versions(), "settings": settings}
    one_core(args.cpu)
    sets = load(args.data, int(args.limit_mb * 1e6))
    for name in args.only or PARTS:
        found[name] = PARTS[name][0](sets, args)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(as_markdown(found))


if __name__ == "__main__":
    main()
