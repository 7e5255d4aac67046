"""Time `tamis lake scan` beside other ways to find tables inside others, and look at how right each is.

    python benchmarks/lakes.py planted --tables 1000 --rounds 3 --json out/lakes-1000.json
    python benchmarks/lakes.py planted --tables 100000 --rounds 1 --only tamis --only anti-join
    python benchmarks/lakes.py rdatasets --data DIR --rounds 5
    python benchmarks/lakes.py schema-graph --schemas 100000 --snapshots 10000
    python benchmarks/lakes.py funnel --tables 1000 --data DIR
    python benchmarks/lakes.py retention --tables 1000

Everything that is timed is a fresh process, from its start to its end, but where it says "extrapolated". Contestants
take turns, the order is reversed every round, and medians are compared; a small scan comes first, which compiles the
kernels. Bytes read are those that ``read`` and ``pread`` returned of files of the lake, in one more scan under
``strace``, which is not timed; without ``strace`` they are left out.
"""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

import lakes_funnel
import lakes_make
import lakes_planted
import lakes_rdatasets
import lakes_retention
import lakes_rivals
import lakes_schemas
from end_to_end import machine, versions
from lakes_turns import Found

PARTS: dict[str, tuple[Callable[[argparse.Namespace], Found], Callable[[Found], list[str]]]] = {
    "planted": (lakes_planted.measure, lakes_planted.lines_of),
    "rdatasets": (lakes_rdatasets.measure, lakes_rdatasets.lines_of),
    "schema-graph": (lakes_schemas.measure, lakes_schemas.lines_of),
    "funnel": (lakes_funnel.measure, lakes_funnel.lines_of),
    "retention": (lakes_retention.measure, lakes_retention.lines_of),
}


def parser_of() -> argparse.ArgumentParser:
    """Return what reads the arguments."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--work", type=Path, default=Path("out/lakes"), help="folder for lakes, which stay, and outputs"
    )
    shared.add_argument("--rounds", type=int, default=3)
    shared.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here")
    running = argparse.ArgumentParser(add_help=False)
    running.add_argument("--threads", type=int, default=2)
    running.add_argument("--memory", default="4GB")
    lake = argparse.ArgumentParser(add_help=False)
    lakes_make.add_arguments(lake)
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument(
        "--data", type=Path, default=os.environ.get("TAMIS_DATA"), help="folder with F-rdatasets; default: $TAMIS_DATA"
    )
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    rivals = argparse.ArgumentParser(add_help=False)
    lakes_rivals.add_arguments(rivals)
    one = parts.add_parser("planted", parents=[shared, lake, rivals], help="a lake with planted containment and decoys")
    one.add_argument("--only", action="append", choices=lakes_planted.CONTESTANTS, help="contestants; default: all")
    parts.add_parser("rdatasets", parents=[shared, running, data], help="the tables of R packages, against brute force")
    one = parts.add_parser("schema-graph", parents=[shared, running], help="many schemas; snapshots of a growing table")
    one.add_argument("--schemas", type=int, default=100_000, help="0 for none")
    one.add_argument("--snapshots", type=int, default=10_000, help="0 for none")
    one.add_argument("--first-rows", type=int, default=100, help="of the first snapshot")
    one.add_argument("--step", type=int, default=1, help="rows that each has more")
    one.add_argument("--seed", type=int, default=0)
    parts.add_parser("funnel", parents=[shared, running, lake, data], help="what each step leaves of the pairs")
    one = parts.add_parser("retention", parents=[shared, lake], help="plans of what to delete; --tables 0: no lake")
    lakes_retention.add_arguments(one)
    return parser


def settings(args: argparse.Namespace) -> Found:
    """Return the arguments as JSON holds them."""
    return {name: str(value) if isinstance(value, Path) else value for name, value in vars(args).items()}


def main() -> None:
    """Read the arguments and measure."""
    parser = parser_of()
    args = parser.parse_args()
    if args.rounds < 1:
        parser.error("a comparison has a round")
    if args.part == "rdatasets" and not args.data:
        parser.error("rdatasets needs --data or $TAMIS_DATA")
    measure, lines = PARTS[args.part]
    args.work = args.work.resolve()
    mine = machine()
    found = {"machine": mine, "versions": versions(), "settings": settings(args), **measure(args)}
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    told = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    print(f"{mine['cores']} cores, {mine['memory_bytes'] / 2**30:.1f} GiB, {mine['processor']}; {told}\n")
    print("\n".join(lines(found)))


if __name__ == "__main__":
    main()
