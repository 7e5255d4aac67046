"""Kill ``tamis index add`` at random moments: the index must be the old one or the new one, whole, and usable.

python benchmarks/index_kills.py --count 20
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from kills import ROOT, Attempt, make_inputs

sys.path.insert(0, str(ROOT / "src"))

from tamis.connectors.index_store import HEADER, IndexStore


def main() -> None:
    """Kill and look."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        folder = Path(name)
        old, new = (make_inputs(folder / part, args.seed + i) for i, part in enumerate(("old", "new")))
        build = ["index", "build", old, "--capacity", "200000", "--on-error", "quarantine", "--out", folder / "index"]
        subprocess.run([sys.executable, "-m", "tamis", *map(str, build), "--quiet"], check=True)
        for whole in ("warm", "whole"):  # the first loads what later ones find in memory
            shutil.copytree(folder / "index", folder / whole)
            add = ["index", "add", folder / whole, new, "--on-error", "quarantine"]
            attempt = Attempt(*add)
            attempt.began.wait()
            start = time.monotonic()
            attempt.end()
            seconds = time.monotonic() - start
        headers = {kind: (folder / kind / HEADER).read_bytes() for kind in ("index", "whole")}
        print(f"adding takes {seconds:.1f} s from its first step", flush=True)
        struck: Counter[str] = Counter()
        usable = 0
        for number in range(args.count):
            index = folder / "killed"
            shutil.rmtree(index, ignore_errors=True)
            shutil.copytree(folder / "index", index)
            add[2] = index
            attempt = Attempt(*add)
            attempt.began.wait()
            time.sleep(rng.uniform(0, seconds))
            over = attempt.process.poll() is not None
            attempt.kill()
            struck["after the end" if over else attempt.steps[-1]] += 1
            store = IndexStore(str(index))
            left = (index / HEADER).read_bytes()
            store.check(store.header()["contents"])
            Attempt(*add).end()
            ended = (index / HEADER).read_bytes()
            store.check(store.header()["contents"])
            good = left in headers.values() and ended == headers["whole"]
            usable += good
            print(f"{number + 1}: {'usable' if good else 'SPOILT'}", flush=True)
        print(f"{usable} of {args.count} usable, and the same once added; killed in: {dict(struck.most_common())}")
    if usable < args.count:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
